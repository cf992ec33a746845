"""History in SQLite tables, for a site without InfluxDB. The oldest points make room for the newest."""

import asyncio
import json
import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from contract.site import LocalHistory as LocalConfig
from gateway.errors import HistoryDown
from gateway.history.words import MAX_LIMIT, Field, Point, Refused, Tags

T = TypeVar("T")

_USUAL = LocalConfig()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, tags TEXT NOT NULL, UNIQUE (measurement, tags));
CREATE TABLE IF NOT EXISTS field_types (
    measurement TEXT NOT NULL, field TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (measurement, field)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS points (
    measurement TEXT NOT NULL, at_ns INTEGER NOT NULL, series INTEGER NOT NULL REFERENCES series (id),
    fields TEXT NOT NULL, PRIMARY KEY (measurement, at_ns, series)) WITHOUT ROWID;
"""
_WRITE = """
INSERT INTO points (measurement, at_ns, series, fields) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET fields = json_patch(fields, excluded.fields)
"""
_PRUNED = 20_000
"""Points that one statement deletes at most, so that no write waits for long."""
_ROUNDS = 8
_SLICE_NS = 86_400 * 10**9
_OLDEST = """
SELECT measurement, (SELECT at_ns FROM points WHERE measurement = m.measurement ORDER BY at_ns LIMIT 1) AS at_ns
FROM (SELECT DISTINCT measurement FROM series) AS m WHERE at_ns IS NOT NULL ORDER BY at_ns LIMIT 1
"""
_DELETE = """
DELETE FROM points WHERE measurement = :measurement AND at_ns < min(:before, coalesce(
    (SELECT at_ns FROM points WHERE measurement = :measurement ORDER BY at_ns LIMIT 1 OFFSET :count), :before))
"""
_fields: msgspec.json.Decoder[dict[str, Field]] = msgspec.json.Decoder(dict[str, Field])


class LocalHistory:
    """Tables of series and points in the file at `path`. One thread of its own does all that waits for the disk."""

    def __init__(
        self,
        path: Path,
        config: LocalConfig = _USUAL,
        clock_ns: Callable[[], int] = time.time_ns,
        scarce: Callable[[], bool] = lambda: False,
    ) -> None:
        """`scarce` says that what is left of the disk is for stock events: then nothing is written."""
        self._path = path
        self._scarce = scarce
        self._config = config
        self._clock_ns = clock_ns
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._connection: sqlite3.Connection | None = None
        self._series: dict[tuple[str, Tags], int] = {}
        self._types: dict[tuple[str, str], str] = {}

    async def ready(self) -> None:
        """Create the file and its tables."""
        await self._call(lambda _: None)

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Keep points in one transaction."""
        if self._scarce():
            raise HistoryDown(f"local history {self._path}: what is left of the disk is for stock events: make room")
        return await self._call(lambda connection: self._write(connection, points))

    async def query(
        self, measurement: str, since_ns: int, until_ns: int, limit: int, tags: Mapping[str, str]
    ) -> list[Point]:
        """The first points of a span, oldest first."""
        assert 1 <= limit <= MAX_LIMIT, limit
        wanted = set(tags.items())
        return await self._call(
            lambda connection: self._query(connection, measurement, since_ns, until_ns, limit, wanted)
        )

    async def close(self) -> None:
        """Close the file, after what is under way."""
        if self._connection is not None:
            await self._call(sqlite3.Connection.close)
        self._thread.shutdown()

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def job() -> T:
            try:
                return work(self._open())
            except (sqlite3.Error, OSError) as error:
                self._forget()  # a transaction that failed may have taught us rows that are not there
                raise HistoryDown(f"local history {self._path}: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=10, check_same_thread=False)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}")
            connection.executescript(_SCHEMA)
            self._connection = connection
            self._learn(connection)
        return self._connection

    def _learn(self, connection: sqlite3.Connection) -> None:
        for number, measurement, tags in connection.execute("SELECT id, measurement, tags FROM series"):
            self._series[measurement, tuple((k, v) for k, v in json.loads(tags))] = number
        for measurement, field, kind in connection.execute("SELECT measurement, field, type FROM field_types"):
            self._types[measurement, field] = kind

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._series.clear()
        self._types.clear()

    def _write(self, connection: sqlite3.Connection, points: Sequence[Point]) -> list[Refused]:
        refused: list[Refused] = []
        rows: list[tuple[str, int, int, str]] = []
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            for point in points:
                if (reason := self._flaw(connection, point)) is not None:
                    refused.append(Refused(point, reason))
                    continue
                fields = msgspec.json.encode(point.fields).decode()
                rows.append((point.measurement, point.at_ns, self._number(connection, point), fields))
            connection.executemany(_WRITE, rows)
            self._prune(connection)
        return refused

    def _prune(self, connection: sqlite3.Connection) -> None:
        """Delete what is too old, and the oldest points while the file is too large: with each write some of it."""
        too_old_ns = self._clock_ns() - round(self._config.days * 86_400e9)
        for measurement in {name for name, _ in self._series}:
            connection.execute(_DELETE, {"measurement": measurement, "before": too_old_ns, "count": _PRUNED})
        for _ in range(_ROUNDS):
            oldest = connection.execute(_OLDEST).fetchone() if self._too_large(connection) else None
            if oldest is None:
                return
            measurement, at_ns = oldest
            connection.execute(_DELETE, {"measurement": measurement, "before": at_ns + _SLICE_NS, "count": _PRUNED})

    def _too_large(self, connection: sqlite3.Connection) -> bool:
        names = ("page_size", "page_count", "freelist_count")
        page, pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return bool(page * (pages - free) > self._config.megabytes * 1_000_000)

    def _flaw(self, connection: sqlite3.Connection, point: Point) -> str | None:
        """Why a point cannot be kept: the reasons that InfluxDB has, too."""
        if not point.fields:
            return "no fields"
        if not -(2**63) <= point.at_ns < 2**63:
            return "time beyond 64 bits"
        for name, value in point.fields.items():
            kind = type(value).__name__
            if kind == "float" and not math.isfinite(value):  # type: ignore[arg-type]  # a float, as its name says
                return f"field {name} is {value}"
            if kind == "int" and not -(2**63) <= value < 2**63:  # type: ignore[operator]
                return f"field {name} is an integer beyond 64 bits"
            known = self._types.get((point.measurement, name))
            if known not in (None, kind):
                return f"field type conflict: {name} is {kind}, and was {known}"
        self._learn_types(connection, point)
        return None

    def _learn_types(self, connection: sqlite3.Connection, point: Point) -> None:
        for name, value in point.fields.items():
            key = (point.measurement, name)
            if key not in self._types:
                self._types[key] = type(value).__name__
                connection.execute("INSERT INTO field_types VALUES (?, ?, ?)", (*key, self._types[key]))

    def _number(self, connection: sqlite3.Connection, point: Point) -> int:
        key = (point.measurement, point.tags)
        number = self._series.get(key)
        if number is None:
            row = (point.measurement, json.dumps(point.tags))
            number = connection.execute("INSERT INTO series (measurement, tags) VALUES (?, ?)", row).lastrowid
            assert number is not None
            self._series[key] = number
        return number

    def _query(
        self,
        connection: sqlite3.Connection,
        measurement: str,
        since_ns: int,
        until_ns: int,
        limit: int,
        wanted: set[tuple[str, str]],
    ) -> list[Point]:
        chosen = {n: tags for (name, tags), n in self._series.items() if name == measurement and wanted <= set(tags)}
        rows = connection.execute(
            "SELECT series, at_ns, fields FROM points WHERE measurement = ? AND at_ns >= ? AND at_ns < ?"
            " AND series IN (SELECT value FROM json_each(?)) ORDER BY at_ns LIMIT ?",
            (measurement, since_ns, until_ns, json.dumps(list(chosen)), limit),
        )
        return [Point(measurement, chosen[number], _fields.decode(fields), at_ns) for number, at_ns, fields in rows]
