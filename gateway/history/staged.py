"""The rows of a log by their number, in a file that nobody will miss. A part of `restore`."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gateway.errors import RestoreFailed
from gateway.history.measurements import LOG
from gateway.records import GATEWAY, LogRow

NAMED = 10
"""Gaps that an error names."""

_TABLE = """
CREATE TABLE log (
    id INTEGER PRIMARY KEY, agent TEXT, epoch TEXT, seq INTEGER, kind TEXT, at_us INTEGER, decided_us INTEGER,
    recorded_us INTEGER, body BLOB, other INTEGER NOT NULL DEFAULT 0
)
"""
_PUT = """
INSERT INTO log (id, agent, epoch, seq, kind, at_us, decided_us, recorded_us, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET other = excluded.recorded_us
WHERE (agent, epoch, seq, recorded_us, body)
    != (excluded.agent, excluded.epoch, excluded.seq, excluded.recorded_us, excluded.body)
"""
_GAPS = """
SELECT before + 1, id - 1 FROM (SELECT id, lag(id, 1, 0) OVER (ORDER BY id) AS before FROM log) WHERE id > before + 1
"""


class Staged:
    """Rows by their number, in a file that nobody will miss."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(_TABLE)

    def put(self, rows: Sequence[LogRow]) -> None:
        """The same row twice is once; another one under its number is noted."""
        self._db.execute("BEGIN")
        self._db.executemany(_PUT, map(msgspec.structs.astuple, rows))
        self._db.execute("COMMIT")

    def cut(self) -> None:
        """Forget what comes after the first gap."""
        if gaps := self._db.execute(_GAPS).fetchall():
            self._db.execute("DELETE FROM log WHERE id >= ?", (gaps[0][0],))

    def check(self) -> None:
        """Whether rows 1 to n are here, each once."""
        if gaps := self._db.execute(_GAPS).fetchall():
            missing = sum(to - since + 1 for since, to in gaps)
            raise RestoreFailed(
                f"{missing} of {self.last().id} rows of the log are not in InfluxDB: {_named(gaps)}. Either they were "
                "refused (history-refused.jsonl of the gateway holds them), or deleted (a retention policy that takes "
                f"`{LOG}`, a DELETE, another database before). Write them back, restore InfluxDB from a backup, or "
                f"take what is before row {gaps[0][0]} with --cut."
            )
        twice = self._db.execute("SELECT id, recorded_us, other FROM log WHERE other ORDER BY id").fetchall()
        if twice:
            number, one_us, other_us = twice[0]
            raise RestoreFailed(
                f"{len(twice)} rows of the log are there twice with different contents, the first is row {number}, "
                f"recorded at {min(one_us, other_us)} and {max(one_us, other_us)} (microseconds since 1970): two "
                "ledgers of one site were fed to this database. Delete the points of `log` of the one that is wrong."
            )

    def last(self) -> LogRow:
        """The last row."""
        row = next(self._found("ORDER BY id DESC LIMIT 1"), None)
        if row is None:
            raise RestoreFailed("row 1 of the log is not in InfluxDB: there is nothing to begin from")
        return row

    def epoch(self) -> str:
        """Under which the gateway numbered its own rows last."""
        row = next(self._found("WHERE agent = ? ORDER BY id DESC LIMIT 1", GATEWAY), None)
        if row is None:
            raise RestoreFailed("the log has no row of the gateway itself: Truecount wrote no such log")
        return row.epoch

    def rows(self) -> Iterator[LogRow]:
        """All rows in order."""
        return self._found("ORDER BY id")

    def end_of_a_commit(self, before: int) -> int:
        """The last row up to `before` after which another record time begins; 0 if there is none."""
        query = "SELECT id FROM log WHERE id <= ? AND recorded_us != (SELECT recorded_us FROM log WHERE id = ?)"
        row = self._db.execute(f"{query} ORDER BY id DESC LIMIT 1", (before, before + 1)).fetchone()
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _found(self, where: str, *values: str) -> Iterator[LogRow]:
        columns = ", ".join(LogRow.__struct_fields__)
        for row in self._db.execute(f"SELECT {columns} FROM log {where}", values):
            yield LogRow(**dict(zip(LogRow.__struct_fields__, row, strict=True)))


def _named(gaps: list[tuple[int, int]]) -> str:
    words = [str(since) if since == to else f"{since} to {to}" for since, to in gaps[:NAMED]]
    return ", ".join(words) + (f" and {len(gaps) - NAMED} more gaps" if len(gaps) > NAMED else "")
