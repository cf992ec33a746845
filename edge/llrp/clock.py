"""A reader's clock, seen from the agent's.

A message arrives after the moment it speaks of: arrival = reader time + offset + delay, with a delay that is never
negative. So the smallest (arrival - reader time) seen is the best guess of the offset, whatever the reader counts from:
1970, the year 2000 or its own start (Paxson, "On calibrating measurements of packet transit times", 1998, section 4).
Clocks drift apart, so only the last two windows count: a guess is 10 to 20 minutes old at most. Clocks also step.
"""

from typing import Final

WINDOW_US: Final = 600_000_000
STEP_US: Final = 2_000_000
"""A change of the offset by more than this is a step of the reader's clock, not a delay."""
SETTLE_US: Final = 5_000_000
"""For so long every message must look late before a step backwards is believed: a replayed buffer looks late, too."""


class ReaderClock:
    """Maps one connection's reader times to the agent's clock. A reader may use two clocks: UTC and its uptime."""

    def __init__(self) -> None:
        self._offsets = {False: _Offset(), True: _Offset()}

    def observe(self, reader_us: int, arrived_us: int, *, uptime: bool = False) -> int:
        """A message that speaks of `reader_us` has arrived; gives by how much the reader's clock stepped, mostly 0."""
        return self._offsets[uptime].add(arrived_us - reader_us, arrived_us)

    def offset_us(self, *, uptime: bool = False) -> int | None:
        """What to add to the reader's time to get the agent's; None before anything was observed."""
        return self._offsets[uptime].value


class _Offset:
    """The smallest sample of this window and the one before, begun anew when the clock steps."""

    def __init__(self) -> None:
        self.value: int | None = None
        self._window: int | None = None
        self._before: int | None = None
        self._began_us = 0
        self._late = False
        self._late_since_us = 0

    def add(self, sample: int, now_us: int) -> int:
        before = self.value
        if before is not None and (sample < before - STEP_US or self._all_late(sample - before, now_us)):
            self._window = self._before = None
            self._late = False
        if self._window is None or not 0 <= now_us - self._began_us < WINDOW_US:
            self._began_us, self._before, self._window = now_us, self._window, sample
        else:
            self._window = min(self._window, sample)
        self.value = self._window if self._before is None else min(self._window, self._before)
        stepped = 0 if before is None else before - self.value
        return stepped if abs(stepped) > STEP_US else 0

    def _all_late(self, late_us: int, now_us: int) -> bool:
        """Whether for `SETTLE_US` now no message was on time."""
        if late_us <= STEP_US:
            self._late = False
            return False
        if not self._late:
            self._late, self._late_since_us = True, now_us
        return now_us - self._late_since_us >= SETTLE_US
