"""Where a fruit was, is and will be on the belt's way through the picture, and which fruit broke the eye."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final, Literal

from edge.vision.line.eye import Broken
from edge.vision.messages import TrackSeen

TOLERANCE: Final = 0.02
"""Lengths of the picture that a place may be wrong by."""
COAST_US: Final = 500_000
"""So long before its first frame and after its last one a fruit's place is told by the speed of the belt."""
CARRIED_US: Final = 5_000_000
"""The same by the encoder, which knows of stops, and of fruit that came into the picture or left it."""
_MOST_SAMPLES: Final = 300
_LATELY: Final = 5
"""Frames that tell its own speed."""
_LATELY_US: Final = 1_000_000
_FEW: Final = 8
"""Frames of the last second that tell where the belt must have carried it."""

Moved = Callable[[int, int], float | None]
"""How far the belt went between two times, in lengths of the picture; None: not known."""


class Path:
    """One track, as the frames told it."""

    def __init__(self, life: int, at_us: int, seen: TrackSeen, model: str, shadow: str | None) -> None:
        """`life`: which inspector counts the tracks."""
        self.life, self.track = life, seen.track
        self.born_us, self.born_at = at_us, seen.along
        self._times_us = [at_us]
        self._along = [seen.along]
        self.seen, self.model, self.shadow = seen, model, shadow
        self.told = False
        """It is some fruit's, which is decided."""
        self.until_us: float = math.inf
        """After this another track is of the same fruit."""

    @property
    def last_us(self) -> int:
        """The newest frame that it stood in."""
        return self._times_us[-1]

    def add(self, at_us: int, seen: TrackSeen, model: str, shadow: str | None) -> None:
        """It stands in one more frame; one that is not newer than the last is not taken."""
        if at_us <= self.last_us:
            return
        self._times_us.append(at_us)
        self._along.append(seen.along)
        self.seen, self.model, self.shadow = seen, model, shadow
        if len(self._times_us) > _MOST_SAMPLES:
            del self._times_us[0], self._along[0]

    def follows(self, old: "Path") -> None:
        """That one was of the same fruit."""
        self.born_us, self.born_at, self.told = old.born_us, old.born_at, old.told

    def place(self, at_us: int, speed: float, moved: Moved) -> float | None:
        """Along the belt at that time; None when nobody knows. `speed` in lengths of the picture a second."""
        after = bisect_right(self._times_us, at_us)
        if 0 < after < len(self._times_us):
            return self._between(after, at_us, moved)
        nearest: Literal[0, -1] = 0 if after == 0 else -1
        away_us = at_us - self._times_us[nearest]
        if abs(away_us) > COAST_US and not self._at_an_end(nearest) and moved(self._times_us[nearest], at_us) is None:
            return None
        return None if abs(away_us) > CARRIED_US else self._carried(nearest, at_us, speed, moved)

    def apart(self, eye_at: float, broken: Broken, speed: float, moved: Moved) -> float:
        """How far it was from the eye when that was broken, as a share of what is allowed; from 1 on it was not there.

        Its place must also be where the belt carries it by most of its frames: some that were held up on their way, and
        came with a wrong time, do not make one fruit of another.
        """
        places = self._places(broken.at_us, speed, moved)
        early, late = (self.nearest_place(at_us, speed, moved) for at_us in (broken.early_us, broken.late_us))
        reach = self.seen.length / 2 + TOLERANCE
        if not places or not min(early, late, *places) - reach <= eye_at <= max(early, late, *places) + reach:
            return math.inf
        reach += max(abs(late - places[0]), abs(places[0] - early))
        return max(abs(place - eye_at) for place in places) / reach

    def is_sure(self, broken: Broken, speed: float, fastest: float, moved: Moved) -> bool:
        """The eye was read so soon again, and its place is so well known, that no neighbour can have broken it.

        One that touches this fruit stands a length behind it; `apart` allows half a length and a tolerance, half of the
        way between the reads twice, and what the place is off by. `fastest`: at most what the belt ran, as `speed`.
        """
        bounds_us = (broken.early_us, broken.late_us)
        early, late = (self.nearest_place(at_us, speed, moved) for at_us in bounds_us)
        off = max(self._off(at_us, speed, fastest, moved) for at_us in bounds_us)
        return abs(late - early) + off <= self.seen.length / 2 - TOLERANCE

    def nearest_place(self, at_us: int, speed: float, moved: Moved) -> float:
        """Its place then, or the outermost that is known."""
        place = self.place(at_us, speed, moved)
        return place if place is not None else self._along[0 if at_us < self._times_us[0] else -1]

    @property
    def last_at(self) -> float:
        """Its place in the newest frame that it stood in."""
        return self._along[-1]

    @property
    def left(self) -> bool:
        """It was last seen where fruit leaves the picture."""
        return self._at_an_end(-1)

    @property
    def seen_from_us(self) -> int:
        """The oldest frame that is remembered."""
        return self._times_us[0]

    @property
    def seen_way(self) -> float:
        """How far the frames saw it go."""
        return self._along[-1] - self._along[0]

    def _places(self, at_us: int, speed: float, moved: Moved) -> list[float]:
        """Where it was by its frames, and where the belt must have carried it by most frames of the last second."""
        place = self.place(at_us, speed, moved)
        if place is None:
            return []
        first = bisect_left(self._times_us, at_us - _LATELY_US)
        last = bisect_right(self._times_us, at_us)
        carried = [self._carried(n, at_us, speed, moved) for n in range(first, last, 1 + (last - first) // _FEW)]
        return [place, median(carried)] if carried and (speed or self._own_speed()) else [place]

    def _carried(self, sample: int, at_us: int, speed: float, moved: Moved) -> float:
        """Its place at a time, by the belt alone from one of its frames."""
        way = moved(self._times_us[sample], at_us)
        if way is None:
            way = (speed or self._own_speed()) * (at_us - self._times_us[sample]) / 1e6
        return self._along[sample] + way

    def _off(self, at_us: int, speed: float, fastest: float, moved: Moved) -> float:
        """So much may be wrong with its place then: where nobody measured the way since the frame before and until the
        frame after, the belt may have stood, or have run as fast as it ever does."""
        after, per_us = bisect_right(self._times_us, at_us), (fastest or self._own_speed()) / 1e6
        if all(moved(frame_us, at_us) is not None for frame_us in self._times_us[max(0, after - 1) : after + 1]):
            return 0.0
        if not per_us:
            return math.inf
        least, most = -math.inf, math.inf
        if after > 0:
            before_us, along = self._times_us[after - 1], self._along[after - 1]
            least, most = along, along + per_us * (at_us - before_us)
        if after < len(self._times_us):
            after_us, along = self._times_us[after], self._along[after]
            least, most = max(least, along - per_us * (after_us - at_us)), min(most, along)
        place = self.nearest_place(at_us, speed, moved)
        return max(place - least, most - place, 0.0)

    def _at_an_end(self, nearest: Literal[0, -1]) -> bool:
        """Its first place is where fruit comes into the picture, or its last one where it leaves."""
        along = self._along[nearest]
        return along <= self.seen.length if nearest == 0 else along >= 1 - self.seen.length

    def _between(self, after: int, at_us: int, moved: Moved) -> float:
        """Two of its frames: the belt may have stopped there, which only the encoder knows."""
        early_us, late_us = self._times_us[after - 1], self._times_us[after]
        share = (at_us - early_us) / (late_us - early_us)
        way, rest = moved(early_us, at_us), moved(at_us, late_us)
        if way is not None and rest is not None and way + rest:
            share = min(max(way / (way + rest), 0.0), 1.0)
        return self._along[after - 1] + share * (self._along[after] - self._along[after - 1])

    def _own_speed(self) -> float:
        """Over its last frames, in lengths a second; 0 of one that stands in one alone."""
        first = max(-_LATELY, -len(self._times_us))
        took_us = self._times_us[-1] - self._times_us[first]
        return (self._along[-1] - self._along[first]) / took_us * 1e6 if took_us else 0.0


def aligned(distances: Sequence[Sequence[float]]) -> list[int | None]:
    """Pairs fruit that broke the eye with tracks, both in the order in which they come to it.

    `distances[fruit][track]` is how far apart they are, as a share of what is allowed: from 1 on they are no pair. The
    order is kept (fruit does not overtake on a belt); of all such pairings it is the one with the least sum, fruit that
    is left alone counting 1. The track of each fruit, or None. Time is fruit x tracks (Needleman and Wunsch, 1970).
    """
    fruit, tracks = len(distances), len(distances[0]) if distances else 0
    best = [[0.0] * (tracks + 1)] + [[f + 1.0] + [0.0] * tracks for f in range(fruit)]
    for f in range(1, fruit + 1):
        for t in range(1, tracks + 1):
            best[f][t] = min(best[f - 1][t] + 1, best[f][t - 1], best[f - 1][t - 1] + _cost(distances[f - 1][t - 1]))
    found: list[int | None] = [None] * fruit
    f, t = fruit, tracks
    while f and t:
        if best[f][t] == best[f][t - 1]:
            t -= 1
        elif best[f][t] == best[f - 1][t] + 1:
            f -= 1
        else:
            f, t = f - 1, t - 1
            found[f] = t
    return found


def _cost(distance: float) -> float:
    return distance if distance < 1 else math.inf
