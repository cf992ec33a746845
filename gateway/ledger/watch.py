"""The watch: what only time tells. Shipments of which nothing comes any more, agents that fell silent, bad messages."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from gateway.ledger.pulse import Pulse
from gateway.ledger.receiving import shipments
from gateway.ledger.rows import Shipment
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptionwatch
from gateway.ledger.watching import coldwatch, devices
from gateway.records import AgentSilent, BadMessages, Record, ShipmentSettled
from gateway.records.stockrecords import LotExpired
from gateway.views import Section

_REASON_CHARACTERS = 300
_LOTS_EVERY_US = 60_000_000
MAX_BAD_AGENTS = 100
"""Names of agents with bad messages that are counted apart between two ticks."""


class Watch:
    """Says what should be recorded at a moment. It changes nothing but the pulses that it declares silent."""

    def __init__(self, state: State, pulses: dict[str, Pulse], started_us: int) -> None:
        self._state = state
        self._pulses = pulses
        self._started_us = started_us
        self._bad: dict[str, tuple[int, str]] = {}
        self._at_doors: dict[str, str | None] = {}
        self._lots_seen_us = 0

    def due(self, now_us: int) -> list[Record]:
        """What is to be recorded now."""
        cold = coldwatch.due(self._state, self._pulses, self._behind, self._started_us, now_us)
        told = exceptionwatch.due(self._state, now_us)
        return [
            *self._settled(now_us),
            *self._silent(now_us),
            *self._bad_messages(now_us),
            *cold,
            *told,
            *self._expired(now_us),
        ]

    def unreadable(self, agent: str, reason: str) -> None:
        """A message of an agent could not be read."""
        count, _ = self._bad.get(agent, (0, ""))
        if count or len(self._bad) < MAX_BAD_AGENTS:
            self._bad[agent] = (count + 1, reason[:_REASON_CHARACTERS])

    def doors_left(self, now_us: int) -> frozenset[tuple[Section, str]]:
        """Doors whose shipment has gone, or come, by the mere passing of time."""
        here = {door: shipments.at_door(self._state, door, None, now_us) for door in self._state.house.doors}
        differ = {door for door, shipment in here.items() if self._at_doors.get(door, "") != shipment}
        self._at_doors = here
        return frozenset(("doors", door) for door in differ)

    def devices_of(self, agent: str) -> Iterator[tuple[Section, str]]:
        """The views of an agent and of what is behind it."""
        for name, known in self._state.house.devices.items():
            if known.agent == agent:
                yield ("devices", name)

    def surroundings_of(self, agent: str) -> Iterator[tuple[Section, str]]:
        """`devices_of`, and the doors that they watch."""
        yield from self.devices_of(agent)
        for door in self._state.house.site.doors:
            if door.agent == agent:
                yield ("doors", door.name)

    def _silent(self, now_us: int) -> Iterator[Record]:
        for name, pulse in self._pulses.items():
            since_us = self._started_us if pulse.heard_us is None else pulse.heard_us
            if pulse.here is not False and now_us - since_us > self._state.house.silent_us:
                pulse.here = False
                yield AgentSilent(at_us=now_us, agent=name)

    def _settled(self, now_us: int) -> Iterator[Record]:
        for key in sorted(self._state.index.open_shipments):
            shipment = self._state.shipments.rows[key]
            quiet = now_us - shipment.touched_us > self._state.house.settle_us
            if shipment.first_seen_us is not None and quiet and not self._in_the_dark(key, shipment):
                yield ShipmentSettled(at_us=now_us, id=key)

    def _expired(self, now_us: int) -> Iterator[Record]:
        """Lots whose last day is over, by the calendar of this machine; looked for once a minute."""
        if now_us - self._lots_seen_us < _LOTS_EVERY_US:
            return
        self._lots_seen_us = now_us
        today = datetime.fromtimestamp(now_us / 1e6).astimezone().date().isoformat()
        for lot in self._state.stocklots.rows.values():
            if lot.expires is not None and not lot.expired and lot.expires < today:
                yield LotExpired(at_us=now_us, sku=lot.sku, lot=lot.lot, expires=lot.expires)

    def _in_the_dark(self, key: str, shipment: Shipment) -> bool:
        """What watches its door cannot tell, or has not told all: what was not seen is unknown, not missing."""
        doors = {name for name, door in self._state.doors.rows.items() if door.shipment == key}
        if not doors and shipment.door is not None:
            doors = {shipment.door}
        return any(self._blind(name) for name in doors)

    def _blind(self, name: str) -> bool:
        door = self._state.house.doors.get(name)
        if door is None:
            return False
        pulse = self._pulses[door.agent]
        if pulse.heard_us is None or not pulse.here or self._behind(door.agent, pulse):
            return True
        return any(devices.unreachable(self._state, reader.name) for reader in door.readers)

    def _behind(self, name: str, pulse: Pulse) -> bool:
        """The agent had made events, at its last heartbeat, that are not here yet."""
        agent = self._state.agents.get(name)
        return agent is not None and pulse.made > agent.through.get(pulse.epoch, 0)

    def _bad_messages(self, now_us: int) -> Iterable[Record]:
        bad, self._bad = self._bad, {}
        return [BadMessages(at_us=now_us, agent=name, count=count, reason=why) for name, (count, why) in bad.items()]
