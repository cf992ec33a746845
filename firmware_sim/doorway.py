"""One door in real time: bodies walk through it, beams break, tags answer the readers' antennas."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import structlog

from firmware_sim.clock import WorldClock
from firmware_sim.movement import Movement
from firmware_sim.plc import Plc
from firmware_sim.radio import RadioModel, TagAt
from firmware_sim.reader import SimReader
from firmware_sim.record import Record
from firmware_sim.scenario import Scenario
from firmware_sim.walk import Offset, Walk, load_of, walk_of

log = structlog.get_logger()

STEP_S = 0.02
"""Wall time between two looks at the field while a body is in it."""
IDLE_STEP_S = 0.2
"""The same while only shelves are near."""
PAUSE_S = (2.0, 3.0)
"""Wall time between two bodies in the same door, at least and at most."""
LISTENED_TO_S = 1.0
"""Wall time after which a client that stays connected has started its inventory."""
LISTENER_WAIT_S = 60.0
"""Wall time that a door waits for its readers to be listened to before its first body; then it works all the same."""
_SHELF_X_M, _SHELF_Y_M = (2.4, 3.4), (1.6, 3.0)


class Ear(NamedTuple):
    """One reader at the door, and what its antennas can hear."""

    reader: SimReader
    radio: RadioModel


class Beam(NamedTuple):
    """One photo-eye, and the discrete input that it is wired to."""

    plc: Plc
    address: int
    y_m: float


class Doorway:
    """One door of the world. At most one body is in it at a time."""

    def __init__(
        self,
        name: str,
        ears: Sequence[Ear],
        beams: Sequence[Beam],
        scenario: Scenario,
        record: Record,
        clock: WorldClock,
        *,
        seed: int,
        read_loss: float = 0.0,
    ) -> None:
        self.name = name
        self.movement: Movement | None = None
        """The body that is in the door."""
        self._ears = tuple(ears)
        self._beams = tuple(beams)
        self._scenario = scenario
        self._record = record
        self._clock = clock
        self._random = Random(f"door {seed} {name}")
        self._read_loss = read_loss
        self._shelf = tuple(self._on_shelf(case.epc, case.detuned) for case in scenario.world.shelf(name))

    async def run(self) -> None:
        """Let one body after another through, until cancelled."""
        await self._listened_to()
        free_s = 0.0
        while True:
            now_s = asyncio.get_running_loop().time()
            self._scenario.advance(self._clock.world_s())
            movement = self._scenario.begin(self.name, self._clock.world_s()) if now_s >= free_s else None
            if movement is None:
                self._sense(self._shelf)
                await asyncio.sleep(IDLE_STEP_S)
            else:
                await self._carry(movement)
                free_s = asyncio.get_running_loop().time() + self._random.uniform(*PAUSE_S)

    async def _listened_to(self) -> None:
        """Wait until a client has listened to every reader of the door for a moment: staff begin work after that."""
        loop = asyncio.get_running_loop()
        began_s = deaf_s = loop.time()
        while loop.time() - deaf_s < LISTENED_TO_S and loop.time() - began_s < LISTENER_WAIT_S:
            self._sense(self._shelf)
            await asyncio.sleep(IDLE_STEP_S)
            if not all(ear.reader.connected for ear in self._ears):
                deaf_s = loop.time()
        if loop.time() - began_s >= LISTENER_WAIT_S:
            log.warning("nobody listens to this door's readers, it works all the same", door=self.name)

    async def _carry(self, movement: Movement) -> None:
        """One body's whole way through the field, as the wall clock goes."""
        self.movement = movement
        entered_us = self._clock.wall_us()
        await self._walk(movement)
        self._scenario.end(movement, self._clock.world_s())
        self._record.add(movement, entered_us, self._clock.wall_us())
        self.movement = None

    async def _walk(self, movement: Movement) -> None:
        loop = asyncio.get_running_loop()
        walk = walk_of(movement, self._random)
        load = load_of(movement, self._detuned(movement), self._random)
        began_s, after_s, step, crossed = loop.time(), 0.0, 0, movement.turns_back
        while after_s < walk.duration_s:
            if not crossed and walk.is_through(after_s):
                self._scenario.cross(movement)
                crossed = True
            self._step(walk, load, after_s, with_shelf=step % round(IDLE_STEP_S / STEP_S) == 0)
            step += 1
            await asyncio.sleep(max(0.0, began_s + (step * STEP_S) - loop.time()))
            after_s = loop.time() - began_s
        if not crossed:  # the process stood still for the second half of the walk
            self._scenario.cross(movement)
        self._set_beams(None, 0.0)

    def _step(self, walk: Walk, load: Sequence[Offset], after_s: float, *, with_shelf: bool) -> None:
        self._set_beams(walk, after_s)
        middle_m = walk.y_m(after_s)
        tags = [TagAt(tag.epc, tag.x_m, middle_m + tag.y_m, tag.detuned) for tag in load]
        self._sense([*tags, *self._shelf] if with_shelf else tags)

    def _sense(self, tags: Sequence[TagAt]) -> None:
        now_us = self._clock.wall_us()
        for ear in self._ears:
            reads = ear.radio.sense(now_us, tags, ear.reader.on_air)
            if self._read_loss:
                reads = [read for read in reads if self._random.random() >= self._read_loss]
            if reads:
                ear.reader.deliver(reads)

    def _set_beams(self, walk: Walk | None, after_s: float) -> None:
        for beam in self._beams:
            beam.plc.set_discrete(beam.address, walk is not None and walk.breaks(beam.y_m, after_s))

    def _detuned(self, movement: Movement) -> frozenset[str]:
        world = self._scenario.world
        cases = {epc for epc in movement.cases if world.cases[epc].detuned}
        if movement.pallet is not None and world.pallets[movement.pallet].detuned:
            cases.add(movement.pallet)
        return frozenset(cases)

    def _on_shelf(self, epc: str, detuned: bool) -> TagAt:
        """A place on one of the two shelves that stand inside, left and right of the door."""
        side = self._random.choice((-1, 1))
        return TagAt(epc, side * self._random.uniform(*_SHELF_X_M), self._random.uniform(*_SHELF_Y_M), detuned)
