"""History in InfluxDB, by the surface that 1.x, 2.x and 3 share (`influxlink`).

With `retention_days` the log and the rest go two ways, for the log must never expire (`restore` needs all of it):

    log      -> retention policy "log", kept for good
    others   -> retention policy "charts", the default one, kept for so many days
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import NamedTuple, TypeVar

import structlog

from contract.site import InfluxHistory as InfluxConfig
from gateway.history.blame import blamed, blames_lines
from gateway.history.influxlink import TIMEOUT_MS, InfluxLink, Series, WriteRefused, name, reason_of, text
from gateway.history.line import Lines, tag_text, tag_value
from gateway.history.measurements import LOG
from gateway.history.words import MAX_LIMIT, Field, Point, Refused

T = TypeVar("T")

LOG_POLICY = "log"
CHARTS_POLICY = "charts"

_ABOUT_LINES = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}

_log = structlog.get_logger("gateway.history.influx")


class _Tried(NamedTuple):
    """What became of a write: points that can never be kept, and parts that are to be written by themselves."""

    refused: list[Refused]
    parts: list[Sequence[Point]]


class InfluxHistory:
    """A database of InfluxDB. One thread of its own does all that waits for the server."""

    def __init__(self, config: InfluxConfig, timeout_ms: tuple[int, int] = TIMEOUT_MS) -> None:
        self._config = config
        self._link = InfluxLink(config, timeout_ms)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="influx")
        self._lines = Lines()

    async def ready(self) -> None:
        """Create the database and its retention policies. A server that does not know how to, or forbids it, has them
        from somebody else."""
        await self._call(self._create)

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Keep points; the server has answered 204 for all but those that are named."""
        return await self._call(lambda: self._write(points)) if points else []

    async def query(
        self, measurement: str, since_ns: int, until_ns: int, limit: int, tags: Mapping[str, str]
    ) -> list[Point]:
        """The first points of a span, oldest first."""
        assert 1 <= limit <= MAX_LIMIT, limit
        return await self._call(lambda: self._query(measurement, since_ns, until_ns, limit, tags))

    async def close(self) -> None:
        """Close the connection, after what is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._link.close)
        self._thread.shutdown()

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _create(self) -> None:
        database = name(self._config.database)
        self._order(f"CREATE DATABASE {database}")
        if self._config.retention_days is not None:
            self._order(f"CREATE RETENTION POLICY {LOG_POLICY} ON {database} DURATION INF REPLICATION 1")
            charts = f"RETENTION POLICY {CHARTS_POLICY} ON {database} DURATION {self._config.retention_days}d"
            if self._link.order(f"CREATE {charts} REPLICATION 1 DEFAULT") is not None:
                self._order(f"ALTER {charts} DEFAULT")

    def _order(self, statement: str) -> None:
        if (reason := self._link.order(statement)) is not None:
            _log.info("the server did not do it", statement=statement, reason=reason)

    def _policy(self, measurement: str) -> str | None:
        """The retention policy to name; None for the default one."""
        return LOG_POLICY if self._config.retention_days is not None and measurement == LOG else None

    def _write(self, points: Sequence[Point]) -> list[Refused]:
        """Write all, or find the lines to blame. What is written twice on the way is the same as once."""
        refused: list[Refused] = []
        parts: list[Sequence[Point]] = [points]
        if self._config.retention_days is not None:
            parts = [[p for p in points if p.measurement == LOG], [p for p in points if p.measurement != LOG]]
        while parts:
            if part := parts.pop():
                tried = self._try(part)
                refused += tried.refused
                parts += reversed(tried.parts)
        return refused

    def _try(self, points: Sequence[Point]) -> _Tried:
        lines = self._lines.encode(points)
        try:
            self._link.write(lines, self._policy(points[0].measurement))
        except WriteRefused as error:
            return self._search(points, error)
        return _Tried([], [])

    def _search(self, points: Sequence[Point], error: WriteRefused) -> _Tried:
        """The server refused a write: the points that it names by themselves, else either half."""
        if error.status == HTTPStatus.NOT_FOUND:
            self._create()
        if error.status not in _ABOUT_LINES and "partial write" not in error.text:
            raise self._link.down(error)
        too_large = error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if not too_large:
            lines = [self._lines.encode([point]).decode() for point in points]
            suspects, exact = blamed(error.text, points, lines)
            if exact and len(suspects) == len(points):
                return _Tried([Refused(point, suspects[n]) for n, point in enumerate(points)], [])
            if 0 < len(suspects) < len(points):
                apart = [point for n, point in enumerate(points) if n in suspects]
                return _Tried([], [[point for n, point in enumerate(points) if n not in suspects], apart])
        if len(points) > 1:
            middle = len(points) // 2
            return _Tried([], [points[:middle], points[middle:]])
        if not too_large and not blames_lines(error.text):
            raise self._link.down(error)
        return _Tried([Refused(points[0], reason_of(error))], [])

    def _query(
        self, measurement: str, since_ns: int, until_ns: int, limit: int, tags: Mapping[str, str]
    ) -> list[Point]:
        policy = self._policy(measurement)
        source = (f"{name(policy)}." if policy else "") + name(tag_text(measurement))
        kinds = self._field_kinds(source)
        where = [f"time >= {since_ns}", f"time < {until_ns}"]
        where += [f"{name(tag_text(key))} = {text(tag_text(value))}" for key, value in tags.items()]
        found = self._link.ask(f"SELECT * FROM {source} WHERE {' AND '.join(where)} ORDER BY time LIMIT {limit}")
        return [_point(measurement, series, row, kinds) for series in found for row in series.values]

    def _field_kinds(self, source: str) -> dict[str, str]:
        """Types of a measurement's fields: they tell fields from tags, and 21 the float from 21 the integer."""
        rows = [row for series in self._link.ask(f"SHOW FIELD KEYS FROM {source}") for row in series.values]
        return {str(field): str(kind) for field, kind in rows}


def _point(measurement: str, series: Series, values: Sequence[Field | None], kinds: Mapping[str, str]) -> Point:
    row = dict(zip(series.columns, values, strict=True))
    at_ns = row.pop("time")
    assert isinstance(at_ns, int), at_ns
    present = {key: value for key, value in row.items() if value is not None}
    fields = {key: _typed(value, kinds[key]) for key, value in present.items() if key in kinds}
    tags = tuple(sorted((key, tag_value(str(value))) for key, value in present.items() if key not in kinds))
    return Point(measurement, tags, fields, at_ns)


def _typed(value: Field, kind: str) -> Field:
    return float(value) if kind == "float" else value
