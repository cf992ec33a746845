"""By how much the belt has moved between two frames, and which of the things found is which fruit: pure.

Both are the same small question, asked twice. A shift is tried; every fruit, moved by it, takes the thing found that is
nearest (the nearest pairs first, no fruit and no thing twice), if it is nearer than `REACH`. As fruit cannot lie in one
another, that is unambiguous while the shift is less than half a fruit wrong, and no better assignment is needed.

Every distance between one of `TELLING` fruit and a thing found is a shift to be tried; what can be what by a shift is
looked up among the distances in their order, so that a full belt costs little more. What each shift costs is the sum of

    how much what it pairs differs, along, across and in length    squares of standard deviations, `ALONE` at most
    what should be in the picture and is not, or the reverse       `ALONE` each
    how far it is from what the belt's speed says                  the square again, `SUDDEN` at most: belts stop

which is about twice a negative log-likelihood. The cheapest is right, unless another one that is a different fruit for
each is nearly as cheap: of even fruit on a fast belt, with frames that come late by nobody knows how much, nobody can
say which is which. Then it is said so.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter
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
LONG: Final = 1.4
"""What is longer than this share of the usual may be more than one."""
TELLING: Final = 12
"""Fruit whose distances are tried as shifts, those that entered last: one of them is in the next frame, too."""
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
    trial = _Trial(places, seen, expected)
    costs = sorted((trial.cost(way), way) for way in ways)
    if not costs:
        return None
    cost, way = costs[0]
    apart = REACH * min(place.length for place in places)
    sure = not any(abs(other - way) > apart for other_cost, other in costs if other_cost < cost + DOUBT)
    found = [one.way for one in trial.paired(way)]
    return Shift(median(found) if found else way, bool(found), sure)


def pairs(places: Sequence[Place], seen: Sequence[Seen]) -> list[tuple[int, int]]:
    """(place, thing found) that are the same fruit, the nearest first."""
    return [(one.place, one.seen) for one in _Trial(places, seen, None).paired(0.0)]


def _ways(places: Sequence[Place], seen: Sequence[Seen], reach: float) -> set[float]:
    """The shifts to be tried, to the thousandth."""
    telling = sorted(places, key=attrgetter("along"))[:TELLING]
    ways = {round(place.way_to(one), 3) for place in telling for one in seen}
    return {way for way in ways if -BACKWARDS < way < reach + BACKWARDS}


class _Pair(NamedTuple):
    """A fruit and a thing found that may be it."""

    way: float
    """If the belt moved by this."""
    length: float
    across: float
    """How far they are apart, in fruit lengths."""
    place: int
    seen: int


class _Trial:
    """Some fruit and some things found, to try shifts with."""

    def __init__(self, places: Sequence[Place], seen: Sequence[Seen], expected: Expected | None) -> None:
        self._places, self._seen, self._expected = places, seen, expected
        self._pairs = sorted(_possible(places, seen))
        self._reach = REACH * max((pair.length for pair in self._pairs), default=0.0)
        self._usual = median(place.length for place in places) if places else 0.0
        self._long_seen = [one for one in seen if one.length > LONG * self._usual]
        self._long_places = [place for place in places if place.length > LONG * self._usual]

    def paired(self, way: float) -> list[_Pair]:
        """Those that are the same fruit, if the belt moved so far: the nearest first."""
        first = bisect_left(self._pairs, way - self._reach, key=attrgetter("way"))
        last = bisect_right(self._pairs, way + self._reach, key=attrgetter("way"))
        near = [
            (along + pair.across, pair.place, pair.seen, pair)
            for pair in self._pairs[first:last]
            if (along := abs(pair.way - way) / pair.length) < REACH
        ]
        taken, used, out = set[int](), set[int](), list[_Pair]()
        for _, which, index, pair in sorted(near):
            if which not in taken and index not in used:
                taken.add(which)
                used.add(index)
                out.append(pair)
        return out

    def cost(self, way: float) -> float:
        """Of the shift."""
        found = self.paired(way)
        total = sum(min(ALONE, self._difference(one, way)) for one in found)
        total += ALONE * self._missing(way, {one.place for one in found})
        total += ALONE * self._strange(way, {one.seen for one in found})
        if self._expected is not None:
            return total + min(SUDDEN, ((way - self._expected.way) / self._expected.spread) ** 2)
        return total + abs(way) / self._usual

    def _difference(self, pair: _Pair, way: float) -> float:
        return sum(_deviations(self._places[pair.place], self._seen[pair.seen], pair.way - way))

    def _missing(self, way: float, paired: set[int]) -> int:
        """Fruit that should be in the picture and is not found."""
        lone = [place for n, place in enumerate(self._places) if n not in paired]
        inside = [place for place in lone if _inside(place.along + way, place.length)]
        return sum(not any(_joined(one, place, way) for one in self._seen_over(place)) for place in inside)

    def _strange(self, way: float, paired: set[int]) -> int:
        """What is found and should have been in the picture before."""
        new = [one for n, one in enumerate(self._seen) if n not in paired]
        inside = [one for one in new if _inside(one.middle(self._usual) - way, self._usual)]
        return sum(not any(_joined(one, place, way) for place in self._places_over(one)) for one in inside)

    def _seen_over(self, place: Place) -> Sequence[Seen]:
        """What it may have been joined with, or come apart into."""
        return self._seen if place.length > LONG * self._usual else self._long_seen

    def _places_over(self, seen: Seen) -> Sequence[Place]:
        return self._places if seen.length > LONG * self._usual else self._long_places


def _possible(places: Sequence[Place], seen: Sequence[Seen]) -> Iterator[_Pair]:
    """Not what is too far across the belt, or where the lengths say that it is something else."""
    for which, place in enumerate(places):
        for index, one in enumerate(seen):
            length = place.length if place.whole else max(place.length, one.length)
            across = abs(one.across - place.across) / length
            alike = not (place.whole and one.whole) or 0.6 < one.length / place.length < 1.6
            if alike and across < REACH:
                yield _Pair(place.way_to(one), length, across, which, index)


def _inside(middle: float, length: float) -> bool:
    """Whether a fruit there is surely wholly in the picture."""
    return 0.6 * length < middle < 1 - 0.6 * length


def _joined(seen: Seen, place: Place, way: float) -> bool:
    """They lie over one another: where one is long, fruit that touched has come apart there, or came together."""
    longer = max(place.length, seen.length)
    return abs((seen.front + seen.back) / 2 - way - place.along) < longer / 2


def _deviations(place: Place, seen: Seen, off: float) -> Iterator[float]:
    """Squares of standard deviations, `off` along the belt. Of what is cut off only the end that is seen tells."""
    length = max(place.length, seen.length)
    yield (off / (ALONG * length)) ** 2
    if place.whole and seen.whole:
        yield ((seen.across - place.across) / (ACROSS * length)) ** 2
        yield ((seen.length - place.length) / (LENGTH * length)) ** 2
