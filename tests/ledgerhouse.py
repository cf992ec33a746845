"""A house for stories about the ledger: one ledger on a real file, one agent, one clock, and what happens there."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import msgspec
from ledgersite import LEMON, QUICK, SITE, Clock, Edge, case, door_pass, dump

from contract import events, wire
from contract.site import Site
from gateway import records
from gateway.ledger import fold
from gateway.ledger.goods import masterdata
from gateway.ledger.house import House as FoldedHouse
from gateway.ledger.ledger import Ledger
from gateway.ledger.state import State
from gateway.ledger.storage.opening import beginning, go_on, refold
from gateway.views import ExceptionView, ShipmentView, StockView

AGENT = "dock-edge"
UNREPLENISHED = QUICK.model_copy(
    update={
        "items": [item.model_copy(update={"reorder_point": 0, "order_up_to": 0}) for item in SITE.items],
        "agents": [agent for agent in SITE.agents if agent.name == AGENT],
        "modbus": [device for device in SITE.modbus if device.agent == AGENT],
        "lines": [],
    }
)
"""The example site as far as its doors go, where nothing is ordered by itself."""


class House:
    """One ledger, one agent, one clock."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self.clock = clock
        self.edge = Edge(ledger)

    async def passes(self, *epcs: str, door: str = "dock-1", direction: str = "inbound") -> None:
        """Tags go through a door, one a second."""
        told = [door_pass(epc, self.clock.turn(1), door, direction) for epc in epcs]  # type: ignore[arg-type]
        await self.edge.tell(*told)

    async def announce(
        self,
        id: str = "S1",  # noqa: A002
        *,
        cases: tuple[records.AsnCase, ...] = (),
        lines: tuple[records.AsnLine, ...] = (),
        direction: Literal["inbound", "outbound"] = "inbound",
        door: str | None = None,
        order: str | None = None,
    ) -> None:
        asn = records.AsnReceived(
            at_us=self.clock(),
            id=id,
            direction=direction,
            partner="Hongda Fruit",
            door=door,
            order=order,
            lines=lines,
            cases=cases,
        )
        await self.ledger.record(asn)

    async def holds(self, *epcs: str, zone: str = "receiving") -> None:
        """An opening balance."""
        items = tuple(records.ImportedItem(epc=epc, zone=zone) for epc in epcs)
        await self.ledger.record(records.ItemsImported(at_us=self.clock(), who="Ana", items=items))

    async def settle(self) -> None:
        """Nothing happens for longer than a shipment needs to settle, while the agent is heard."""
        self.clock.turn(21)
        await self.beat()
        await self.ledger.tick(self.clock())

    async def beat(self, **status: object) -> None:
        heartbeat = {"agent": AGENT, "state": "online", "at_us": self.clock(), "epoch": self.edge.epoch}
        self.ledger.heard(wire.Status(**(heartbeat | {"made": self.edge.made} | status)))  # type: ignore[arg-type]
        await self.ledger.record()

    async def device(self, device: str, state: events.DeviceState, detail: str = "", **counts: int) -> None:
        now_us = self.clock.turn(1)
        event = events.Device(at_us=now_us, decided_us=now_us, device=device, state=state, detail=detail, counts=counts)
        await self.edge.tell(event)

    async def reads(self, value: float, device: str = "cold-room-temperature", zone: str = "cold-room") -> None:
        now_us = self.clock.turn(2)
        event = events.Condition(
            at_us=now_us, decided_us=now_us, device=device, zone=zone, quantity="temperature_c", value=value
        )
        await self.edge.tell(event)

    def shipment(self, id: str = "S1") -> ShipmentView:  # noqa: A002
        return self.ledger.views("shipments")[id]

    def stock(self, sku: str = "lemon-4kg") -> StockView:
        return self.ledger.views("stock")[sku]

    def open(self) -> dict[tuple[str, str], ExceptionView]:
        """Open exceptions by kind and subject."""
        views = self.ledger.views("exceptions").values()
        return {(view.kind, view.subject): view for view in views if view.state == "open"}

    def cases(self, id: str = "S1") -> dict[str, str]:  # noqa: A002
        return {one.epc: one.state for one in self.ledger.cases(id)}


def restarted(state: State, site: Site) -> State:
    """The state as a gateway has it that begins with what this one wrote."""
    anew = State(FoldedHouse.untold(site))
    for table, into in zip(state.tables, anew.tables, strict=True):
        written = sorted((key, msgspec.json.encode(row).decode()) for key, row in table.rows.items())
        into.load(written)
    masterdata.restore(anew, None)
    fold.reindex(anew)
    return anew


def written(state: State) -> dict[str, dict[str, str]]:
    """Its tables as JSON."""
    return {
        table.name: {key: msgspec.json.encode(row).decode() for key, row in sorted(table.rows.items())}
        for table in state.tables
    }


def play(folder: Path, story: Callable[[House], Awaitable[None]], site: Site = UNREPLENISHED) -> None:
    """Tell a story; afterwards the log must explain the state."""

    async def run() -> None:
        clock = Clock()
        with Ledger.open(folder / "ledger.db", site, clock) as ledger:
            house = House(ledger, clock)
            await story(house)
            await ledger.record()
            again = refold(ledger._store, site)
            assert again.take_postings() == ledger._store.postings(0, ledger.last_id)
            for table in again.tables:
                held = ledger._store.stored(table.name)
                assert {key: msgspec.json.encode(row).decode() for key, row in table.rows.items()} == dict(held)
            rows = list(ledger._store.all_rows())
            for share in (0.3, 0.6, 0.9):
                half = round(len(rows) * share)
                begun = restarted(go_on(beginning(ledger._store, site), rows[:half]), site)
                assert written(go_on(begun, rows[half:])) == written(again), f"restarted after row {half}"
            told = dump(ledger)
        with Ledger.open(folder / "ledger.db", site, clock) as reopened:
            assert dump(reopened) == told

    asyncio.run(run())


LEMONS = [case(LEMON, serial) for serial in range(1, 13)]


def cases_of(*epcs: str, sscc: str | None = None) -> tuple[records.AsnCase, ...]:
    return tuple(records.AsnCase(epc=epc, sscc=sscc) for epc in epcs)
