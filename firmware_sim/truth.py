"""The truth of the simulated world, told over HTTP to whoever judges the house.

GET  /truth?after=N                everything as it is now; of the passes only those after the first N
GET  /lines                        what is true of each line, without its fruit
GET  /lines/{line}/fruit?after=N   fruit whose way is over, with numbers beyond N: one page, as far as they are kept
POST /quiesce                      begin nothing new; what is in a door or on a belt finishes its way
GET  /healthz                      whether the world is open
"""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
import uvicorn
from fastapi import FastAPI, Query, Response
from msgspec import Struct

from firmware_sim.clock import WorldClock
from firmware_sim.doorway import Doorway
from firmware_sim.faults import Outage, Saboteur
from firmware_sim.hall import Line
from firmware_sim.linejudge import TrueLine
from firmware_sim.record import Pass, Record, TurnBack
from firmware_sim.scenario import Scenario
from firmware_sim.world import Announced, Truck, World
from firmware_sim.world import Line as OrderLine


class TrueItem(Struct, frozen=True):
    """A case, and where it is; zone None is outside: at the supplier's, on a truck, sold."""

    epc: str
    sku: str
    zone: str | None
    detuned: bool
    pallet: str | None


class TruePallet(Struct, frozen=True):
    """A pallet, where it is, and what stands on it."""

    epc: str
    zone: str | None
    detuned: bool
    cases: int


class TrueDoor(Struct, frozen=True):
    """A door, and what is in it now."""

    door: str
    busy: str | None
    """Kind of the movement that is under way."""
    inbound: int
    """Bodies that went in since the world began, whatever they carried."""
    outbound: int


class TrueShipment(Struct, frozen=True):
    """A delivery: what was announced, what was truly on the truck, what is off it."""

    id: str
    door: str
    order: str | None
    state: str
    announced: tuple[Announced, ...]
    loaded: Sequence[str]
    unloaded: Sequence[str]


class TrueDelivery(Struct, frozen=True):
    """What became of a purchase order."""

    order: str
    shipment: str
    lines: tuple[OrderLine, ...]
    loaded: int
    unloaded: int
    state: str


class Truth(Struct, frozen=True, kw_only=True):
    """The body of GET /truth."""

    seed: int
    speed: float
    now_us: int
    quiet: bool
    items: Sequence[TrueItem]
    pallets: Sequence[TruePallet]
    passes: Sequence[Pass]
    next: int
    """Pass it as `after` to get only what is new."""
    turn_backs: Sequence[TurnBack]
    doors: Sequence[TrueDoor]
    shipments: Sequence[TrueShipment]
    deliveries: Sequence[TrueDelivery]
    sales: Mapping[str, int]
    mishaps: Mapping[str, int]
    faults: Sequence[Outage]
    lines: Sequence[TrueLine]


class Witness(Struct, frozen=True, kw_only=True):
    """All that knows a part of the truth."""

    seed: int
    clock: WorldClock
    scenario: Scenario
    record: Record
    doorways: Sequence[Doorway]
    saboteur: Saboteur
    lines: Sequence[Line] = ()

    @property
    def quiet(self) -> bool:
        """Nothing moves, and nothing will."""
        return self.scenario.quiet and all(line.crew.done for line in self.lines)

    def quiesce(self) -> None:
        """Begin nothing new."""
        self.scenario.quiesce()
        for line in self.lines:
            line.crew.rest()

    def tell(self, after: int) -> Truth:
        """The truth now."""
        world, record = self.scenario.world, self.record
        return Truth(
            seed=self.seed,
            speed=self.clock.speed,
            now_us=self.clock.wall_us(),
            quiet=self.quiet,
            items=_items(world),
            pallets=[TruePallet(one.epc, one.zone, one.detuned, len(one.cases)) for one in world.pallets.values()],
            passes=record.passes[after:],
            next=len(record.passes),
            turn_backs=record.turn_backs,
            doors=[self._door(doorway) for doorway in self.doorways],
            shipments=[_shipment(truck) for truck in world.trucks.values()],
            deliveries=[_delivery(truck, truck.order) for truck in world.trucks.values() if truck.order is not None],
            sales=self.scenario.demand.figures,
            mishaps=self.scenario.figures,
            faults=self.saboteur.outages,
            lines=[_line(line) for line in self.lines],
        )

    def _door(self, doorway: Doorway) -> TrueDoor:
        busy = doorway.movement.kind if doorway.movement else None
        bodies = self.record.bodies
        return TrueDoor(doorway.name, busy, bodies[doorway.name, "inbound"], bodies[doorway.name, "outbound"])


def build(witness: Witness) -> FastAPI:
    """The HTTP face of the truth."""
    app = FastAPI(title="Truecount simulated world", docs_url=None, redoc_url=None)

    @app.get("/truth")
    async def truth(after: Annotated[int, Query(ge=0)] = 0) -> Response:
        return Response(msgspec.json.encode(witness.tell(after)), media_type="application/json")

    @app.get("/lines")
    async def lines() -> Response:
        return Response(msgspec.json.encode([_line(one) for one in witness.lines]), media_type="application/json")

    @app.get("/lines/{line}/fruit")
    async def fruit(line: str, after: Annotated[int, Query(ge=0)] = 0) -> Response:
        known = next((one for one in witness.lines if one.name == line), None)
        if known is None:
            return Response(f"no line {line}", status_code=404)
        known.end.catch_up()
        return Response(msgspec.json.encode(known.end.went.page(after)), media_type="application/json")

    @app.post("/quiesce")
    async def quiesce() -> dict[str, bool]:
        witness.quiesce()
        return {"quiet": witness.quiet}

    @app.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"open": witness.scenario.opened}

    return app


@asynccontextmanager
async def listening(app: FastAPI, host: str, port: int) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """A server that listens, and its port. Run its `main_loop` to serve. It leaves signals alone."""
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    with socket.create_server((host, port)) as listener:
        await server.startup(sockets=[listener])
        try:
            yield server, int(listener.getsockname()[1])
        finally:
            await server.shutdown(sockets=[listener])


def _items(world: World) -> list[TrueItem]:
    return [TrueItem(case.epc, case.sku, case.zone, case.detuned, case.pallet) for case in world.cases.values()]


def _line(line: Line) -> TrueLine:
    line.end.catch_up()
    went = line.end.went
    began_us = line.belt.began_us
    return TrueLine(line.name, line.crop, began_us, went.count, went.defective, went.outcomes, line.camera.sent)


def _shipment(truck: Truck) -> TrueShipment:
    return TrueShipment(
        truck.shipment, truck.door, truck.order, truck.state, truck.announced, truck.loaded, truck.unloaded
    )


def _delivery(truck: Truck, order: str) -> TrueDelivery:
    return TrueDelivery(order, truck.shipment, truck.lines, len(truck.loaded), len(truck.unloaded), truck.state)
