"""Pictures on disk, under a quota: SQLite with the pictures in it, so that one fsync keeps many and none is half there.

What makes room goes by rank, within it what came first (the clocks of agents may be wrong):

    0 good    1 defective, unsure, unseen    2 of a review that waits    3 with a person's label

Of the last there may be half a quota: what is beyond it makes room before all others, or in a year of labels there
would be no room for what is to be labelled.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
import structlog

from contract.wire import Evidence, Outline
from gateway.errors import EvidenceDown

Rank = Literal[0, 1, 2, 3]
WAITING: Final = 2
LABELLED: Final = 3
ROW_BYTES = 256
"""What a picture costs besides its own length."""
LABELLED_SHARE: Final = 0.5
"""Of the quota."""
_EVICTED_AT_ONCE = 64
_ASKED_AT_ONCE = 500
_WAL_BYTES = 16 * 1024 * 1024
_BUSY_S = 2.0
"""Somebody copies the file, perhaps."""

_TABLES = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS pictures (
    id TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    line TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    kept_us INTEGER NOT NULL,
    verdict TEXT,
    score REAL,
    model TEXT,
    outline TEXT NOT NULL,
    rank INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    picture BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS pictures_by_arrival ON pictures (rank);  -- within it by rowid, as in every index
CREATE INDEX IF NOT EXISTS pictures_by_weight ON pictures (rank, bytes);
"""
_COLUMNS = "id, agent, line, at_us, kept_us, verdict, score, model, outline, bytes"
_INSERT = f"INSERT INTO pictures VALUES ({', '.join('?' * 12)}) ON CONFLICT (id) DO NOTHING"
_BASE = "CASE verdict WHEN 'good' THEN 0 ELSE 1 END"
_FIRST = f"SELECT id, rank, bytes FROM pictures WHERE rank >= ? ORDER BY rank, rowid LIMIT {_EVICTED_AT_ONCE}"
_MARK = f"UPDATE pictures SET rank = coalesce(?, {_BASE}) WHERE id = ?"

log = structlog.get_logger(__name__)


class Kept(NamedTuple):
    """What came with a picture."""

    id: str
    agent: str
    line: str
    at_us: int
    kept_us: int
    verdict: str | None
    score: float | None
    model: str | None
    outline: Outline
    bytes: int


