"""Keepalives, and the vendor's watch over who answers them (LLRP 1.0.1 section 12.2.4; Octane LLRP,
ImpinjLinkMonitorConfiguration).

The standard alone does nothing about a client that does not acknowledge: its connection stays until TCP gives it up.
"""

import asyncio
from collections.abc import Callable

from firmware_sim.llrp.impinj import LinkMonitor


class Heartbeat:
    """Calls `beat` at every interval while a client is there, and `dead` instead where the link monitor gives it up.

    Lives in one event loop.
    """

    def __init__(self, beat: Callable[[], None], dead: Callable[[], None]) -> None:
        self._beat, self._dead = beat, dead
        self._interval_s, self._monitor = 0.0, LinkMonitor()
        self._timer: asyncio.TimerHandle | None = None
        self._unanswered = 0

    def set(self, interval_ms: int, monitor: LinkMonitor) -> None:
        """The interval, 0 for none, from now on."""
        self._interval_s, self._monitor = interval_ms / 1000, monitor

    def begin(self) -> None:
        """A client is there, or its interval has changed: the first beat is one interval away."""
        self.end()
        self._unanswered = 0
        self._arm()

    def end(self) -> None:
        """It is gone."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def acknowledged(self) -> None:
        """A KEEPALIVE_ACK came."""
        self._unanswered = 0

    def _arm(self) -> None:
        if self._interval_s:
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._tick)

    def _tick(self) -> None:
        if self._monitor.enabled and self._unanswered >= max(1, self._monitor.threshold):
            self._timer = None
            self._dead()
            return
        self._unanswered += 1
        self._beat()
        self._arm()
