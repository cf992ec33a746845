"""What a line has decided, told after it has been counted on the disk.

    put --> untold --record of the line kept, in a thread--> told

So whoever is told of a fruit is told of it once, even if the agent is killed: the next life counts on from the record.
Fruit that was counted in the last moment before may then never be told. While the disk takes no record, fruit is told
all the same; if the agent ends then, or its power is cut within seconds after a record was kept, the next life counts
on from an older one: it tells what passed since once more, as `unseen` and by other names.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

import structlog

from contract.events import Inspection
from edge.cancellation import whole_in_thread
from edge.vision.line.lots import LineRecord, LotsFile

_MAX_UNTOLD: Final = 1000
"""Decisions that wait until the record is kept; when the disk takes so long, the oldest are told without."""
_AGAIN_S: Final = 1.0
"""A record that could not be kept is tried again after so long."""

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
        self._counted = 0
        """So many of the oldest are in the record that is being kept."""
        self._changed = asyncio.Event()
        self._unsaved = False
        self._save(record())

    def put(self, event: Inspection) -> None:
        """This is decided, and counted in the record."""
        self._untold.append(event)
        if len(self._untold) > _MAX_UNTOLD:
            self._decided(self._untold.popleft())
            self._counted = max(0, self._counted - 1)
        self.changed()

    def changed(self) -> None:
        """The record has, for another reason."""
        self._changed.set()

    async def run(self) -> NoReturn:
        """Until cancelled: `keep_last` does the rest."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_S if self._unsaved else None):
                    await self._changed.wait()
            self._changed.clear()
            self._counted = len(self._untold)
            try:
                await whole_in_thread(self._save, self._record())
            finally:
                self._tell(self._counted)

    def keep_last(self) -> None:
        """Keep and tell what is left; waits for the disk."""
        self._save(self._record())
        self._tell(len(self._untold))

    def _tell(self, many: int) -> None:
        for _ in range(many):
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
