"""A belt with fruit, as a finder would see it frame by frame, with the truth: for tests of what follows fruit."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from edge.vision.inspector.matching import Seen

WIDTH = 640
"""Pixels on the belt's way; what is found is found to about one of them."""


class Fruit(NamedTuple):
    """One fruit: its middle on the belt at time 0 (negative: before the picture), its length, its lane."""

    name: int
    at: float
    length: float
    across: float


class Belt(NamedTuple):
    """How the belt runs, and how well it is seen."""

    fruit: list[Fruit]
    speed: float
    fps: float
    jitter_s: float = 0.0
    """Frames are stamped early or late by so much at most."""
    dropped: float = 0.0
    """Share of frames that never come."""
    missed: float = 0.0
    """Chance that a fruit is not found in a frame."""
    merged: float = 0.0
    """Chance that two that touch are found as one."""
    stands_s: tuple[float, float] = (0.0, 0.0)
    """The belt stands between these times."""


class Shown(NamedTuple):
    """One frame, and which fruit (of `Fruit.name`) each thing found in it is; None: of two that were merged."""

    at_us: int
    seen: list[Seen]
    names: list[int | None]


def fruit_on_a_belt(chance: random.Random, count: int, gap: tuple[float, float], length: float = 0.15) -> list[Fruit]:
    """Fruit one behind the other, with `gap` fruit lengths between them, 0 for touching."""
    at, fruit = -length, []
    for name in range(count):
        own = length * chance.uniform(0.85, 1.2)
        fruit.append(Fruit(name, at - own / 2, own, 0.28 + chance.uniform(-0.03, 0.03)))
        at -= own + length * chance.uniform(*gap)
    return fruit


def frames(belt: Belt, chance: random.Random) -> Iterator[Shown]:
    """All that the camera takes until the last fruit has left."""
    last_way = 1 + 0.2 - min(one.at for one in belt.fruit)
    number, way, before_s = 0, 0.0, 0.0
    while way < last_way:
        now_s = number / belt.fps
        moving = not belt.stands_s[0] <= now_s < belt.stands_s[1]
        way += belt.speed * (now_s - before_s) * moving
        before_s, number = now_s, number + 1
        if chance.random() >= belt.dropped:
            stamp_s = 1000 + now_s + chance.uniform(-belt.jitter_s, belt.jitter_s)
            yield Shown(round(1e6 * stamp_s), *_found(belt, way, chance))


def _found(belt: Belt, way: float, chance: random.Random) -> tuple[list[Seen], list[int | None]]:
    boxes: list[tuple[float, float, Fruit, int | None]] = []
    for one in belt.fruit:
        back, front = one.at + way - one.length / 2, one.at + way + one.length / 2
        if front < 0.02 or back > 0.98 or chance.random() < belt.missed:
            continue
        if boxes and abs(boxes[-1][0] - front) < 0.15 * one.length and chance.random() < belt.merged:
            boxes[-1] = (back, boxes[-1][1], one, None)
        else:
            boxes.append((back, front, one, one.name))
    chance.shuffle(boxes)
    return [_seen(back, front, one, chance) for back, front, one, _ in boxes], [name for *_, name in boxes]


def _seen(back: float, front: float, fruit: Fruit, chance: random.Random) -> Seen:
    low = max(0.0, back + chance.gauss(0, 1) / WIDTH)
    high = min(1.0, front + chance.gauss(0, 1) / WIDTH)
    return Seen(high, low, fruit.across, 0.9 * fruit.length, low <= 1 / WIDTH, high >= 1 - 1 / WIDTH)
