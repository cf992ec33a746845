"""What doors side by side have heard of the same tags: a tag goes through one of them.

A visit at one door is the same passage as one at another if this other door heard the tag, too, in most of the time
(half of the power) in which the first one heard it. The door that heard it better has it; to the other it is a stray,
`cross_read`. Better is more power: the sum of the linear powers of the reads in the time that both have in common, so
that both level and number of reads count. Less than `CLEAR` times as much is a close call, and then the tags that moved
with it are summed up, too, for a load goes through one door. Who decides first decides for both.

A visit waits for its rivals to end, too, at most for `group_wait_s`; then what these heard so far counts. While a
neighbour is blind nobody can tell whether it would have heard better. Then a door gives a direction only if its own
photo-eyes saw it, or if a tag was so loud on both sides (`IN_DOOR_DB` above the least peak) as it is only in a door.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.field import BUCKET_US, Field, SoFar
from edge.portal.group import Group
from edge.portal.sides import Side
from edge.portal.sight import Sight
from edge.portal.visit import Visit

SLACK_US: Final = 1_000_000
MOST: Final = 0.5
CLEAR: Final = 2.0
IN_DOOR_DB: Final = 10.0
KEPT_US: Final = 30_000_000
"""A rival's visit of the same passage ends within this time."""
MAX_KEPT: Final = 20_000


class Heard:
    """What one door heard of one passage of a tag."""

    __slots__ = ("_so_far", "door", "mine")

    def __init__(self, door: str, so_far: SoFar) -> None:
        self.door = door
        self._so_far = so_far
        self.mine: bool | None = None
        """Whether this door has the passage, once that is decided."""

    @property
    def first_us(self) -> int:
        return self._so_far.first_us

    @property
    def last_us(self) -> int:
        return self._so_far.last_us

    def covers(self, other: "Heard") -> bool:
        """Whether this door heard the tag in most of the time in which the other heard it well."""
        return self._within(other) >= MOST * sum(other._so_far.powers_mw.values())

    def power_mw(self, other: "Heard") -> float:
        """What this door heard in the time that both have in common."""
        return other._within(self)

    def _within(self, other: "Heard") -> float:
        """What the other heard while this one did."""
        begin, end = (self.first_us - SLACK_US) // BUCKET_US, (self.last_us + SLACK_US) // BUCKET_US
        return sum(power for bucket, power in other._so_far.powers_mw.items() if begin <= bucket <= end)


class _Rivalry(NamedTuple):
    """One passage that two doors heard."""

    epc: str
    ours_mw: float
    theirs_mw: float

    @property
    def is_clear(self) -> bool:
        return max(self.ours_mw, self.theirs_mw) >= CLEAR * min(self.ours_mw, self.theirs_mw)


class _Ear(NamedTuple):
    field: Field
    sight: Sight
    side_of: Callable[[Read], Side | None]


