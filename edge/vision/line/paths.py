"""The fruit in the picture of one line, and lately in it: which of them broke the eye. Pure."""

import math
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Final

from edge.vision.line.eye import Broken, Encoder
from edge.vision.line.path import Path, aligned
from edge.vision.messages import FrameSeen

_KEPT_US: Final = 3_000_000
"""A fruit out of the picture may still turn out to have broken the eye: counts come late when the PLC was away."""
_MOST: Final = 200
"""Fruit remembered; the oldest go first."""
_LONGEST_INTERVAL_US: Final = 300_000
_LEARNED: Final = 31
_FADE: Final = 0.999
"""Of the most that the belt ran at, with each frame that saw it run: in the end it is known to be slower now."""


class Paths:
    """The tracks of the frames, over the lives of several inspectors."""

    def __init__(self, eye_at: float, encoder: Encoder, *, has_eye: bool) -> None:
        """`has_eye`: there is an eye; else `eye_at` is only where fruit is told."""
        self._eye_at, self._has_eye = eye_at, has_eye
        self._encoder = encoder
        self._paths: dict[tuple[int, int], Path] = {}
        self._life = 0
        self._life_began_us: int | None = None
        self._frame_us = 0
        self._intervals_us: deque[int] = deque(maxlen=_LEARNED)
        self._speed = self._fastest = 0.0
        self._eye_began_us: int | None = None
        self._eye_us = 0
        self._transits_us: deque[int] = deque(maxlen=_LEARNED)

    @property
    def transit_us(self) -> int:
        """How long fruit takes from its first frame to the eye."""
        return round(median(self._transits_us)) if self._transits_us else 0

    def begin(self) -> None:
        """Another inspector, which counts its tracks from 1."""
        self._life += 1
        self._life_began_us = None

    def eye_read(self, at_us: int) -> None:
        """The counts of the eye are known up to now."""
        self._eye_us = at_us
        if self._eye_began_us is None:
            self._eye_began_us = at_us

    def frame(self, frame: FrameSeen) -> None:
        """One more frame."""
        gap_us = frame.at_us - self._frame_us
        if gap_us <= 0:
            return
        if gap_us <= _LONGEST_INTERVAL_US:
            self._intervals_us.append(gap_us)
        self._frame_us, self._speed = frame.at_us, frame.speed
        if frame.speed:
            self._fastest = max(frame.speed, _FADE * self._fastest)
        if self._life_began_us is None:
            self._life_began_us = frame.at_us
            self._hand_over(frame.at_us)
        for seen in frame.tracks:
            path = self._paths.get((self._life, seen.track))
            if path is None:
                path = Path(self._life, frame.at_us, seen, frame.model, frame.shadow)
                self._go_on(path)
                self._paths[self._life, seen.track] = path
            else:
                path.add(frame.at_us, seen, frame.model, frame.shadow)

    def _hand_over(self, at_us: int) -> None:
        """From now on another inspector sees all that is in the picture: the old tracks of it are of the time before.

        Fruit that was leaving the picture by then may be seen by nobody else: its track goes on.
        """
        for path in self._paths.values():
            place = path.place(at_us, self._speed, self._encoder.moved)
            if place is None or place + path.seen.length / 2 < 1:
                path.until_us = min(path.until_us, at_us)

    def _go_on(self, path: Path) -> None:
        """A new track that stands where one of another inspector must stand now is of the same fruit."""
        for old in self._paths.values():
            if old.life != self._life:
                place = old.place(path.born_us, self._speed, self._encoder.moved)
                if place is not None and abs(place - path.born_at) <= path.seen.length / 2:
                    old.until_us = min(old.until_us, path.born_us)
                    path.follows(old)
                    return

    def complete(self, at_us: int) -> bool:
        """Every frame that was taken before is in."""
        return self._frame_us + self._interval_us >= at_us

    def stands(self, path: Path) -> bool:
        """It is still in the picture, all of it, and will be seen again."""
        return path.last_us == self._frame_us and path.last_at + path.seen.length / 2 < 1

    def current(self, path: Path) -> bool:
        """The inspector that saw it is still at work, and has its pictures."""
        return path.life == self._life

    def is_sure(self, path: Path, broken: Broken) -> bool:
        """It, and no neighbour of it, broke the eye."""
        return path.is_sure(broken, self._speed, self._fastest, self._encoder.moved)

    def take(self, path: Path, at_us: int) -> None:
        """This one broke the eye then, and no other time."""
        path.told = True
        if path.born_us < at_us:
            self._transits_us.append(at_us - path.born_us)
        self._encoder.learn(path.seen_from_us, path.last_us, path.seen_way)

    def breakers(self, broken: Sequence[Broken]) -> list[Path | None]:
        """Which fruit broke the eye, each time; None: none that was seen."""
        if not broken:
            return []
        free = [path for path in self._paths.values() if not path.told]
        free.sort(key=lambda path: -path.nearest_place(broken[0].at_us, self._speed, self._encoder.moved))
        apart = [[self._apart(path, one) for path in free] for one in broken]
        return [None if at is None else free[at] for at in aligned(apart)]

    def crossed(self) -> list[Path]:
        """Fruit that has come to where the eye would be since this was asked last, in its order."""
        going_on = [path for path in self._paths.values() if not path.told and path.until_us > self._frame_us]
        found = [path for path in going_on if self._place_now(path) >= self._eye_at]
        for path in found:
            path.told = True
        return sorted((path for path in found if path.born_at < self._eye_at), key=lambda path: path.born_us)

    def forget(self) -> int:
        """Let go of those that are long out of the picture; how many of them passed an eye that did not see them."""
        gone = [key for key, path in self._paths.items() if path.last_us < self._known_us(path) - _KEPT_US]
        gone += [key for key in list(self._paths)[: max(0, len(self._paths) - _MOST)] if key not in gone]
        return sum(self._is_ghost(self._paths.pop(key)) for key in gone)

    def _place_now(self, path: Path) -> float:
        """Where it is; one that was lost in the middle of the picture is not taken to go on for long."""
        soon_us = self._frame_us if path.left else path.last_us + 2 * self._interval_us
        return path.nearest_place(min(self._frame_us, soon_us), self._speed, self._encoder.moved)

    def _known_us(self, path: Path) -> int:
        """Until when everything is known that could happen to it."""
        return self._frame_us if path.told or not self._has_eye else min(self._frame_us, self._eye_us)

    def _is_ghost(self, path: Path) -> bool:
        """It was seen on its whole way to the eye and past it, and the eye was read meanwhile."""
        if path.told or not self.current(path) or self._eye_began_us is None or self._life_began_us is None:
            return False
        passed = path.last_at >= min(self._eye_at, 1 - path.seen.length / 2)
        return passed and path.born_us > max(self._eye_began_us, self._life_began_us)

    def _apart(self, path: Path, broken: Broken) -> float:
        if broken.at_us > path.until_us:
            return math.inf
        return path.apart(self._eye_at, broken, self._speed, self._encoder.moved)

    @property
    def _interval_us(self) -> int:
        return round(median(self._intervals_us)) if self._intervals_us else 0
