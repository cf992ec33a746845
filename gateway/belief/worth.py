"""What the books are worth: units to be expected, and what to look for first."""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from gateway.belief.siblings import TOGETHER


class Units(NamedTuple):
    """One SKU in one zone, or any other set of items."""

    books: int
    expected: float
    """Sum of the beliefs."""
    variance: float
    """In units squared."""

    @property
    def interval(self) -> tuple[float, float]:
        """Where 95 of 100 such figures lie, by the normal distribution, within what is possible."""
        reach = 1.96 * math.sqrt(self.variance)
        return max(0.0, self.expected - reach), min(float(self.books), self.expected + reach)


def units(items: Iterable[tuple[str | None, float]]) -> Units:
    """Sum up (container, belief) of items.

    Cases of one container share their fate with the chance `TOGETHER`: so much of their standard deviations adds up,
    and the rest of their variances.
    """
    books, expected, alone, together = 0, 0.0, 0.0, defaultdict[str, float](float)
    for container, r in items:
        books += 1
        expected += r
        variance = r * (1 - r)
        if container is None:
            alone += variance
        else:
            alone += (1 - TOGETHER) * variance
            together[container] += math.sqrt(variance)
    return Units(books, expected, alone + TOGETHER * sum(deviation * deviation for deviation in together.values()))


def gain(r: float, find_rate: float) -> float:
    """Units of error that the books are expected to lose when somebody looks for an item that they have there.

    They are wrong with 1 - r. Afterwards they are right if it was found; if it was not, they say what is likelier, and
    are wrong with the smaller of 1 - r (it stays in them) and r (1 - find_rate) (it is written off).
    """
    return max(0.0, 1 - r - r * (1 - find_rate))


def first(items: Iterable[tuple[str, float]], most: int, find_rate: float) -> list[tuple[str, float]]:
    """Of (name, belief): the names that are worth looking for first, with what each is expected to gain."""
    gains = ((name, gain(r, find_rate)) for name, r in items)
    return heapq.nlargest(most, (one for one in gains if one[1] > 0), key=lambda one: one[1])


def rounds(items: Iterable[tuple[str, float]], find_rate: float) -> dict[str, float]:
    """Of (zone, belief): what a count of each zone is expected to gain, the most first, to plan counts by."""
    gains: dict[str, float] = defaultdict(float)
    for zone, r in items:
        gains[zone] += gain(r, find_rate)
    return dict(sorted(gains.items(), key=lambda one: (-one[1], one[0])))
