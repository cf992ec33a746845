"""One door: from reads to passes.

    reads --> field --> visits --------> waiting -----> groups ------> passes
              (stays    (each judged     (for each      (what moved
               end)      by itself)       other)         together)

Reads of a tag belong together until the tag has been silent for `gap_s` (field.py). Its visit is judged by itself: a
direction, or a reason why it is no pass (direction.py, stray.py). What may belong to one load waits for its companions
that are still read (waiting.py), and is decided with them (group.py), at the next tenth of a second, `TICK_US`.
What hardly can have gone through at all is a stray, `far` (passage.py).

All times are those of the reads, so late and shuffled reads change nothing; only `due` is told what time it is, and it
takes one moment after the other up to then, as a live door would have. While a reader of the door is blind its silence
means nothing: open stays are kept until it sees again, at most for `max_pass_s`, and then end with what was read.

A tag that belongs to the place (`static_tags`, those learned, one that stands still for longer than `max_pass_s`) is a
stray unless its last reads clearly show that it was carried through. At a door with a gate, what passes while the gate
is closed is a stray, `ungated`, and a window in which nothing passes is an empty pass.

Every tag ends in a pass or in `strays`. Bounds: those of the field, and of what waits: it left the field at most
`group_wait_s` ago, and of more than `MAX_WAITING` tags no stray waits.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Final

from contract.events import DoorPass, EmptyPass
from contract.portals import Door, EyesGate, GpiGate
from edge.llrp.read import Read
from edge.portal.beams import Beam, Beams
from edge.portal.field import Field, SoFar, Stay
from edge.portal.gate import Gate, Window
from edge.portal.group import Group, Outline, alone, gone_through, groups_of, without_faint
from edge.portal.memory import Memory
from edge.portal.passage import passed
from edge.portal.passes import empty_pass, passes_of
from edge.portal.row import Row
from edge.portal.sides import Side, sides_of
from edge.portal.sight import Sight
from edge.portal.visit import Visit, carried_off, judge, one_each
from edge.portal.waiting import Waiting, bunches_of

TICK_US: Final = 100_000
"""What waits is looked at at these moments, so that it does not matter when somebody asks."""
AGAIN_US: Final = 300_000
"""And at those, where nothing ends meanwhile."""
LOST_GAPS: Final = 2
"""A tag of a load may be unread for so many times `gap_s` in the crowd, and has still passed once."""
MAX_WAITING: Final = 1_000
"""Beyond it, what is a stray unless it finds companions does not wait for them."""
MAX_OTHERS: Final = 2_000
"""With more tags that may be moving in the field, nobody waits for any of them."""


class DoorTracker:
    """The tags at one door. Reads in, passes out; never reads a clock."""

    def __init__(self, door: Door, row: Row | None = None) -> None:
        """`row`: that of the doors beside it, whose trackers are asked together (neighbours.py)."""
        self._name = door.name
        self._rules = door.rules
        self._sides = sides_of(door)
        self._gap_us = round(door.rules.gap_s * 1e6)
        self._wait_us = round(door.rules.group_wait_s * 1e6)
        self._beams = Beams()
        self._sight = Sight()
        self._memory = Memory(door.static_tags)
        self._field = Field(self._gap_us, round(door.rules.max_pass_s * 1e6), self._sight, self._memory.strays)
        self._waiting: dict[str, list[Waiting]] = {}
        """By tag: visits that have ended and are not decided."""
        self._known: dict[tuple[int, ...], tuple[Sequence[Waiting], Sequence[Group]]] = {}
        """What waited when it was last looked at, with its groups, by the identities of what waited."""
        self._look_us: int | None = None
        """When what waits is looked at next."""
        self._gate = None if door.gate is None else Gate(door.gate.hold_s)
        self._eyes_are_gate = isinstance(door.gate, EyesGate)
        self._gate_reader = door.gate.reader if isinstance(door.gate, GpiGate) else None
        self._row = row
        if row is not None:
            row.join(door.name, self._field, self._sight, self._side_of)

    @property
    def strays(self) -> Counter[str]:
        """Tags that were no pass, by reason, since the start; for `overflow`, reads."""
        return self._memory.strays

    def feed(self, reads: Iterable[Read]) -> None:
        """Take in reads, in any order."""
        if self._waiting:
            reads = self._without_late(reads)
        if self._gate is not None:
            reads = self._gate.hear(reads)
        self._field.feed(reads)

    def beam(self, at_us: int, which: Beam, broken: bool) -> None:
        """A photo-eye of the door broke or became clear."""
        self._beams.change(at_us, which, broken)
        if self._eyes_are_gate:
            self.gate(at_us, self._beams.broken)

    def eyes_lost(self, now_us: int) -> None:
        """Nobody tells what the photo-eyes see."""
        self._beams.lose()
        if self._gate is not None and self._eyes_are_gate:
            self._gate.lose(now_us)

    def eyes_back(self, now_us: int) -> None:
        """The photo-eyes are read again; they count when one of them changes."""
        if self._gate is not None and self._eyes_are_gate:
            self._gate.regain(now_us)

    def gate(self, at_us: int, is_open: bool) -> None:
        """The gate of the door opened or closed."""
        if self._gate is not None:
            self._gate.change(at_us, is_open)
            self._look_at_gate()

    def blind(self, now_us: int, reader: str = "") -> None:
        """A reader of the door is lost or blind."""
        self._sight.lose(reader, now_us)
        if self._gate is not None and reader == self._gate_reader:
            self._gate.lose(now_us)

    def sighted(self, now_us: int, reader: str = "") -> None:
        """A reader of the door sees again."""
        if self._sight.regain(reader, now_us):
            self._field.look_again()
        if self._gate is not None and reader == self._gate_reader:
            self._gate.regain(now_us)

    def next_due_us(self) -> int | None:
        """When `due` should be called next; it may find nothing then."""
        end_us, look_us = self._field.next_end_us(), self._look_us
        return min(end_us, look_us) if end_us is not None and look_us is not None else end_us or look_us

    def due(self, now_us: int) -> list[DoorPass | EmptyPass]:
        """What is over by now, in the order in which it happened."""
        return decided([self], now_us)

    def end_stays(self, at_us: int) -> None:
        """Judge the stays that end at this moment. First of two steps, for all doors of a row."""
        for stay in self._field.ended(at_us):
            self._judge(stay, at_us)

    def settle(self, at_us: int, now_us: int) -> list[DoorPass | EmptyPass]:
        """Decide what waits for nobody any more at this moment. Second of two steps, for all doors of a row."""
        if self._look_us is None or self._look_us > at_us:
            return []
        told: list[DoorPass | EmptyPass] = []
        for group in self._ready(at_us):
            told += self._tell(group, now_us)
        told += self._empty(at_us, now_us)
        self._look_us = at_us + AGAIN_US if self._waiting else None
        self._look_at_gate(at_us + AGAIN_US)
        return told

    # A stay ends

    def _judge(self, stay: Stay, at_us: int) -> None:
        if not stay.reads:
            self._memory.count(stay, "standing")
            return
        before = self._lost_before(stay)
        if before is not None:
            self._forget([before])
            stay = Stay.joined(before.stay, stay)
        visit = judge(stay, self._side_of, self._beams, self._rules)
        if stay.standing or self._memory.is_static(stay.epc):
            visit = carried_off(stay, self._side_of, self._beams, self._rules) or visit
        if self._row is not None:
            if before is not None:
                self._row.withdraw(self._name, before)
            self._row.note(self._name, visit)
        reason = self._memory.why_stray(visit)
        if reason is None and len(self._waiting) >= MAX_WAITING:
            reason = visit.reason
        if reason:
            self._memory.turn_away(visit, reason)
            return
        self._waiting.setdefault(stay.epc, []).append(Waiting(visit, at_us))
        self._look(at_us)

    def _lost_before(self, stay: Stay) -> Visit | None:
        """The visit that a stay goes on with, if the crowd hid the tag for a moment and that visit still waits."""
        ones = (one.visit for one in self._waiting.get(stay.epc, ()))
        return next((one for one in ones if 0 <= stay.first_us - one.last_us <= LOST_GAPS * self._gap_us), None)

    def _without_late(self, reads: Iterable[Read]) -> Iterator[Read]:
        """Reads, but for those that show that a visit which waits had not ended: it goes on."""
        for read in reads:
            ones = self._waiting.get(read.epc, [])
            late = next((one for one in ones if self._field.belongs(one.visit.stay, read)), None)
            if late is None:
                yield read
                continue
            self._forget([late.visit])
            if self._row is not None:
                self._row.withdraw(self._name, late.visit)
            self._field.reopen(late.visit.stay, read)

    # What waits is decided

    def _ready(self, at_us: int) -> list[Group]:
        """The groups that wait for nobody any more, or have waited for long enough; they wait no more."""
        ready: list[Group] = []
        may_wait: list[Group] = []
        for bunch, groups in self._grouped():
            overdue = {one.visit.epc for one in bunch if one.is_overdue(self._wait_us, at_us)}
            for group in groups:
                if _is_overdue(group, overdue):
                    ready.append(group)
                elif not _is_lone_stray(group):
                    may_wait.append(group)
        ready += self._waiting_for_nobody(may_wait, at_us)
        found: list[Group] = []
        for group in sorted(ready, key=_by_time_and_first):
            self._forget(group.members)
            found += self._own_part(group, at_us) if self._row is not None else [group]
        return found

    def _grouped(self) -> Iterable[tuple[Sequence[Waiting], Sequence[Group]]]:
        """All that wait, and their groups; these are found anew only where somebody came or went."""
        bunches = bunches_of((one for ones in self._waiting.values() for one in ones), self._rules)
        known, self._known = self._known, {}
        for bunch in bunches:
            key = tuple(map(id, bunch))
            self._known[key] = known.get(key) or (bunch, self._groups(bunch))
        return self._known.values()

    def _waiting_for_nobody(self, groups: Sequence[Group], at_us: int) -> list[Group]:
        others = list(self._may_join(at_us)) if groups else []
        if len(others) > MAX_OTHERS:
            others = []
        return [group for group in groups if not self._waits(group, others, at_us)]

    def _waits(self, group: Group, others: Sequence[SoFar], at_us: int) -> bool:
        """Whether somebody who is still in the field may belong to a group."""
        if any(map(Outline.of(group).may_hold, others)) or self._goes_on(group, at_us):
            return True
        row = self._row
        return row is not None and any(row.is_heard_elsewhere(self._name, visit, at_us) for visit in group.members)

    def _may_join(self, at_us: int) -> Iterator[SoFar]:
        """Of tags that are still in the field and may be moving, what was heard until now."""
        for stay in self._field.open_stays(at_us):
            if not self._memory.is_static(stay.epc):
                so_far = stay.until(at_us, self._side_of)
                if not self._memory.is_resident(stay.epc, stay.first_us, so_far.peak_dbm):
                    yield so_far

    def _goes_on(self, group: Group, at_us: int) -> bool:
        """Whether a tag was lost for a moment only, and is read again."""
        return any(
            stay.first_us <= at_us and stay.first_us - visit.last_us <= LOST_GAPS * self._gap_us
            for visit in group.members
            for stay in self._field.stays_of(visit.epc)
            if stay.first_us > visit.last_us
        )

    def _groups(self, bunch: Sequence[Waiting]) -> list[Group]:
        free: list[Visit] = []
        apart: list[Visit] = []
        for one in bunch:
            (apart if self._memory.is_unsure_resident(one.visit) else free).append(one.visit)
        groups = [
            group._replace(members=one_each(group.members, self._side_of, self._beams, self._rules))
            for group in groups_of(free, self._rules)
        ]
        return groups + [alone(visit, self._rules) for visit in apart]

    def _own_part(self, group: Group, at_us: int) -> list[Group]:
        """What of a group went through this door, and not through one beside it."""
        assert self._row is not None
        lost = self._row.cross_read(self._name, group.members, at_us)
        for visit in group.members:
            if visit.epc in lost:
                self._memory.turn_away(visit, "cross_read")
        groups = (
            groups_of([visit for visit in group.members if visit.epc not in lost], self._rules) if lost else [group]
        )
        return [
            one._replace(way=None, confidence=0.0) if self._row.is_doubtful(self._name, one, self._rules) else one
            for one in groups
        ]

    def _forget(self, visits: Iterable[Visit]) -> None:
        """They wait no more."""
        for visit in visits:
            ones = self._waiting.pop(visit.epc)
            left = [one for one in ones if not visit.first_us <= one.visit.first_us <= visit.last_us]
            if left:
                self._waiting[visit.epc] = left

    # What is decided is told

    def _tell(self, group: Group, now_us: int) -> Iterator[DoorPass]:
        group, too_faint = without_faint(group)
        for visit in too_faint:
            self._memory.turn_away(visit, "far")
        share = self._passed(group)
        if group.way == "back" and share >= self._rules.min_passed:
            group = gone_through(group, self._rules)
        reason = self._why_no_pass(group, share)
        if reason:
            for visit in group.members:
                self._memory.turn_away(visit, reason)
            return
        self._settle_gate(group)
        self._memory.passed(group)
        group = group._replace(confidence=round(group.confidence * share, 3))
        yield from passes_of(group, self._name, self._beams, now_us)

    def _passed(self, group: Group) -> float:
        """How sure it is that a group went through at all; 0: not sure enough."""
        crossing = self._beams.witness(group.first_us, group.last_us, group.at_us)
        seen = crossing is not None and crossing.direction == group.way
        return passed(group.members, self._side_of, seen, self._rules)

    def _why_no_pass(self, group: Group, share: float) -> str | None:
        first, *others = group.members
        if group.way == "back":
            self._settle_gate(group)
            return "turned_back"
        if not others and first.reason:
            return first.reason
        if not share:
            return "far"
        gate = self._gate
        if gate is not None and not any(gate.was_open(visit.first_us, visit.last_us) for visit in group.members):
            return "ungated"
        return None

    def _settle_gate(self, group: Group) -> None:
        """The gate was not opened for nothing."""
        if self._gate is not None:
            for visit in group.members:
                self._gate.passed(visit.first_us, visit.last_us)

    def _empty(self, at_us: int, now_us: int) -> Iterator[EmptyPass]:
        """The windows of the gate in which nothing passed and nothing can be found any more to have passed."""
        for window in list(self._gate.over(at_us)) if self._gate else ():
            assert self._gate is not None
            assert window.end_us is not None
            if self._may_fill(window, window.end_us, at_us):
                continue
            window.settled = True
            length_us = window.end_us - window.opened_us
            if self._sight.silence_us(window.opened_us, window.end_us) == length_us:
                yield empty_pass(window, self._gate.heard(window), self._name, self._beams, now_us)

    def _may_fill(self, window: Window, end_us: int, at_us: int) -> bool:
        """Whether a tag that was there while the gate was open is not yet decided."""
        if any(
            window.overlaps(one.visit.first_us, one.visit.last_us) for ones in self._waiting.values() for one in ones
        ):
            return True
        return any(
            window.overlaps(stay.first_us, stay.last_us) and not self._memory.is_static(stay.epc)
            for stay in self._field.open_stays(min(end_us, at_us))
        )

    def _look(self, at_us: int) -> None:
        """Look at what waits at the next tick, or at this one."""
        tick_us = -(-at_us // TICK_US) * TICK_US
        if self._look_us is None or tick_us < self._look_us:
            self._look_us = tick_us

    def _look_at_gate(self, not_before_us: int = 0) -> None:
        end_us = self._gate.next_end_us() if self._gate else None
        if end_us is not None:
            self._look(max(end_us, not_before_us))

    def _side_of(self, read: Read) -> Side | None:
        sides = self._sides.get(read.reader)
        return sides.of(read.antenna) if sides else None


def decided(doors: Sequence[DoorTracker], now_us: int) -> list[DoorPass | EmptyPass]:
    """What is over by now at doors that are decided together, in the order in which it happened."""
    told: list[DoorPass | EmptyPass] = []
    while True:
        moments = [moment for door in doors if (moment := door.next_due_us()) is not None]
        at_us = min(moments, default=None)
        if at_us is None or at_us > now_us:
            return sorted(told, key=_by_time)
        for door in doors:
            door.end_stays(at_us)
        for door in doors:
            told += door.settle(at_us, now_us)


def _is_overdue(group: Group, overdue: Set[str]) -> bool:
    """Whether a group must be decided; no stray forces others to be."""
    return any(visit.epc in overdue and (visit.reason is None or len(group.members) == 1) for visit in group.members)


def _is_lone_stray(group: Group) -> bool:
    """Whether it is a tag that is no pass unless it finds companions: it waits as long as it may."""
    return len(group.members) == 1 and group.members[0].reason not in (None, "turned_back")


def _by_time_and_first(group: Group) -> tuple[int, str]:
    return group.at_us, group.members[0].epc


def _by_time(told: DoorPass | EmptyPass) -> tuple[int, str, tuple[str, ...]]:
    return told.at_us, told.door, told.epcs if isinstance(told, DoorPass) else ()
