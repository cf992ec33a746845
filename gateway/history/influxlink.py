"""The connection to an InfluxDB: the surface that 1.x, 2.x and 3 share, `/write` and InfluxQL at `/query`.

influxdb-client serves as the connection only (`api_client.call_api`); its WriteApi loses data silently. Every method
waits for the server, so call it from a thread.
"""

import gzip
from http import HTTPStatus
from typing import Any

import msgspec
from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from msgspec import Struct
from urllib3.exceptions import HTTPError

from contract.site import InfluxHistory as InfluxConfig
from gateway.errors import HistoryDown
from gateway.history.words import Field

TIMEOUT_MS = (3_000, 15_000)
"""To connect, and to wait for an answer."""
GZIP_LEVEL = 3


class Series(Struct):
    """Rows of an answer; `values` are in the order of `columns`."""

    columns: list[str]
    values: list[list[Field | None]] = []
    name: str = ""


class _Result(Struct):
    series: list[Series] = []
    error: str | None = None


class _Answer(Struct):
    results: list[_Result] = []
    error: str | None = None

    def failure(self) -> str | None:
        """The first error, if there is one."""
        return next((text for text in (self.error, *(r.error for r in self.results)) if text), None)


_decode = msgspec.json.Decoder(_Answer).decode


class WriteRefused(Exception):
    """A write was answered with something else than 204. Inside gateway/history only; `text` is the whole answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}".strip()[:500])
        self.status = status
        self.text = text


class InfluxLink:
    """A connection to the database that the site file names. One thread at a time may use it."""

    def __init__(self, config: InfluxConfig, timeout_ms: tuple[int, int] = TIMEOUT_MS) -> None:
        self._config = config
        self._client = _connect(config, timeout_ms)

    def write(self, lines: bytes, policy: str | None = None) -> None:
        """Keep lines: on disk when this returns. Raises `WriteRefused`, or `HistoryDown` where no answer came."""
        params = {"db": self._config.database, "precision": "ns"} | ({"rp": policy} if policy else {})
        header = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
        body = gzip.compress(lines, GZIP_LEVEL)
        try:
            _, status, _ = self._client.api_client.call_api(
                "/write", "POST", query_params=params, header_params=header, body=body
            )
        except ApiException as error:
            raise WriteRefused(error.status or 0, _text_of(error)) from error
        except (HTTPError, OSError, ValueError) as error:
            raise self.down(error) from error
        if status != HTTPStatus.NO_CONTENT:
            raise WriteRefused(status, "a write is answered with 204")

    def ask(self, query: str) -> list[Series]:
        """What an InfluxQL query finds; raises `HistoryDown`."""
        try:
            answer = self._request(query, "GET")
        except (ApiException, HTTPError, OSError, ValueError) as error:
            raise self.down(error) from error
        if (failure := answer.failure()) is not None:
            raise HistoryDown(f"InfluxDB {self._config.url}: {failure}")
        return [series for result in answer.results for series in result.series]

    def order(self, statement: str) -> str | None:
        """Carry out a statement that changes the database. Why it was refused, or None; raises `HistoryDown`."""
        try:
            return self._request(statement, "POST").failure()
        except ApiException as error:
            return reason_of(error)
        except (HTTPError, OSError, ValueError) as error:
            raise self.down(error) from error

    def down(self, error: Exception) -> HistoryDown:
        """The error for whoever waits, with the server's address and words."""
        return HistoryDown(f"InfluxDB {self._config.url}: {reason_of(error)}")

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _request(self, query: str, method: str) -> _Answer:
        response: Any = self._client.api_client.call_api(
            "/query",
            method,
            query_params={"db": self._config.database, "epoch": "ns", "q": query},
            header_params={"Accept": "application/json"},
            _preload_content=False,
            _return_http_data_only=True,
        )
        return _decode(response.data)  # msgspec's errors are ValueErrors


def reason_of(error: Exception) -> str:
    """What a server said, in its own words where it said any (at most 500 characters)."""
    if isinstance(error, ApiException):
        return f"{error.status} {_text_of(error)}".strip()[:500]
    if isinstance(error, WriteRefused):
        return str(error)
    return f"{type(error).__name__}: {error}"[:500]


def name(text: str) -> str:
    """An identifier of InfluxQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def text(value: str) -> str:
    """A text of InfluxQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def _text_of(error: ApiException) -> str:
    body = error.body or error.reason or ""
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)


def _connect(config: InfluxConfig, timeout_ms: tuple[int, int]) -> InfluxDBClient:
    if config.token is not None:
        return InfluxDBClient(config.url, config.token, timeout=timeout_ms)
    if config.username is not None:  # basic authentication: the client's own username would sign in at /api/v2
        secret = f"{config.username}:{config.password or ''}"
        return InfluxDBClient(config.url, secret, timeout=timeout_ms, auth_basic=True)
    return InfluxDBClient(config.url, timeout=timeout_ms)
