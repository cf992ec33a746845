"""Keeping the ledger's file bounded: snapshots of its state, books without what ended long ago, a log that is cut.

now - books_days          now - log_days
books: trimmed (a record) log: cut at the newest snapshot that is as old, never before every cursor has passed it
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from contract.site import Site
from gateway.errors import LedgerFailed
from gateway.ledger.ledger import Ledger
from gateway.ledger.storage import snapshots
from gateway.records.stockrecords import BooksTrimmed

LOOK_S: Final = 60.0
DAY_US: Final = 86_400_000_000
ROWS: Final = 100_000
"""After so many rows a snapshot is taken before the day is over: no moment of the past is further from one."""
CUT_ROWS: Final = 2_000
"""Rows that are deleted at a time, while commits wait."""
CUT_PAUSE_S: Final = 0.05

_log = structlog.get_logger(__name__)


class Keeper:
    """Looks once a minute at what is due. One owner: the event loop of the gateway."""

    def __init__(
        self, site: Site, ledger: Ledger, clock: Callable[[], int], scarce: Callable[[], bool] = lambda: False
    ) -> None:
        """`clock` gives microseconds of wall time; `scarce` says that the disk has no room for a snapshot."""
        self._settings = site.gateway
        self._ledger = ledger
        self._clock = clock
        self._scarce = scarce
        self._refused = False

    async def run(self) -> None:
        """Look for ever. A disk that takes no snapshot is told once, and tried again."""
        while True:
            try:
                await self.look()
                self._refused = False
            except LedgerFailed as error:
                self._tell(error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Do what is due now."""
        last = await asyncio.to_thread(self._last)
        if not self._is_due(last) or self._scarce():
            return
        now_us = self._clock()
        before_us = now_us - round(self._settings.books_days * DAY_US)
        if before_us > 0:
            await self._ledger.record(BooksTrimmed(at_us=now_us, before_us=before_us))
        taken = await asyncio.to_thread(self._ledger.snapshots.take)
        if taken is not None:
            _log.info("snapshot", through=taken.through, file=str(taken.path))
        await self._cut(now_us)

    def _last(self) -> tuple[int, int]:
        """Row and record time of the last snapshot; zeros without one."""
        found = self._ledger.snapshots.all()
        return (found[-1].through, snapshots.recorded_us(found[-1])) if found else (0, 0)

    def _is_due(self, last: tuple[int, int]) -> bool:
        """New rows, and so many of them or a day since."""
        through, recorded_us = last
        rows = self._ledger.last_id - through
        return rows >= ROWS or (rows > 0 and self._clock() - recorded_us >= DAY_US)

    async def _cut(self, now_us: int) -> None:
        """Cut the log at the newest snapshot that is old enough, and let go of the snapshots that are not needed."""
        before_us = now_us - round(self._settings.log_days * DAY_US)
        cut_at, base = await asyncio.to_thread(self._base, before_us)
        left = base > cut_at
        while left:
            left = await asyncio.to_thread(self._ledger.cut, base, CUT_ROWS) > 0
            await asyncio.sleep(CUT_PAUSE_S)
        await asyncio.to_thread(self._ledger.snapshots.thin, max(base, cut_at))

    def _base(self, before_us: int) -> tuple[int, int]:
        """The row at which the log was cut, and the one to cut it at now; 0 for none."""
        passed = self._ledger.least_cursor()
        found = [one for one in self._ledger.snapshots.all() if one.through <= passed]
        old = (one.through for one in found if snapshots.recorded_us(one) <= before_us)
        return self._ledger.cut_at(), max(old, default=0)

    def _tell(self, error: LedgerFailed) -> None:
        if not self._refused:
            _log.error("the ledger's file cannot be kept", error=str(error))
        self._refused = True
