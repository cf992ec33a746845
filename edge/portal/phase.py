"""What the phases of one tag's reads say of its way through a door, where a reader tells them.

The phase of a tag's answer turns once for each half wavelength that the tag comes nearer (Nikitin et al., Phase based
spatial identification of UHF RFID tags, IEEE RFID 2010, section III). Readers of Impinj leave half a turn open, so a
quarter wavelength, 8 cm, looks like none. Between two reads of one antenna on one channel everything but the distance
stays as it was, and who walks through nears the inside antennas while leaving the outside ones:

    outside  ---[o]-----u-->-----[i]---  inside         u   where the tag is, v (t - t0) along its way
                                                        p   where the antenna is, d before or behind the door
    nearer by  v dt (p - u) / sqrt((p - u)^2 + w^2)     w   how far beside the way it stands

Where antennas stand and how fast a tag goes is not known. So each pair of reads is held against walks of ten speeds at
three times through three doors, both ways, and the likelihoods of the walks of one way are averaged: the ratio is
Bayes' factor. Walls throw waves back and times are a little wrong, so a pair is trusted little: its error is von Mises
with concentration 1. Only the sign is from recorded passes, no figure. The sum stops at 20 to 1, for what deceives one
pair deceives its neighbours, too.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from edge.llrp.read import Read
from edge.portal.sides import Side

QUARTER_WAVE_M: Final = 0.082
"""At 915 MHz; 0.087 at 865 MHz."""
HALF_TURN: Final = 2048
"""In the reader's units."""
APART_US: Final = range(3_000, 300_000)
"""Less, and nothing moved; more, and it moved too far to tell."""
NEAR_US: Final = 5_000_000
"""What is further from the middle of the stay is not the way through the door."""
MAX_PAIRS: Final = 200
"""Those nearest to the middle count."""
MOST_ODDS: Final = math.log(20)

SPEEDS_M_PER_S: Final = np.geomspace(0.2, 2.0, 10)[:, None, None, None]
EARLY: Final = np.array([-0.1, 0.0, 0.1])[:, None, None]
"""When the tag was between the sides: so far from the middle of the stay, in shares of it."""
DEPTHS_M, WIDTHS_M = np.array([(1.2, 1.3), (2.3, 2.3), (3.0, 0.5)]).T[:, :, None]
"""d and w of a portal, of a hall with antennas in its corners, and of a way close past them."""


class Pair(NamedTuple):
    """Two reads of one antenna on one channel, soon after one another."""

    off_us: float
    """From the middle of the stay to the middle of the pair."""
    apart_us: int
    side: int
    """+1 inside, -1 outside."""
    turned: int
    """How much the phase grew, modulo half a turn."""


def phase_log_odds(reads: Sequence[Read], side_of: Callable[[Read], Side | None]) -> float | None:
    """ln(P(inbound) / P(outbound)) of one tag, if it went through; None where no phases tell.

    `reads` in any order, at least one; `phase` in 4096ths of a turn.
    """
    if all(read.phase is None for read in reads):
        return None
    reads = sorted(reads, key=lambda read: (read.at_us, read.channel or 0, read.phase or 0))
    first_us, last_us = reads[0].at_us, reads[-1].at_us
    pairs = _pairs(reads, side_of, (first_us + last_us) / 2)
    if not pairs:
        return None
    off_s, apart_s, sides, turned = np.array(pairs, np.float64).T
    off_s, apart_s, turned = off_s / 1e6, apart_s / 1e6, turned / HALF_TURN
    length_s = min(last_us - first_us, 2 * NEAR_US) / 1e6
    gone_m = SPEEDS_M_PER_S * (off_s - EARLY * length_s)
    fits = []
    for way in (1, -1):
        away_m = way * sides * DEPTHS_M - gone_m
        nearer_m = SPEEDS_M_PER_S * apart_s * away_m / np.hypot(away_m, WIDTHS_M)
        fits.append(np.cos(2 * np.pi * (turned - nearer_m / QUARTER_WAVE_M)).sum(axis=-1))
    inbound, outbound = (float(np.logaddexp.reduce(fit, axis=None)) for fit in fits)
    return max(-MOST_ODDS, min(MOST_ODDS, inbound - outbound))


def _pairs(reads: list[Read], side_of: Callable[[Read], Side | None], middle_us: float) -> list[Pair]:
    """The pairs that count, of reads by their times."""
    signs = {"inside": 1, "outside": -1, None: 0}
    sides: dict[tuple[str, int], int] = {}
    before: dict[tuple[str, int, int], Read] = {}
    pairs = []
    for read in reads:
        if read.phase is None or read.channel is None:
            continue
        antenna = (read.reader, read.antenna)
        side = sides.get(antenna)
        if side is None:
            side = sides[antenna] = signs[side_of(read)]
        earlier = before.get((*antenna, read.channel))
        before[*antenna, read.channel] = read
        if not side or earlier is None or earlier.phase is None:
            continue
        apart_us = read.at_us - earlier.at_us
        off_us = (read.at_us + earlier.at_us) / 2 - middle_us
        if apart_us in APART_US and abs(off_us) <= NEAR_US:
            pairs.append(Pair(off_us, apart_us, side, (read.phase - earlier.phase) % HALF_TURN))
    return sorted(sorted(pairs, key=lambda pair: (abs(pair.off_us), pair))[:MAX_PAIRS])
