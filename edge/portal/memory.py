"""What a door remembers of tags: which belong to the place, which went through lately, and how many were no pass."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from edge.portal.field import Stay
from edge.portal.group import Group
from edge.portal.residents import Residents
from edge.portal.static import Static
from edge.portal.visit import Visit, is_still, was_carried

MAX_PASSED: Final = 10_000
"""Beyond it the one that passed longest ago is forgotten."""
RESIDENT: Final = frozenset({"few_reads", "weak", "flat", "standing", "static"})
"""Reasons of tags that may be heard here again without having moved."""


class Memory:
    """The tags that one door has known. Never reads a clock."""

    def __init__(self, fixed: Iterable[str]) -> None:
        """`fixed`: static tags in the site file."""
        self.strays: Counter[str] = Counter()
        """Tags that were no pass, by reason, since the start; for `overflow`, reads."""
        self._passed: dict[str, int] = {}
        """Last read of each tag that went through lately, the newest note last."""
        self._residents = Residents()
        self._static = Static(fixed)

    def is_static(self, epc: str) -> bool:
        """Whether a tag belongs to the place."""
        return epc in self._static.known

    def is_resident(self, epc: str, first_us: int, peak_dbm: float) -> bool:
        """Whether a tag was here before without moving, and is not much louder now."""
        rest_dbm = self._residents.rest_dbm(epc, first_us)
        return rest_dbm is not None and peak_dbm < rest_dbm

    def is_unsure_resident(self, visit: Visit) -> bool:
        """Whether only its companions could say that such a tag went through; but it was here before they came."""
        return visit.way is None and self.is_resident(visit.epc, visit.first_us, visit.peak_dbm)

    def why_stray(self, visit: Visit) -> str | None:
        """Why a visit is a stray, whatever was there with it."""
        if visit.first_us <= self._passed.get(visit.epc, 0):
            return "late"  # read while it passed, and told after the pass was
        if visit.stay.standing or self.is_static(visit.epc):
            return None if was_carried(visit) else "standing" if visit.stay.standing else "static"
        if is_still(visit) or (visit.reason and self.is_unsure_resident(visit)):
            return visit.reason
        return None

    def turn_away(self, visit: Visit, reason: str) -> None:
        """A visit is no pass."""
        self.count(visit.stay, reason)
        if reason in RESIDENT:
            self._residents.note(visit.epc, visit.last_us, visit.peak_dbm)

    def count(self, stay: Stay, reason: str) -> None:
        """A stay of which nothing else is known is no pass."""
        self.strays[reason] += 1
        self._static.note(stay.epc, reason, stay.last_us)

    def passed(self, group: Group) -> None:
        """These went through."""
        for visit in group.members:
            self._passed.pop(visit.epc, None)
            self._passed[visit.epc] = visit.last_us
            if group.way is not None:
                self._residents.forget(visit.epc)
                self._static.note(visit.epc, "passed", visit.last_us)
        while len(self._passed) > MAX_PASSED:
            del self._passed[next(iter(self._passed))]
