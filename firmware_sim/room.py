"""How a wave gets from an antenna to a tag and back in one room: path loss, antenna pattern, reflections.

Walls, floor and ceiling reflect: each reflection is a wave from a mirror image of the panel. The walls stand where
the seed puts them and stay there. Summed as complex waves they give fading that depends on place and channel the way
it does in a room, and the phase with it.
"""

import cmath
import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

LIGHT_M_PER_S = 299_792_458.0
CHANNELS = 50
"""FCC 15.247: 902.75 to 927.25 MHz in steps of 0.5 MHz."""


class Antenna(NamedTuple):
    """One antenna port, and where its panel hangs and looks."""

    port: int
    x_m: float
    y_m: float
    toward: tuple[float, float] = (0.0, 0.0)
    """The point that the panel faces."""
    above_m: float = 0.0
    """How far above the tags it hangs; a panel that hangs above them looks straight down, wherever `toward` is."""


class RoomRules(NamedTuple):
    """The figures of propagation. The defaults were fitted to recorded passes of one hand-carried tag."""

    rssi_at_1m_dbm: float = -46.0
    """What the reader reports of a usual tag on boresight at 1 m, without reflections."""
    path_exponent: float = 1.75
    """One way; the reader sees it twice."""
    beam_exponent: float = 1.2
    """One-way amplitude off boresight: ((1 + cos) / 2) to this power."""
    reflection: float = 0.43
    """Share of a wave's amplitude that a wall, the floor or the ceiling gives back, on average."""
    wall_m: float = 6.0
    """How far from the middle of the portal a wall stands, on average."""


_NEAREST_M = 0.3
_WALLS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
"""Reflections on one wall and on two that meet, by the sign of their normals."""
_FLOOR_M, _CEILING_M = (1.6, 3.0), (5.0, 8.0)
"""How far below and above the panel its images in floor and ceiling lie."""


Walls = Mapping[tuple[int, int], float]
"""Where the walls stand, in metres from the middle, by the sign of their normals: (1, 0) is at +x, (0, -1) at -y."""


class Source(NamedTuple):
    """The panel itself, or one of its mirror images."""

    x_m: float
    y_m: float
    look_x: float
    look_y: float
    height_m: float
    """Above or below the tags."""
    share: float
    look_down: float = 0.0
    """1 where it looks straight at the tags' plane, -1 straight away from it."""


class Room:
    """The waves of one portal's antennas, in a room around the origin."""

    def __init__(self, antennas: Sequence[Antenna], seed: int, rules: RoomRules, walls: Walls | None = None) -> None:
        """`walls` holds all four; without them they stand where the seed says."""
        self._rules = rules
        random = Random(f"room {seed}")
        drawn = {normal: rules.wall_m * random.uniform(0.7, 1.3) for normal in _WALLS[:4]}
        walls = drawn if walls is None else walls
        self.sources = {one.port: tuple(self._mirrored(one, walls, random)) for one in antennas}
        """By port, the panel itself first."""

    def echo(self, port: int, x_m: float, y_m: float, channel: int) -> tuple[float, float]:
        """Level (dBm) and phase (radians) of what a usual tag at a place sends back on a channel of 0 to 49."""
        wave_number = -2 * math.pi * (902.75e6 + 0.5e6 * channel) / LIGHT_M_PER_S
        decay, beam = -self._rules.path_exponent / 2, self._rules.beam_exponent
        total = 0j
        for source in self.sources[port]:
            away_x, away_y = x_m - source.x_m, y_m - source.y_m
            length = max(_NEAREST_M, math.sqrt(away_x * away_x + away_y * away_y + source.height_m**2))
            cosine = (away_x * source.look_x + away_y * source.look_y + source.height_m * source.look_down) / length
            pattern = math.pow(max(0.01, (1 + cosine) / 2), beam)
            total += cmath.rect(source.share * pattern * math.pow(length, decay), wave_number * length)
        # There and back the wave meets the same room: its loss and its phase count twice.
        return self._rules.rssi_at_1m_dbm + 40 * math.log10(abs(total) + 1e-9), 2 * cmath.phase(total)

    def _mirrored(self, antenna: Antenna, walls: Walls, random: Random) -> Iterator[Source]:
        direct = _direct(antenna)
        yield direct
        for sign_x, sign_y in _WALLS:
            image = direct
            if sign_x:
                image = image._replace(x_m=2 * sign_x * walls[sign_x, 0] - image.x_m, look_x=-image.look_x)
            if sign_y:
                image = image._replace(y_m=2 * sign_y * walls[0, sign_y] - image.y_m, look_y=-image.look_y)
            yield image._replace(share=self._share(random) ** (abs(sign_x) + abs(sign_y)))
        for height_m, down in ((_FLOOR_M, 1), (_CEILING_M, -1)):
            image = direct._replace(height_m=random.uniform(*height_m), look_down=down * direct.look_down)
            yield image._replace(share=-self._share(random))

    def _share(self, random: Random) -> float:
        return min(0.95, self._rules.reflection * random.uniform(0.6, 1.4))


def _direct(antenna: Antenna) -> Source:
    """The panel itself."""
    if antenna.above_m:
        return Source(antenna.x_m, antenna.y_m, 0.0, 0.0, antenna.above_m, 1.0, 1.0)
    look_x, look_y = antenna.toward[0] - antenna.x_m, antenna.toward[1] - antenna.y_m
    look = math.hypot(look_x, look_y) or 1.0
    return Source(antenna.x_m, antenna.y_m, look_x / look, look_y / look, 0.0, 1.0)
