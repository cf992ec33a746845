"""By how much the belt has moved between two frames, and which of the things found is which fruit: pure.

Both are the same small question, asked twice. A shift is tried; every fruit, moved by it, takes the thing found that is
nearest (the nearest pairs first, no fruit and no thing twice), if it is nearer than `REACH`. As fruit cannot lie in one
another, that is unambiguous while the shift is less than half a fruit wrong, and no better assignment is needed.

Every distance between a fruit and a thing found is a shift to be tried. What each costs is the sum of

    how much what it pairs differs, along, across and in length    squares of standard deviations, `ALONE` at most
    what should be in the picture and is not, or the reverse       `ALONE` each
    how far it is from what the belt's speed says                  the square again, `SUDDEN` at most: belts stop

which is about twice a negative log-likelihood. The cheapest is right, unless another one that is a different fruit for
each is nearly as cheap: of even fruit on a fast belt, with frames that come late by nobody knows how much, nobody can
say which is which. Then it is said so.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final, NamedTuple

REACH: Final = 0.35
"""Of a fruit's length: what is farther away, along or across, is not it."""
ALONG, ACROSS, LENGTH = 0.06, 0.08, 0.1
"""Standard deviations of what is found from one frame to the next, of a fruit's length."""
ALONE: Final = 10.0
SUDDEN: Final = 12.0
DOUBT: Final = 8.0
"""Two shifts whose costs differ by less are both possible."""
BACKWARDS: Final = 0.02
"""Of the picture: a belt that stands still seems to move back by so much at most."""
FASTEST: Final = 5.0
"""Pictures' lengths a second: no belt under a camera is faster."""


class Seen(NamedTuple):
    """One thing found in a frame. Everything in lengths of the picture on the belt's way, from where fruit enters."""

    front: float
    """The end that leaves first."""
    back: float
    across: float
    """Its middle, across the belt."""
    breadth: float
    enters: bool
    """It is cut off by the picture's edge where fruit enters."""
    leaves: bool
    """The same where it leaves."""

    @property
    def length(self) -> float:
        """Of what is in the picture."""
        return self.front - self.back

    @property
    def whole(self) -> bool:
        """Not cut off on its way."""
        return not (self.enters or self.leaves)

    def middle(self, length: float) -> float:
        """Where its middle is, if it is as long as `length` in all."""
        if self.enters and not self.leaves:
            return self.front - length / 2
        if self.leaves and not self.enters:
            return self.back + length / 2
        return (self.front + self.back) / 2


class Place(NamedTuple):
    """Where a fruit is, or is expected."""

    along: float
    across: float
    length: float
    whole: bool
    """It was seen uncut: its length is known. Else only the end that leaves first is."""

    def way_to(self, seen: Seen) -> float:
        """How far it has gone, if it is what was found."""
        if self.whole:
            return seen.middle(self.length) - self.along
        return seen.front - self.along - self.length / 2


class Expected(NamedTuple):
    """How far the belt should have moved, by its speed."""

    way: float
    spread: float
    """Standard deviation, from frames that come early or late and a speed that is not exactly known."""
    reach: float
    """Farther it cannot have moved, even if it stood still before."""


class Shift(NamedTuple):
    """How far it has moved."""

    way: float
    measured: bool
    """False: nothing that was there before is seen any more; it is what was expected."""
    sure: bool
    """False: another way, by which every fruit is another one, is about as likely."""


def belt_shift(
    places: Sequence[Place], seen: Sequence[Seen], seconds: float, expected: Expected | None
) -> Shift | None:
    """How far the belt moved since the fruit were at `places`, `seconds` ago; None where no fruit tells.

    `expected` is None while the belt's speed is not known.
    """
    if not places or not seen:
        return None
    reach = FASTEST * seconds if expected is None else expected.reach
    ways = _ways(places, seen, reach) | ({expected.way} if expected else set())
    costs = sorted((_cost(places, seen, way, expected), way) for way in ways)
    if not costs:
        return None
    cost, way = costs[0]
    apart = REACH * min(place.length for place in places)
    sure = not any(abs(other - way) > apart for other_cost, other in costs if other_cost < cost + DOUBT)
    found = [places[which].way_to(seen[index]) for which, index in _paired(places, seen, way)]
    return Shift(median(found) if found else way, bool(found), sure)


