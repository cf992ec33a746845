"""Faults of devices, to order: one options struct and a seed give one plan of what breaks when.

Times are wall time, for the devices and those who watch them live on real clocks. A plan always heals what it broke.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Literal, NamedTuple

import structlog
from msgspec import Struct

from firmware_sim.camera import TROUBLES, Camera, CameraTrouble
from firmware_sim.clock import WorldClock
from firmware_sim.plc import Plc
from firmware_sim.reader import SimReader

log = structlog.get_logger()

Trouble = Literal["reader_off", "reader_frozen", "connection_reset", "antenna_off", "plc_silent", "camera"]


class Faults(Struct, frozen=True, kw_only=True):
    """How often each kind of trouble befalls the site, 0 for never, and how long it lasts on average; in seconds."""

    reader_off_every_s: float = 0.0
    reader_off_s: float = 8.0
    reader_frozen_every_s: float = 0.0
    reader_frozen_s: float = 20.0
    connection_reset_every_s: float = 0.0
    antenna_off_every_s: float = 0.0
    antenna_off_s: float = 30.0
    plc_silent_every_s: float = 0.0
    plc_silent_s: float = 10.0
    read_loss: float = 0.0
    """Share of reads that are lost between antenna and report."""
    camera_every_s: float = 0.0
    """Any trouble of those in `camera_troubles`."""
    camera_s: float = 8.0
    camera_troubles: tuple[CameraTrouble, ...] = TROUBLES
    frame_loss: float = 0.0
    """Share of pictures that a camera never sends."""
    frame_torn: float = 0.0
    """Share of pictures that arrive damaged."""
    light_drift: float = 0.07
    """How far a line's light wanders either way, as a share of it."""
    touching: float = 0.0
    """Share of fruit that touches the one before it."""


class Fault(NamedTuple):
    """One thing that breaks."""

    at_s: float
    """From the beginning of the plan."""
    trouble: Trouble
    device: str
    lasts_s: float
    antenna: int
    """The port whose cable it is, if it is about one."""
    camera: CameraTrouble | None = None
    """What the camera does, if it is about one."""


def plan(
    faults: Faults, antennas: Mapping[str, Sequence[int]], plcs: Sequence[str], seed: int, cameras: Sequence[str] = ()
) -> Iterator[Fault]:
    """Every fault in the order of time, for ever; nothing if none is ordered. Pure.

    `antennas` holds the ports of each reader by its name.
    """
    readers = sorted(antennas)
    kinds: list[tuple[Trouble, float, float, Sequence[str]]] = [
        ("reader_off", faults.reader_off_every_s, faults.reader_off_s, readers),
        ("reader_frozen", faults.reader_frozen_every_s, faults.reader_frozen_s, readers),
        ("connection_reset", faults.connection_reset_every_s, 0.0, readers),
        ("antenna_off", faults.antenna_off_every_s, faults.antenna_off_s, readers),
        ("plc_silent", faults.plc_silent_every_s, faults.plc_silent_s, plcs),
        ("camera", faults.camera_every_s, faults.camera_s, cameras),
    ]
    ordered = [
        (_times(every_s, seed, trouble), trouble, lasts_s, devices)
        for trouble, every_s, lasts_s, devices in kinds
        if every_s > 0 and devices
    ]
    random = Random(f"faults {seed}")
    upcoming = [next(times) for times, *_ in ordered]
    while ordered:
        first = min(range(len(ordered)), key=upcoming.__getitem__)
        times, trouble, lasts_s, devices = ordered[first]
        device = random.choice(devices)
        antenna = random.choice(antennas.get(device, (0,)))
        lasts_s *= random.uniform(0.5, 1.5)
        camera = random.choice(faults.camera_troubles) if trouble == "camera" else None
        yield Fault(upcoming[first], trouble, device, lasts_s, antenna, camera)
        upcoming[first] = next(times)


def _times(every_s: float, seed: int, trouble: Trouble) -> Iterator[float]:
    random, at_s = Random(f"faults {seed} {trouble}"), 0.0
    while True:
        at_s += random.expovariate(1 / every_s)
        yield at_s


class Outage(Struct):
    """A fault that was injected; `healed_us` is None while it lasts."""

    device: str
    trouble: Trouble
    began_us: int
    healed_us: int | None = None
    camera: CameraTrouble | None = None


class Saboteur:
    """Carries out a plan on running devices. A device has one trouble at a time: a second one is left out."""

    def __init__(
        self,
        faults: Iterator[Fault],
        readers: Mapping[str, SimReader],
        plcs: Mapping[str, Plc],
        clock: WorldClock,
        cameras: Mapping[str, Camera] = MappingProxyType({}),
    ) -> None:
        self.outages: list[Outage] = []
        self._faults = faults
        self._readers = readers
        self._plcs = plcs
        self._cameras = cameras
        self._clock = clock
        self._troubled: set[str] = set()

    async def run(self) -> None:
        """Break and heal until cancelled, or until the plan is over (an empty one is at once)."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with asyncio.TaskGroup() as troubles:
            for fault in self._faults:
                await asyncio.sleep(began_s + fault.at_s - loop.time())
                if fault.device not in self._troubled:
                    self._troubled.add(fault.device)
                    troubles.create_task(self._befall(fault))

    async def _befall(self, fault: Fault) -> None:
        outage = Outage(fault.device, fault.trouble, self._clock.wall_us(), camera=fault.camera)
        self.outages.append(outage)
        what = fault.camera or fault.trouble
        log.warning("fault begins", device=fault.device, trouble=what, lasts_s=round(fault.lasts_s, 1))
        try:
            await self._break(fault)
            await asyncio.sleep(fault.lasts_s)
        finally:
            await self._heal(fault)
        outage.healed_us = self._clock.wall_us()
        self._troubled.discard(fault.device)
        log.info("fault healed", device=fault.device, trouble=what)

    async def _break(self, fault: Fault) -> None:
        match fault.trouble:
            case "reader_off":
                await self._readers[fault.device].power_off()
            case "reader_frozen":
                self._readers[fault.device].freeze()
            case "connection_reset":
                self._readers[fault.device].drop_connection()
            case "antenna_off":
                self._readers[fault.device].set_antenna(fault.antenna, connected=False)
            case "plc_silent":
                self._plcs[fault.device].silence()
            case "camera":
                self._cameras[fault.device].suffer(fault.camera or "stall")

    async def _heal(self, fault: Fault) -> None:
        match fault.trouble:
            case "reader_off":
                await self._readers[fault.device].power_on()
            case "reader_frozen":
                self._readers[fault.device].thaw()
            case "antenna_off":
                self._readers[fault.device].set_antenna(fault.antenna, connected=True)
            case "plc_silent":
                self._plcs[fault.device].silence(False)
            case "camera":
                self._cameras[fault.device].recover()
