"""The radio of one portal: which tags the reader hears, when and how (docs/decisions/radio-model.md).

One antenna is on air at a time, in turn. In its dwell the reader runs one inventory round (Gen2 section 6.3.2.10):
tags that have enough power choose slots, collisions cost time, and a dwell that runs out leaves tags unread.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from firmware_sim.carried import S1_PERSISTENCE_S, Carried
from firmware_sim.emission import Emission, OnAir
from firmware_sim.room import CHANNELS, LIGHT_M_PER_S, Antenna, Room, RoomRules

__all__ = ["Antenna", "RadioModel", "RadioRules", "RoomRules", "TagAt", "TagRead"]


class TagRead(NamedTuple):
    """One singulation, as the reader would report it."""

    at_us: int
    """Microseconds since 1970-01-01 UTC, by the world's clock."""
    epc: str
    """EPC memory bank, lower-case hexadecimal."""
    antenna: int
    rssi_dbm: int
    phase: int
    """0 to 4095 for a full turn; half a turn is ambiguous."""
    channel: int
    """1 to 50, a place in the hop table."""
    doppler: int
    """In 1/16 Hz."""
    fine_dbm: float | None = None
    """The level before it was rounded, where it is known."""

    @property
    def level_cdbm(self) -> int:
        """In 1/100 dBm, as some readers report it beside the rounded level."""
        return round(100 * (self.rssi_dbm if self.fine_dbm is None else self.fine_dbm))


class TagAt(NamedTuple):
    """A tag and where it is, in the portal's own coordinates."""

    epc: str
    x_m: float
    y_m: float
    detuned: bool = False
    """On metal or behind liquid: hardly ever read."""


class RadioRules(NamedTuple):
    """The figures of reader and tags. The defaults were fitted to recorded passes of one hand-carried tag."""

    tag_sigma_db: float = 1.5
    """Spread between tags, both ways together."""
    shadow: float = 0.22
    """Share of the time in which what carries a tag stands between it and one antenna."""
    shadow_m: float = 0.8
    """Distance carried over which that is decided anew."""
    shadow_db: float = 15.0
    noise_db: float = 1.0
    detuned_db: float = 26.0
    half_dbm: float = -68.7
    """Level at which a dwell reads a tag half as often as it could."""
    slope_db: float = 4.4
    answer: float = 0.95
    """Share of dwells in which a strong lone tag is read."""
    floor_dbm: float = -76.0
    dwell_us: int = 27_500
    max_dwell_us: int = 110_000
    """A dwell goes on for this long while tags still answer."""
    hop_us: int = 145_000
    hop_pause_us: int = 60_000
    """Silence while the reader changes its channel."""
    doppler_noise: float = 1_300.0


# Link times of a dense-reader mode (Miller 4, 250 kHz), in microseconds: Gen2 section 6.3.1.6, table 6.16.
EMPTY_US, COLLISION_US, SINGLE_US, ROUND_US = 300, 900, 2_400, 1_500
_FAR_M = 12.0
_LEVEL_MARGIN_DB = 6.0
_RESUME_US = 1_000_000
_FULL = Emission()
_RULES, _ROOM = RadioRules(), RoomRules()


class _Heard(NamedTuple):
    """A tag that has the power to answer in this dwell."""

    tag: TagAt
    level_dbm: float
    phase: float
    closing_m_per_s: float
    """How fast it comes nearer to the antenna."""


