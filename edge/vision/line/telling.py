"""What a line has decided, told after it has been counted on the disk.

    put --> untold --record of the line kept, in a thread--> told

So whoever is told of a fruit is told of it once, even if the agent is killed: the next life counts on from the record.
Fruit that was counted in the last moment before may then never be told.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NoReturn

import structlog

from contract.events import Inspection
from edge.cancellation import whole_in_thread
from edge.vision.line.lots import LineRecord, LotsFile

_MAX_UNTOLD: Final = 1000
"""Decisions that wait until the record is kept; when the disk takes so long, the oldest are told without."""

log = structlog.get_logger(__name__)


class Telling:
    """The record of one line, and what waits for it."""

    def __init__(
        self, line: str, lots: LotsFile, record: Callable[[], LineRecord], decided: Callable[[Inspection], None]
    ) -> None:
        """`record` gives what is to be kept now; both are called in the event loop. Keeps it once, at once."""
        self._line, self._lots = line, lots
        self._record, self._decided = record, decided
        self._untold: deque[Inspection] = deque()
        self._changed = asyncio.Event()
        self._unsaved = False
        self._save(record())

    def put(self, event: Inspection) -> None:
        """This is decided, and counted in the record."""
        self._untold.append(event)
        if len(self._untold) > _MAX_UNTOLD:
            self._decided(self._untold.popleft())
        self.changed()

    def changed(self) -> None:
        """The record has, for another reason."""
        self._changed.set()

    async def run(self) -> NoReturn:
        """Until cancelled: `keep_last` does the rest."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            counted, self._untold = self._untold, deque()
            try:
                await whole_in_thread(self._save, self._record())
            finally:
                for one in counted:
                    self._decided(one)

    def keep_last(self) -> None:
        """Keep and tell what is left; waits for the disk."""
        self._save(self._record())
        while self._untold:
            self._decided(self._untold.popleft())

    def _save(self, record: LineRecord) -> None:
        try:
            self._lots.save(self._line, record)
        except OSError as error:
            if not self._unsaved:
                log.error("lots not kept", line=self._line, error=str(error))
            self._unsaved = True
        else:
            self._unsaved = False
