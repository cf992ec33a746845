"""The ledger's file: SQLite with a write-ahead log, synchronous=FULL, and one thread that writes.

The log and the state folded from it are written in the same transaction, so what is on disk is always a state that
the log explains. Opening reads the state tables and need not fold the log again; `refold` does, and must find the same.

    meta          schema version, name of this file (epoch of the gateway's own rows), fingerprint of the item master
    log           append-only; id counts from 1 without a gap; (agent, epoch, seq) is unique
    items, ...    one table a noun: key and the row as JSON
    dead_letters  the last messages that could not be read
    cursors       how far others have read the log
"""

import contextlib
import fcntl
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from gateway.errors import LedgerFailed
from gateway.ledger.table import Table
from gateway.records import LogRow

SCHEMA = 1
KEPT_DEAD_LETTERS = 1000
DEAD_LETTER_BYTES = 4096
"""So much of a bad message is kept."""
_BUSY_S = 30.0

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    decided_us INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (agent, epoch, seq)
);
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY,
    recorded_us INTEGER NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
"""
_INSERT_LOG = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_DEAD = "INSERT INTO dead_letters (recorded_us, topic, reason, size, data) VALUES (?, ?, ?, ?, ?)"
_TRIM_DEAD = "DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?"


class DeadLetter(NamedTuple):
    """A message that could not be read."""

    recorded_us: int
    topic: str
    reason: str
    size: int
    """Its whole length."""
    data: bytes
    """Its beginning."""


class Writing(NamedTuple):
    """All that one group commit puts on disk."""

    rows: Sequence[LogRow]
    tables: Sequence[tuple[str, list[tuple[str, str]], list[tuple[str]]]]
    """Name, rows to put, keys to delete."""
    dead_letters: Sequence[DeadLetter]


class Store:
    """One file. Reading methods may be called from any thread; `write` from one thread at a time."""

    def __init__(self, path: Path, tables: Iterable[str]) -> None:
        """Open or begin a file; raises `LedgerFailed` naming it."""
        self.path = path
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._translated())
            self._claim = undo.enter_context(_claimed(path))
            self._writer = undo.enter_context(contextlib.closing(_connect(path)))
            self._begin(tables)
            self._reader = undo.enter_context(contextlib.closing(_connect(path)))
            undo.pop_all()

    def _begin(self, tables: Iterable[str]) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.executescript(_TABLES)
        for name in tables:
            columns = "(key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID"
            self._writer.execute(f"CREATE TABLE IF NOT EXISTS {name} {columns}")
        self._writer.execute(
            "INSERT OR IGNORE INTO meta VALUES ('schema', ?), ('epoch', lower(hex(randomblob(8))))", (str(SCHEMA),)
        )
        found = dict(self._writer.execute("SELECT name, value FROM meta"))
        if found["schema"] != str(SCHEMA):
            raise LedgerFailed(f"{self.path}: schema {found['schema']}, this Truecount reads schema {SCHEMA}")
        self.epoch: str = found["epoch"]

    def close(self) -> None:
        """Close the file; a write in another thread is waited for."""
        with self._writing:
            self._writer.close()
        with self._reading:
            self._reader.close()
        self._claim.close()

    def write(self, writing: Writing) -> None:
        """One transaction, on disk when this returns; raises `LedgerFailed`, and then nothing of it is stored."""
        with self._writing, self._translated(), _transaction(self._writer) as db:
            db.executemany(_INSERT_LOG, map(msgspec.structs.astuple, writing.rows))
            for name, puts, drops in writing.tables:
                db.executemany(f"INSERT OR REPLACE INTO {name} VALUES (?, ?)", puts)
                db.executemany(f"DELETE FROM {name} WHERE key = ?", drops)
            if writing.dead_letters:
                db.executemany(_INSERT_DEAD, writing.dead_letters)
                db.execute(_TRIM_DEAD, (KEPT_DEAD_LETTERS,))

    def replace(self, tables: Iterable[Table[object]]) -> None:
        """Put whole tables in the place of those on disk."""
        with self._writing, self._translated(), _transaction(self._writer) as db:
            for table in tables:
                db.execute(f"DELETE FROM {table.name}")
                db.executemany(f"INSERT INTO {table.name} VALUES (?, ?)", table.written()[0])

    def stored(self, table: str, where: str = "1") -> list[tuple[str, str]]:
        """The rows of a noun's table by key."""
        with self._reading, self._translated():
            return self._reader.execute(f"SELECT key, body FROM {table} WHERE {where} ORDER BY key").fetchall()

    def rows(self, after: int, limit: int) -> list[LogRow]:
        """Rows of the log with an id above `after`, in order."""
        with self._reading, self._translated():
            found = self._reader.execute("SELECT * FROM log WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
            return [_row(*columns) for columns in found]

    def all_rows(self) -> Iterator[LogRow]:
        """The whole log, a page at a time."""
        after = 0
        while page := self.rows(after, 10_000):
            yield from page
            after = page[-1].id

    def bodies(self, agent: str, epoch: str, first: int, last: int) -> dict[int, tuple[str, bytes]]:
        """Kind and body of the rows of an agent by sequence number."""
        where = "agent = ? AND epoch = ? AND seq BETWEEN ? AND ?"
        with self._reading, self._translated():
            found = self._reader.execute(f"SELECT seq, kind, body FROM log WHERE {where}", (agent, epoch, first, last))
            return {seq: (kind, body) for seq, kind, body in found}

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

    def cursor(self, name: str) -> int:
        """How far somebody has read the log: 0 at first."""
        with self._reading, self._translated():
            row = self._reader.execute("SELECT id FROM cursors WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def move_cursor(self, name: str, to: int) -> None:
        """Note how far somebody has read."""
        with self._writing, self._translated(), _transaction(self._writer) as db:
            db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (name, to))

    def meta(self, name: str) -> str | None:
        """A word about this file."""
        with self._reading, self._translated():
            row = self._reader.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def note(self, name: str, value: str) -> None:
        """Keep a word about this file."""
        with self._writing, self._translated(), _transaction(self._writer) as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerFailed(f"{self.path}: {error}") from error


def _claimed(path: Path) -> IO[bytes]:
    """A lock beside the file, for as long as it is open: two writers would number the same rows."""
    claim = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        claim.close()
        raise LedgerFailed(f"{path}: another process has this ledger open") from error
    return claim


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 4000")
    db.execute("PRAGMA cache_size = -65536")  # KiB
    return db


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


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
