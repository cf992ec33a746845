"""A reader at a zone's ceiling or shelf: round after round it hears what stands there, some tags seldom.

A round is one sweep of a large population in session 2: each tag that is reached answers once, at some moment of the
sweep, to one of the antennas (Gen2 section 6.3.2.2). How likely depends on where the tag stands, and stays so for it.

    [1]   [2]   [3]   [4]      antennas in a row, 3 m above the tags
     .  .   . .    .   .       tags anywhere below
"""

import asyncio
import math
from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from firmware_sim.clock import WorldClock
from firmware_sim.config import ZoneReaderConfig
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader
from firmware_sim.world import Case, Pallet, World

ROUND_S: Final = 2.0
STEP_S: Final = 0.25
HEIGHT_M: Final = 3.0
APART_M: Final = 3.0
"""Between two antennas of a zone."""
DEPTH_M: Final = 6.0
"""Of the zone, half of it on each side of the row."""
AT_1M_DBM: Final = -42.0
DECIBELS_A_DECADE: Final = 35.0
NOISE_DB: Final = 3.0
MOST_HEARD: Final = 0.97
LEAST_HEARD: Final = 0.6
"""Chances in a round of a tag below an antenna, and of one in the farthest corner."""
DETUNED_HEARD: Final = 0.01
OTHER_ANTENNA: Final = 0.25
"""Chance that not the nearest antenna but another one of the zone hears it, `OTHER_DB` weaker."""
OTHER_DB: Final = 6.0
WALL_HEARD: Final = 0.02
"""Chance in a round that antennas of another zone of the same reader hear it, too, `WALL_DB` weaker."""
WALL_DB: Final = 16.0


class _Place(NamedTuple):
    """Where a tag stands in a zone, as far as the reader is concerned."""

    zone: str
    antenna: int
    level_dbm: float
    heard: float
    """Chance in a round."""


class Ceiling:
    """One zone reader of the world. The same seed and the same calls give the same reads."""

    def __init__(
        self,
        config: ZoneReaderConfig,
        reader: SimReader,
        world: World,
        clock: WorldClock,
        *,
        seed: int,
        read_loss: float = 0.0,
    ) -> None:
        self._reader = reader
        self._world = world
        self._clock = clock
        self._seed = f"{seed} {config.name}"
        self._random = Random(f"ceiling {self._seed}")
        self._read_loss = read_loss
        self._antennas: dict[str, list[int]] = {}
        for antenna in config.antennas:
            self._antennas.setdefault(config.zones[str(antenna)], []).append(antenna)
        self._places: dict[str, _Place] = {}
        self._round_us = 0
        self._coming: list[tuple[TagRead, str]] = []
        """Reads of this round that are still to come, the next one last, and the zone in which each tag is."""

    async def run(self) -> None:
        """Hear until cancelled."""
        while True:
            reads = self.listen(self._clock.wall_us())
            if reads:
                self._reader.deliver(reads)
            await asyncio.sleep(STEP_S)

    def listen(self, now_us: int) -> list[TagRead]:
        """The reads since the last call, by time. Whatever left its zone since the round began is silent."""
        reads = self._heard(now_us)
        if now_us >= self._round_us + ROUND_S * 1e6:
            self._round_us = now_us
            self._coming = sorted(self._round(now_us), reverse=True)
        return reads

    def _heard(self, now_us: int) -> list[TagRead]:
        reads: list[TagRead] = []
        while self._coming and self._coming[-1][0].at_us <= now_us:
            read, zone = self._coming.pop()
            if self._zone_of(read.epc) == zone and self._random.random() >= self._read_loss:
                reads.append(read)
        return reads

    def _round(self, now_us: int) -> Iterator[tuple[TagRead, str]]:
        for zone in self._antennas:
            for tagged in self._world.tagged(zone):
                place = self._place(tagged, zone)
                if self._random.random() < place.heard:
                    yield self._read(tagged.epc, place.level_dbm, self._antenna(zone, place), now_us), zone
                for other in self._antennas:
                    if other != zone and self._random.random() < WALL_HEARD * place.heard:
                        antenna = self._random.choice(self._antennas[other])
                        yield self._read(tagged.epc, place.level_dbm - WALL_DB, antenna, now_us), zone

    def _antenna(self, zone: str, place: _Place) -> int:
        """Mostly the nearest."""
        if self._random.random() < OTHER_ANTENNA:
            return self._random.choice(self._antennas[zone])
        return place.antenna

    def _read(self, epc: str, level_dbm: float, antenna: int, now_us: int) -> TagRead:
        random = self._random
        if self._places[epc].antenna != antenna:
            level_dbm -= OTHER_DB
        return TagRead(
            at_us=now_us + random.randrange(int(ROUND_S * 1e6)),
            epc=epc,
            antenna=antenna,
            rssi_dbm=round(level_dbm + random.gauss(0, NOISE_DB)),
            phase=random.randrange(4096),
            channel=random.randrange(1, 51),
            doppler=0,
        )

    def _place(self, tagged: Case | Pallet, zone: str) -> _Place:
        """A tag is set down somewhere when it comes to a zone, and stays there."""
        place = self._places.get(tagged.epc)
        if place is not None and place.zone == zone:
            return place
        own = Random(f"{self._seed} {zone} {tagged.epc}")
        antennas = self._antennas[zone]
        nearest = own.randrange(len(antennas))
        away_m = math.hypot(HEIGHT_M, own.uniform(-APART_M / 2, APART_M / 2), own.uniform(-DEPTH_M / 2, DEPTH_M / 2))
        farthest_m = math.hypot(HEIGHT_M, APART_M / 2, DEPTH_M / 2)
        far = (away_m - HEIGHT_M) / (farthest_m - HEIGHT_M)
        heard = DETUNED_HEARD if tagged.detuned else MOST_HEARD - (MOST_HEARD - LEAST_HEARD) * far
        level_dbm = AT_1M_DBM - DECIBELS_A_DECADE * math.log10(away_m)
        place = self._places[tagged.epc] = _Place(zone, antennas[nearest], level_dbm, heard)
        return place

    def _zone_of(self, epc: str) -> str | None:
        case = self._world.cases.get(epc)
        return self._world.pallets[epc].zone if case is None else case.zone
