"""The file of an outbox: who may open it, what stands in it, and what happens to one that is damaged."""

import fcntl
import os
import secrets
import sqlite3
from pathlib import Path
from typing import IO, NamedTuple

import structlog

from edge.errors import OutboxBusy, OutboxCorrupt, OutboxError, OutboxFull

PAGE_BYTES = 4096
_VERSION = 1
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE event (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
CREATE TABLE epoch (base INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE acknowledged (id INTEGER NOT NULL);
INSERT INTO acknowledged VALUES (0);
INSERT INTO epoch VALUES (0, '{epoch}');
PRAGMA user_version = {version};
COMMIT;
"""

log = structlog.get_logger(__name__)


class Kept(NamedTuple):
    """One event that an outbox holds, waiting or retained."""

    epoch: str
    seq: int
    body: bytes


def new_epoch() -> str:
    """A random name that no other outbox has."""
    return secrets.token_hex(8)


def claim(path: Path) -> IO[bytes]:
    """An exclusive lock beside the file, which ends with this process whatever way it ends. Raises `OutboxBusy`."""
    lock = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise OutboxBusy(f"{path}: another process uses this outbox; stop it, or give this agent other data") from error
    return lock


def open_or_begin(path: Path, max_pages: int) -> sqlite3.Connection:
    """The file, made where there is none. A corrupt one is moved aside, never deleted, and a new epoch begins."""
    try:
        return _open(path, max_pages)
    except OutboxCorrupt as error:
        aside = _move_aside(path)
        log.error("outbox corrupt, new epoch begun", outbox=str(path), moved_to=str(aside), reason=str(error))
        return _open(path, max_pages)


def read_history(path: Path) -> list[Kept]:
    """What an outbox file holds, oldest first, without claiming it: for diagnosis beside a running agent."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return history(db)
    finally:
        db.close()


def history(db: sqlite3.Connection) -> list[Kept]:
    """Every event with its epoch (the one with the highest base below its id) and its number in it, oldest first."""
    epochs: list[tuple[int, str]] = db.execute("SELECT base, name FROM epoch ORDER BY base").fetchall()
    kept: list[Kept] = []
    at = 0
    for row, body in db.execute("SELECT id, body FROM event ORDER BY id"):
        while at + 1 < len(epochs) and epochs[at + 1][0] < row:
            at += 1
        kept.append(Kept(epochs[at][1], row - epochs[at][0], body))
    return kept


def translated(path: Path, error: sqlite3.Error) -> OutboxError:
    """An error of SQLite in the words of edge/errors.py."""
    kinds = {
        sqlite3.SQLITE_FULL: OutboxFull,
        sqlite3.SQLITE_CORRUPT: OutboxCorrupt,
        sqlite3.SQLITE_NOTADB: OutboxCorrupt,
    }
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # absent where Python itself raised
    return kinds.get(code, OutboxError)(f"{path}: {error}")


def _open(path: Path, max_pages: int) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(db, path, max_pages)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise translated(path, error) from error
    return db


def _prepare(db: sqlite3.Connection, path: Path, max_pages: int) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise OutboxError(f"{path}: written by a newer Truecount (file version {version}, this one knows {_VERSION})")
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise OutboxCorrupt(f"{path}: {verdict}")
    if version == 0:
        if db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() != (0,):
            raise OutboxCorrupt(f"{path}: a SQLite file, but no outbox")
        db.executescript(_SCHEMA.format(epoch=new_epoch(), version=_VERSION))
    _check_numbers(db, path)
    db.execute(f"PRAGMA max_page_count = {max_pages}")


def _check_numbers(db: sqlite3.Connection, path: Path) -> None:
    """Numbers that no outbox can have: a hole, or an acknowledgement of what was never made."""
    lowest, highest, count = db.execute("SELECT MIN(id), MAX(id), COUNT(*) FROM event").fetchone()
    if count and highest - lowest + 1 != count:
        raise OutboxCorrupt(f"{path}: {count} events between {lowest} and {highest}")
    (epochs,) = db.execute("SELECT COUNT(*) FROM epoch").fetchone()
    acknowledged = db.execute("SELECT id FROM acknowledged").fetchall()
    if epochs < 1 or len(acknowledged) != 1 or acknowledged[0][0] > last_id(db):
        raise OutboxCorrupt(f"{path}: {epochs} epochs, acknowledged {acknowledged}, made {last_id(db)}")


def last_id(db: sqlite3.Connection) -> int:
    """The highest id ever given out, also where its row is deleted."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
    return row[0] if row else 0


def _move_aside(path: Path) -> Path:
    """Move the file and its journals to the first free name `*.corrupt-N`, each with its own tail, so that they can be
    opened together by whoever looks into them."""
    tails = ("-wal", "-shm", "")  # the file itself last: after a crash in between it is found corrupt again
    number = 1
    while any(path.with_name(f"{path.name}.corrupt-{number}{tail}").exists() for tail in tails):
        number += 1
    for tail in tails:
        part = path.with_name(path.name + tail)
        if part.exists():
            os.replace(part, path.with_name(f"{path.name}.corrupt-{number}{tail}"))
    return path.with_name(f"{path.name}.corrupt-{number}")
