"""When a door could not see: silence then means nothing."""

from collections import deque
from typing import Final

MAX_INTERVALS: Final = 32
"""Older times of blindness are forgotten: no open pass reaches back so far."""


class Sight:
    """The times at which at least one reader of a door was blind."""

    def __init__(self) -> None:
        self._blind: set[str] = set()
        self._since_us = 0
        self._intervals: deque[tuple[int, int]] = deque(maxlen=MAX_INTERVALS)

    @property
    def blind(self) -> bool:
        """Whether a reader is blind now."""
        return bool(self._blind)

    def lose(self, reader: str, now_us: int) -> None:
        """A reader is lost or blind from now on."""
        if not self._blind:
            self._since_us = now_us
        self._blind.add(reader)

    def regain(self, reader: str, now_us: int) -> bool:
        """A reader sees again; True if with it the whole door does."""
        if reader not in self._blind:
            return False
        self._blind.discard(reader)
        if not self._blind:
            self._intervals.append((self._since_us, max(self._since_us, now_us)))
        return not self._blind

    def silence_us(self, since_us: int, until_us: int) -> int:
        """How much of a time the door has seen."""
        intervals = [*self._intervals, (self._since_us, until_us)] if self._blind else self._intervals
        unseen_us = sum(max(0, min(until_us, end) - max(since_us, begin)) for begin, end in intervals)
        return until_us - since_us - unseen_us

    def silent_at(self, since_us: int, gap_us: int) -> int | None:
        """When the door will have seen for `gap_us` after `since_us`; None: not before it sees again."""
        rest_us, at_us = gap_us, since_us
        for begin_us, end_us in self._intervals:
            if end_us > at_us:
                seen_us = max(0, begin_us - at_us)
                if seen_us >= rest_us:
                    break
                rest_us -= seen_us
                at_us = end_us
        if self._blind and self._since_us < at_us + rest_us:
            return None
        return at_us + rest_us
