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
from gateway.errors import HistoryDown
from gateway.history.levels import Levels
from gateway.history.measurements import points_of
from gateway.history.refused import RefusedPoints
from gateway.history.words import History, Point
from gateway.ledger.ledger import Commit, Ledger
from gateway.records import LogRow
from gateway.views import LinkView

CURSOR = "history"
ROWS = 1_500
"""Rows of one batch: about three points each."""
MAX_POINTS = 5_000
MAX_BYTES = 4_000_000
"""Of text in one write (InfluxDB 1.x refuses more than 25 MB)."""
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
        self._levels = Levels(site)
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
        except HistoryDown as error:
            self._failures += 1
            self._ready = False
            if self._failures == 1:
                _log.warning("the history is down", reason=str(error), waiting=self.link.waiting)
            return
        if self._failures:
            _log.info("the history is back", waiting=self.link.waiting)
        self._failures = 0

    async def _move(self) -> None:
        if self._batch is None:
            self._batch = await asyncio.to_thread(self._read)
        batch = self._batch
        if batch is None:
            return
        self._oldest_us = batch.oldest_us
        if not self._ready:
            await self._history.ready()
            self._ready = True
        for points in cut(batch.points):
            if refused := await self._history.write(points):
                await asyncio.to_thread(self._refused.put, refused)
        await asyncio.to_thread(self._ledger.move_cursor, CURSOR, batch.through)
        self._cursor, self._batch, self._oldest_us = batch.through, None, None

    def _read(self) -> _Batch | None:
        """The next batch of the log, as points; None at its end. Once it is read it must be written: levels advance."""
        self._catch_up()
        rows = whole_commits(self._ledger.rows, self._cursor, ROWS)
        if not rows:
            return None
        decoded = [(row, records.decode(row.body)) for row in rows]
        points = [point for row, entry in decoded for point in points_of(self._site, row, entry)]
        points += self._levels.advance(decoded)
        return _Batch(rows[-1].id, rows[0].recorded_us, points)

    def _catch_up(self) -> None:
        """After a start: fold what the history has already, to know the levels from which the next rows go on."""
        while self._levels.through < self._cursor:
            after = self._levels.through
            rows = self._ledger.rows(after, min(ROWS, self._cursor - after))
            self._levels.advance([(row, records.decode(row.body)) for row in rows])


def whole_commits(read: Callable[[int, int], Sequence[LogRow]], after: int, limit: int) -> Sequence[LogRow]:
    """About `limit` rows after a place, never a part of those that have one record time."""
    while True:
        rows = read(after, limit)
        if len(rows) < limit:
            return rows
        last = rows[-1].recorded_us
        end = len(rows)
        while end and rows[end - 1].recorded_us == last:
            end -= 1
        if end:
            return rows[:end]
        limit *= 2  # one commit is larger than the batch


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
