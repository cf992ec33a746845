"""A ceiling reader that shares its time among many zones: every quarter of an hour it hears one round of each.

How likely a tag is heard depends on where it was set down, and stays so: from `LEAST_HEARD` in the farthest corner to
`MOST_HEARD` below an antenna, as at `firmware_sim.ceiling`; a detuned one hardly ever. Some stand at a wall, and the
reader behind it hears them, too, now and then.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

import numpy as np

from firmware_sim.ceiling import DETUNED_HEARD, LEAST_HEARD, MOST_HEARD, WALL_DB
from firmware_sim.config import ZoneReaderConfig
from firmware_sim.radio import TagRead
from firmware_sim.week.goods import Case, Goods

EVERY_S: Final = 900
SWEEP_S: Final = 20.0
AT_WALL: Final = 0.03
"""Share of the places that are at a wall."""
AT_WALL_HEARD: Final = 0.1
"""How often a tag there is heard behind the wall, beside how often it is heard before it."""


def set_down(case: Case, zones: list[str], random: Random) -> None:
    """A case is given its place in its zone. `zones`: those with a reader."""
    case.heard = DETUNED_HEARD if case.detuned else random.uniform(LEAST_HEARD, MOST_HEARD)
    others = [zone for zone in zones if zone != case.zone]
    leak = AT_WALL_HEARD * case.heard
    case.leak = (random.choice(others), leak) if others and random.random() < AT_WALL else None


class Ceiling:
    """One zone reader."""

    def __init__(self, config: ZoneReaderConfig, goods: Goods, seed: int) -> None:
        self.name = config.name
        self._goods = goods
        self._numbers = np.random.default_rng([seed, sum(map(ord, config.name))])
        self._antennas: dict[str, list[int]] = {}
        for antenna in config.antennas:
            self._antennas.setdefault(config.zones[str(antenna)], []).append(antenna)

    @property
    def zones(self) -> list[str]:
        """Those that it looks at."""
        return list(self._antennas)

    def round(self, at_us: int) -> list[TagRead]:
        """The reads of one sweep that begins now, by time."""
        reads = [read for zone in self._antennas for read in self._zone(zone, at_us)]
        reads.sort()
        return reads

    def _zone(self, zone: str, at_us: int) -> Iterator[TagRead]:
        here = list(self._goods.standing(zone).values())
        chances = [case.heard for case in here]
        leaks = [case for case in self._goods.all() if case.leak is not None and case.leak[0] == zone]
        chances += [case.leak[1] for case in leaks if case.leak]
        count = len(chances)
        drawn = self._numbers.random(count) < np.array(chances)
        at = at_us + (self._numbers.random(count) * SWEEP_S * 1e6).astype(np.int64)
        level = np.rint(-60.0 + self._numbers.normal(0, 4.0, count)).astype(int)
        antennas = self._antennas[zone]
        port = self._numbers.integers(0, len(antennas), count)
        for place, case in enumerate([*here, *leaks]):
            if drawn[place]:
                lost_db = WALL_DB if place >= len(here) else 0
                yield TagRead(int(at[place]), case.epc, antennas[port[place]], int(level[place] - lost_db), 0, 1, 0)
