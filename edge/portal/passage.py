r"""Did it go through at all? What is heard at a door may as well wait in the hall, drive past, or turn back.

Two things tell it, and both are summed over all tags of a group, for one tag's levels flutter:

  - how loud it was (the median, over its tags, of the loudest read): in the door it is near some antenna;
  - whether the power went over from one side to the other: the level of the inside antennas over the outside ones in
    what was heard first and in what was heard last. First and last are shares of the amplitude, `END`, so that neither
    a long wait nor a long way off counts for more than what was near.

    inside over       ____                          inside over     ____
    outside, dB   ___/    \___    turned back       outside, dB ___/        came in
                  first   last                                  first   last

    ln(P(passed) / P(did not)) = 0.24 * (loudness - near_peak_rssi_dbm) + 0.3 * change

where the change is the smaller of both levels over the other side: positive if the sides differ, negative if the same
side was louder first and last. Photo-eyes that saw somebody go the same way add a little: people break them, too. The
two figures were fitted to simulated doors: docs/decisions/pallet-groups.md.

A lone tag that both sides heard alike, often and not for long, though from afar, says neither: so it is where the
antennas stand back from the way, as at the recorded passes. It is told as a pass, with half of the confidence.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.levels import ALIKE_DB
from edge.portal.odds import share
from edge.portal.sides import Side
from edge.portal.visit import Visit

END: Final = 0.15
"""First and last are what makes this share of the amplitude of all reads."""
LOUD_ODDS: Final = 0.24
"""A dB more of loudness."""
CHANGE_ODDS: Final = 0.3
"""A dB more by which the power went over."""
MOST_CHANGE_DB: Final = 12.0
MOST_LOUD_DB: Final = 12.0
"""What is louder than this above `near_peak_rssi_dbm` is no surer."""
SEEN_ODDS: Final = 1.0
"""Photo-eyes saw somebody go the same way."""
HEARD_ALIKE: Final = 0.5
"""Of lone tags that both sides heard alike: 1 in 4 had passed at simulated doors, all at recorded ones."""
ALIKE_S: Final = 15.0
ALIKE_ENERGY_DB: Final = -2.0
"""What the fainter side heard of such a tag in all comes to at least this over one read at `near_peak_rssi_dbm`."""

_Heard = tuple[int, float, bool]
"""When, with which amplitude, and whether it was inside."""


class Passage(NamedTuple):
    """How what was heard of one group looks for having gone through."""

    peak_dbm: float
    change_db: float
    """How far the power went over from one side to the other; negative: it came back."""
    is_alike: bool
    """A lone tag that both sides heard about as well."""

    def passed(self, seen: bool, rules: PassRules) -> float:
        """P(it went through); `seen`: photo-eyes saw somebody go the same way."""
        loud_db = min(MOST_LOUD_DB, self.peak_dbm - rules.near_peak_rssi_dbm)
        change_db = max(-MOST_CHANGE_DB, min(MOST_CHANGE_DB, self.change_db))
        odds = LOUD_ODDS * loud_db + CHANGE_ODDS * change_db + (SEEN_ODDS if seen else 0.0)
        return share(odds)

    def may_be_far(self, rules: PassRules) -> bool:
        """Whether it may be one of those that pass where the antennas stand back from the way."""
        is_loud = self.peak_dbm >= rules.near_peak_rssi_dbm - ALIKE_DB
        return self.is_alike and is_loud and self.change_db >= -ALIKE_DB


def passed(visits: Sequence[Visit], side_of: Callable[[Read], Side | None], seen: bool, rules: PassRules) -> float:
    """P(these went through, together); 0 if that is too small for a pass. `seen`: see `Passage.passed`."""
    passage = passage_of(visits, side_of, rules)
    through = passage.passed(seen, rules)
    if through >= rules.min_passed:
        return through
    return max(through, HEARD_ALIKE) if passage.may_be_far(rules) else 0.0


def passage_of(visits: Sequence[Visit], side_of: Callable[[Read], Side | None], rules: PassRules) -> Passage:
    """What the reads of a group say; at least one visit, in any order."""
    heard = sorted(_heard(visits, side_of))
    least = 10 ** (rules.min_peak_rssi_dbm / 10)
    first_db, last_db = (_over_db(reads, least) for reads in (heard, heard[::-1]))
    change_db = min(abs(first_db), abs(last_db))
    return Passage(
        peak_dbm=median(visit.peak_dbm for visit in visits),
        change_db=change_db if first_db * last_db < 0 else -change_db,
        is_alike=len(visits) == 1 and _is_alike(visits[0], rules),
    )


def _is_alike(visit: Visit, rules: PassRules) -> bool:
    """Whether both sides heard a tag about as well, often, and not for long."""
    sides = visit.decision.evidence.inside, visit.decision.evidence.outside
    peaks = [side.peak_rssi_dbm for side in sides if side.peak_rssi_dbm is not None]
    if len(peaks) < len(sides) or abs(peaks[0] - peaks[1]) > ALIKE_DB or visit.length_us > ALIKE_S * 1e6:
        return False
    energies_db = (10 * math.log10(side.reads) + (side.mean_rssi_dbm or 0.0) for side in sides)
    return min(energies_db) >= rules.near_peak_rssi_dbm + ALIKE_ENERGY_DB


def _heard(visits: Iterable[Visit], side_of: Callable[[Read], Side | None]) -> Iterable[_Heard]:
    for visit in visits:
        for read in visit.stay.reads:
            side = side_of(read)
            if side is not None:
                yield read.at_us, math.pow(10, read.rssi_dbm / 20), side == "inside"


def _over_db(reads: Sequence[_Heard], least_mw: float) -> float:
    """The level of the inside over the outside in the first share of these reads, where `least_mw` is as none."""
    left = END * math.fsum(amplitude for _, amplitude, _ in reads)
    inside = outside = least_mw
    for _, amplitude, is_inside in reads:
        if is_inside:
            inside += amplitude * amplitude
        else:
            outside += amplitude * amplitude
        left -= amplitude
        if left <= 0:
            break
    return 10 * math.log10(inside / outside)
