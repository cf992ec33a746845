"""The way of one body over the floor: where it is, and which way it faces, at any time. Pure."""

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Point = tuple[float, float]
"""x and y in metres."""

_STRIDE_M = 0.8
"""A walker's pace changes from one stride to the next."""
_UNEVEN = 0.15
_SWAY_M = 0.06
_TURN_S = 0.4
"""How long before and after a corner a body turns."""


class Leg(NamedTuple):
    """A straight piece of a way, and the rest at its end."""

    to: Point
    halt_s: float = 0.0
    backwards: bool = False
    """It is pushed or driven back without turning round."""


class Way(NamedTuple):
    """Knots between which a body moves evenly."""

    at_s: Floats
    x_m: Floats
    y_m: Floats
    turned_s: Floats
    """Knots of its own for the heading."""
    heading: Floats
    """Radians; a body at 0 faces +y."""

    @property
    def begin_s(self) -> float:
        return float(self.at_s[0])

    @property
    def end_s(self) -> float:
        return float(self.at_s[-1])

    def where(self, at_s: Floats) -> tuple[Floats, Floats, Floats]:
        """x, y and heading at each of the times; before its beginning and after its end it stands still."""
        return (
            np.interp(at_s, self.at_s, self.x_m),
            np.interp(at_s, self.at_s, self.y_m),
            np.interp(at_s, self.turned_s, self.heading),
        )

    def crossed_s(self) -> float | None:
        """When its middle crosses the plane of the doors for the last time; None if it never does."""
        signs = np.sign(self.y_m)
        (places,) = np.nonzero(signs[1:] * signs[:-1] < 0)
        if not len(places):
            return None
        last = int(places[-1])
        share = -self.y_m[last] / (self.y_m[last + 1] - self.y_m[last])
        return float(self.at_s[last] + share * (self.at_s[last + 1] - self.at_s[last]))


def walk(begin_s: float, start: Point, legs: Sequence[Leg], pace_m_per_s: float, random: Random) -> Way:
    """A way from `start` along the legs, at a pace that is uneven the way people are."""
    knots = [(begin_s, *start)]
    turns: list[tuple[float, float]] = []
    now_s, (x_m, y_m), facing = begin_s, start, 0.0
    for leg in legs:
        length_m = math.hypot(leg.to[0] - x_m, leg.to[1] - y_m)
        straight = math.atan2(-(leg.to[0] - x_m), leg.to[1] - y_m) + (math.pi if leg.backwards else 0.0)
        facing = straight if not turns else facing + (straight - facing + math.pi) % (2 * math.pi) - math.pi
        began_s, strides = now_s, max(1, math.ceil(length_m / _STRIDE_M))
        for stride in range(1, strides + 1):
            now_s += length_m / strides / (pace_m_per_s * random.uniform(1 - _UNEVEN, 1 + _UNEVEN))
            share, sway_m = stride / strides, random.gauss(0, _SWAY_M) if stride < strides else 0.0
            across_x, across_y = -math.cos(facing), -math.sin(facing)
            knots.append(
                (
                    now_s,
                    x_m + share * (leg.to[0] - x_m) + sway_m * across_x,
                    y_m + share * (leg.to[1] - y_m) + sway_m * across_y,
                )
            )
        turn_s = min(_TURN_S, (now_s - began_s) / 2)
        turns += [(began_s + turn_s, facing), (now_s - turn_s, facing)]
        x_m, y_m = leg.to
        if leg.halt_s:
            now_s += leg.halt_s
            knots.append((now_s, x_m, y_m))
    at_s, xs, ys = (np.array(column) for column in zip(*knots, strict=True))
    turned_s, headings = (np.array(column) for column in zip(*turns, strict=True))
    return Way(at_s, xs, ys, turned_s, headings)
