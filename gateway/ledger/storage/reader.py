"""Reading a ledger's file, or a snapshot of its state: from any thread, beside the one that writes."""

import contextlib
import errno
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gateway.errors import LedgerFailed, LedgerFull
from gateway.ledger.storage import deeds
from gateway.ledger.storage.exceptionlog import ExceptionChange
from gateway.ledger.storage.posting import Posting
from gateway.records import LogRow

CUT = "cut"
"""Word about a file: up to which row its log was cut."""
_BUSY_S = 30.0
_PAGE = 10_000
"""Rows that are read at a time."""
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
"""The second: a file may not grow as far."""
_POSTING = ", ".join(Posting._fields)


_change = msgspec.json.Decoder(ExceptionChange)


class DeadLetter(NamedTuple):
    """A message that could not be read."""

    recorded_us: int
    topic: str
    reason: str
    size: int
    """Its whole length."""
    data: bytes
    """Its beginning."""


class Reader:
    """What a file holds. Every method may be called from any thread, and raises `LedgerFailed` naming the file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._reader = connection
        self._reading = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["Reader"]:
        """Read a file that another process may be writing, as it is at this moment."""
        with translated(path), contextlib.closing(_read_only(path)) as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM meta").fetchone()
            yield Reader(path, connection)

    def postings(self, after: int, through: int) -> list[Posting]:
        """What the rows with an id above `after`, up to `through`, changed in the balances, in order."""
        where = "row > ? AND row <= ? ORDER BY row, n"
        with self._reading, self._translated():
            found = self._reader.execute(f"SELECT {_POSTING} FROM postings WHERE {where}", (after, through))
            return [Posting(*columns) for columns in found]

    def exception_changes(self, after: int, through: int) -> list[ExceptionChange]:
        """What became of exceptions by the rows with an id above `after`, up to `through`, in order."""
        query = "SELECT body FROM exception_log WHERE row > ? AND row <= ? ORDER BY row, key"
        return [_change.decode(body) for (body,) in self.read(query, after, through)]

    def postings_of(self, sku: str, *, lot: str, before: int, limit: int) -> list[Posting]:
        """The last changes of a lot by rows with an id below `before`, newest first."""
        query = f"""
            SELECT {_POSTING} FROM postings WHERE sku = ? AND lot = ? AND row < ? ORDER BY row DESC, n DESC LIMIT ?
        """
        return [Posting(*columns) for columns in self.read(query, sku, lot, before, limit)]

    def changes_of(
        self, sku: str, *, zone: str | None = None, lot: str | None = None, before: int, rows: int
    ) -> list[tuple[Posting, int]]:
        """What so many rows below `before` changed in a balance, the last row first, and by how many postings: of one
        row those of one zone, lot and disposition are summed, with the tag of one that stands alone."""
        where, asked = ["sku = ?", "row < ?"], [sku, before]
        for name, value in (("zone", zone), ("lot", lot)):
            if value is not None:
                where.append(f"{name} = ?")
                asked.append(value)
        chosen = f"SELECT DISTINCT row FROM postings WHERE {' AND '.join(where)} ORDER BY row DESC LIMIT ?"
        query = f"""
            SELECT row, at_us, recorded_us, sku, zone, lot, disposition, sum(change), level,
                CASE count(*) WHEN 1 THEN epc ELSE '' END, count(*), max(n)
            FROM postings WHERE {" AND ".join(where)} AND row IN ({chosen})
            GROUP BY row, zone, lot, disposition ORDER BY row DESC, max(n) DESC
        """  # the level is that of the posting with the greatest n (SQLite, "Bare columns in an aggregate query")
        found = self.read(query, *asked, *asked, rows)
        return [(Posting(*columns), count) for *columns, count, _ in found]

    def seal(self, through: int) -> bytes | None:
        """The hash of the log up to the last row of a commit; None for a row that is none."""
        with self._reading, self._translated():
            found = self._reader.execute("SELECT hash FROM seals WHERE through = ?", (through,)).fetchone()
        return None if found is None else bytes(found[0])

    def seals(self, after: int, limit: int) -> list[tuple[int, int, bytes]]:
        """(last row, record time, hash) of the commits behind a row."""
        with self._reading, self._translated():
            query = "SELECT * FROM seals WHERE through > ? ORDER BY through LIMIT ?"
            return self._reader.execute(query, (after, limit)).fetchall()

    def row_at(self, recorded_us: int) -> int:
        """The last row that was recorded at a moment or before; 0 if none was."""
        with self._reading, self._translated():
            query = "SELECT max(through) FROM seals WHERE recorded_us <= ?"
            return int(self._reader.execute(query, (recorded_us,)).fetchone()[0] or 0)

    def each(self, table: str, where: str = "1") -> Iterator[tuple[str, str]]:
        """The rows of a noun's table by key, a page at a time."""
        query = f"SELECT key, body FROM {table} WHERE key > ? AND ({where}) ORDER BY key LIMIT ?"
        after = ""
        if not self._has(table):
            return
        while page := self.read(query, after, _PAGE):
            yield from page
            after = page[-1][0]

    def _has(self, table: str) -> bool:
        """Whether the file is new enough to have a table; else there is nothing of its noun."""
        return bool(self.read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table))

    def stored(self, table: str) -> list[tuple[str, str]]:
        """All rows of a noun's table by key."""
        return list(self.each(table))

    def rows(self, after: int, limit: int) -> list[LogRow]:
        """Rows of the log with an id above `after`, in order."""
        with self._reading, self._translated():
            found = self._reader.execute("SELECT * FROM log WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
            return [_row(*columns) for columns in found]

    def all_rows(self, after: int = 0) -> Iterator[LogRow]:
        """The log behind a row, a page at a time."""
        while page := self.rows(after, 10_000):
            yield from page
            after = page[-1].id

    def bodies(self, agent: str, epoch: str, first: int, last: int) -> dict[int, tuple[str, bytes]]:
        """Kind and body of the rows of an agent by sequence number."""
        where = "agent = ? AND epoch = ? AND seq BETWEEN ? AND ?"
        with self._reading, self._translated():
            found = self._reader.execute(f"SELECT seq, kind, body FROM log WHERE {where}", (agent, epoch, first, last))
            return {seq: (kind, body) for seq, kind, body in found}

    def cut_at(self) -> int:
        """The log before this row, and with it, was cut; 0 of a whole one."""
        return int(self.meta(CUT) or 0)

    def last(self) -> tuple[int, int]:
        """Id and record time of the last row of the log; (0, 0) for an empty one."""
        with self._reading, self._translated():
            row = self._reader.execute("SELECT id, recorded_us FROM log ORDER BY id DESC LIMIT 1").fetchone()
        return (0, 0) if row is None else (row[0], row[1])

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """The last messages that could not be read, newest first."""
        columns = ", ".join(DeadLetter._fields)
        with self._reading, self._translated():
            found = self._reader.execute(f"SELECT {columns} FROM dead_letters ORDER BY id DESC LIMIT ?", (limit,))
            return [DeadLetter(*row) for row in found]

    def read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds. Ask for little at once: other readers wait."""
        with self._reading, self._translated():
            return self._reader.execute(query, values).fetchall()

    def deed(self, key: str) -> deeds.Known | None:
        """What is known of a request's key."""
        with self._reading, self._translated():
            return deeds.find(self._reader, key)

    def deeds_full(self, now_us: int) -> bool:
        """Whether there is no room for one more key."""
        with self._reading, self._translated():
            return deeds.full(self._reader, now_us)

    def cursor(self, name: str) -> int:
        """How far somebody has read the log: 0 at first."""
        with self._reading, self._translated():
            row = self._reader.execute("SELECT id FROM cursors WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def meta(self, name: str) -> str | None:
        """A word about this file."""
        with self._reading, self._translated():
            row = self._reader.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return translated(self.path)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the disk as `LedgerFailed`, or (when there is no room) `LedgerFull`."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) in _NO_ROOM
        raise (LedgerFull if full else LedgerFailed)(f"{path}: {error}") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (LedgerFull if full else LedgerFailed)(f"{path}: {error}") from error


def connect(path: Path) -> sqlite3.Connection:
    """A connection that makes every transaction durable before it returns."""
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 4000")
    db.execute("PRAGMA cache_size = -65536")  # KiB
    return db


def _read_only(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise LedgerFailed(f"{path}: there is no such ledger")
    uri = path.resolve().as_uri() + "?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)


def _row(
    id_: int, agent: str, epoch: str, seq: int, kind: str, at_us: int, decided_us: int, recorded_us: int, body: bytes
) -> LogRow:
    return LogRow(
        id=id_,
        agent=agent,
        epoch=epoch,
        seq=seq,
        kind=kind,
        at_us=at_us,
        decided_us=decided_us,
        recorded_us=recorded_us,
        body=body,
    )
