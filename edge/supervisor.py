"""Keeps one part of an agent alive: the one place of the edge that may catch every exception."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from contract.events import Device
from edge.backoff import Backoff

_HEALTHY_S = 60.0
"""A part that ran this long before it failed is restarted at once."""

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs a device's part for ever. A failure of ours in one device must not stop the others at the door."""

    def __init__(self, device: str, on_device: Callable[[Device], None], clock: Callable[[], int]) -> None:
        """`on_device` is told that the device is lost, each time its part fails."""
        self._device = device
        self._on_device = on_device
        self._clock = clock
        self._backoff = Backoff(0.2, 10.0, random.Random())
        self.failures = 0

    async def run(self, part: Callable[[], Awaitable[None]]) -> NoReturn:
        """Run `part` again and again until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await part()
                reason = "it ended"
            except Exception as error:
                log.exception("device part failed", device=self._device, failures=self.failures + 1)
                reason = f"{type(error).__name__}: {error}"
            self.failures += 1
            self._tell(reason)
            if loop.time() - began_s > _HEALTHY_S:
                self._backoff.reset()
            await asyncio.sleep(self._backoff.next_s())

    def _tell(self, reason: str) -> None:
        now_us = self._clock()
        detail = f"its driver failed ({reason}) and is restarted; please report this"[:1000]
        self._on_device(Device(at_us=now_us, decided_us=now_us, device=self._device, state="lost", detail=detail))
