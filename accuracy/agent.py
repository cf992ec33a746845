"""One edge agent in virtual time: the real rules of `edge`, fed as `edge.agent` feeds them, without its I/O."""

from collections.abc import Iterable
from typing import Final

from contract import events
from contract.events import DoorPass
from contract.site import Site
from edge.decisions import bodies
from edge.llrp.clock import ReaderClock
from edge.llrp.read import Read
from edge.portal.neighbours import Neighbours, rows_of
from edge.portal.presence import ZoneTracker
from firmware_sim.radio import TagRead
from firmware_sim.week.told import Beam, Heard, Sight
from firmware_sim.week.trouble import Clock

ZONES_EVERY: Final = 5
"""Minutes."""


class Agent:
    """The doors and zones of one agent. It knows only its own clock."""

    def __init__(self, site: Site, name: str, clock: Clock, reader_offsets_us: dict[str, int]) -> None:
        """`reader_offsets_us`: how far each reader's clock is from the true one."""
        self.name = name
        self._clock = clock
        doors = [door for door in site.doors if door.agent == name]
        self._doors = {door.name: door for door in doors}
        self._rows = [Neighbours(row) for row in rows_of(doors)]
        self._row_of = {
            reader.name: row
            for row, held in zip(self._rows, rows_of(doors), strict=True)
            for door in held
            for reader in door.readers
        }
        zone_readers = [reader for reader in site.zone_readers if reader.agent == name]
        self._zones = ZoneTracker(zone_readers, site.presence)
        self._zone_readers = {reader.name for reader in zone_readers}
        self._reader_clocks = {reader: ReaderClock() for reader in [*self._row_of, *self._zone_readers]}
        self._offsets_us = reader_offsets_us
        self.decided: list[events.Event] = []
        """Since it was last emptied."""

    @property
    def readers(self) -> frozenset[str]:
        """Those that talk to it."""
        return frozenset(self._reader_clocks)

    def now_us(self, true_us: int) -> int:
        """What its clock shows."""
        return self._clock.at(true_us)

    def take(self, entry: Heard | Beam | Sight) -> None:
        """Something is told by a device."""
        now_us = self._clock.at(entry.at_us)
        self.decide(now_us)
        match entry:
            case Heard(reader=reader, reads=reads):
                mapped = list(self._mapped(reader, reads, now_us))
                if reader in self._zone_readers:
                    self._zones.feed(mapped)
                else:
                    self._row_of[reader].feed(mapped)
            case Beam(register=register, broken=broken):
                for row in self._rows:
                    row.beam(register, broken, now_us)
            case Sight(reader=reader, state=state):
                self._sight(reader, state, now_us)

    def decide(self, now_us: int) -> None:
        """What has fallen due at the doors by now, each at its moment."""
        for row in self._rows:
            while (due_us := row.next_due_us()) is not None and due_us <= now_us:
                for event in row.due(due_us):
                    if isinstance(event, DoorPass):
                        self._passed(event)
                    self.decided.append(event)

    def minute(self, true_us: int) -> None:
        """Once a minute: what has fallen due; in the zones, whose readers go round slowly, every five."""
        now_us = self._clock.at(true_us)
        self.decide(now_us)
        if true_us // 60_000_000 % ZONES_EVERY == 0:
            self.decided += self._zones.due(now_us)

    def emptied(self) -> list[bytes]:
        """What was decided, as it goes into the outbox."""
        decided, self.decided = self.decided, []
        return [body for event in decided for body in bodies(event)]

    def _passed(self, event: DoorPass) -> None:
        door = self._doors[event.door]
        if event.direction != "unknown":
            self._zones.passed(event.at_us, event.epcs, door.inside if event.direction == "inbound" else door.outside)

    def _sight(self, reader: str, state: events.DeviceState, now_us: int) -> None:
        sees = state == "connected"
        if reader in self._row_of:
            self._row_of[reader].sight(reader, sees, now_us)
        elif sees:
            self._zones.sighted(now_us, reader)
        else:
            self._zones.blind(now_us, reader)
        self.decided.append(events.Device(at_us=now_us, decided_us=now_us, device=reader, state=state))

    def _mapped(self, reader: str, reads: tuple[TagRead, ...], now_us: int) -> Iterable[Read]:
        """Reads by the agent's clock, as the link maps them from the reader's."""
        clock, offset_us = self._reader_clocks[reader], self._offsets_us[reader]
        clock.observe(max(read.at_us for read in reads) + offset_us, now_us, report=True)
        for read in reads:
            at_us = clock.at(read.at_us + offset_us, now_us)
            yield Read(at_us, read.epc, read.antenna, read.rssi_dbm, reader, read.channel, read.phase)
