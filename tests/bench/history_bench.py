"""Line protocol: points serialised a second on one core, beside influxdb-client's Point in the same run."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from figures import Figure, show
from influxdb_client import Point as ClientPoint
from ledgersite import START_US, case, pass_bytes

from contract import events, wire
from gateway import records
from gateway.history.line import Lines
from gateway.history.measurements import points_of
from gateway.history.words import Point
from gateway.records import LogRow

ROWS = 20_000
CLIENT_POINTS = 4_000


def measure() -> list[Figure]:
    """Points a second of processor time: of a log of readings, of one of door passes, and of the way from the log."""
    readings = [_reading(n) for n in range(1, ROWS + 1)]
    passes = [_row(n, "door_pass", pass_bytes(case(n % 4, n), START_US + n)) for n in range(1, ROWS + 1)]
    points, pass_points = _points(readings), _points(passes)
    plain = _rate(len(points), lambda: Lines().encode(points))
    client = _rate(CLIENT_POINTS, lambda: _with_client(points[:CLIENT_POINTS]))
    rich = _rate(len(pass_points), lambda: Lines().encode(pass_points))
    rich_client = _rate(CLIENT_POINTS, lambda: _with_client(pass_points[:CLIENT_POINTS]))
    beside = "influxdb-client's Point"
    return [
        Figure("readings", plain, "points/s", beside, client, ">= 300,000"),
        Figure("door passes with evidence", rich, "points/s", beside, rich_client),
        Figure("rows of the log mapped to points", _rate(ROWS, lambda: _points(passes)), "rows/s"),
    ]


def _points(rows: list[LogRow]) -> list[Point]:
    return [point for row in rows for point in points_of("north", row, records.decode(row.body))]


def _reading(n: int) -> LogRow:
    event = events.Condition(
        at_us=START_US + n,
        decided_us=START_US + n,
        device=f"t-{n % 20}",
        zone="cold-room",
        quantity="temperature_c",
        value=4.0 + n % 100 / 10,
    )
    return _row(n, "condition", wire.encode(event))


def _row(n: int, kind: str, body: bytes) -> LogRow:
    times = {"at_us": START_US + n, "decided_us": START_US + n, "recorded_us": START_US + n + 5_000_000}
    row = {"id": n, "agent": "dock-edge", "epoch": "9f3c1a2b7d", "seq": n, "kind": kind, "body": body, **times}
    return msgspec.convert(row, LogRow)


def _with_client(points: list[Point]) -> str:
    return "\n".join(_client_point(point).to_line_protocol() for point in points)


def _client_point(point: Point) -> Any:
    built = ClientPoint(point.measurement).time(point.at_ns)
    for name, text in point.tags:
        built.tag(name, text)
    for name, value in point.fields.items():
        built.field(name, value)
    return built


def _rate(count: int, work: Callable[[], object]) -> float:
    """The best of five."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return count / best


if __name__ == "__main__":
    show("history: line protocol on one core", measure())
