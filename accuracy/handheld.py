"""A handheld reader: an agent of its own, which tells the ledger what somebody found with it."""

from collections.abc import Sequence
from typing import Final

from accuracy.books import Books
from contract import events, wire

HANDHELD: Final = "handheld"
AGAIN_US: Final = 10_000_000
"""What is not acknowledged is sent again after this."""


class Handheld:
    """Tells at once: whoever holds it waits until it has."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._line = books.lines[HANDHELD]

    async def saw(self, epcs: Sequence[str], zone: str, *, count: str = "") -> None:
        """Tags were found in a zone, in a count or without one."""
        now_us = self._books.clock.act()
        for first in range(0, len(epcs), events.MAX_EPCS):
            part = tuple(epcs[first : first + events.MAX_EPCS])
            told = events.TagCount(at_us=now_us, decided_us=now_us, count=count or "scan", zone=zone, epcs=part)
            self._line.put([wire.encode(told)])
        while self._line.waiting:
            await self._line.send(now_us / 1e6)
            now_us += AGAIN_US
