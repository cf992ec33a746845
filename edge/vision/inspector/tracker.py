"""Which fruit of one frame is which of the next: pure, time comes with the frames.

A belt is rigid: between two frames everything on it has moved by the same way. So the fruit are not followed one by
one; the belt's shift is (`matching.py`), and each fruit is where the shift puts it. What may come in between, and what
is made of it:

    frames dropped                the belt goes on at its speed; after more than `COAST_US` nobody knows: all end
    two shifts are as likely      nobody knows which is which: all end (even fruit on a fast belt, with frames that
                                  come late)
    not found for some frames     it coasts with the belt, at most for `LOST_US`, and is then lost
    two touch and are found as    both coast inside of what was found, until it comes apart; what covers two is no view
    one                           of either
    one is found in pieces        it coasts, the pieces are nobody; but if it was much longer than fruit is, it was two
                                  that touched all the time: it ends, and each piece begins anew
    cut off by the picture's edge its true end and its length say where its middle is, once it was seen whole

A number is never given twice, and a fruit that is in doubt gets a new one: its views begin anew, which costs a good
fruit at worst. The other way round, views of one fruit would let another pass.
"""

from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Final, Literal, NamedTuple

from edge.vision.inspector.beltspeed import BeltSpeed
from edge.vision.inspector.matching import Place, Seen, belt_shift, pairs

COAST_US: Final = 1_000_000
"""Over a longer time without a frame no fruit is followed."""
LOST_US: Final = 500_000
"""A fruit that should be in the picture and is not found for so long (and in `LOST_FRAMES`) is lost."""
LOST_FRAMES: Final = 3
MAX_SEEN: Final = 40
"""More in one frame is not looked at."""
WHOLE_SHARE: Final = 0.6
"""Found shorter than this share of its own length, a fruit is in pieces."""
LONG_SHARE: Final = 1.5
"""Found longer than this share of what fruit usually is, it is more than one."""
SLIM: Final = 1.8
"""What is so much longer than broad, or broader than long, is more than one, too: no crop of ours is so slim."""
USUAL_AMONG: Final = 64
USUAL_FROM: Final = 5
"""The usual length is the median of the last 64 fruit, and not known before the fifth."""

Way = Literal["right", "left", "down", "up"]


class Standing(NamedTuple):
    """One fruit in the frame that was just taken."""

    track: int
    along: float
    """Its middle, in lengths of the picture: 0 where fruit enters, 1 where it leaves."""
    length: float
    sightings: int
    """In how many frames it was found so far."""
    seen: int | None
    """Which of the things found in this frame is it, all of it and nothing else; None: hidden, or cut off."""


class _Track:
    def __init__(self, number: int, seen: Seen, index: int, length: float, at_us: int) -> None:
        self.number = number
        self.length = length
        self.whole = 0
        self.sightings = 1
        self.missed = 0
        self.found_us = at_us
        self.index: int | None = index
        self.across = seen.across
        self.along = seen.middle(length)
        if seen.whole:
            self.whole, self.length = 1, seen.length

    @property
    def place(self) -> Place:
        return Place(self.along, self.across, self.length, self.whole > 0)

    def found(self, seen: Seen, index: int, at_us: int) -> None:
        if seen.whole:
            self.length = seen.length if not self.whole else 0.7 * self.length + 0.3 * seen.length
            self.whole += 1
        elif not self.whole:
            self.length = max(self.length, seen.length)
        self.along = seen.middle(self.length)
        self.across = seen.across
        self.index, self.missed, self.found_us = index, 0, at_us
        self.sightings += 1