class Pictures:
    """One file of pictures. Methods may be called from any thread, may wait for the disk, and raise `EvidenceDown`."""

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: Path, quota_bytes: int) -> Iterator["Pictures"]:
        """Open or begin the pictures in a folder. A file that is damaged is moved aside."""
        path = folder / "evidence.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvidenceDown(f"{folder}: {error.strerror}") from error
        try:
            pictures = cls(path, quota_bytes)
        except sqlite3.OperationalError as error:  # the disk is to blame, and not what is in the file
            raise EvidenceDown(f"{path}: {error}") from error
        except sqlite3.DatabaseError as error:
            aside = _free_name(path)
            log.error("pictures cannot be read: begun anew", file=str(path), aside=str(aside), error=str(error))
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            path.rename(aside)
            pictures = cls(path, quota_bytes)
        try:
            yield pictures
        finally:
            pictures._close()

    def __init__(self, path: Path, quota_bytes: int) -> None:
        self.path = path
        self._quota_bytes = quota_bytes
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
            self.count, self.bytes = self._sums()
        except BaseException:
            self._db.close()
            raise

    def put(self, news: Sequence[Evidence], ranks: Mapping[str, Rank | None], now_us: int) -> list[str]:
        """Keep pictures, on disk when this returns; the ids of the waiting and labelled ones that made room.

        An id that is held already stays as it is. `ranks` are as in `mark`.
        """
        with self._writing() as db:
            for one in news:
                row = _row(one, ranks.get(one.id), now_us)
                if db.execute(_INSERT, row).rowcount:
                    self.count, self.bytes = self.count + 1, self.bytes + len(one.picture) + ROW_BYTES
            return self._make_room(db)

    def mark(self, ranks: Mapping[str, Rank | None]) -> dict[str, Outline]:
        """These have another rank now, None being that of their verdict; the outlines of those that are here."""
        with self._writing() as db:
            db.executemany(_MARK, [(rank, key) for key, rank in ranks.items()])
            return dict(self._outlines(db, list(ranks)))

    def mark_all(self, ranks: Mapping[str, Rank | None]) -> tuple[dict[str, Outline], list[str]]:
        """`mark`; all others have the rank of their verdict. Besides, as in `put`, what made room: the quota may be
        smaller than it was."""
        with self._writing() as db:
            db.execute(f"UPDATE pictures SET rank = {_BASE} WHERE rank > 1")
            db.executemany(_MARK, [(rank, key) for key, rank in ranks.items()])
            lost = self._make_room(db)
            found = dict(self._outlines(db, list(ranks)))
        with self._writing(begin=False) as db:
            db.executescript("PRAGMA incremental_vacuum")  # execute() would free one page
        return found, lost

    def get(self, key: str) -> Kept | None:
        """What came with a picture; None if it is not here."""
        with self._reading() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM pictures WHERE id = ?", (key,)).fetchone()
        if row is None:
            return None
        kept = Kept(*row)
        return kept._replace(outline=_outline(row[8]), bytes=kept.bytes - ROW_BYTES)

    def picture(self, key: str) -> bytes | None:
        """The JPEG; None if it is not here."""
        with self._reading() as db:
            row = db.execute("SELECT picture FROM pictures WHERE id = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def outlines(self, keys: Sequence[str]) -> dict[str, Outline]:
        """The outlines of those that are here."""
        with self._reading() as db:
            return dict(self._outlines(db, keys))

    def _outlines(self, db: sqlite3.Connection, keys: Sequence[str]) -> Iterable[tuple[str, Outline]]:
        for start in range(0, len(keys), _ASKED_AT_ONCE):
            some = keys[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(some))
            for key, outline in db.execute(f"SELECT id, outline FROM pictures WHERE id IN ({marks})", some):
                yield key, _outline(outline)

    def _make_room(self, db: sqlite3.Connection) -> list[str]:
        over = self.bytes - self._quota_bytes
        if over <= 0:
            return []
        (labelled,) = db.execute("SELECT coalesce(sum(bytes), 0) FROM pictures WHERE rank = ?", (LABELLED,)).fetchone()
        too_much = labelled - int(LABELLED_SHARE * self._quota_bytes)
        lost = self._let_go(db, LABELLED, min(over, too_much))
        return lost + self._let_go(db, 0, self.bytes - self._quota_bytes)

    def _let_go(self, db: sqlite3.Connection, least: Rank, size: int) -> list[str]:
        """So many bytes, of this rank and those above it; the ids of the waiting and labelled ones."""
        lost: list[str] = []
        while size > 0:
            rows = db.execute(_FIRST, (least,)).fetchall()
            if not rows:
                break
            for key, rank, freed in rows:
                if size <= 0:
                    break
                db.execute("DELETE FROM pictures WHERE id = ?", (key,))
                self.count, self.bytes, size = self.count - 1, self.bytes - freed, size - freed
                lost += [key] if rank >= WAITING else []
        return lost

    def _sums(self) -> tuple[int, int]:
        count, size = self._db.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM pictures").fetchone()
        return int(count), int(size)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise EvidenceDown(f"{self.path}: {error}") from error

    @contextlib.contextmanager
    def _writing(self, *, begin: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk at the end."""
        with self._reading() as db:
            if begin:
                db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                if begin:
                    db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # a full disk makes SQLite roll back by itself
                    db.execute("ROLLBACK")
                self.count, self.bytes = self._sums()
                raise

    def _close(self) -> None:
        with self._lock:
            self._db.close()


def _row(one: Evidence, rank: Rank | None, now_us: int) -> tuple[object, ...]:
    if rank is None:
        rank = 0 if one.verdict == "good" else 1
    outline = msgspec.json.encode(one.outline).decode()
    said = (one.verdict, one.score, one.model, outline)
    return (one.id, one.agent, one.line, one.at_us, now_us, *said, rank, len(one.picture) + ROW_BYTES, one.picture)


def _outline(text: str) -> Outline:
    return msgspec.json.decode(text, type=Outline)


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.corrupt-{n}") for n in range(1, 1_000_000))
    return next(name for name in names if not name.exists())
