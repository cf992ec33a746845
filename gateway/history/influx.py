"""History in InfluxDB, by the surface that 1.x, 2.x and 3 share: `/write` and InfluxQL `/query`.

influxdb-client serves as the connection only (`api_client.call_api`); its WriteApi loses data silently.
"""

import asyncio
import gzip
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

import msgspec
import structlog
from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from msgspec import Struct
from urllib3.exceptions import HTTPError

from contract.site import InfluxHistory as InfluxConfig
from gateway.errors import HistoryDown
from gateway.history.line import Lines, tag_text, tag_value
from gateway.history.words import MAX_LIMIT, Field, Point, Refused

T = TypeVar("T")

TIMEOUT_MS = (3_000, 15_000)
"""To connect, and to wait for an answer."""
GZIP_LEVEL = 3

_ABOUT_LINES = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
_LINE_WORDS = ("unable to parse", "partial write", "field type conflict", "line protocol", "invalid field", "too large")
"""How servers say that a line is to blame, and not the request as such (a proxy, a wrong name, a missing right)."""

_log = structlog.get_logger("gateway.history.influx")


class _Series(Struct):
    columns: list[str]
    values: list[list[Field | None]]


class _Result(Struct):
    series: list[_Series] = []
    error: str | None = None


class _Answer(Struct):
    results: list[_Result] = []
    error: str | None = None

    def failure(self) -> str | None:
        """The first error, if there is one."""
        return next((text for text in (self.error, *(r.error for r in self.results)) if text), None)


class InfluxHistory:
    """A database of InfluxDB. One thread of its own does all that waits for the server."""

    def __init__(self, config: InfluxConfig, timeout_ms: tuple[int, int] = TIMEOUT_MS) -> None:
        self._config = config
        self._client = _connect(config, timeout_ms)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="influx")
        self._lines = Lines()

    async def ready(self) -> None:
        """Create the database. A server that knows no CREATE DATABASE, or forbids it, has it from somebody else."""
        await self._call(self._create_database)

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
        await asyncio.get_running_loop().run_in_executor(self._thread, self._client.close)
        self._thread.shutdown()

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _write(self, points: Sequence[Point]) -> list[Refused]:
        """Write all, or find the lines to blame by halving. What is written twice on the way is the same as once."""
        try:
            self._post_lines(points)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                self._create_database()
                raise self._down(error) from error
            if error.status not in _ABOUT_LINES:
                raise self._down(error) from error
            if len(points) > 1:
                middle = len(points) // 2
                return self._write(points[:middle]) + self._write(points[middle:])
            if not _blames_line(error):
                raise self._down(error) from error
            return [Refused(points[0], _reason(error))]
        except (HTTPError, OSError, ValueError) as error:
            raise self._down(error) from error
        return []

    def _post_lines(self, points: Sequence[Point]) -> None:
        body = gzip.compress(self._lines.encode(points), GZIP_LEVEL)
        _, status, _ = self._client.api_client.call_api(
            "/write",
            "POST",
            query_params={"db": self._config.database, "precision": "ns"},
            header_params={"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"},
            body=body,
        )
        if status != HTTPStatus.NO_CONTENT:
            raise ApiException(status=status, reason="a write is answered with 204")

    def _create_database(self) -> None:
        try:
            answer = self._request(f"CREATE DATABASE {_name(self._config.database)}", "POST")
            failure = answer.failure()
        except ApiException as error:
            failure = _reason(error)
        except (HTTPError, OSError, ValueError) as error:
            raise self._down(error) from error
        if failure is not None:
            _log.info("the database was not created", database=self._config.database, reason=failure)

    def _query(
        self, measurement: str, since_ns: int, until_ns: int, limit: int, tags: Mapping[str, str]
    ) -> list[Point]:
        source = _name(tag_text(measurement))
        kinds = self._field_kinds(source)
        where = [f"time >= {since_ns}", f"time < {until_ns}"]
        where += [f"{_name(tag_text(key))} = {_text(tag_text(value))}" for key, value in tags.items()]
        query = f"SELECT * FROM {source} WHERE {' AND '.join(where)} ORDER BY time LIMIT {limit}"
        return [
            _point(measurement, dict(zip(series.columns, row, strict=True)), kinds)
            for series in self._ask_series(query)
            for row in series.values
        ]

    def _field_kinds(self, source: str) -> dict[str, str]:
        """Types of a measurement's fields: they tell fields from tags, and 21 the float from 21 the integer."""
        rows = [row for series in self._ask_series(f"SHOW FIELD KEYS FROM {source}") for row in series.values]
        return {str(name): str(kind) for name, kind in rows}

    def _ask_series(self, query: str) -> list[_Series]:
        return [series for result in self._ask(query, "GET") for series in result.series]

    def _ask(self, query: str, method: str) -> list[_Result]:
        """Results of an InfluxQL query; raises `HistoryDown`."""
        try:
            answer = self._request(query, method)
        except (ApiException, HTTPError, OSError, ValueError) as error:
            raise self._down(error) from error
        if (failure := answer.failure()) is not None:
            raise HistoryDown(f"InfluxDB {self._config.url}: {failure}")
        return answer.results

    def _request(self, query: str, method: str) -> _Answer:
        tree = self._client.api_client.call_api(
            "/query",
            method,
            query_params={"db": self._config.database, "epoch": "ns", "q": query},
            header_params={"Accept": "application/json"},
            response_type="object",
            _return_http_data_only=True,
        )
        return msgspec.convert(tree, _Answer)  # msgspec's errors are ValueErrors

    def _down(self, error: Exception) -> HistoryDown:
        return HistoryDown(f"InfluxDB {self._config.url}: {_reason(error)}")


def _connect(config: InfluxConfig, timeout_ms: tuple[int, int]) -> InfluxDBClient:
    if config.token is not None:
        return InfluxDBClient(config.url, config.token, timeout=timeout_ms)
    if config.username is not None:  # basic authentication: the client's own username would sign in at /api/v2
        secret = f"{config.username}:{config.password or ''}"
        return InfluxDBClient(config.url, secret, timeout=timeout_ms, auth_basic=True)
    return InfluxDBClient(config.url, timeout=timeout_ms)


def _blames_line(error: ApiException) -> bool:
    reason = _reason(error).lower()
    return any(words in reason for words in _LINE_WORDS) or error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _reason(error: Exception) -> str:
    """What a server said, in its own words where it said any (at most 500 characters)."""
    if not isinstance(error, ApiException):
        return f"{type(error).__name__}: {error}"[:500]
    return f"{error.status} {error.body or error.reason or ''}".strip()[:500]


def _point(measurement: str, row: dict[str, Field | None], kinds: Mapping[str, str]) -> Point:
    at_ns = row.pop("time")
    assert isinstance(at_ns, int), at_ns
    present = {name: value for name, value in row.items() if value is not None}
    fields = {name: _typed(value, kinds[name]) for name, value in present.items() if name in kinds}
    tags = tuple(sorted((name, tag_value(str(value))) for name, value in present.items() if name not in kinds))
    return Point(measurement, tags, fields, at_ns)


def _typed(value: Field, kind: str) -> Field:
    return float(value) if kind == "float" else value


def _name(text: str) -> str:
    """An identifier of InfluxQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _text(text: str) -> str:
    """A text of InfluxQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
