"""How a body walks through a door, and where the tags on it are. Pure: seconds in, metres out.

y = -3 m        -0.4   0   +0.4        +3 m
outside ---------(o)---|---(i)--------- inside      (o) outer beam, (i) inner beam, | plane of the door
"""

from random import Random
from typing import NamedTuple

from firmware_sim.movement import Body, Movement

REACH_M = 3.0
"""A walk begins and ends this far from the plane of the door."""
BEAM_M = 0.4
"""The outer beam is this far outside, the inner one as far inside."""


class Shape(NamedTuple):
    """A body seen from above."""

    length_m: float
    width_m: float


_SHAPES: dict[Body, Shape] = {
    "pallet": Shape(1.2, 1.0),
    "trolley": Shape(0.9, 0.6),
    "person": Shape(0.4, 0.4),
}


class Offset(NamedTuple):
    """A tag on a body, from its middle."""

    epc: str
    x_m: float
    y_m: float
    detuned: bool


class Walk(NamedTuple):
    """One body's way through a door at a steady pace, or up to it and back."""

    sign: int
    """+1 towards the inside, -1 towards the outside."""
    pace_m_per_s: float
    length_m: float
    turn_m: float | None
    """It turns back when its middle is this far before the plane; None: it goes through."""
    halt_s: float
    """How long it stands before it turns back."""

    @property
    def duration_s(self) -> float:
        """From one end of the way to the other, or back to the same."""
        if self.turn_m is None:
            return 2 * REACH_M / self.pace_m_per_s
        return 2 * (REACH_M - self.turn_m) / self.pace_m_per_s + self.halt_s

    def y_m(self, after_s: float) -> float:
        """Where the middle of the body is."""
        if self.turn_m is None:
            return self.sign * (after_s * self.pace_m_per_s - REACH_M)
        leg_m = REACH_M - self.turn_m
        back_s = max(0.0, after_s - leg_m / self.pace_m_per_s - self.halt_s)
        gone_m = min(after_s * self.pace_m_per_s, leg_m) - back_s * self.pace_m_per_s
        return self.sign * (gone_m - REACH_M)

    def is_through(self, after_s: float) -> bool:
        """True from the moment at which the middle of the body crosses the plane."""
        return self.turn_m is None and after_s * self.pace_m_per_s >= REACH_M

    def breaks(self, beam_y_m: float, after_s: float) -> bool:
        """True while the body stands in a beam."""
        return abs(self.y_m(after_s) - beam_y_m) <= self.length_m / 2


def walk_of(movement: Movement, random: Random) -> Walk:
    """How a movement is walked."""
    return Walk(
        sign=1 if movement.direction == "inbound" else -1,
        pace_m_per_s=random.uniform(1.0, 1.5),
        length_m=_SHAPES[movement.body].length_m,
        turn_m=random.uniform(0.2, 0.9) if movement.turns_back else None,
        halt_s=random.uniform(0.3, 1.2),
    )


def load_of(movement: Movement, detuned: frozenset[str], random: Random) -> tuple[Offset, ...]:
    """Where the tags of a movement sit on its body."""
    shape = _SHAPES[movement.body]
    return tuple(
        Offset(
            epc,
            random.uniform(-shape.width_m / 2, shape.width_m / 2),
            random.uniform(-shape.length_m / 2, shape.length_m / 2),
            epc in detuned,
        )
        for epc in movement.epcs
    )
