"""Deeds: requests that came with a key of their own, so that however often they are sent, they are done once.

The key is committed in the transaction that writes the rows of the log which the request made, and the answer is added
to it before the client has it (docs/api.md). So after a crash at any moment the file says what became of the request:

    no deed               nothing of it was done
    deed without answer   it was done; the client never had the answer
    deed with answer      it was done, and this is what was said
"""

import sqlite3
from contextvars import ContextVar
from typing import Final, NamedTuple

KEPT_US: Final = 24 * 3600 * 1_000_000
"""A key is known for at least so long."""
MAX_DEEDS: Final = 100_000
"""So many keys are known at once; beyond it new ones are refused."""
KEPT_ANSWERS: Final = 10_000
"""Of so many of the last deeds the answer is known."""
MAX_ANSWER_BYTES: Final = 65_536
"""A longer answer is not kept."""

TABLE: Final = """
CREATE TABLE IF NOT EXISTS deeds (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    recorded_us INTEGER NOT NULL,
    first_row INTEGER,
    last_row INTEGER,
    status INTEGER,
    headers TEXT,
    body BLOB
);
CREATE INDEX IF NOT EXISTS deeds_recorded ON deeds (recorded_us);
"""
_DONE = """
INSERT INTO deeds (key, fingerprint, recorded_us, first_row, last_row) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET first_row = ifnull(first_row, excluded.first_row), last_row = excluded.last_row
"""
_ANSWERED = "UPDATE deeds SET status = ?, headers = ?, body = ? WHERE key = ?"
_FORGET_OLD = "DELETE FROM deeds WHERE recorded_us < ?"
_FORGET_ANSWER = """
UPDATE deeds SET status = NULL, headers = NULL, body = NULL
WHERE status IS NOT NULL AND id = (SELECT max(id) FROM deeds) - ?
"""
_FIND = "SELECT fingerprint, first_row, last_row, status, headers, body FROM deeds WHERE key = ?"


class Deed(NamedTuple):
    """A request with a key."""

    key: str
    fingerprint: str
    """Digest of what was asked, to tell the same request from another one with its key."""


class Done(NamedTuple):
    """A deed and the rows of the log that it made."""

    deed: Deed
    recorded_us: int
    first_row: int
    last_row: int


class Answer(NamedTuple):
    """What was said of a deed. `headers` is JSON: a list of [name, value]."""

    status: int
    headers: str
    body: bytes


class Known(NamedTuple):
    """What is on disk about a key."""

    fingerprint: str
    rows: tuple[int, int] | None
    """First and last row of the log that it made; None if there was nothing to record."""
    answer: Answer | None
    """None if it was never made, was too long to keep or is too long ago."""


current: ContextVar[Deed | None] = ContextVar("deed", default=None)
"""The deed that is being done: what is recorded meanwhile is recorded with it."""


def write(db: sqlite3.Connection, done: Done) -> None:
    """Note a deed in the transaction of its rows, and forget what is older than a key has to be."""
    db.execute(_DONE, (*done.deed, done.recorded_us, done.first_row, done.last_row))
    _forget(db, done.recorded_us)


def answer(db: sqlite3.Connection, deed: Deed, said: Answer | None, now_us: int, *, done: bool) -> None:
    """Note what was said of a deed; `done` for one that counts as done though it made no row. In a transaction."""
    if done:
        db.execute("INSERT OR IGNORE INTO deeds (key, fingerprint, recorded_us) VALUES (?, ?, ?)", (*deed, now_us))
        _forget(db, now_us)
    if said is not None and len(said.body) <= MAX_ANSWER_BYTES:
        db.execute(_ANSWERED, (*said, deed.key))


def find(db: sqlite3.Connection, key: str) -> Known | None:
    """What is known of a key; None for one that is new."""
    row = db.execute(_FIND, (key,)).fetchone()
    if row is None:
        return None
    fingerprint, first, last, status, headers, body = row
    said = None if status is None else Answer(status, headers, body)
    return Known(fingerprint, None if first is None else (first, last), said)


def full(db: sqlite3.Connection, now_us: int) -> bool:
    """Whether so many keys are known, none of them old enough to forget, that no new one can be."""
    oldest, least, greatest = db.execute("SELECT min(recorded_us), min(id), max(id) FROM deeds").fetchone()
    return least is not None and greatest - least >= MAX_DEEDS - 1 and oldest >= now_us - KEPT_US


def _forget(db: sqlite3.Connection, now_us: int) -> None:
    db.execute(_FORGET_OLD, (now_us - KEPT_US,))
    db.execute(_FORGET_ANSWER, (KEPT_ANSWERS,))
