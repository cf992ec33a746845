"""Is a confidence of 0.9 right nine times in ten? The reliability curve of decisions whose truth is known."""

from collections.abc import Iterable
from typing import Final, NamedTuple

BINS: Final = (0.5, 0.65, 0.8, 0.9, 0.95, 0.985, 1.0)
"""The last one is at the most that levels alone reach."""


class Said(NamedTuple):
    """What was said of one pass, and whether it was so."""

    confidence: float
    right: bool


class Bin(NamedTuple):
    """Passes of about the same confidence."""

    least: float
    count: int
    confidence: float
    """Mean of those said."""
    right: float
    """Share."""


def curve(said: Iterable[Said]) -> list[Bin]:
    """The bins that hold passes."""
    all_said = list(said)
    bins = []
    for least, most in zip(BINS, [*BINS[1:-1], 1.01], strict=False):
        mine = [one for one in all_said if least <= one.confidence < most]
        if mine:
            mean = sum(one.confidence for one in mine) / len(mine)
            bins.append(Bin(least, len(mine), mean, sum(one.right for one in mine) / len(mine)))
    return bins


def table(title: str, bins: Iterable[Bin]) -> str:
    """The curve for people."""
    lines = [f"{title:<24}{'passes':>8}{'said':>8}{'right':>8}"]
    lines += [f"  from {one.least:<17.3f}{one.count:8}{one.confidence:8.3f}{one.right:8.3f}" for one in bins]
    return "\n".join(lines)