class RadioModel:
    """One reader and its antennas in one room. The same seed and the same calls give the same reads."""

    def __init__(
        self,
        antennas: Sequence[Antenna],
        seed: int,
        rules: RadioRules = _RULES,
        room: RoomRules = _ROOM,
    ) -> None:
        if not antennas:
            raise ValueError("a portal needs an antenna")
        self._rules = rules
        self._seed = seed
        self._antennas = {antenna.port: antenna for antenna in sorted(antennas)}
        self._ports = tuple(self._antennas)
        self._room = Room(antennas, seed, room)
        self._random = Random(f"radio {seed}")
        self._turn = 0
        self._channel = self._random.randrange(CHANNELS)
        self._now_us = 0
        self._hop_at_us = 0
        self._carried: dict[str, Carried] = {}
        self._later: list[TagRead] = []
        """Reads of a dwell that is not yet over."""

    def sense(self, now_us: int, tags: Sequence[TagAt], on_air: OnAir | None = None) -> list[TagRead]:
        """The reads since the last call, by time, none later than `now_us`. Call it every 20 ms or so.

        `now_us` must not run backwards; the tags are taken to stand where they are now. `on_air` says which antennas
        take turns and how they are driven; without it all do, with full power.
        """
        if now_us - self._now_us > _RESUME_US:
            self._now_us = now_us - self._rules.dwell_us
            self._hop_at_us = self._now_us + self._rules.hop_us
        near = [tag for tag in tags if math.hypot(tag.x_m, tag.y_m) < _FAR_M]
        self._forget(near)
        for tag in near:
            self._carry(tag, now_us)
        ports = self._ports if on_air is None else tuple(port for port in self._ports if port in on_air)
        if not ports:  # what is not on air now has heard nothing since the last look
            self._now_us = max(self._now_us, now_us)
        while self._now_us + self._rules.dwell_us <= now_us:
            port = ports[self._turn % len(ports)]
            self._later += self._dwell(port, near, on_air[port] if on_air else _FULL)
        reads = [read for read in self._later if read.at_us <= now_us]
        del self._later[: len(reads)]
        return reads

    def _forget(self, near: Sequence[TagAt]) -> None:
        if len(self._carried) > 2 * len(near) + 64:
            here = {tag.epc for tag in near}
            self._carried = {epc: carried for epc, carried in self._carried.items() if epc in here}

    def _dwell(self, port: int, tags: Sequence[TagAt], emission: Emission) -> list[TagRead]:
        """One antenna's turn, and the clock moved to its end."""
        self._turn += 1
        heard = [one for tag in tags if (one := self._hear(port, tag, emission)) is not None]
        reads, used_us = self._inventory(port, heard)
        if emission.session is not None:
            for read in reads:
                self._carried[read.epc].read_us = read.at_us
        self._now_us += max(self._rules.dwell_us, used_us)
        if self._now_us >= self._hop_at_us:
            self._channel = (self._channel + 1) % CHANNELS
            self._now_us += self._rules.hop_pause_us
            self._hop_at_us = self._now_us + round(self._rules.hop_us * self._random.uniform(0.9, 1.1))
        return reads

    def _hear(self, port: int, tag: TagAt, emission: Emission) -> _Heard | None:
        rules = self._rules
        carried = self._carried[tag.epc]
        if emission.selects is not None and not emission.selects(tag.epc):
            return None
        level, phase = self._room.echo(port, tag.x_m, tag.y_m, self._channel)
        level += carried.gain_db - (rules.detuned_db if tag.detuned else 0.0)
        level -= rules.shadow_db if port in carried.hidden else 0.0
        level -= emission.attenuation_db
        floor_dbm = rules.floor_dbm + emission.deafness_db
        if level < floor_dbm - _LEVEL_MARGIN_DB:
            return None
        if emission.session is not None:
            silent = carried.is_silent(emission.session, self._now_us)
            carried.powered_us = self._now_us
            if silent:
                return None
        # Distance counts twice in the level, there and back; power that is not sent counts once in it, but as much as
        # distance in what reaches the tag, which is what it answers by.
        reach_db = rules.half_dbm - (level - emission.attenuation_db)
        if self._random.random() >= rules.answer / (1 + math.exp(reach_db / rules.slope_db)):
            return None
        level += self._random.gauss(0, rules.noise_db)
        return _Heard(tag, level, phase, self._closing(port, carried)) if level >= floor_dbm else None

    def _closing(self, port: int, carried: Carried) -> float:
        away_x, away_y = carried.x_m - self._antennas[port].x_m, carried.y_m - self._antennas[port].y_m
        return -(carried.speed[0] * away_x + carried.speed[1] * away_y) / max(0.1, math.hypot(away_x, away_y))

    def _carry(self, tag: TagAt, now_us: int) -> None:
        """Move a tag to where it is now; what hides it is decided anew as it is carried on."""
        rules, random = self._rules, self._random
        carried = self._carried.get(tag.epc)
        if carried is None:
            own = Random(f"tag {self._seed} {tag.epc}")
            hidden = {port for port in self._ports if own.random() < rules.shadow}
            gain_db = own.gauss(0, rules.tag_sigma_db)
            s1_us = round(1e6 * own.uniform(*S1_PERSISTENCE_S))
            self._carried[tag.epc] = Carried(gain_db, hidden, tag.x_m, tag.y_m, now_us, s1_us)
            return
        moved_x, moved_y = tag.x_m - carried.x_m, tag.y_m - carried.y_m
        took_s = max(1, now_us - carried.at_us) / 1e6
        carried.x_m, carried.y_m, carried.at_us = tag.x_m, tag.y_m, now_us
        carried.speed = (moved_x / took_s, moved_y / took_s)
        moved_m = math.hypot(moved_x, moved_y)
        if moved_m > 0:
            keep = math.exp(-moved_m / rules.shadow_m)
            for port in self._ports:
                if random.random() >= keep:
                    (carried.hidden.add if random.random() < rules.shadow else carried.hidden.discard)(port)

    def _inventory(self, port: int, heard: list[_Heard]) -> tuple[list[TagRead], int]:
        """One round of slots until nobody answers or the dwell is over; the reads and the time they took."""
        random, spent_us, waiting, reads = self._random, ROUND_US, list(heard), list[TagRead]()
        if waiting:  # where in the dwell the first answer falls
            spent_us += random.randrange(max(1, self._rules.dwell_us - 7_000)) // (1 + len(waiting))
        while waiting and spent_us < self._rules.max_dwell_us:
            slots = 1 << max(0, math.ceil(math.log2(len(waiting))))
            chosen: dict[int, list[_Heard]] = {}
            for one in waiting:
                chosen.setdefault(random.randrange(slots), []).append(one)
            waiting = []
            for slot in range(slots):
                answers = chosen.get(slot, [])
                spent_us += (EMPTY_US, SINGLE_US)[len(answers)] if len(answers) < 2 else COLLISION_US
                if len(answers) != 1 or spent_us > self._rules.max_dwell_us:
                    waiting += answers
                else:
                    reads.append(self._read(port, answers[0], self._now_us + spent_us))
        return reads, spent_us

    def _read(self, port: int, heard: _Heard, at_us: int) -> TagRead:
        random = self._random
        turn = heard.phase / (2 * math.pi) + random.choice((0.0, 0.5)) + random.gauss(0, 0.01)
        frequency = 902.75e6 + 0.5e6 * self._channel
        doppler = 16 * 2 * heard.closing_m_per_s * frequency / LIGHT_M_PER_S + random.gauss(
            0, self._rules.doppler_noise
        )
        return TagRead(
            at_us=at_us,
            epc=heard.tag.epc,
            antenna=port,
            rssi_dbm=round(heard.level_dbm),
            phase=int(turn % 1.0 * 4096) % 4096,
            channel=self._channel + 1,
            doppler=max(-32768, min(32767, round(doppler))),
            fine_dbm=heard.level_dbm,
        )
