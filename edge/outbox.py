"""The outbox: where an agent's events wait, on disk, until the gateway has said that it holds them.

    id     1 . . . . . . . . . . . . . . . . . . . .     never reused, never a hole
           |-- old epoch --|-- this epoch ----------|
    seq                     1 . . . . . . . . . . . .    seq = id - base of the epoch
                 |         |     |                  |
              deleted   (base)   acknowledged       made
              below here         |---- waiting -----|
                 |-- retained ---|

`renumber` is one insert: a new epoch whose base is the last acknowledged id. A number is given only to an event that is
stored, and is never taken back, so there is no hole: `floor..made` can always be read in full.

Bound: the file never grows over `max_bytes` (`PRAGMA max_page_count`); an append that does not fit raises `OutboxFull`
and changes nothing, as does a full disk. From half of the bound on the outbox is `crowded`, and edge/decisions.py
leaves out the events that may be left out, before they have a number. Nothing that has a number is ever dropped.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from contract.wire import MAX_EVENT_BYTES
from edge import outbox_file
from edge.outbox_file import Kept, read_history

__all__ = ["OUTBOX_FILE", "Kept", "Outbox", "Stretch", "read_history"]

OUTBOX_FILE = "outbox.db"
"""Its name within the data folder of an agent."""

_FORGET_EPOCHS = "DELETE FROM epoch WHERE base < (SELECT MAX(base) FROM epoch WHERE base < ?)"


class Stretch(NamedTuple):
    """Consecutive events as they stood in the outbox at one moment."""

    epoch: str
    first: int
    floor: int
    bodies: tuple[bytes, ...]


class Outbox:
    """The events of one agent in one SQLite file. Every method may be called from any thread and is atomic on disk.

    Opening raises `OutboxBusy` when another process holds the file and `OutboxError` when a newer Truecount wrote it.
    A corrupt file is moved aside (never deleted) and a new epoch begins.
    """

    def __init__(self, path: Path, retain: int, max_bytes: int = 2 * 1024**3) -> None:
        """`retain`: acknowledged events to keep, for diagnosis and for a gateway that lost its ledger."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._retain = retain
        self._max_pages = max(64, max_bytes // outbox_file.PAGE_BYTES)
        self._lock = threading.RLock()
        self._claim = outbox_file.claim(path)
        try:
            self._db = outbox_file.open_or_begin(path, self._max_pages)
        except BaseException:
            self._claim.close()
            raise
        self._base: int
        self._epoch: str
        self._base, self._epoch = self._db.execute("SELECT base, name FROM epoch ORDER BY base DESC").fetchone()
        self._acknowledged: int
        (self._acknowledged,) = self._db.execute("SELECT id FROM acknowledged").fetchone()
        self._last = outbox_file.last_id(self._db)
        (lowest,) = self._db.execute("SELECT MIN(id) FROM event").fetchone()
        self._lowest: int = self._last + 1 if lowest is None else lowest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def epoch(self) -> str:
        """Random name of this numbering."""
        return self._epoch

    @property
    def made(self) -> int:
        """Last sequence number given out in this epoch; 0 before the first."""
        return self._last - self._base

    @property
    def acknowledged(self) -> int:
        """Last sequence number of this epoch that the gateway is known to hold."""
        return self._acknowledged - self._base

    @property
    def waiting(self) -> int:
        """Events that are not yet acknowledged."""
        return self._last - self._acknowledged

    @property
    def floor(self) -> int:
        """Lowest sequence number of this epoch that can still be read; `made + 1` when there is none."""
        return max(self._lowest - self._base, 1)

    @property
    def crowded(self) -> bool:
        """Half of the bound is used."""
        with self._lock:
            (pages,) = self._db.execute("PRAGMA page_count").fetchone()
            (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return bool(pages - free > self._max_pages // 2)

    def append(self, bodies: Sequence[bytes]) -> int:
        """Store events in one transaction, on disk when this returns; the sequence number of the first.

        Raises `OutboxFull`, or ValueError for an event over `MAX_EVENT_BYTES`; then nothing of it is stored.
        """
        for body in bodies:
            if len(body) > MAX_EVENT_BYTES:
                raise ValueError(f"event of {len(body)} bytes: at most {MAX_EVENT_BYTES}")
        with self._lock:
            with self._transaction():
                self._db.executemany("INSERT INTO event VALUES (?, ?)", enumerate(bodies, self._last + 1))
            first = self.made + 1
            self._last += len(bodies)
            return first

    def read(self, first: int, limit: int, max_bytes: int) -> Stretch:
        """Events from `first`, or from the floor where that is higher.

        At most `limit` of them, and at most `max_bytes` with one byte between any two; none if `first` was not made.
        """
        with self._guarded():
            first = max(first, self.floor)
            rows = self._db.execute("SELECT body FROM event WHERE id >= ? ORDER BY id", (first + self._base,))
            bodies: list[bytes] = []
            for (body,) in rows:
                max_bytes -= len(body) + 1
                if max_bytes < 0 or len(bodies) >= limit:
                    break
                bodies.append(body)
            rows.close()
            return Stretch(self._epoch, first, self.floor, tuple(bodies))

    def acknowledge(self, epoch: str, through: int) -> None:
        """The gateway holds every event of `epoch` up to `through`; what need not be retained is deleted.

        An acknowledgement of another epoch, or of less than before, changes nothing; one of more than was made is a
        ValueError.
        """
        with self._lock:
            if epoch != self._epoch:
                return
            if through > self.made:
                raise ValueError(f"acknowledged {through}, but only {self.made} were made")
            acknowledged = through + self._base
            if acknowledged <= self._acknowledged:
                return
            lowest = max(self._lowest, acknowledged - self._retain + 1)
            with self._transaction():
                self._db.execute("UPDATE acknowledged SET id = ?", (acknowledged,))
                self._db.execute("DELETE FROM event WHERE id < ?", (lowest,))
                self._db.execute(_FORGET_EPOCHS, (lowest,))
            self._acknowledged, self._lowest = acknowledged, lowest

    def renumber(self) -> None:
        """Begin a new epoch: what is not acknowledged counts from 1 again; what is retained stays in its old epoch."""
        with self._lock:
            epoch = outbox_file.new_epoch()
            with self._transaction():
                self._db.execute("INSERT OR REPLACE INTO epoch VALUES (?, ?)", (self._acknowledged, epoch))
            self._epoch, self._base = epoch, self._acknowledged

    def history(self) -> list[Kept]:
        """Everything that the file holds, retained and waiting, oldest first."""
        with self._lock:
            return outbox_file.history(self._db)

    def close(self) -> None:
        """Close the file and let another process have it."""
        with self._lock:
            self._db.close()
            self._claim.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise outbox_file.translated(self._path, error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guarded():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