def pairs(places: Sequence[Place], seen: Sequence[Seen]) -> list[tuple[int, int]]:
    """(place, thing found) that are the same fruit, the nearest first."""
    return _paired(places, seen, 0.0)


def _paired(places: Sequence[Place], seen: Sequence[Seen], way: float) -> list[tuple[int, int]]:
    far = [
        (distance, which, index)
        for which, place in enumerate(places)
        for index, one in enumerate(seen)
        if (distance := _distance(place, one, way)) is not None
    ]
    taken, used, out = set[int](), set[int](), list[tuple[int, int]]()
    for _, which, index in sorted(far):
        if which not in taken and index not in used:
            taken.add(which)
            used.add(index)
            out.append((which, index))
    return out


def _ways(places: Sequence[Place], seen: Sequence[Seen], reach: float) -> set[float]:
    """The shifts to be tried, to the thousandth."""
    ways = {round(place.way_to(one), 3) for place in places for one in seen}
    return {way for way in ways if -BACKWARDS < way < reach + BACKWARDS}


def _cost(places: Sequence[Place], seen: Sequence[Seen], way: float, expected: Expected | None) -> float:
    found = _paired(places, seen, way)
    total = sum(min(ALONE, _difference(places[which], seen[index], way)) for which, index in found)
    paired, taken = {which for which, _ in found}, {index for _, index in found}
    usual = median(place.length for place in places)
    lone = [place for n, place in enumerate(places) if n not in paired and _inside(place.along + way, place.length)]
    new = [one for n, one in enumerate(seen) if n not in taken and _inside(one.middle(usual) - way, usual)]
    missing = sum(not any(_joined(one, place, way, usual) for one in seen) for place in lone)
    strange = sum(not any(_joined(one, place, way, usual) for place in places) for one in new)
    total += ALONE * (missing + strange)
    if expected is not None:
        return total + min(SUDDEN, ((way - expected.way) / expected.spread) ** 2)
    return total + abs(way) / usual


def _inside(middle: float, length: float) -> bool:
    """Whether a fruit there is surely wholly in the picture."""
    return 0.6 * length < middle < 1 - 0.6 * length


def _joined(seen: Seen, place: Place, way: float, usual: float) -> bool:
    """Fruit that touched has come apart there, or came together."""
    longer = max(place.length, seen.length)
    return longer > 1.4 * usual and abs((seen.front + seen.back) / 2 - way - place.along) < longer / 2


def _distance(place: Place, seen: Seen, way: float) -> float | None:
    """In fruit lengths, `way` on; None beyond `REACH`, or where the lengths say that it is something else."""
    if place.whole and seen.whole and not 0.6 < seen.length / place.length < 1.6:
        return None
    length = place.length if place.whole else max(place.length, seen.length)
    along = abs(place.way_to(seen) - way) / length
    across = abs(seen.across - place.across) / length
    return along + across if along < REACH and across < REACH else None


def _difference(place: Place, seen: Seen, way: float) -> float:
    return sum(_deviations(place, seen, way))


def _deviations(place: Place, seen: Seen, way: float) -> Iterator[float]:
    """Squares of standard deviations. Of what is cut off only the end that is seen tells."""
    length = max(place.length, seen.length)
    yield ((place.way_to(seen) - way) / (ALONG * length)) ** 2
    if place.whole and seen.whole:
        yield ((seen.across - place.across) / (ACROSS * length)) ** 2
        yield ((seen.length - place.length) / (LENGTH * length)) ** 2
