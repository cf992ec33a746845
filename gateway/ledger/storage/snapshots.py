"""Snapshots: the folded state as of a row of the log, in files beside the ledger.

They make the past cheap to ask for (`past`), and they let the log be cut: what is before the oldest of them that is
kept can go, because the state from which the rest of the log goes on is there. A snapshot is copied table by table by
SQLite itself, from a transaction that sees one commit, while the gateway goes on writing.

    ledger.db                       log: 5,001 ... 9,120
    ledger-snapshots/000000005000.db   base: the log was cut here
                     000000007300.db
                     000000009000.db
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from gateway.ledger.storage.reader import Reader, translated

DAYS: Final = 7
WEEKS: Final = 8
MONTHS: Final = 13
"""The last one of each of so many days, weeks and months is kept."""
_SUFFIX: Final = ".db"
_PART: Final = ".part"


class Snapshot(NamedTuple):
    """The state as of row `through`."""

    through: int
    path: Path


class Snapshots:
    """The snapshots of one ledger's file. Every method may be called from any thread, one at a time."""

    def __init__(self, ledger: Path, tables: Sequence[str]) -> None:
        """`tables`: the nouns of the state."""
        self._ledger = ledger
        self._tables = tables
        self.folder = ledger.with_name(f"{ledger.stem}-snapshots")

    def all(self) -> list[Snapshot]:
        """Oldest first."""
        found = (path for path in self.folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())
        return sorted(Snapshot(int(path.stem), path) for path in found)

    def before(self, row: int) -> Snapshot | None:
        """The newest that is not of a later row."""
        return max((one for one in self.all() if one.through <= row), default=None)

    def take(self) -> Snapshot | None:
        """Copy the state as it is on disk now; None of an empty log. Raises `LedgerFailed` or `LedgerFull`."""
        with translated(self.folder):
            self.folder.mkdir(exist_ok=True)
            part = self.folder / f"new{_PART}"
            part.unlink(missing_ok=True)
            with contextlib.closing(_writing(part)) as db:
                through = self._copy(db)
            if through == 0:
                part.unlink()
                return None
            done = self.folder / f"{through:012}{_SUFFIX}"
            _make_durable(part)
            part.rename(done)
            _make_durable(self.folder)
        return Snapshot(through, done)

    def _copy(self, db: sqlite3.Connection) -> int:
        """Everything is seen at one commit, that of the first read. Says its last row."""
        db.execute("ATTACH ? AS ledger", (self._ledger.resolve().as_uri() + "?mode=ro",))
        db.execute("BEGIN")
        through, recorded_us = db.execute(
            "SELECT through, recorded_us FROM ledger.seals ORDER BY through DESC LIMIT 1"
        ).fetchone() or (0, 0)
        db.execute("CREATE TABLE meta AS SELECT * FROM ledger.meta WHERE name IN ('schema', 'epoch', 'first_told')")
        db.execute("INSERT INTO meta VALUES ('through', ?), ('recorded_us', ?)", (through, recorded_us))
        db.execute("CREATE TABLE seals AS SELECT * FROM ledger.seals WHERE through = ?", (through,))
        for table in self._tables:
            db.execute(f"CREATE TABLE {table} (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")
            db.execute(f"INSERT INTO {table} SELECT key, body FROM ledger.{table} ORDER BY key")
        db.execute("COMMIT")
        return int(through)

    def thin(self, base: int) -> list[Snapshot]:
        """Delete those that are neither one of the last few days, weeks or months nor `base` (a row); which they were.

        Those before the base are of no use: the log between them and it is gone.
        """
        found = self.all()
        keep = {base, *(one.through for one in found[-1:]), *_kept(found)}
        gone = [one for one in found if one.through < base or one.through not in keep]
        for one in gone:
            one.path.unlink(missing_ok=True)
        return gone


def recorded_us(snapshot: Snapshot) -> int:
    """Record time of the last row of a snapshot."""
    with Reader.open(snapshot.path) as reader:
        return int(reader.meta("recorded_us") or 0)


def _kept(found: Sequence[Snapshot]) -> Iterator[int]:
    """The last of each of the last days, weeks and months that have one."""
    times = [(one.through, datetime.fromtimestamp(recorded_us(one) / 1e6, UTC)) for one in found]
    for form, count in (("%Y-%m-%d", DAYS), ("%G-%V", WEEKS), ("%Y-%m", MONTHS)):
        last = {at.strftime(form): through for through, at in times}
        yield from list(last.values())[-count:]


def _writing(path: Path) -> sqlite3.Connection:
    """A new file that nobody reads until it is renamed: it is made durable as a whole."""
    db = sqlite3.connect(path.resolve().as_uri(), uri=True, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA page_size = 16384")  # a third less time than 4,096
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -65536")  # KiB
    return db


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
