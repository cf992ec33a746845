"""Which way a tag went through a door, how sure that is, and why.

A tag that comes in is nearest to the outside antennas first and to the inside ones last. RSSI flutters by 10 dB and
more from read to read, so no single read is trusted: each side's reads give a time centroid, weighted by linear power,
and the side with the later centroid is where the tag went, provided that it came near both: the strongest read of the
fainter side reaches `min_peak_rssi_dbm`, or is close to the louder one's. The photo-eyes are a second witness.

Confidence is the share of passes with such evidence whose direction is as said. For the centroids it rises from one
half at no margin towards 0.99, by the margin's share r of the pass: 1 - exp(-r / 0.07) / 2. The figure 0.07 was read
off 32 recorded passes (r about 0.04: two of three right; r from 0.08: all right) and is not a calibration. A beam
pair is taken to be right nine times in ten, independently of the antennas, and shifts it by Bayes' rule. Who comes up
to the door and turns back before the beams breaks none: where beams work and none broke, only clearly separate
centroids count as a direction.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from contract.events import Direction, PassEvidence, Rule, SideEvidence
from contract.site import PassRules
from edge.llrp.read import Read
from edge.portal.beams import Beams
from edge.portal.sides import Side

SHARE_SCALE: Final = 0.07
MOST_CONFIDENT: Final = 0.99
BEAM_RIGHT: Final = 0.9
ALIKE_DB: Final = 8.0
"""Both sides are near, however weak the tag, if their strongest reads differ by no more."""
UNSEEN_SHARE: Final = 0.25
"""Least margin, as a share of the pass, of a direction that working beams did not see."""


class Decision(NamedTuple):
    """What was decided about the reads of one tag."""

    direction: Direction
    confidence: float
    at_us: int
    evidence: PassEvidence


def decide(reads: Sequence[Read], side_of: Callable[[Read], Side | None], beams: Beams, rules: PassRules) -> Decision:
    """The direction of one pass; `reads` in any order, at least one."""
    times = [read.at_us for read in reads]
    first_us, last_us = min(times), max(times)
    heard: dict[Side | None, list[Read]] = {"inside": [], "outside": [], None: []}
    for read in reads:
        heard[side_of(read)].append(read)
    inside, outside = _side(heard["inside"]), _side(heard["outside"])
    margin_s, at_us = None, (first_us + last_us) // 2
    if inside.centroid_us is not None and outside.centroid_us is not None and _came_near(inside, outside, rules):
        margin_s = (inside.centroid_us - outside.centroid_us) / 1e6
        at_us = (inside.centroid_us + outside.centroid_us) // 2
    length_s = (last_us - first_us) / 1e6
    crossing = beams.witness(first_us, last_us, at_us)
    beam = crossing.direction if crossing else None
    unseen = crossing is None and beams.watching(last_us)
    least_margin_s = max(rules.margin_s, UNSEEN_SHARE * length_s if unseen else 0.0)
    direction, confidence, rule = _verdict(margin_s, length_s, beam, least_margin_s)
    evidence = PassEvidence(
        first_read_us=first_us,
        last_read_us=last_us,
        inside=inside,
        outside=outside,
        neutral_reads=len(heard[None]),
        margin_s=None if margin_s is None else round(margin_s, 6),
        beam=beam,
        rule=rule,
    )
    return Decision(direction, round(confidence, 3), at_us, evidence)


def _verdict(
    margin_s: float | None, length_s: float, beam: Direction | None, least_margin_s: float
) -> tuple[Direction, float, Rule]:
    """Direction, confidence and what decided."""
    if margin_s is None:
        return "unknown", 0.0, "margin"  # only one side saw it: the beams may speak of another tag
    if beam == "unknown":
        return "unknown", 0.0, "photo_eye"  # it turned back between the beams
    share = abs(margin_s) / length_s if length_s else 0.0
    sure = min(MOST_CONFIDENT, 1 - math.exp(-share / SHARE_SCALE) / 2)
    inbound = sure if margin_s > 0 else 1 - sure
    if beam:
        right = BEAM_RIGHT if beam == "inbound" else 1 - BEAM_RIGHT
        inbound = inbound * right / (inbound * right + (1 - inbound) * (1 - right))
    clear = abs(margin_s) >= least_margin_s and margin_s != 0
    if not clear and beam is None:
        return "unknown", 0.0, "margin"
    direction: Direction = ("inbound" if margin_s > 0 else "outbound") if clear else beam or "unknown"
    confidence = inbound if direction == "inbound" else 1 - inbound
    if confidence <= 0.5:
        return "unknown", 0.0, "photo_eye"  # the witnesses contradict each other
    return direction, confidence, "centroid" if clear else "photo_eye"


def _came_near(inside: SideEvidence, outside: SideEvidence, rules: PassRules) -> bool:
    """Whether the tag came near both sides: who stands on one side is heard from the other only faintly."""
    peaks = sorted(side.peak_rssi_dbm for side in (inside, outside) if side.peak_rssi_dbm is not None)
    return len(peaks) == 2 and (peaks[0] >= rules.min_peak_rssi_dbm or peaks[1] - peaks[0] <= ALIKE_DB)


def _side(reads: Sequence[Read]) -> SideEvidence:
    if not reads:
        return SideEvidence(reads=0)
    reads = sorted(reads)  # so that the sums do not depend on the order of arrival
    powers_mw = [10 ** (read.rssi_dbm / 10) for read in reads]
    begin_us, total_mw = reads[0].at_us, sum(powers_mw)
    after_us = sum(power * (read.at_us - begin_us) for power, read in zip(powers_mw, reads, strict=True)) / total_mw
    return SideEvidence(
        reads=len(reads),
        peak_rssi_dbm=max(read.rssi_dbm for read in reads),
        mean_rssi_dbm=round(10 * math.log10(total_mw / len(reads)), 1),
        centroid_us=begin_us + round(after_us),
    )
