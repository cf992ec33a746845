"""How fast a belt runs, from how far it moved between frames: pure.

Frames arrive a little early or late, which would make the speed between two of them worthless; so it is all the way of
the last two seconds by all the time. How early or late they arrive is learned from how far off what it says is.
"""

from collections import deque
from typing import Final

from edge.vision.inspector.matching import FASTEST, Expected

WINDOW_US: Final = 2_000_000
LEAST_S: Final = 0.15
LEAST_WAYS: Final = 2
"""From so many ways over so long a time the speed is known."""
SURGE: Final = 1.3
"""A belt that ran at some speed before may stop, start again, and run so many times as fast at once."""
FADE: Final = 0.999
"""Of what it ran at most, each time it is measured: a belt that was set to be slower is in the end known to be."""
FIRST_LATE_S: Final = 0.03
LEAST_LATE_S: Final = 0.004
"""What is taken for a frame's lateness before it is known, and at least."""
LEARNED: Final = 0.05
"""Weight of the newest frame in the lateness."""
UNEVEN: Final = 0.03
"""Share by which a belt's speed wavers."""
STEADY: Final = 0.003
"""Of the picture: what a belt that hardly moves is off by."""


class BeltSpeed:
    """The speed of one belt."""

    def __init__(self) -> None:
        self._ways: deque[tuple[int, float, float]] = deque()
        """When, in how many seconds, how far."""
        self._speed: float | None = None
        self._span_s = LEAST_S
        """Over how long a time that was measured."""
        self._top = 0.0
        self._late_s = FIRST_LATE_S

    @property
    def speed(self) -> float:
        """Lengths of the picture a second, never negative; 0 while it is not known."""
        return max(0.0, self._speed or 0.0)

    def expected(self, seconds: float) -> Expected | None:
        """How far it should move in so long a time; None while its speed is not known."""
        if self._speed is None:
            return None
        unsure = self._late_s + seconds * (UNEVEN + self._late_s / self._span_s)
        reach = SURGE * self._top * (seconds + 3 * self._late_s)
        return Expected(self.speed * seconds, STEADY + self._top * unsure, reach)

    def moved(self, at_us: int, seconds: float, way: float, expected: Expected | None) -> None:
        """The belt moved by `way` in the `seconds` since the frame before; `expected`: what was expected then."""
        if seconds <= 0:
            return
        if expected is not None and self._top:
            off_s = min(abs(way - expected.way) / self._top, 1.0)
            self._late_s = max(LEAST_LATE_S, ((1 - LEARNED) * self._late_s**2 + LEARNED * off_s**2) ** 0.5)
        self._ways.append((at_us, seconds, way))
        while not 0 <= at_us - self._ways[0][0] <= WINDOW_US:
            self._ways.popleft()
        span_s = sum(took_s for _, took_s, _ in self._ways)
        if len(self._ways) >= LEAST_WAYS and span_s >= LEAST_S:
            self._speed, self._span_s = min(FASTEST, sum(one for *_, one in self._ways) / span_s), span_s
            self._top = max(FADE * self._top, self._speed)
