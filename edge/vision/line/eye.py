"""The photo-eye of a line and the encoder of its belt: counters of 16 bits in its PLC, read every few milliseconds.

    read    t0        t1        t2            t3
    count   17        17        18            21
                           ^          ^   ^   ^
                           18         19  20  21     each between the read before it and its own

A counter that wraps goes on; one that cannot have come from where it was (the PLC was restarted) begins anew.
"""

from bisect import bisect_left
from collections import deque
from statistics import median
from typing import Final, NamedTuple

WORD: Final = 1 << 16
_MOST_PER_S: Final = 50
"""No belt carries more fruit a second through one eye: 100 mm of fruit at 5 m/s."""
_MOST_AT_ONCE: Final = 1000
"""A longer silence than these took is not told fruit by fruit."""
_LONGEST_GAP_US: Final = 250_000
"""Between two readings of the encoder that a place is worked out from."""
_REMEMBERED: Final = 2000
"""Readings of the encoder: 20 s of them."""
_LONG_WAY: Final = 0.2
"""Of the picture: a fruit that was seen for less teaches nothing of the encoder."""
_LEARNED: Final = 31
_ENOUGH: Final = 3
"""The length of a pulse is the median of what the last 31 fruit taught, and not known before the third."""


class Broken(NamedTuple):
    """One fruit broke the eye."""

    number: int
    """What the counter stood at just after: 0 to 65535."""
    at_us: int
    """Its most likely time."""
    early_us: int
    late_us: int
    """The bounds of it: the reads before and after."""


class EyeSeen(NamedTuple):
    """What the counter stood at, and when: enough to go on from after a restart of the agent."""

    reading: int
    at_us: int


class Eye:
    """Turns readings of the counter into fruit."""

    def __init__(self, seen: EyeSeen | None = None) -> None:
        """`seen`: the last reading of an earlier life; what passed since is told with the first reading."""
        self.seen = seen

    def read(self, count: int, at_us: int) -> tuple[list[Broken], str]:
        """The fruit since the reading before, and, where that cannot be known, words for staff that say so."""
        before, self.seen = self.seen, EyeSeen(count, at_us)
        if before is None or before.reading == count:
            return [], ""
        fruit = (count - before.reading) % WORD
        early_us = before.at_us
        if fruit > min(_MOST_AT_ONCE, 2 + (at_us - early_us) / 1e6 * _MOST_PER_S):
            return [], (
                f"its eye counter went from {before.reading} to {count} in {(at_us - early_us) / 1e6:.1f} s: it was "
                "restarted, or was away too long; fruit that passed meanwhile was pushed off and is not counted"
            )
        return [_broken(before.reading + k + 1, early_us, at_us, (k + 0.5) / fruit) for k in range(fruit)], ""


def _broken(number: int, early_us: int, late_us: int, share: float) -> Broken:
    return Broken(number % WORD, round(early_us + share * (late_us - early_us)), early_us, late_us)


class Encoder:
    """How far the belt moved, in lengths of the picture; how long a pulse is, is learned from the fruit."""

    def __init__(self) -> None:
        self._times_us: list[int] = []
        self._pulses: list[int] = []
        self._taught: deque[float] = deque(maxlen=_LEARNED)
        self._per_pulse: float | None = None

    def read(self, count: int, at_us: int) -> None:
        """A reading of the counter; the belt may run backwards, by less than half a turn of the counter a read."""
        if self._times_us and at_us - self._times_us[-1] > _LONGEST_GAP_US:
            self._times_us, self._pulses = [], []  # the PLC was away: nobody knows what it did
        last = self._pulses[-1] if self._pulses else count
        self._times_us.append(at_us)
        self._pulses.append(last + (count - last + WORD // 2) % WORD - WORD // 2)
        if len(self._times_us) > 2 * _REMEMBERED:
            del self._times_us[:_REMEMBERED], self._pulses[:_REMEMBERED]

    def learn(self, from_us: int, to_us: int, way: float) -> None:
        """The frames saw one fruit go so far."""
        pulses = self._turned(from_us, to_us)
        if pulses and way >= _LONG_WAY:
            self._taught.append(way / pulses)
            self._per_pulse = median(self._taught) if len(self._taught) >= _ENOUGH else None

    def moved(self, from_us: int, to_us: int) -> float | None:
        """The way between two times; None outside of the readings, or before enough fruit has been seen."""
        if self._per_pulse is None:
            return None
        pulses = self._turned(from_us, to_us)
        return None if pulses is None else pulses * self._per_pulse

    def _turned(self, from_us: int, to_us: int) -> float | None:
        """Pulses between two times, by straight lines between the readings."""
        start, end = self._at(from_us), self._at(to_us)
        return None if start is None or end is None else end - start

    def _at(self, at_us: int) -> float | None:
        times_us = self._times_us
        if not times_us or not times_us[0] <= at_us <= times_us[-1]:
            return None
        after = bisect_left(times_us, at_us)
        if times_us[after] == at_us:
            return float(self._pulses[after])
        share = (at_us - times_us[after - 1]) / (times_us[after] - times_us[after - 1])
        return self._pulses[after - 1] + share * (self._pulses[after] - self._pulses[after - 1])
