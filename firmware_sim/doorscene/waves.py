"""The waves between the antennas of one reader and the tags of one body, for all moments of its way at once.

It is `firmware_sim.room` in arrays, and one thing more: a wave that has to go through a load is weakened by it.
Arrays are by antenna, row (moment) and tag.
"""

import math
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_sim.doorscene.way import Floats
from firmware_sim.room import CHANNELS, LIGHT_M_PER_S, Antenna, Room, RoomRules, Source, Walls

F32 = np.float32
Singles = NDArray[np.float32]
Numbers = NDArray[np.int64]

HOP_HZ = 902.75e6 + 0.5e6 * np.array(Random("hop table").sample(range(CHANNELS), CHANNELS), np.float64)
"""A hop table: FCC 15.247(a)(1) wants a pseudorandom order, so that neighbours in time fade apart."""
_FAINT = 0.02
"""Reflections that give back less of the amplitude than this are left out."""
_COARSE = 4
"""Rows that share one shadow of the load and one lean: these change more slowly than the waves."""
_SCATTERED, _SCATTERED_M = 5, 20.0
"""How many waves of no particular origin there are, and from how far they come."""
_SCATTER_FADES_M = 6.0
"""Distance from the antenna at which they have lost 6 dB there and back: rooms are large."""
_NEPER_DB = 8.686
_THROUGH_LOAD_DB = 9.0
"""One way; more of a load weakens no further, because waves bend round it."""


class Clutter(NamedTuple):
    """What makes a real room worse than walls alone, fitted to the recorded passes as a whole. Zeros: walls alone."""

    scatter_dbm: float = -68.0
    """Mean level, near the antenna, of what many small things throw back: it hardly falls with distance."""
    antenna_sigma_db: float = 2.0
    """Spread between antennas: cables, panels, what stands beside them. There and back."""
    lean_sigma_db: float = 3.0
    """How much better a tag is heard from one direction than at random, by axis of its body. There and back."""


WALLS_ALONE = Clutter(-200.0, 0.0, 0.0)


class Box(NamedTuple):
    """A load seen from above, from the middle of the body that carries it."""

    forward_m: float
    half_width_m: float
    half_length_m: float
    loss_db_per_m: float
    """One way, of a wave that goes through it."""


class Sticker(NamedTuple):
    """A tag on a body, from the body's middle."""

    epc: str
    right_m: float
    forward_m: float
    detuned: bool
    box: Box | None
    lean: tuple[float, float] = (0.0, 0.0)
    """From where it is heard better, in units of `Clutter.lean_sigma_db`: to the right of the body, and ahead."""


class Placed:
    """The tags of one body, where they are at each moment."""

    def __init__(self, stickers: Sequence[Sticker], x_m: Floats, y_m: Floats, heading: Floats) -> None:
        right = np.array([one.right_m for one in stickers], F32)
        forward = np.array([one.forward_m for one in stickers], F32)
        self._cosine, self._sine = np.cos(heading).astype(F32)[:, None], np.sin(heading).astype(F32)[:, None]
        self.x_m: Singles = x_m.astype(F32)[:, None] + right * self._cosine - forward * self._sine
        self.y_m: Singles = y_m.astype(F32)[:, None] + right * self._sine + forward * self._cosine
        boxes = [one.box or Box(0.0, 1.0, 1.0, 0.0) for one in stickers]
        self._loaded = any(box.loss_db_per_m for box in boxes)
        self._right = right
        self._forward = forward - np.array([box.forward_m for box in boxes], F32)
        self._half_width = np.array([box.half_width_m for box in boxes], F32)
        self._half_length = np.array([box.half_length_m for box in boxes], F32)
        self._loss = np.array([box.loss_db_per_m / _NEPER_DB for box in boxes], F32)
        self._lean_right = np.array([one.lean[0] for one in stickers], F32)
        self._lean_forward = np.array([one.lean[1] for one in stickers], F32)

    def nepers(self, away_x: Singles, away_y: Singles, flat_m: Singles, lean_db: float) -> Singles:
        """What a wave gains or loses one way by the tag's lean and in the load, by source, row and tag."""
        rows = away_x.shape[1]
        away_x, away_y, flat_m = (values[:, ::_COARSE] for values in (away_x, away_y, flat_m))
        cosine, sine = self._cosine[::_COARSE], self._sine[::_COARSE]
        scale = np.reciprocal(np.maximum(flat_m, F32(0.05)))
        aside: Singles = -(away_x * cosine + away_y * sine) * scale
        ahead: Singles = (away_x * sine - away_y * cosine) * scale
        lean_nepers = F32(lean_db / 2 / _NEPER_DB)
        gain: Singles = lean_nepers * (aside * self._lean_right + ahead * self._lean_forward)
        if self._loaded:
            gain -= self._lost_in_load(aside, ahead)
        return np.repeat(gain, _COARSE, axis=1)[:, :rows]

    def _lost_in_load(self, aside: Singles, ahead: Singles) -> Singles:
        """Nepers, by the direction in the body's frame in which the source is."""
        across_m = (self._half_width - np.sign(aside) * self._right) / np.maximum(np.abs(aside), F32(1e-3))
        along_m = (self._half_length - np.sign(ahead) * self._forward) / np.maximum(np.abs(ahead), F32(1e-3))
        loss: Singles = np.minimum(np.minimum(across_m, along_m) * self._loss, F32(_THROUGH_LOAD_DB / _NEPER_DB))
        return loss


