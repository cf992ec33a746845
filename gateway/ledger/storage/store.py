"""The ledger's file: SQLite with a write-ahead log, synchronous=FULL, and one thread that writes.

The log and the state folded from it are written in the same transaction, so what is on disk is always a state that
the log explains. Opening reads the state tables and need not fold the log again; `refold` does, and must find the same.

    meta          schema version, name of this file (epoch of the gateway's own rows), where its log begins
    log           append-only; id counts from 1 without a gap; (agent, epoch, seq) is unique
    seals         one a commit: the hash of the log up to its last row, each row hashed with the hash before it
    postings      what each row changed in the balances (`posting.Posting`)
    exception_log how each exception was at the end of every commit that changed it
    items, ...    one table a noun: key and the row as JSON
    dead_letters  the last messages that could not be read
    cursors       how far others have read the log
    deeds         requests that came with a key, and what was answered (`deeds`)
"""

import contextlib
import fcntl
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from gateway.errors import LedgerFailed
from gateway.ledger.storage import chain, deeds
from gateway.ledger.storage.exceptionlog import ExceptionChange
from gateway.ledger.storage.posting import Posting
from gateway.ledger.storage.reader import CUT, DeadLetter, Reader, connect, translated
from gateway.ledger.storage.table import Table
from gateway.records import LogRow

