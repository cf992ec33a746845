r"""The gate of a door: the times at which something may go through.

    input     ____/-----\____/--\_____________
    window        |==============~~~~|            open, and for hold_s after it closed

A light barrier, a presence sensor or the photo-eyes open it. Tags count only if their pass overlaps a window; a window
without a pass is an empty pass. While nobody knows how the input stands, because its reader or the eyes are lost, the
gate is taken to be open, and nothing is said to be empty.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from edge.llrp.read import Read

MAX_WINDOWS: Final = 64
"""Older ones are forgotten, and times of blindness, too: what passed in them is decided long since."""
BUCKET_US: Final = 100_000
MAX_BUCKETS: Final = 6_000
"""Ten minutes of reads, counted by tenths of a second; older ones are forgotten."""


class Window:
    """A time at which the gate was open."""

    __slots__ = ("closed_us", "end_us", "opened_us", "settled")

    def __init__(self, opened_us: int) -> None:
        self.opened_us = opened_us
        self.closed_us: int | None = None
        """When it closed for the last time; None: it is open."""
        self.end_us: int | None = None
        """When the time was over for which it is held open."""
        self.settled = False
        """Something passed, or it was told to be empty, or nobody can know."""

    def overlaps(self, first_us: int, last_us: int) -> bool:
        """Whether it was open at some moment of a time."""
        return self.opened_us <= last_us and (self.end_us is None or first_us <= self.end_us)


class Gate:
    """The windows of one gate. Never reads a clock."""

    def __init__(self, hold_s: float) -> None:
        self._hold_us = round(hold_s * 1e6)
        self._windows: deque[Window] = deque(maxlen=MAX_WINDOWS)
        self._lost_us: int | None = None
        self._unknown: deque[tuple[int, int]] = deque(maxlen=MAX_WINDOWS)
        self._heard: dict[int, int] = {}

    def change(self, at_us: int, is_open: bool) -> None:
        """It opened or closed; what it was already is ignored."""
        last = self._windows[-1] if self._windows else None
        was_open = last is not None and last.closed_us is None
        if is_open == was_open:
            return
        if last is None or (is_open and at_us > (last.end_us or 0)):
            self._windows.append(Window(at_us))
        elif is_open:
            last.closed_us = last.end_us = None
        else:
            last.closed_us = max(at_us, last.opened_us)
            last.end_us = last.closed_us + self._hold_us

    def lose(self, now_us: int) -> None:
        """Nobody knows how it stands from now on."""
        if self._lost_us is None:
            self._lost_us = now_us
            self.change(now_us, False)
            self._settle(now_us, now_us)

    def regain(self, now_us: int) -> None:
        """It can be seen again, and is closed unless something else is said."""
        if self._lost_us is not None:
            self._unknown.append((self._lost_us, now_us))
            self._lost_us = None

    def was_open(self, first_us: int, last_us: int) -> bool:
        """Whether something that was there from the first to the last moment may have gone through."""
        if self._lost_us is not None and last_us >= self._lost_us:
            return True
        if any(begin_us <= last_us and first_us <= end_us for begin_us, end_us in self._unknown):
            return True
        return any(window.overlaps(first_us, last_us) for window in self._windows)

    def passed(self, first_us: int, last_us: int) -> None:
        """Something went through, or came up to the door and turned back: the windows of that time are not empty."""
        self._settle(first_us, last_us)

    def over(self, now_us: int) -> Iterator[Window]:
        """Windows in which nothing passed so far and that are over."""
        for window in self._windows:
            if not window.settled and window.end_us is not None and window.end_us <= now_us:
                yield window

    def next_end_us(self) -> int | None:
        """When the next window is over."""
        ends = (window.end_us for window in self._windows if not window.settled and window.end_us is not None)
        return min(ends, default=None)

    def hear(self, reads: Iterable[Read]) -> Iterator[Read]:
        """Count reads on their way."""
        heard = self._heard
        for read in reads:
            bucket = read.at_us // BUCKET_US
            heard[bucket] = heard.get(bucket, 0) + 1
            yield read
        while len(heard) > MAX_BUCKETS:
            del heard[next(iter(heard))]

    def heard(self, window: Window) -> int:
        """Reads while it was open, to a tenth of a second."""
        assert window.closed_us is not None
        buckets = range(window.opened_us // BUCKET_US, window.closed_us // BUCKET_US + 1)
        return sum(self._heard.get(bucket, 0) for bucket in buckets) if len(buckets) <= MAX_BUCKETS else 0

    def _settle(self, first_us: int, last_us: int) -> None:
        for window in self._windows:
            if window.overlaps(first_us, last_us):
                window.settled = True
