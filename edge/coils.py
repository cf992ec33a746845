"""Coils that are asked for from the event loop, and written by whoever has the connection."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

MAX_WAITING = 256
"""One more that is to be true is refused; there are no more to clear than were asked for."""


class CoilWrite(NamedTuple):
    """One coil of a gate."""

    register: str
    """Its `pass_coils`."""
    place: int
    value: bool
    until_us: int
    """By the steady clock: it is not made true after this; one that is to be false is always written."""
    answered: Callable[[int | None], None]
    """Told once, in the event loop: when the device said that it is written; None: it is not, and will not be."""


class CoilQueue:
    """What is to be written, in the order asked for. It is closed while there is no connection: all is refused then."""

    def __init__(self) -> None:
        self._waiting: deque[CoilWrite] = deque()
        self._asked = asyncio.Event()
        self._open = False

    def put(self, coil: CoilWrite) -> None:
        """Ask for a coil; call it in the event loop."""
        if not self._open or (coil.value and len(self._waiting) >= MAX_WAITING):
            asyncio.get_running_loop().call_soon(coil.answered, None)
            return
        self._waiting.append(coil)
        self._asked.set()

    def open(self) -> None:
        """There is a connection."""
        self._open = True

    def close(self) -> None:
        """There is none any more: what waits will not be written."""
        self._open = False
        for coil in self.take():
            coil.answered(None)

    def take(self) -> Iterator[CoilWrite]:
        """What waits, each once, and what is asked for meanwhile."""
        self._asked.clear()
        while self._waiting:
            yield self._waiting.popleft()

    async def asked(self) -> None:
        """Return when something waits."""
        await self._asked.wait()
