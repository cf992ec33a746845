"""One door of an agent: brings reads and beams to its tracker, and asks for its decisions when they fall due."""

import asyncio
from collections.abc import Callable, Sequence

from contract.events import Device, DoorPass
from contract.site import Door
from edge.llrp.read import Read
from edge.portal.door import DoorTracker

_LONGEST_SLEEP_S = 1.0
"""Decisions fall due on the wall clock, which may be set, and sooner when a blind reader sees again."""


class Doorkeeper:
    """The timer around a `DoorTracker`, which has none."""

    def __init__(self, door: Door, decided: Callable[[DoorPass], None], clock: Callable[[], int]) -> None:
        """`decided` is given each pass at the moment of its decision. `clock` gives microseconds of wall time."""
        self.name = door.name
        self._eyes = door.photo_eyes
        self._tracker = DoorTracker(door)
        self._decided = decided
        self._clock = clock
        self._reads = asyncio.Event()

    def feed(self, reads: Sequence[Read]) -> None:
        """Reads of any reader of this door."""
        self._tracker.feed(reads)
        self._reads.set()

    def beam(self, register: str, broken: bool, at_us: int) -> None:
        """Any photo-eye changed; one that is not of this door is ignored."""
        if self._eyes is not None and register == self._eyes.outer:
            self._tracker.beam(at_us, "outer", broken)
        if self._eyes is not None and register == self._eyes.inner:
            self._tracker.beam(at_us, "inner", broken)

    def reader(self, event: Device) -> None:
        """A reader of this door is lost, blind, or there again."""
        match event.state:
            case "lost" | "blind":
                self._tracker.blind(event.at_us, event.device)
            case "connected":
                self._tracker.sighted(event.at_us, event.device)

    def strays(self) -> dict[str, int]:
        """Tags that were no pass, since the start, by `stray_` and the reason."""
        return {f"stray_{reason}": count for reason, count in self._tracker.strays.items()}

    async def run(self) -> None:
        """Decide for ever."""
        while True:
            due_us = self._tracker.next_due_us()
            if due_us is None:
                self._reads.clear()
                await self._reads.wait()
                continue
            wait_s = (due_us - self._clock()) / 1e6
            await asyncio.sleep(min(max(wait_s, 0.0), _LONGEST_SLEEP_S))
            for door_pass in self._tracker.due(self._clock()):
                self._decided(door_pass)
