"""Does the camera still see what the model learned from?

One-sided population stability index (Siddiqi, Credit Risk Scorecards, 2006, section 8): of the last fruit against the
manifest's statistics, counting only what has grown beyond both ends of what was learned. The usual index would call a
line drifted whose light is steadier than that of the photographs, or whose fruit is better. Its customary bounds are
kept: above 0.25 it has moved, below 0.1 it is as it was.
"""

import math
from collections import deque
from typing import NamedTuple

from edge.vision.models.manifest import Statistic, Statistics

BEGINS, ENDS = 0.25, 0.1
WINDOW = 150
"""Fruit that are looked at together. With fewer, chance alone would be taken for drift (Yurdakul 2018: the index of n
fruit in b bins is about chi-squared (b - 1) / n where nothing has moved)."""
FORGET_US = 3_600_000_000
"""Older fruit tell nothing of the light now."""
DARKER, BRIGHTER = 0.55, 1.4
"""The statistics are of photographs; training made them so much darker and brighter (models/produce/disturb.py)."""
RAGGED = 0.06
"""And outlines of the line's own finder differ so much from theirs."""
RARE = 0.005
"""Fruit that is beyond even these bounds, as a share of what was learned from; how much is beyond the manifest's
outermost edges is known, and both must have grown."""
MOSTLY = 0.5
"""A fruit with a larger share of its views blurred counts as blurred. Training shows none that is."""
DOUBT = 0.2
"""A score this far or farther from both 0 and 1 is a doubt."""

WORDS = {
    "score": "the model doubts far more fruit than it did in training: look at their pictures; another variety, or a "
    "dirty lens? If they are well taken, train it with them",
    "dark": "the picture is darker than what the model learned: clean the lamp and the lens",
    "bright": "the picture is brighter than what the model learned: keep the sun out, or set the exposure lower",
    "blurred": "fruit is too blurred to be called good: clean the lens, focus it, and see that the exposure is short "
    "enough for the belt",
    "ragged": "outlines of fruit are more ragged than what the model learned: clean the lens and the belt",
    "full": "outlines of fruit are squarer than what the model learned: is that the right crop, and is each alone?",
    "cold": "colours are bluer than what the model learned: check the white balance and the order of the colours",
    "warm": "colours are redder than what the model learned: check the white balance and the lamp",
}
"""What staff is told, by the tail that has grown."""


class _Tail(NamedTuple):
    """Beyond the edge lies `share` of the fruit of training."""

    word: str
    figure: str
    edge: float
    above: bool
    share: float


class DriftWatch:
    """Watches the fruit of one line. Pure: give it every fruit, it tells when something begins or ends."""

    def __init__(self, statistics: Statistics, window: int = WINDOW) -> None:
        self._tails = _tails(statistics)
        self._window = window
        self._fruit: deque[tuple[int, tuple[bool, ...]]] = deque()
        self._counts = [0] * len(self._tails)
        self._moved: set[str] = set()

    def add(
        self,
        score: float,
        brightness: float,
        mask_area: float,
        at_us: int,
        warmth: float | None = None,
        blurred: float = 0.0,
    ) -> str | None:
        """One more fruit, its figures as `statistics.measure` gives them (the median or the best of its views), and the
        share of its views that are blurred.

        What staff should know if that has changed: words, or "" when all is as it was again; else None.
        """
        figures: dict[str, float | None] = {"score": score, "brightness": brightness, "mask_area": mask_area}
        figures |= {"warmth": warmth, "blurred": blurred}
        self._take(at_us, tuple(_beyond(tail, figures[tail.figure]) for tail in self._tails))
        if len(self._fruit) < self._window:
            return None
        moved = {word for word, index in self._indices().items() if index > (ENDS if word in self._moved else BEGINS)}
        if moved == self._moved:
            return None
        self._moved = moved
        return "; ".join(WORDS[word] for word in WORDS if word in moved)

    def _indices(self) -> dict[str, float]:
        """By word, the least of its tails'."""
        found: dict[str, float] = {}
        for tail, count in zip(self._tails, self._counts, strict=True):
            index = _index(count / len(self._fruit), tail.share)
            found[tail.word] = min(index, found.get(tail.word, index))
        return found

    def _take(self, at_us: int, beyond: tuple[bool, ...]) -> None:
        self._fruit.append((at_us, beyond))
        self._count(beyond, 1)
        while len(self._fruit) > self._window or self._fruit[0][0] < at_us - FORGET_US:
            self._count(self._fruit.popleft()[1], -1)

    def _count(self, beyond: tuple[bool, ...], step: int) -> None:
        for place, is_beyond in enumerate(beyond):
            self._counts[place] += step * is_beyond


def _index(now: float, learned: float) -> float:
    """One tail's part of the index, 0 if it has not grown."""
    return (now - learned) * math.log(now / learned) if now > learned else 0.0


def _beyond(tail: _Tail, value: float | None) -> bool:
    if value is None:
        return False
    if tail.figure == "score":
        return min(value, 1 - value) >= tail.edge
    return value > tail.edge if tail.above else value < tail.edge


def _tails(statistics: Statistics) -> list[_Tail]:
    light, outline, colour = statistics.brightness, statistics.mask_area, statistics.warmth
    tails = [
        _Tail("score", "score", DOUBT, True, max(RARE, _doubted(statistics.score))),
        _Tail("blurred", "blurred", MOSTLY, True, RARE),
        *_both("dark", "brightness", light, light.edges[0] * DARKER, above=False),
        *_both("bright", "brightness", light, light.edges[-1] * BRIGHTER, above=True),
        *_both("ragged", "mask_area", outline, outline.edges[0] - RAGGED, above=False),
        *_both("full", "mask_area", outline, outline.edges[-1] + RAGGED, above=True),
    ]
    if colour is not None:
        tails += _both("cold", "warmth", colour, colour.edges[0], above=False)
        tails += _both("warm", "warmth", colour, colour.edges[-1], above=True)
    return tails


def _both(word: str, figure: str, statistic: Statistic, far: float, *, above: bool) -> list[_Tail]:
    """Beyond the manifest's outermost edge, and beyond the bounds of training."""
    end = -1 if above else 0
    near = _Tail(word, figure, statistic.edges[end], above, max(RARE, statistic.shares[end]))
    return [near, _Tail(word, figure, far, above, RARE)]


def _doubted(score: Statistic) -> float:
    """Share of training's fruit that was doubted, with the fruit of a bin spread evenly over it."""
    edges = (0.0, *score.edges, 1.0)
    doubted = 0.0
    for low, high, share in zip(edges[:-1], edges[1:], score.shares, strict=True):
        overlap = min(high, 1 - DOUBT) - max(low, DOUBT)
        doubted += share * max(0.0, overlap) / (high - low) if high > low else 0.0
    return doubted
