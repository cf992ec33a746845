"""One door, or a row of doors side by side, decided together (row.py)."""

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import groupby
from operator import attrgetter

from contract.events import DoorPass, EmptyPass
from contract.portals import Door, GpiGate
from edge.llrp.read import Read
from edge.portal.door import DoorTracker, decided
from edge.portal.row import Row


class Neighbours:
    """The trackers of one row. What devices tell goes in, passes come out; never reads a clock."""

    def __init__(self, doors: Sequence[Door]) -> None:
        row = Row() if len(doors) > 1 else None
        trackers = [DoorTracker(door, row) for door in doors]
        self.doors: Mapping[str, DoorTracker] = {
            door.name: tracker for door, tracker in zip(doors, trackers, strict=True)
        }
        """By name, for what concerns one of them: static tags, strays."""
        self._eyes = {door.name: door.photo_eyes for door in doors if door.photo_eyes}
        self._gates = {door.name: door.gate for door in doors if isinstance(door.gate, GpiGate)}
        self._door_of = {reader.name: self.doors[door.name] for door in doors for reader in door.readers}

    def feed(self, reads: Iterable[Read]) -> None:
        """Take in reads of any reader of these doors, in any order."""
        for reader, part in groupby(reads, key=attrgetter("reader")):
            self._door_of[reader].feed(part)

    def beam(self, register: str, broken: bool, at_us: int) -> None:
        """Any photo-eye changed; one that is not of these doors is ignored."""
        for door, eyes in self._eyes.items():
            if register == eyes.outer:
                self.doors[door].beam(at_us, "outer", broken)
            if register == eyes.inner:
                self.doors[door].beam(at_us, "inner", broken)

    def eyes(self, watched: Set[str], lost: Set[str], now_us: int) -> None:
        """Of these photo-eyes, by the names of their registers, those can be read no more, and the others can."""
        for door, eyes in self._eyes.items():
            if {eyes.outer, eyes.inner} & lost:
                self.doors[door].eyes_lost(now_us)
            elif {eyes.outer, eyes.inner} & watched:
                self.doors[door].eyes_back(now_us)

    def gpi(self, reader: str, port: int, high: bool, at_us: int) -> None:
        """An input of a reader stands so now; one that is no gate of these doors is ignored."""
        for door, gate in self._gates.items():
            if (gate.reader, gate.port) == (reader, port):
                self.doors[door].gate(at_us, high == (gate.active == "high"))

    def sight(self, reader: str, sees: bool, now_us: int) -> None:
        """A reader of one of these doors is lost or blind, or there again."""
        door = self._door_of.get(reader)
        if door is not None and sees:
            door.sighted(now_us, reader)
        elif door is not None:
            door.blind(now_us, reader)

    def next_due_us(self) -> int | None:
        """When `due` should be called next; it may find nothing then."""
        moments = [moment for door in self.doors.values() if (moment := door.next_due_us()) is not None]
        return min(moments, default=None)

    def due(self, now_us: int) -> list[DoorPass | EmptyPass]:
        """What is over by now, in the order in which it happened."""
        return decided(list(self.doors.values()), now_us)


def rows_of(doors: Sequence[Door]) -> list[tuple[Door, ...]]:
    """Doors that are to be decided together, each row in the order of the site file."""
    rows = {door.name: [door.name] for door in doors}
    for door in doors:
        for name in door.beside:
            if name in rows and rows[name] is not rows[door.name]:
                joined = rows[door.name] + rows[name]
                rows |= dict.fromkeys(joined, joined)
    return [
        tuple(one for one in doors if one.name in rows[door.name])
        for number, door in enumerate(doors)
        if not any(rows[before.name] is rows[door.name] for before in doors[:number])
    ]