SCHEMA = 2
KEPT_DEAD_LETTERS = 1000
DEAD_LETTER_BYTES = 4096
"""So much of a bad message is kept."""

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
CREATE TABLE IF NOT EXISTS seals (through INTEGER PRIMARY KEY, recorded_us INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS postings (
    row INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    recorded_us INTEGER NOT NULL,
    sku TEXT NOT NULL,
    zone TEXT NOT NULL,
    lot TEXT NOT NULL,
    disposition TEXT NOT NULL,
    change INTEGER NOT NULL,
    level INTEGER NOT NULL,
    epc TEXT NOT NULL,
    PRIMARY KEY (row, n)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS postings_of ON postings (sku, row);
CREATE TABLE IF NOT EXISTS exception_log (
    row INTEGER NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (row, key)
) WITHOUT ROWID;
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
_EXCEPTIONS_BY_OPENING = "CREATE INDEX IF NOT EXISTS exceptions_opened ON exceptions (body ->> 'opened_us', key)"
_INSERT_LOG = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SWEEP = """
DELETE FROM exceptions
WHERE NOT body ->> 'open' AND NOT coalesce(body ->> 'lasting', 0) AND body ->> 'updated_us' < ?
"""
_INSERT_POSTING = "INSERT INTO postings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_DEAD = "INSERT INTO dead_letters (recorded_us, topic, reason, size, data) VALUES (?, ?, ?, ?, ?)"
_TRIM_DEAD = "DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?"


class Writing(NamedTuple):
    """All that one group commit puts on disk."""

    rows: Sequence[LogRow]
    tables: Sequence[tuple[str, list[tuple[str, str]], list[tuple[str]]]]
    """Name, rows to put, keys to delete."""
    dead_letters: Sequence[DeadLetter]
    postings: Sequence[Posting] = ()
    done: Sequence[deeds.Done] = ()
    exceptions: Sequence[ExceptionChange] = ()
    swept_us: int | None = None
    """Resolved exceptions that changed last before this are deleted."""


class Store(Reader):
    """One file. `write` is for one thread at a time."""

    def __init__(self, path: Path, tables: Iterable[str], epoch: str | None = None) -> None:
        """Open or begin a file; raises `LedgerFailed` naming it. `epoch`, of a new one: else it is chosen by chance."""
        self.path = path
        self._writing = threading.Lock()
        with contextlib.ExitStack() as undo:
            undo.enter_context(translated(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            self._claim = undo.enter_context(_claimed(path))
            self._writer = undo.enter_context(contextlib.closing(connect(path)))
            self._begin(tables, epoch)
            super().__init__(path, undo.enter_context(contextlib.closing(connect(path))))
            undo.pop_all()

    def _begin(self, tables: Iterable[str], epoch: str | None) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.executescript(_TABLES + deeds.TABLE)
        for name in tables:
            columns = "(key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID"
            self._writer.execute(f"CREATE TABLE IF NOT EXISTS {name} {columns}")
        self._writer.execute(_EXCEPTIONS_BY_OPENING)
        self._writer.execute(
            "INSERT OR IGNORE INTO meta VALUES ('schema', ?), ('epoch', coalesce(?, lower(hex(randomblob(8)))))",
            (str(SCHEMA), epoch),
        )
        found = dict(self._writer.execute("SELECT name, value FROM meta"))
        self.schema = int(found["schema"])
        """As found; 1 is to be brought forward."""
        if self.schema not in (1, SCHEMA):
            raise LedgerFailed(f"{self.path}: schema {found['schema']}, this Truecount reads schema {SCHEMA}")
        self.epoch: str = found["epoch"]
        sealed = self._writer.execute("SELECT hash FROM seals ORDER BY through DESC LIMIT 1").fetchone()
        self._head: bytes = sealed[0] if sealed else chain.BEGINNING

    def close(self) -> None:
        """Close the file; a write in another thread is waited for."""
        with self._writing:
            self._writer.close()
        with self._reading:
            self._reader.close()
        self._claim.close()

    def write(self, writing: Writing) -> None:
        """One transaction, on disk when this returns; raises `LedgerFailed`, and then nothing of it is stored.

        With `LedgerFull` the same may be tried again later.
        """
        with self._writing, self._translated():
            head = chain.after(self._head, writing.rows)
            with _transaction(self._writer) as db:
                self._put(db, writing, head)
            self._head = head

    def _put(self, db: sqlite3.Connection, writing: Writing, head: bytes) -> None:
        if writing.rows:
            db.executemany(_INSERT_LOG, map(msgspec.structs.astuple, writing.rows))
            last = writing.rows[-1]
            db.execute("INSERT INTO seals VALUES (?, ?, ?)", (last.id, last.recorded_us, head))
        if writing.postings:
            db.executemany(_INSERT_POSTING, _numbered(writing.postings))
        if writing.rows and writing.exceptions:
            row = writing.rows[-1].id
            told = ((row, one.key, msgspec.json.encode(one).decode()) for one in writing.exceptions)
            db.executemany("INSERT INTO exception_log VALUES (?, ?, ?)", told)
        for name, puts, drops in writing.tables:
            db.executemany(f"INSERT OR REPLACE INTO {name} VALUES (?, ?)", puts)
            db.executemany(f"DELETE FROM {name} WHERE key = ?", drops)
        if writing.swept_us is not None:
            db.execute(_SWEEP, (writing.swept_us,))
        if writing.dead_letters:
            db.executemany(_INSERT_DEAD, writing.dead_letters)
            db.execute(_TRIM_DEAD, (KEPT_DEAD_LETTERS,))
        for done in writing.done:
            deeds.write(db, done)

    def bring_forward(self, tables: Iterable[Table[Any]], postings: Sequence[Posting]) -> None:
        """Put whole tables in the place of those of schema 1, and seal its log."""
        rows = list(self.all_rows())
        self._head = chain.after(chain.BEGINNING, rows)
        with self._writing, self._translated(), _transaction(self._writer) as db:
            for table in tables:
                db.execute(f"DELETE FROM {table.name}")
                db.executemany(f"INSERT INTO {table.name} VALUES (?, ?)", table.written()[0])
            db.executemany(_INSERT_POSTING, _numbered(postings))
            if rows:
                db.execute("INSERT INTO seals VALUES (?, ?, ?)", (rows[-1].id, rows[-1].recorded_us, self._head))
            db.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (str(SCHEMA),))

    def answered(self, deed: deeds.Deed, answer: deeds.Answer | None, now_us: int, *, done: bool) -> None:
        """Note what was said of a deed, on disk when this returns."""
        with self._writing, self._translated(), _transaction(self._writer) as db:
            deeds.answer(db, deed, answer, now_us, done=done)

    def cut(self, through: int, rows: int) -> int:
        """Delete about so many rows of the log, with their postings and seals, up to and with a row; how many are left.

        The seal of that row stays: the hash from which the rest goes on.
        """
        with self._writing, self._translated(), _transaction(self._writer) as db:
            first = db.execute("SELECT min(id) FROM log").fetchone()[0] or through + 1
            until = min(through, first + rows - 1)
            for table, column in (("log", "id"), ("postings", "row"), ("exception_log", "row")):
                db.execute(f"DELETE FROM {table} WHERE {column} <= ?", (until,))
            db.execute("DELETE FROM seals WHERE through <= ? AND through <> ?", (until, through))
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (CUT, str(through)))
        return max(0, through - until)

    def move_cursor(self, name: str, to: int) -> None:
        """Note how far somebody has read."""
        with self._writing, self._translated(), _transaction(self._writer) as db:
            db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (name, to))

    def note(self, name: str, value: str) -> None:
        """Keep a word about this file."""
        with self._writing, self._translated(), _transaction(self._writer) as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _numbered(postings: Iterable[Posting]) -> Iterator[tuple[int | str, ...]]:
    """Each with its number within its row."""
    row = n = 0
    for one in postings:
        n = n + 1 if one.row == row else 1
        row = one.row
        yield (row, n, *one[1:])


def _claimed(path: Path) -> IO[bytes]:
    """A lock beside the file, for as long as it is open: two writers would number the same rows."""
    claim = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        claim.close()
        raise LedgerFailed(f"{path}: another process has this ledger open") from error
    return claim


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
