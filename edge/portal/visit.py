"""One tag's stay in the field of a door, judged by itself."""

import math
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple

from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.beams import Beams
from edge.portal.direction import BEAM_ODDS, Decision, decide
from edge.portal.field import Stay
from edge.portal.odds import odds
from edge.portal.sides import Side
from edge.portal.stray import level_change_db, why_stray

Way = Literal["inbound", "outbound", "back"]
"""Where something went: through, one way or the other, or back to where it came from."""

SURE: Final = 0.8
"""Share from which the reads of a tag alone say which way it went."""
CARRIED_SURE: Final = 0.9
CARRIED_SHARE: Final = 0.2
"""Least distance of the centroids, as a share of the time, of a tag that was carried off from where it stood."""
CARRIED_DB: Final = 6.0
CARRIED_S: Final = (10.0, 6.0)
"""A tag that stood near the door is carried through it within one of these times."""


_BEAM_ODDS: Final = {"inbound": BEAM_ODDS, "outbound": -BEAM_ODDS}


class Visit(NamedTuple):
    """What the reads of one stay say, before those of its neighbours are asked."""

    stay: Stay
    decision: Decision
    reason: str | None
    """Why it is no pass by itself."""

    @property
    def epc(self) -> str:
        return self.stay.epc

    @property
    def first_us(self) -> int:
        return self.decision.evidence.first_read_us

    @property
    def last_us(self) -> int:
        return self.decision.evidence.last_read_us

    @property
    def middle_us(self) -> int:
        """When it was between the sides."""
        return self.decision.at_us

    @property
    def length_us(self) -> int:
        return self.last_us - self.first_us

    @property
    def peak_dbm(self) -> float:
        evidence = self.decision.evidence
        peaks = (evidence.inside.peak_rssi_dbm, evidence.outside.peak_rssi_dbm)
        return max((peak for peak in peaks if peak is not None), default=-math.inf)

    @property
    def way(self) -> Way | None:
        """Where it went, if its own reads say so."""
        if self.reason == "turned_back":
            return "back"
        decision = self.decision
        if self.reason or decision.direction == "unknown" or decision.confidence < SURE:
            return None
        return decision.direction

    @property
    def log_odds(self) -> float:
        """ln(P(inbound) / P(outbound)) by its own reads, if it went through; 0 where it came near one side only."""
        if self.decision.evidence.margin_s is None:
            return 0.0
        return odds(self.decision.inbound) - self.beam_odds

    @property
    def beam_odds(self) -> float:
        """What the photo-eyes say of it, in the same measure."""
        return _BEAM_ODDS.get(self.decision.evidence.beam or "unknown", 0.0)

    def is_withheld(self, rules: PassRules) -> bool:
        """Whether no direction is told although the reads point one way: the photo-eyes did not see it go through."""
        inbound = self.decision.inbound
        return self.decision.direction == "unknown" and max(inbound, 1 - inbound) >= rules.min_confidence


def by_middle(visit: Visit) -> tuple[int, str]:
    """The order of visits: when they were in the middle of the door."""
    return visit.middle_us, visit.epc


def judge(stay: Stay, side_of: Callable[[Read], Side | None], beams: Beams, rules: PassRules) -> Visit:
    """The visit of a stay that has ended and has reads."""
    decision = decide(stay.reads, side_of, beams, rules)
    return Visit(stay, decision, why_stray(stay.reads, decision, rules))


def is_still(visit: Visit) -> bool:
    """Whether the reads show that the tag stood still: flat, though there were enough to see it move."""
    return visit.reason == "flat" and level_change_db(visit.stay.reads) is not None


def was_carried(visit: Visit) -> bool:
    """Whether a tag that belongs to the place clearly went through: centroids far apart, and a change of level."""
    decision = visit.decision
    margin_s = decision.evidence.margin_s
    if visit.reason or margin_s is None or visit.way is None or decision.confidence < CARRIED_SURE:
        return False
    if abs(margin_s) * 1e6 < CARRIED_SHARE * visit.length_us:
        return False
    change_db = level_change_db(visit.stay.reads)
    return change_db is not None and change_db >= CARRIED_DB


def carried_off(stay: Stay, side_of: Callable[[Read], Side | None], beams: Beams, rules: PassRules) -> Visit | None:
    """How a tag that belongs to the place went through in the end, if its last reads clearly show it."""
    for last_s in CARRIED_S:
        visit = judge(stay.end(last_s), side_of, beams, rules)
        if was_carried(visit):
            return visit
    return None


def one_each(
    visits: Iterable[Visit], side_of: Callable[[Read], Side | None], beams: Beams, rules: PassRules
) -> tuple[Visit, ...]:
    """The same with one visit of each tag: one that the crowd hid was there all the while. By their middles."""
    by_tag: dict[str, Visit] = {}
    for visit in sorted(visits, key=lambda visit: visit.first_us):
        before = by_tag.get(visit.epc)
        if before is not None:
            visit = judge(Stay.joined(before.stay, visit.stay), side_of, beams, rules)
        by_tag[visit.epc] = visit
    return tuple(sorted(by_tag.values(), key=by_middle))
