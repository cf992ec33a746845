"""Temperatures and humidity of the zones: they wander slowly, and rise where a door was left open."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from firmware_sim.clock import WorldClock
from firmware_sim.config import PlcConfig, RegisterConfig, ZoneConfig
from firmware_sim.plc import Plc
from firmware_sim.scenario import Scenario

STEP_S = 1.0
"""Wall time between two steps."""
SETTLING_S = 20.0
"""World time in which a zone goes 63 % of the way to where it tends."""
ROOM_C, HUMIDITY_PCT = 18.0, 72.0
TOO_WARM_C = 2.5
"""How far above its limit a zone tends while a door stands open."""


class Weather(NamedTuple):
    """What one sensor tends to."""

    usual: float
    warm: float
    sigma: float
    """Standard deviation of its wandering in a second's time."""


class Sensor:
    """One sensor in one zone."""

    def __init__(self, weather: Weather, random: Random) -> None:
        self.value = weather.usual
        self._weather = weather
        self._random = random

    def step(self, dt_s: float, *, warm: bool) -> float:
        """The value after `dt_s` of world time (an Ornstein-Uhlenbeck step)."""
        target = self._weather.warm if warm else self._weather.usual
        keep = math.exp(-dt_s / SETTLING_S)
        noise = self._random.gauss(0, self._weather.sigma * math.sqrt(min(dt_s, SETTLING_S)))
        self.value = target + (self.value - target) * keep + noise
        return self.value


class Climate:
    """Every sensor of a site, written into the registers of its PLCs."""

    def __init__(
        self,
        zones: Sequence[ZoneConfig],
        plcs: Sequence[tuple[PlcConfig, Plc]],
        scenario: Scenario,
        clock: WorldClock,
        seed: int,
    ) -> None:
        limits = {zone.name: zone for zone in zones}
        self._sensors = [
            (register, plc, Sensor(weather_of(register, limits), Random(f"climate {seed} {register.name}")))
            for config, plc in plcs
            for register in config.registers
            if register.table == "input" and register.meaning in ("temperature_c", "humidity_pct")
        ]
        self._scenario = scenario
        self._clock = clock
        self._write(0.0, 0.0)

    async def run(self) -> None:
        """Let the weather change until cancelled."""
        before_s = self._clock.world_s()
        while True:
            await asyncio.sleep(STEP_S)
            now_s = self._clock.world_s()
            self._write(now_s, now_s - before_s)
            before_s = now_s

    def _write(self, now_s: float, dt_s: float) -> None:
        for register, plc, sensor in self._sensors:
            warm = now_s < self._scenario.excursions.get(register.zone or "", 0.0)
            plc.set_input(register.address, register_value(sensor.step(dt_s, warm=warm), register.scale))


def weather_of(register: RegisterConfig, zones: Mapping[str, ZoneConfig]) -> Weather:
    """What the sensor behind a register tends to: well within its zone's limits, or above them when a door is open."""
    if register.meaning == "humidity_pct":
        return Weather(HUMIDITY_PCT, HUMIDITY_PCT + 15, 0.2)
    zone = zones.get(register.zone or "")
    if zone is None or zone.temperature is None:
        return Weather(ROOM_C, ROOM_C + 4, 0.03)
    low, high = zone.temperature.min_c, zone.temperature.max_c
    return Weather(low + 0.45 * (high - low), high + TOO_WARM_C, 0.01 * (high - low))


def register_value(value: float, scale: float) -> int:
    """A value in its unit as a signed 16-bit register, held at the ends of its range."""
    return max(-32768, min(32767, round(value / (scale or 1.0))))