class Row:
    """The doors of one row, and what they heard lately."""

    def __init__(self) -> None:
        self._ears: dict[str, _Ear] = {}
        self._heard: dict[str, list[Heard]] = {}
        self._order: deque[tuple[int, str]] = deque()
        """(last read, epc) of all that is in `_heard`."""

    def join(self, door: str, field: Field, sight: Sight, side_of: Callable[[Read], Side | None]) -> None:
        """A door belongs to the row."""
        self._ears[door] = _Ear(field, sight, side_of)

    def note(self, door: str, visit: Visit) -> None:
        """A visit has ended."""
        heard = Heard(door, visit.stay.until(visit.stay.last_us, self._ears[door].side_of))
        self._heard.setdefault(visit.epc, []).append(heard)
        self._order.append((heard.last_us, visit.epc))
        while len(self._order) > MAX_KEPT or self._order[0][0] < heard.last_us - KEPT_US:
            _, epc = self._order.popleft()
            if len(self._heard[epc]) > 1:
                self._heard[epc].pop(0)
            else:
                del self._heard[epc]

    def withdraw(self, door: str, visit: Visit) -> None:
        """A visit goes on after all."""
        heard = self._own(door, visit)
        if heard is not None:
            self._heard[visit.epc].remove(heard)
            self._order.remove((heard.last_us, visit.epc))
            if not self._heard[visit.epc]:
                del self._heard[visit.epc]

    def is_heard_elsewhere(self, door: str, visit: Visit, now_us: int) -> bool:
        """Whether another door still hears a tag on the same passage."""
        own = self._own(door, visit)
        return any(heard.covers(own) for heard in self._still(door, visit.epc, now_us)) if own else False

    def cross_read(self, door: str, members: Sequence[Visit], now_us: int) -> set[str]:
        """The tags among these, which moved together, that another door has; it holds for that door, too."""
        lost: set[str] = set()
        rivalries: dict[str, list[_Rivalry]] = {}
        contested: list[tuple[str, Heard]] = []
        for visit in members:
            own = self._own(door, visit)
            rivals = self._rivals(own, visit.epc, now_us) if own else []
            for rival in rivals:
                if rival.mine:
                    lost.add(visit.epc)
                elif rival.mine is None and own:
                    rivalry = _Rivalry(visit.epc, own.power_mw(rival), rival.power_mw(own))
                    rivalries.setdefault(rival.door, []).append(rivalry)
            if own and rivals:
                contested.append((visit.epc, own))
        for rival_door, found in rivalries.items():
            lost |= _lost(found, rival_door < door)
        for epc, own in contested:
            own.mine = epc not in lost
        return lost

    def is_doubtful(self, door: str, group: Group, rules: PassRules) -> bool:
        """Whether a neighbour was blind meanwhile, and the group may have gone through there."""
        others = (ear.sight for name, ear in self._ears.items() if name != door)
        length_us = group.last_us - group.first_us
        if all(sight.silence_us(group.first_us, group.last_us) == length_us for sight in others):
            return False
        return not any(_is_in_door(visit, group, rules) for visit in group.members)

    def _own(self, door: str, visit: Visit) -> Heard | None:
        kept = (heard for heard in self._heard.get(visit.epc, ()) if heard.door == door)
        return next((heard for heard in kept if heard.first_us == visit.first_us), None)

    def _rivals(self, own: Heard, epc: str, now_us: int) -> list[Heard]:
        others = [heard for heard in self._heard.get(epc, ()) if heard.door != own.door]
        return [heard for heard in [*others, *self._still(own.door, epc, now_us)] if heard.covers(own)]

    def _still(self, door: str, epc: str, now_us: int) -> Iterator[Heard]:
        """What other doors heard until now of stays that have not ended."""
        for name, ear in self._ears.items():
            for stay in ear.field.stays_of(epc) if name != door else ():
                if stay.first_us <= now_us and stay.reads:
                    yield Heard(name, stay.until(now_us, ear.side_of))


def _lost(rivalries: Iterable[_Rivalry], ties_are_theirs: bool) -> set[str]:
    """The tags that the other door has."""
    found = list(rivalries)
    ours_mw, theirs_mw = sum(one.ours_mw for one in found), sum(one.theirs_mw for one in found)
    load_is_theirs = theirs_mw > ours_mw or (theirs_mw == ours_mw and ties_are_theirs)
    return {one.epc for one in found if (one.theirs_mw > one.ours_mw if one.is_clear else load_is_theirs)}


def _is_in_door(visit: Visit, group: Group, rules: PassRules) -> bool:
    """Whether a tag's own evidence says that it was in this door, whatever others may have heard."""
    evidence = visit.decision.evidence
    if evidence.beam is not None and evidence.beam == group.direction:
        return True
    peaks = (evidence.inside.peak_rssi_dbm, evidence.outside.peak_rssi_dbm)
    return all(peak is not None and peak >= rules.min_peak_rssi_dbm + IN_DOOR_DB for peak in peaks)
