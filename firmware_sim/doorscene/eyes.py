"""The photo-eyes of one door: who stands in a beam, and what their registers show of it."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal, NamedTuple

import numpy as np

from firmware_sim.doorscene.place import Eyes, SceneDoor
from firmware_sim.doorscene.traffic import Movement

Beam = Literal["outer", "inner"]
_LOOK_S = 0.01
_BLINK_S = 0.03
"""Shorter gaps between two things in a beam do not show."""


class BeamEdge(NamedTuple):
    """A beam broke or became clear, as its register showed it."""

    at_s: float
    beam: Beam
    broken: bool


def edges(door: SceneDoor, eyes: Eyes, bodies: Sequence[Movement], random: Random) -> list[BeamEdge]:
    """Every change of both beams of a door, by time."""
    found: list[BeamEdge] = []
    beams: tuple[tuple[Beam, float], ...] = (("outer", -eyes.reach_m), ("inner", eyes.reach_m))
    for beam, y_m in beams:
        if beam == eyes.stuck:
            found.append(BeamEdge(0.0, beam, True))
            continue
        spans = sorted(span for body in bodies for span in _spans(door, body, y_m))
        for begin_s, end_s in _merged(spans):
            if random.random() >= eyes.missed:
                found += [
                    BeamEdge(_polled(begin_s, eyes, random), beam, True),
                    BeamEdge(_polled(end_s, eyes, random), beam, False),
                ]
    return sorted(found)


def _polled(at_s: float, eyes: Eyes, random: Random) -> float:
    return at_s + random.uniform(0, eyes.poll_s)


def _merged(spans: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Overlapping spans as one."""
    begin_s, end_s = None, 0.0
    for first, last in spans:
        if begin_s is None or first > end_s + _BLINK_S + 0.05:
            if begin_s is not None:
                yield begin_s, end_s
            begin_s, end_s = first, last
        end_s = max(end_s, last)
    if begin_s is not None:
        yield begin_s, end_s


def _spans(door: SceneDoor, body: Movement, y_m: float) -> Iterator[tuple[float, float]]:
    """When parts of a body stand in a beam: (begin, end) in seconds."""
    way = body.way
    at_s = np.arange(way.begin_s, way.end_s, _LOOK_S)
    xs, ys, heading = way.where(at_s)
    within = (abs(xs - door.x_m) < door.width_m / 2) & (abs(ys - y_m) < 4)
    at_s, ys, facing = at_s[within], ys[within], np.cos(heading[within])
    for part in body.load.parts:
        one, other = ys + part.behind_m * facing, ys + part.ahead_m * facing
        broken = (np.minimum(one, other) <= y_m) & (np.maximum(one, other) >= y_m)
        (changes,) = np.nonzero(np.diff(broken, prepend=False, append=False))
        for begin, end in zip(changes[::2], changes[1::2], strict=True):
            yield float(at_s[begin]), float(at_s[end - 1])
