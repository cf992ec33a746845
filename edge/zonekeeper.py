"""The zones of an agent: brings reads to their tracker, and asks for arrivals and departures when they fall due."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from contract.events import Device, DoorPass, ZoneLeft, ZoneSeen
from contract.portals import Door, PresenceRules, ZoneReader
from edge.llrp.read import Read
from edge.portal.presence import ZoneTracker

_LONGEST_SLEEP_S: Final = 1.0
"""Decisions fall due on the wall clock, which may be set, and sooner when a blind reader sees again."""
_SHORTEST_SLEEP_S: Final = 0.2
"""Thousands of tags fall due one by one: they are looked at together."""
_BLINK_S: Final = 2.0
"""Who wakes so much later than it wanted to has read nothing meanwhile: the process stood still, or the clock was set.
What the readers said then comes only now."""


class Zonekeeper:
    """The timer around a `ZoneTracker`, which has none."""

    def __init__(
        self,
        readers: Sequence[ZoneReader],
        rules: PresenceRules,
        decided: Callable[[ZoneSeen | ZoneLeft], None],
        clock: Callable[[], int],
    ) -> None:
        """`decided` is given what is to be told, when it is. `clock` gives microseconds of wall time."""
        self._tracker = ZoneTracker(readers, rules)
        self._zones_of = {reader.name: sorted(set(reader.zones.values())) for reader in readers}
        self._decided = decided
        self._clock = clock
        self._stirred = asyncio.Event()
        """Something may fall due that did not before."""

    @property
    def readers(self) -> tuple[str, ...]:
        """The names of the zone readers."""
        return tuple(self._zones_of)

    def feed(self, reads: Sequence[Read]) -> None:
        """Reads of any zone reader."""
        self._tracker.feed(reads)
        self._stirred.set()

    def passed(self, door: Door, event: DoorPass) -> None:
        """A door of this agent decided a pass: what it let out of a zone is not in it, whatever was heard before."""
        if event.direction != "unknown":
            to = door.inside if event.direction == "inbound" else door.outside
            self._tracker.passed(event.at_us, event.epcs, to)

    def reader(self, event: Device) -> None:
        """A zone reader is lost, blind, or there again."""
        match event.state:
            case "lost" | "blind":
                self._tracker.blind(event.at_us, event.device)
            case "connected":
                self._tracker.sighted(event.at_us, event.device)
                self._stirred.set()

    def figures(self, reader: str) -> dict[str, int]:
        """For the health of a reader: tags in each zone it looks at, and the strays of all zones by their reason."""
        present = self._tracker.present
        figures = {f"present_{zone}": present[zone] for zone in self._zones_of[reader]}
        return figures | {f"stray_{reason}": count for reason, count in self._tracker.strays.items()}

    async def run(self) -> None:
        """Decide for ever."""
        while True:
            due_us = self._tracker.next_due_us()
            if due_us is None:
                self._stirred.clear()
                await self._stirred.wait()
                continue
            asleep_us = self._clock()
            wait_s = min(max((due_us - asleep_us) / 1e6, _SHORTEST_SLEEP_S), _LONGEST_SLEEP_S)
            await asyncio.sleep(wait_s)
            now_us = self._clock()
            if abs(now_us - asleep_us - wait_s * 1e6) > _BLINK_S * 1e6:
                self._tracker.blinked(now_us)
            for event in self._tracker.due(now_us):
                self._decided(event)
