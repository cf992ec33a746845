"""The whole simulated site: its devices on the network, its world, its supplier. The only wiring of the simulator.

scenario ---> doorways, ceilings ---> readers (LLRP), PLCs (Modbus) ---> edge agents of the site
   |              `-------> record ---> truth (HTTP) ---> the judge          |
   `--> hall: belts ------> cameras (MJPEG), gates (Modbus) -----------------'
supplier <---> cloud, gateway (HTTP)
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import NamedTuple

import httpx
import structlog

from firmware_sim.antennas import PORTAL_ROOM, portal_antennas
from firmware_sim.ceiling import Ceiling
from firmware_sim.climate import Climate
from firmware_sim.clock import WorldClock
from firmware_sim.config import DoorConfig, LineConfig, PlcConfig, ReaderConfig, WorldConfig
from firmware_sim.courier import TIMEOUT_S, Courier
from firmware_sim.doorway import Beam, Doorway, Ear
from firmware_sim.errors import SimError
from firmware_sim.faults import Faults, Saboteur, plan
from firmware_sim.hall import Line, Surroundings, lines_of
from firmware_sim.opening import opening_balance, stock_house
from firmware_sim.plc import Plc
from firmware_sim.radio import RadioModel
from firmware_sim.reader import SimReader
from firmware_sim.record import Record
from firmware_sim.scenario import Happening, Scenario
from firmware_sim.supplier import Supplier
from firmware_sim.tagmemory import Tags
from firmware_sim.truth import Witness, build, listening
from firmware_sim.walk import BEAM_M
from firmware_sim.world import World

log = structlog.get_logger()

NO_FAULTS = Faults()
IMPORT_ROWS = 5000
_PLC_MAX_SIZE = 2000


class Devices(NamedTuple):
    """The devices of a site, on the network, by name."""

    readers: Mapping[str, SimReader]
    plcs: Mapping[str, Plc]


class Simulation(NamedTuple):
    """A simulated site that runs."""

    devices: Devices
    scenario: Scenario
    record: Record
    judge_port: int
    lines: tuple[Line, ...]


async def run(config: WorldConfig, *, seed: int, speed: float, faults: Faults = NO_FAULTS) -> None:
    """Play the site until cancelled. `speed` scales when things happen, never how fast a body goes through a door.

    Raises `SimError` or OSError where a port cannot be had, `Refused` where the gateway will not have the opening
    balance.
    """
    async with running(config, seed=seed, speed=speed, faults=faults):
        await asyncio.Event().wait()


@asynccontextmanager
async def running(
    config: WorldConfig, *, seed: int, speed: float, faults: Faults = NO_FAULTS
) -> AsyncIterator[Simulation]:
    """The same for as long as the block lasts."""
    world = World(config.items, [zone.name for zone in config.zones], seed=seed, miss_rate=config.simulation.miss_rate)
    scenario = Scenario(config, world, seed, _log_happening)
    stock_house(world, scenario.routes, config.simulation)
    clock, record = WorldClock(speed), Record()
    async with AsyncExitStack() as stack:
        devices = await stack.enter_async_context(devices_of(config))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=TIMEOUT_S))
        courier = Courier(client, seed)
        around = Surroundings(world, devices.plcs, courier, clock, faults, seed)
        lines = await stack.enter_async_context(lines_of(config, around))
        cameras = {line.name: line.camera for line in lines}
        supplier = Supplier(config, scenario, courier, clock, seed)
        antennas = {reader.name: reader.antennas for reader in _readers(config)}
        antennas |= {reader.name: reader.antennas for reader in config.zone_readers}
        breakdowns = plan(faults, antennas, sorted(devices.plcs), seed, sorted(cameras))
        saboteur = Saboteur(breakdowns, *devices, clock, cameras)
        plcs = [(plc, devices.plcs[plc.name]) for plc in config.modbus]
        climate = Climate(config.zones, plcs, scenario, clock, seed)
        doorways = [
            Doorway(
                door.name,
                _ears(door, devices, seed),
                _beams(door, config, devices),
                scenario,
                record,
                clock,
                seed=seed,
                read_loss=faults.read_loss,
            )
            for door in config.doors
        ]
        ceilings = [
            Ceiling(reader, devices.readers[reader.name], world, clock, seed=seed, read_loss=faults.read_loss)
            for reader in config.zone_readers
        ]
        witness = Witness(
            seed=seed, clock=clock, scenario=scenario, record=record, doorways=doorways, saboteur=saboteur, lines=lines
        )
        begin = _begin(config, scenario, supplier, courier, clock, lines)
        async with (
            listening(build(witness), "127.0.0.1", config.simulation.judge_port) as (server, judge_port),
            asyncio.TaskGroup() as tasks,
        ):
            parts = [server.main_loop(), climate.run(), saboteur.run(), begin]
            parts += [*(one.run() for one in doorways), *(one.run() for one in ceilings)]
            parts += [work for line in lines for work in (line.camera.run(), line.crew.run())]
            started = [tasks.create_task(part) for part in parts]
            try:
                yield Simulation(devices, scenario, record, judge_port, lines)
            finally:
                for task in started:
                    task.cancel()


@asynccontextmanager
async def devices_of(config: WorldConfig) -> AsyncIterator[Devices]:
    """Every reader and PLC of a site at its own address."""
    async with AsyncExitStack() as stack:
        readers: dict[str, SimReader] = {}
        tags = Tags()
        plcs: dict[str, Plc] = {}
        for reader in _readers(config):
            ports = max(4, *reader.antennas)
            dial = (reader.host, reader.port) if reader.listen else None
            device = SimReader(reader.name, reader.host, reader.port, ports=ports, tags=tags, dial=dial)
            readers[reader.name] = await stack.enter_async_context(device)
        for zone_reader in config.zone_readers:
            ports = max(4, *zone_reader.antennas)
            device = SimReader(zone_reader.name, zone_reader.host, zone_reader.port, ports=ports, tags=tags)
            readers[zone_reader.name] = await stack.enter_async_context(device)
        for plc in config.modbus:
            server = Plc(plc.host, plc.port, plc.unit, size=_table_size(plc, config.lines))
            plcs[plc.name] = await stack.enter_async_context(server)
        yield Devices(readers, plcs)


async def _begin(
    config: WorldConfig,
    scenario: Scenario,
    supplier: Supplier,
    courier: Courier,
    clock: WorldClock,
    lines: tuple[Line, ...],
) -> None:
    """Tell the gateway what the house holds, open the doors, send the first truck; from then on serve orders."""
    rows = [",".join(row) for row in opening_balance(scenario.world)]
    for first in range(0, len(rows), IMPORT_ROWS):
        body = "\n".join(["epc,zone,lot", *rows[first : first + IMPORT_ROWS], ""])
        await courier.post(f"{config.gateway.url}/api/v1/items?who=opening+stock-take", body.encode(), "text/csv")
    log.info("opening balance told", cases=len(rows))
    scenario.open(clock.world_s())
    for line in lines:
        line.crew.open()
    log.info("house open", doors=len(config.doors), lines=len(lines), speed=clock.speed)
    load = scenario.opening_lines()
    if load and scenario.yard.docks:
        await supplier.send(load, None, lead_s=0.0)
    await supplier.run()


def _readers(config: WorldConfig) -> list[ReaderConfig]:
    return [reader for door in config.doors for reader in door.readers]


def _ears(door: DoorConfig, devices: Devices, seed: int) -> list[Ear]:
    ears: list[Ear] = []
    for reader in door.readers:
        own_seed = Random(f"radio {seed} {reader.name}").randrange(2**31)
        panels = portal_antennas(reader.inside, reader.outside, reader.neutral)
        radio = RadioModel(panels, own_seed, room=PORTAL_ROOM)
        ears.append(Ear(devices.readers[reader.name], radio))
    return ears


def _beams(door: DoorConfig, config: WorldConfig, devices: Devices) -> list[Beam]:
    if door.photo_eyes is None:
        return []
    places = {door.photo_eyes.outer: -BEAM_M, door.photo_eyes.inner: BEAM_M}
    return [
        Beam(devices.plcs[plc.name], register.address, places[register.name])
        for plc in config.modbus
        for register in plc.registers
        if register.name in places and register.table == "discrete"
    ]


def _table_size(plc: PlcConfig, lines: Sequence[LineConfig]) -> int:
    """Addresses that a PLC needs, in whole sixteens; raises `SimError` beyond what it can have."""
    coils = {line.gate.pass_coils: line.gate.places for line in lines if line.gate and line.gate.modbus == plc.name}
    highest = max(register.address + coils.get(register.name, 1) - 1 for register in plc.registers)
    if highest >= _PLC_MAX_SIZE:
        raise SimError(f"PLC {plc.name}: address {highest} is beyond the {_PLC_MAX_SIZE} of a simulated PLC")
    return max(64, (highest // 16 + 1) * 16)


def _log_happening(happening: Happening) -> None:
    log.info(happening.what, **happening.facts)