class Tracker:
    """The fruit on one belt. Frames in, standings out."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._belt = BeltSpeed()
        self._usual: deque[float] = deque(maxlen=USUAL_AMONG)
        self._last_us: int | None = None
        self.born = 0
        """Fruit so far; the last number given."""

    @property
    def speed(self) -> float:
        """Of the belt, in lengths of the picture a second; 0 while it stands or is not known."""
        return self._belt.speed

    @property
    def usual(self) -> float | None:
        """How long fruit usually is here; None while too few were seen."""
        return median(self._usual) if len(self._usual) >= USUAL_FROM else None

    def step(self, at_us: int, seen: Sequence[Seen]) -> list[Standing]:
        """Everything that was found in the next frame -> every fruit that stands in it, the last to leave first.

        A frame that is not later than the last one is taken as if it came at the same moment.
        """
        seen = seen[:MAX_SEEN]
        gone_by_us = max(0, at_us - self._last_us) if self._last_us is not None else 0
        if gone_by_us > COAST_US:
            self._tracks.clear()
        self._last_us = at_us
        self._move(at_us, gone_by_us / 1e6, seen)
        free = self._hide(seen, set(range(len(seen))))
        free = self._follow(at_us, seen, free)
        self._end(at_us)
        self._begin(at_us, seen, free)
        self._tracks.sort(key=lambda track: track.along)
        return [self._standing(track, seen) for track in self._tracks]

    def _move(self, at_us: int, seconds: float, seen: Sequence[Seen]) -> None:
        """All tracks to where the belt has brought them; none is left if that cannot be said."""
        expected = self._belt.expected(seconds)
        places = [track.place for track in self._tracks]
        shift = belt_shift(places, [one for one in seen if self._one_fruit(one)], seconds, expected)
        if not (shift.sure if shift else expected):
            self._tracks.clear()
            shift = None
        way = shift.way if shift else expected.way if expected else 0.0
        for track in self._tracks:
            track.along += way
            track.index = None
        if shift is not None and shift.measured:
            self._belt.moved(at_us, seconds, way, expected)

    def _hide(self, seen: Sequence[Seen], free: set[int]) -> set[int]:
        """What is found as one with another, or in pieces, coasts; what is left of the things found."""
        for index in sorted(free):
            inside = [track for track in self._tracks if _covers(seen[index], track)]
            longest = max((track.length for track in inside), default=0.0)
            if seen[index].length > 1.3 * longest and (len(inside) > 1 or _too_long(seen[index], inside)):
                free = free - {index}
                for track in inside:
                    track.missed, track.found_us = 0, self._last_us or 0
        for track in list(self._tracks):
            pieces = {index for index in free if _piece(seen[index], track)}
            if not pieces:
                continue
            if self.usual is not None and track.length <= LONG_SHARE * self.usual:
                free = free - pieces
            else:
                self._tracks.remove(track)
        return free

    def _follow(self, at_us: int, seen: Sequence[Seen], free: set[int]) -> set[int]:
        order = sorted(free)
        for which, found in pairs([track.place for track in self._tracks], [seen[index] for index in order]):
            track, index = self._tracks[which], order[found]
            track.found(seen[index], index, at_us)
            free = free - {index}
            if track.whole == 2 and seen[index].whole:
                self._usual.append(track.length)
        return free

    def _end(self, at_us: int) -> None:
        """Those that have left the picture, and those that are not found again."""
        kept = []
        for track in self._tracks:
            track.missed += track.found_us != at_us
            lost = track.missed >= LOST_FRAMES and at_us - track.found_us >= LOST_US
            if not lost and track.along - track.length / 2 < 1:
                kept.append(track)
        self._tracks = kept

    def _begin(self, at_us: int, seen: Sequence[Seen], free: set[int]) -> None:
        for index in sorted(free):
            new = seen[index]
            if new.leaves or any(_inside(new, track) for track in self._tracks):
                continue
            self.born += 1
            length = new.length if new.whole else max(new.length, self.usual or 0.0)
            self._tracks.append(_Track(self.born, new, index, length, at_us))

    def _standing(self, track: _Track, seen: Sequence[Seen]) -> Standing:
        index = track.index
        if index is not None and not (seen[index].whole and self._one_fruit(seen[index])):
            index = None
        return Standing(track.number, track.along, track.length, track.sightings, index)

    def _one_fruit(self, seen: Seen) -> bool:
        """Not longer than fruit is; it may be cut off."""
        slim = seen.whole and max(seen.length, seen.breadth) > SLIM * min(seen.length, seen.breadth)
        return not slim and (self.usual is None or seen.length <= LONG_SHARE * self.usual)


def _too_long(seen: Seen, inside: Sequence[_Track]) -> bool:
    """One that is known has become one with another that is not."""
    return any(track.whole and seen.length > LONG_SHARE * track.length for track in inside)


def _covers(seen: Seen, track: _Track) -> bool:
    near = abs(seen.across - track.across) < max(seen.breadth, track.length) / 2
    return near and seen.back < track.along < seen.front


def _inside(seen: Seen, track: _Track) -> bool:
    near = abs(seen.across - track.across) < track.length / 2
    return near and abs((seen.front + seen.back) / 2 - track.along) < track.length / 2


def _piece(seen: Seen, track: _Track) -> bool:
    short = seen.whole and track.whole and seen.length < WHOLE_SHARE * track.length
    return bool(short) and _inside(seen, track)
