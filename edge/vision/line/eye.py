"""The photo-eye of a line and the encoder of its belt: counters of 16 bits in its PLC, read every few milliseconds.

    read    t0        t1        t2            t3
    count   17        17        18            21
                           ^          ^   ^   ^
                           18         19  20  21     each between the read before it and its own

A read takes its time, and the PLC looks at its counters at some moment of it: fruit came after the read before was
asked, and before its own was heard. A counter that wraps goes on; one that cannot have come from where it was (the PLC
was restarted) begins anew.
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
_WHOLE_TURN_S: Final = WORD / _MOST_PER_S
"""After so long a silence nobody knows how often the counter has wrapped."""
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
    """The bounds of it: when the read before was asked, and its own heard."""


class EyeSeen(NamedTuple):
    """What the counter stood at: enough to go on from after a restart of the agent."""

    reading: int
    at_us: int
    """When it was asked for: the fruit after it came later."""


class Eye:
    """Turns readings of the counter into fruit."""

    def __init__(self, seen: EyeSeen | None = None) -> None:
        """`seen`: the last reading of an earlier life; what passed since is told with the first reading. Its time was
        kept by a clock that may have been set meanwhile: however long ago it seems, the counter did not wrap."""
        self.seen = seen
        self._looked_us: int | None = None
        """When the PLC most likely looked at it, in this life."""

    def read(self, count: int, asked_us: int, heard_us: int) -> tuple[list[Broken], str]:
        """The fruit since the reading before, and, where that cannot be known, words for staff that say so."""
        before, self.seen = self.seen, EyeSeen(count, asked_us)
        looked_us, self._looked_us = self._looked_us, (asked_us + heard_us) // 2
        if before is None or before.reading == count:
            return [], ""
        fruit, away_s = (count - before.reading) % WORD, (heard_us - before.at_us) / 1e6
        wrapped = looked_us is not None and away_s > _WHOLE_TURN_S
        if wrapped or fruit > min(_MOST_AT_ONCE, 2 + away_s * _MOST_PER_S):
            return [], (
                f"its eye counter went from {before.reading} to {count} in {away_s:.1f} s: it was restarted, or was "
                "away too long; fruit that passed meanwhile was pushed off and is not counted"
            )
        since_us = before.at_us if looked_us is None else looked_us
        every_us = (self._looked_us - since_us) / fruit
        likely_us = [round(since_us + (k + 0.5) * every_us) for k in range(fruit)]
        numbers = [(before.reading + k + 1) % WORD for k in range(fruit)]
        bounds_us = before.at_us, heard_us
        return [Broken(number, at_us, *bounds_us) for number, at_us in zip(numbers, likely_us, strict=True)], ""


class Encoder:
    """How far the belt moved, in lengths of the picture; how long a pulse is, is learned from the fruit."""

    def __init__(self) -> None:
        self._times_us: list[int] = []
        self._pulses: list[int] = []
        self._taught: deque[float] = deque(maxlen=_LEARNED)
        self._per_pulse: float | None = None

    def begin(self) -> None:
        """The counter begins anew: how far the belt went since its last reading is not known."""
        self._times_us, self._pulses = [], []

    def read(self, count: int, at_us: int) -> None:
        """A reading of the counter; the belt may run backwards, by less than half a turn of the counter a read."""
        if self._times_us and at_us - self._times_us[-1] > _LONGEST_GAP_US:
            self.begin()  # the PLC was away: nobody knows what it did
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
