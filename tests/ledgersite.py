"""Words for stories about the ledger: the example site, its tags, what agents tell, a clock that the story turns."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from contract import events, wire
from contract.site import Site
from contract.site_file import load
from contract.wire import Ack, Batch
from gateway.ledger.ledger import Ledger

SITE: Site = load(Path(__file__).parent.parent / "configs" / "site.yaml")
QUICK = SITE.model_copy(update={"gateway": SITE.gateway.model_copy(update={"group_commit_s": 0.001})})
"""The same site, in less of a hurry to save fsyncs."""
START_US = 1_790_000_000_000_000
SECOND = 1_000_000
LEMON, TOMATO, ORANGE, LETTUCE = range(4)
STRAY = "e28011700000020a1b2c3d4e"
"""A tag that is no GS1 encoding."""


def now_us() -> int:
    """The wall clock."""
    return time.time_ns() // 1000


class Clock:
    """A clock that stands until somebody turns it."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def turn(self, seconds: float) -> int:
        """Go on; the time it is then."""
        self.now_us += round(seconds * SECOND)
        return self.now_us


def case(item: int, serial: int) -> str:
    """SGTIN-96 of a case of one of the site's items."""
    return sgtin(SITE.items[item].gtin, serial)


def sgtin(gtin: str, serial: int) -> str:
    """SGTIN-96 with a company prefix of seven digits."""
    value = (0x30 << 88) | (1 << 85) | (5 << 82) | (int(gtin[1:8]) << 58) | (int(gtin[0] + gtin[8:13]) << 38) | serial
    return f"{value:024x}"


def pallet(serial: int) -> str:
    """SSCC-96 of a pallet."""
    return f"{(0x31 << 88) | (2 << 85) | (5 << 82) | (9506000 << 58) | (serial << 24):024x}"


def door_pass(
    epcs: str | Sequence[str],
    at_us: int | None = None,
    door: str = "dock-1",
    direction: events.Direction = "inbound",
) -> events.DoorPass:
    """Tags go through a door and it is decided a second later; without a time it is decided just now."""
    at_us = now_us() - SECOND if at_us is None else at_us
    side = events.SideEvidence(reads=12, peak_rssi_dbm=-50.0, mean_rssi_dbm=-55.0, centroid_us=at_us)
    evidence = events.PassEvidence(
        first_read_us=at_us, last_read_us=at_us, inside=side, outside=side, margin_s=0.5, rule="centroid"
    )
    return events.DoorPass(
        at_us=at_us,
        decided_us=at_us + SECOND,
        door=door,
        direction=direction,
        confidence=0.95,
        epcs=(epcs,) if isinstance(epcs, str) else tuple(epcs),
        evidence=evidence,
    )


def load_pass(
    unit: str, cases: Sequence[str], *, late: int = 0, at_us: int | None = None, door: str = "dock-1"
) -> events.DoorPass:
    """A pallet comes in with its cases, the last of which came late."""
    one = door_pass([unit, *cases], at_us, door)
    on_time = len(one.epcs) - late
    tags = (events.TagEvidence(inside_reads=6, outside_reads=5, straggler=n >= on_time) for n in range(len(one.epcs)))
    return msgspec.structs.replace(one, container=unit, tags=tuple(tags))


def pass_bytes(epc: str, at_us: int, door: str = "dock-1", direction: events.Direction = "inbound") -> bytes:
    """One pass as it travels."""
    return wire.encode(door_pass(epc, at_us, door, direction))


def batch(agent: str, first: int, bodies: Sequence[bytes], epoch: str = "first", floor: int = 1) -> Batch:
    """A batch as the gateway decodes it."""
    return wire.decode_batch(wire.encode_batch(agent, epoch, first, floor, tuple(bodies)))


class Edge:
    """An agent that numbers what it tells, and tells it without a broker between."""

    def __init__(self, ledger: Ledger, agent: str = "dock-edge", epoch: str = "first") -> None:
        self._ledger = ledger
        self.agent = agent
        self.epoch = epoch
        self.made = 0

    async def tell(self, *told: events.Event | bytes) -> Ack:
        """One batch with the next numbers."""
        bodies = [event if isinstance(event, bytes) else wire.encode(event) for event in told]
        first, self.made = self.made + 1, self.made + len(bodies)
        return await self._ledger.take(self.agent, batch(self.agent, first, bodies, self.epoch))


def dump(ledger: Ledger) -> dict[str, dict[str, bytes]]:
    """The whole folded state, as bytes that can be compared."""
    return {
        table.name: {key: msgspec.json.encode(row) for key, row in sorted(table.rows.items())}
        for table in ledger._state.tables
    }
