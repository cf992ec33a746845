"""A door of an agent, or a row of doors side by side: brings reads, beams and gates to the trackers, and asks for their
decisions when they fall due."""

import asyncio
from collections.abc import Callable, Sequence, Set

from contract.events import Device, DoorPass, EmptyPass
from contract.portals import Door
from edge.llrp.read import Read
from edge.portal.neighbours import Neighbours
from edge.recorder import Tape

_LONGEST_SLEEP_S = 1.0
"""Decisions fall due on the wall clock, which may be set, and sooner when a blind reader sees again."""


class Doorkeeper:
    """The timer around the trackers of one row of doors, which have none."""

    def __init__(
        self,
        doors: Sequence[Door],
        decided: Callable[[DoorPass | EmptyPass], None],
        clock: Callable[[], int],
        tape: Tape | None = None,
    ) -> None:
        """`decided` is given each pass at the moment of its decision. `clock` gives microseconds of wall time.

        What the doors are told goes on the tape, too, if there is one.
        """
        self.doors = tuple(doors)
        self.name = doors[0].name
        self._row = Neighbours(doors)
        self._decided = decided
        self._clock = clock
        self._tape = tape
        pairs = [door.photo_eyes for door in doors if door.photo_eyes]
        self._eyes = {eye for pair in pairs for eye in (pair.outer, pair.inner)}
        self._told = asyncio.Event()
        """Something was told that may fall due."""

    def feed(self, reads: Sequence[Read]) -> None:
        """Reads of any reader of these doors."""
        self._row.feed(reads)
        if self._tape:
            self._tape.reads(reads)
        self._told.set()

    def beam(self, register: str, broken: bool, at_us: int) -> None:
        """Any photo-eye changed; one that is not of these doors is ignored."""
        if register not in self._eyes:
            return
        self._row.beam(register, broken, at_us)
        if self._tape:
            self._tape.beam(register, broken, at_us)
        self._told.set()

    def eyes(self, watched: Set[str], lost: Set[str], now_us: int) -> None:
        """Of these photo-eyes, by the names of their registers, those can be read no more, and the others can."""
        watched, lost = watched & self._eyes, lost & self._eyes
        if not watched:
            return
        self._row.eyes(watched, lost, now_us)
        if self._tape:
            self._tape.eyes(watched, lost, now_us)
        self._told.set()

    def gpi(self, reader: str, port: int, high: bool, at_us: int) -> None:
        """An input of a reader stands so now; one that is no gate of these doors is ignored."""
        self._row.gpi(reader, port, high, at_us)
        if self._tape:
            self._tape.gpi(reader, port, high, at_us)
        self._told.set()

    def reader(self, event: Device) -> None:
        """A reader of one of these doors is lost, blind, or there again."""
        if event.state not in ("lost", "blind", "connected"):
            return
        sees = event.state == "connected"
        self._row.sight(event.device, sees, event.at_us)
        if self._tape:
            self._tape.sight(event.device, sees, event.at_us)
        self._told.set()

    def strays(self, door: str) -> dict[str, int]:
        """Tags that were no pass at a door, since the start, by `stray_` and the reason."""
        return {f"stray_{reason}": count for reason, count in self._row.doors[door].strays.items()}

    async def run(self) -> None:
        """Decide for ever."""
        while True:
            due_us = self._row.next_due_us()
            if due_us is None:
                self._told.clear()
                await self._told.wait()
                continue
            wait_s = (due_us - self._clock()) / 1e6
            await asyncio.sleep(min(max(wait_s, 0.0), _LONGEST_SLEEP_S))
            self._decide(self._clock())

    def _decide(self, now_us: int) -> None:
        due_us = self._row.next_due_us()
        if due_us is None or due_us > now_us:
            return
        if self._tape:
            self._tape.due(now_us)
        for event in self._row.due(now_us):
            self._decided(event)
