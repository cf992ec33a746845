"""The history's cursor on the log: rows become points, and the cursor moves once they are kept.

log: 1 2 3 ... [a .......... b] ... last
                |            |
          cursor+1      a batch -> points -> History.write -> cursor := b
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import structlog

from contract.site import Site
from gateway import records
from gateway.errors import HistoryDown, LedgerFull
from gateway.history.levels import level_points
from gateway.history.measurements import LOG, exception_points, log_point, points_of
from gateway.history.refused import RefusedPoints
from gateway.history.words import History, Point
from gateway.ledger.ledger import Commit, Ledger
from gateway.records import LogRow
from gateway.views import LinkView

CURSOR = "history"
ROWS = 1_500
"""Rows of one batch: about three points each."""
PAGE_ROWS = 50
MAX_BATCH_BYTES = 8_000_000
"""Of bodies in one batch."""
MAX_POINTS = 5_000
MAX_BYTES = 4_000_000
"""Of text in one write (InfluxDB 1.x refuses more than 25 MB)."""
LAST_ROWS = 20
"""Rows before the cursor that are looked for when the history is there again."""
LINGER_S = 0.2
"""After a commit, wait this long for more: a write costs the same for one point as for a thousand."""
BACKOFF_S = (0.25, 10.0)
"""The first pause after a failure, and the longest."""

_log = structlog.get_logger("gateway.history")


class _Batch(NamedTuple):
    """Rows of the log up to `through`, as points."""

    through: int
    oldest_us: int
    points: list[Point]


class HistoryFeed:
    """Feeds one history from the ledger's log, for ever. What a history refuses is put aside in a file.

    All reading, folding and mapping is done in one thread at a time, beside the event loop.
    """

    def __init__(self, site: Site, ledger: Ledger, history: History) -> None:
        self._site = site.site
        self._ledger = ledger
        self._history = history
        self._refused = RefusedPoints(site.gateway.data / "history-refused.jsonl")
        self._batch: _Batch | None = None
        self._ready = False
        self._wake = asyncio.Event()
        self._cursor = ledger.cursor(CURSOR)
        self._oldest_us: int | None = None
        self._failures = 0

    @property
    def link(self) -> LinkView:
        """How far the history is behind the log: `behind` while whole batches wait."""
        waiting = self._waiting()
        state: Literal["ok", "behind", "down"] = "down" if self._failures else "behind" if waiting >= ROWS else "ok"
        return LinkView(state=state, waiting=waiting, oldest_us=self._oldest_us if waiting else None)

    async def run(self) -> None:
        """Feed until cancelled; raises `LedgerFailed` where the log cannot be read."""
        unsubscribe = self._ledger.subscribe(self._committed)
        try:
            while True:
                self._wake.clear()
                await self._turn()
                if self._failures:
                    await asyncio.sleep(_pause_s(self._failures))
                elif self._waiting() < ROWS:
                    if not self._waiting():
                        await self._wake.wait()
                    await asyncio.sleep(LINGER_S)
        finally:
            unsubscribe()

    def _waiting(self) -> int:
        return self._ledger.last_id - self._cursor

    def _committed(self, commit: Commit) -> None:
        if self._oldest_us is None and commit.rows:
            self._oldest_us = commit.rows[0].recorded_us
        self._wake.set()

    async def _turn(self) -> None:
        """Move one batch, and tell once when the trouble begins and when it ends."""
        try:
            await self._move()
        except (HistoryDown, LedgerFull) as error:
            self._failures += 1
            self._ready = False
            if self._failures == 1:
                _log.warning("the history is down", reason=str(error), waiting=self.link.waiting)
            return
        if self._failures:
            _log.info("the history is back", waiting=self.link.waiting)
        self._failures = 0

    async def _move(self) -> None:
        if not self._ready:
            await self._history.ready()
            await self._look_back()
            self._ready = True
        if self._batch is None:
            self._batch = await asyncio.to_thread(self._read)
        batch = self._batch
        if batch is None:
            return
        self._oldest_us = batch.oldest_us
        for points in cut(batch.points):
            if refused := await self._history.write(points):
                await asyncio.to_thread(self._refused.put, refused)
        await asyncio.to_thread(self._ledger.move_cursor, CURSOR, batch.through)
        self._cursor, self._batch, self._oldest_us = batch.through, None, None

    async def _look_back(self) -> None:
        """A history that has lost what it had is fed again from the beginning: one that was wiped, or restored from an
        older copy. It has, if it has any of the last rows: some of them it may have refused."""
        rows = await asyncio.to_thread(self._ledger.rows, max(0, self._cursor - LAST_ROWS), LAST_ROWS)
        told = [log_point(self._site, row) for row in rows if row.id <= self._cursor]
        for point in reversed(told):
            if await self._history.query(LOG, point.at_ns, point.at_ns + 1, 1, dict(point.tags)):
                return
        if told:
            _log.warning("the history has lost what it had: it is fed again from the beginning", rows=self._cursor)
            await asyncio.to_thread(self._ledger.move_cursor, CURSOR, 0)
            self._cursor, self._batch = 0, None

    def _read(self) -> _Batch | None:
        """The next batch of the log, as points; None at its end."""
        rows = whole_commits(self._ledger.rows, self._cursor, ROWS)
        if not rows:
            return None
        decoded = [(row, records.decode(row.body)) for row in rows]
        points = [point for row, entry in decoded for point in points_of(self._site, row, entry)]
        points += exception_points(self._site, self._ledger.exception_changes(rows[0].id - 1, rows[-1].id))
        points += level_points(self._site, self._ledger.postings(rows[0].id - 1, rows[-1].id))
        return _Batch(rows[-1].id, rows[0].recorded_us, points)


def whole_commits(
    read: Callable[[int, int], Sequence[LogRow]], after: int, limit: int, max_bytes: int = MAX_BATCH_BYTES
) -> Sequence[LogRow]:
    """About `limit` rows after a place, or `max_bytes` of bodies, never a part of those that have one record time.

    Rows are read in small pages, so that a backlog of large documents does not come into memory at once.
    """
    rows: list[LogRow] = []
    size = 0
    while True:
        page = read(rows[-1].id if rows else after, min(limit, PAGE_ROWS))
        rows += page
        size += sum(len(row.body) for row in page)
        if len(page) < min(limit, PAGE_ROWS):
            return rows
        if len(rows) >= limit or size >= max_bytes:
            end = len(rows)
            while end and rows[end - 1].recorded_us == rows[-1].recorded_us:
                end -= 1
            if end:
                return rows[:end]


def cut(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Pieces of at most `MAX_POINTS` points and about `MAX_BYTES` of text; one point is never cut."""
    first, size = 0, 0
    for i, point in enumerate(points):
        weight = 100 + sum(len(value) for value in point.fields.values() if isinstance(value, str))
        if i > first and (i - first >= MAX_POINTS or size + weight > MAX_BYTES):
            yield points[first:i]
            first, size = i, 0
        size += weight
    if first < len(points):
        yield points[first:]


def _pause_s(failures: int) -> float:
    """Doubling up to the longest, and no two feeds at the same moment."""
    return min(BACKOFF_S[1], BACKOFF_S[0] * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1)