class Waves:
    """The antennas of one reader, and their mirror images in the walls."""

    def __init__(
        self, antennas: Sequence[Antenna], walls: Walls | None, rules: RoomRules, clutter: Clutter, seed: int
    ) -> None:
        room, random = Room(antennas, seed, rules, walls), Random(f"clutter {seed}")
        self._rules = rules
        self._clutter = clutter
        self._walls = walls
        self._gain_db = [random.gauss(0, clutter.antenna_sigma_db) for _ in antennas]
        self._sources = [
            [*(source for source in room.sources[one.port] if abs(source.share) >= _FAINT), *self._scattered(random)]
            for one in antennas
        ]

    def echo(self, tags: Placed, channel: Numbers) -> tuple[Singles, Singles]:
        """Level (dBm) and phase (radians) of what usual tags send back; `channel`, a place in HOP_HZ, is by row."""
        wave_number = (-2 * math.pi / LIGHT_M_PER_S * HOP_HZ[channel]).astype(F32)[:, None]
        amplitude = np.stack([self._amplitude(port, tags, wave_number) for port in range(len(self._sources))])
        power = amplitude.real**2 + amplitude.imag**2 + F32(1e-18)
        at_1m_dbm = np.array([self._rules.rssi_at_1m_dbm + gain_db for gain_db in self._gain_db], F32)
        level = at_1m_dbm[:, None, None] + 20 * np.log10(power)
        level[:, self._behind_walls(tags)] = -np.inf
        return level, 2 * np.angle(amplitude)

    def _amplitude(self, port: int, tags: Placed, wave_number: Singles) -> NDArray[np.complex64]:
        """One way, the sum over the panel and its images (see `Room.echo`)."""
        columns = (np.array(values, F32)[:, None, None] for values in zip(*self._sources[port], strict=True))
        from_x, from_y, look_x, look_y, height, share, look_down = columns
        away_x, away_y = tags.x_m - from_x, tags.y_m - from_y
        flat2 = away_x * away_x + away_y * away_y
        length = np.maximum(F32(0.3), np.sqrt(flat2 + height * height))
        cosine = (away_x * look_x + away_y * look_y + height * look_down) / length
        pattern = np.maximum(F32(0.01), (1 + cosine) / 2)
        nepers = F32(self._rules.beam_exponent) * np.log(pattern) - F32(self._rules.path_exponent / 2) * np.log(length)
        nepers += tags.nepers(away_x, away_y, np.sqrt(flat2), self._clutter.lean_sigma_db)
        size, turn = share * np.exp(nepers), wave_number * length
        size[-_SCATTERED:] /= np.sqrt(1 + flat2[0] / F32(_SCATTER_FADES_M**2))
        amplitude = np.empty(tags.x_m.shape, np.complex64)
        amplitude.real, amplitude.imag = (size * np.cos(turn)).sum(0), (size * np.sin(turn)).sum(0)
        return amplitude

    def _scattered(self, random: Random) -> Iterator[Source]:
        """Waves from everywhere that together are as loud as they should be."""
        below_db = self._clutter.scatter_dbm - self._rules.rssi_at_1m_dbm
        share = 10 ** (below_db / 40) * _SCATTERED_M ** (self._rules.path_exponent / 2) / math.sqrt(_SCATTERED)
        for _ in range(_SCATTERED):
            angle, height_m = random.uniform(0, 2 * math.pi), random.uniform(0, 5)
            x, y = math.cos(angle), math.sin(angle)
            yield Source(_SCATTERED_M * x, _SCATTERED_M * y, -x, -y, height_m, share)

    def _behind_walls(self, tags: Placed) -> NDArray[np.bool_]:
        walls = self._walls
        if walls is None:
            return np.zeros(tags.x_m.shape, np.bool_)
        beyond_x = (tags.x_m > walls[1, 0]) | (tags.x_m < -walls[-1, 0])
        return beyond_x | (tags.y_m > walls[0, 1]) | (tags.y_m < -walls[0, -1])
