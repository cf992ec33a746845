"""The past: the state as the books had it at a moment, from the nearest snapshot and the rows behind it.

It is what the gateway knew then (record time), not what is known now of then: what came late is not in it yet.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from contract.site import Site
from gateway.errors import NoPast
from gateway.ledger.state import State
from gateway.ledger.storage import opening
from gateway.ledger.storage.reader import Reader
from gateway.ledger.storage.snapshots import Snapshots

STEP: Final = 10_000
"""Rows that are read at a time."""


def state_at(reader: Reader, snapshots: Snapshots, site: Site, row: int) -> State:
    """The state after a row of the log; raises `NoPast`. Whoever has it may fold on with `opening.go_on`."""
    with ExitStack() as files:
        base = snapshots.before(row)
        if base is not None:
            state, after = opening.loaded(files.enter_context(Reader.open(base.path)), site), base.through
        elif reader.cut_at():
            raise NoPast(f"row {row} lies before the log was cut at row {reader.cut_at()}, and no snapshot is as old")
        else:
            state, after = opening.beginning(reader, site), 0
    return _forward(reader, state, after, row)


class Past:
    """Remembers the last moment that was asked for: a later one goes on from there. From any thread."""

    def __init__(self, reader: Reader, snapshots: Snapshots, site: Site) -> None:
        self._reader = reader
        self._snapshots = snapshots
        self._site = site
        self._lock = threading.Lock()
        self._row = -1
        self._state: State | None = None

    @contextmanager
    def at(self, recorded_us: int) -> Iterator[tuple[int, State]]:
        """The last row that was recorded then or before, and the state after it; raises `NoPast`.

        The state is for reading, while the block lasts; others wait.
        """
        with self._lock:
            row = self._reader.row_at(recorded_us)
            if row == 0:
                raise NoPast("nothing was recorded so early")
            nearest = self._snapshots.before(row)
            if self._state is None or row < self._row or (nearest is not None and nearest.through > self._row):
                self._state = state_at(self._reader, self._snapshots, self._site, row)
            else:
                _forward(self._reader, self._state, self._row, row)
            self._row = row
            yield row, self._state


def _forward(reader: Reader, state: State, after: int, row: int) -> State:
    while after < row:
        page = reader.rows(after, min(STEP, row - after))
        if not page or page[0].id != after + 1:
            raise NoPast(f"row {after + 1} of the log is gone")
        opening.go_on(state, page)
        after = page[-1].id
    for table in state.tables:
        table.changed.clear()
        table.gone.clear()
    state.take_postings()
    state.shown.clear()
    state.due.clear()
    return state
