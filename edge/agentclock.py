"""The agent's clock: the time on the wall, which does not jump unnoticed.

It goes on with the machine's steady clock. When somebody sets the wall clock, or the machine was asleep, the two part:
then it follows the wall, and says so, because times before and after cannot be compared any more. The gateway learns
how far the clock is off from its heartbeats, and from which event on (`Status.began`).
"""

import time
from collections.abc import Callable
from typing import Final

from edge.steadyclock import steady_us

STEP_US: Final = 1_000_000
"""The wall clock may leave the steady one by so much before it counts as set: slow corrections are followed."""


class AgentClock:
    """Microseconds of wall time since 1970, when called."""

    def __init__(self, wall_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._wall_us = wall_us
        self._ahead_us = wall_us() - steady_us()
        self.on_step: Callable[[int], None] = lambda _: None
        """Told by how many microseconds it was set ahead (or, below 0, back)."""

    def __call__(self) -> int:
        """The time now."""
        steady = steady_us()
        ahead_us = self._wall_us() - steady
        stepped_us = ahead_us - self._ahead_us
        if abs(stepped_us) > STEP_US:
            self._ahead_us = ahead_us
            self.on_step(stepped_us)
        return steady + self._ahead_us
