"""The sorting hall: every line of the site with its belt, its camera, its gate and its crew. Wired here, for app.py."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from random import Random
from typing import NamedTuple

import cv2
import structlog

from firmware_sim.belt import Belt, Track
from firmware_sim.camera import Camera, CameraPlan, plan_of
from firmware_sim.clock import WorldClock
from firmware_sim.config import GateConfig, LineConfig, WorldConfig
from firmware_sim.courier import Courier
from firmware_sim.crew import Crew
from firmware_sim.cutout import Photographs
from firmware_sim.errors import SimError
from firmware_sim.faults import Faults
from firmware_sim.footage import Draw, Footage
from firmware_sim.fruit import CROPS, Fruit
from firmware_sim.gate import Gate, GateWiring, OpenEnd
from firmware_sim.lots import Lots
from firmware_sim.plc import Plc
from firmware_sim.world import World

log = structlog.get_logger()


class Line(NamedTuple):
    """A line that runs."""

    name: str
    crop: str
    belt: Belt
    camera: Camera
    end: Gate | OpenEnd
    crew: Crew


class Surroundings(NamedTuple):
    """What a line has to do with."""

    world: World
    plcs: Mapping[str, Plc]
    courier: Courier
    clock: WorldClock
    faults: Faults
    seed: int


@asynccontextmanager
async def lines_of(config: WorldConfig, around: Surroundings) -> AsyncIterator[tuple[Line, ...]]:
    """Every line whose camera speaks Motion JPEG, its camera at its own address; raises `SimError`."""
    cv2.setNumThreads(1)  # a picture is small: more threads only get in each other's way
    async with AsyncExitStack() as stack:
        lines: list[Line] = []
        for line in config.lines:
            if line.camera.kind != "mjpeg" or line.camera.url is None:
                log.warning("line without a camera that can be played", line=line.name, camera=line.camera.kind)
                continue
            built = _line(line, plan_of(line.camera.url), config, around)
            await stack.enter_async_context(built.camera)
            lines.append(built)
        yield tuple(lines)


def _line(line: LineConfig, plan: CameraPlan, config: WorldConfig, around: Surroundings) -> Line:
    seed = Random(f"line {around.seed} {line.name}").randrange(2**31)
    clock_us, faults, simulation = around.clock.wall_us, around.faults, config.simulation
    track = Track(
        width_px=plan.width_px,
        height_px=plan.height_px,
        moves=line.moves,
        eye_at=line.eye_at,
        travel_s=line.gate.travel_s if line.gate else 0.0,
        fruit_per_s=simulation.fruit_per_s,
        touching=faults.touching,
    )
    belt = Belt(track, seed, clock_us())
    footage = Footage(belt, _draw(line, config), seed, light_drift=faults.light_drift)
    camera = Camera(
        plan,
        footage.frame,
        clock_us,
        between=footage.prepare,
        seed=seed,
        lost_share=faults.frame_loss,
        torn_share=faults.frame_torn,
    )
    end: Gate | OpenEnd
    if line.gate is None:
        end = OpenEnd(belt, clock_us)
    else:
        first_count = Random(f"eye {seed}").randrange(2**16)
        wiring = _wiring(line.gate, config)
        end = Gate(belt, around.plcs[line.gate.modbus], wiring, clock_us, first_count=first_count)
    lots = Lots(
        around.world,
        line.name,
        next((item.sku for item in config.items if item.sku.startswith(line.crop)), None),
        [grade.customer for grade in config.grades if grade.crop == line.crop and grade.customer is not None],
        defective_share=simulation.defective_share,
        bad_lot_share=simulation.bad_lot_share,
        seed=seed,
    )
    fruit = simulation.lot_fruit if simulation.fruit_per_s > 0 else 0
    crew = Crew(line.name, config.gateway.url, belt, camera, lots, around.courier, clock_us, fruit)
    return Line(line.name, line.crop, belt, camera, end, crew)


def _draw(line: LineConfig, config: WorldConfig) -> Draw:
    if config.simulation.fruit_images is not None:
        return Photographs(config.simulation.fruit_images).fruit
    if line.crop not in CROPS:
        raise SimError(f"line {line.name}: {line.crop} cannot be drawn: name a folder in simulation.fruit_images")
    return partial(Fruit, line.crop)


def _wiring(gate: GateConfig, config: WorldConfig) -> GateWiring:
    addresses = {one.name: one.address for plc in config.modbus if plc.name == gate.modbus for one in plc.registers}
    encoder = addresses[gate.encoder] if gate.encoder is not None else None
    return GateWiring(addresses[gate.eye_count], encoder, addresses[gate.pass_coils], gate.places)
