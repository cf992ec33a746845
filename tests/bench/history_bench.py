"""InfluxDB: line protocol on one core beside influxdb-client's Point in the same run, and the restore of a ledger.

python tests/bench/history_bench.py [ROWS]: rows of the restore, by default 60,000; it needs influxd.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from figures import Figure, show
from influx import Influxd
from influxdb_client import Point as ClientPoint
from ledgersite import SITE, START_US, case, pass_bytes
from memory import rss_mib

from contract import events, wire
from contract.site import InfluxHistory
from gateway import records
from gateway.history import influx
from gateway.history.feed import HistoryFeed
from gateway.history.influxlink import InfluxLink
from gateway.history.line import Lines
from gateway.history.measurements import log_point, points_of
from gateway.history.restore import Stage, restore
from gateway.history.words import Point
from gateway.ledger.ledger import Ledger
from gateway.records import GATEWAY, LogRow
from gateway.records.premises import described

ROWS = 20_000
CLIENT_POINTS = 4_000
RESTORED = 60_000
MILLION = 1_000_000
BESIDE = "influxdb-client's Point"


def measure() -> list[Figure]:
    """Points a second of processor time: of a log of readings, of one of door passes, and of the way from the log."""
    readings = [_reading(n) for n in range(1, ROWS + 1)]
    passes = [_row(n, "door_pass", pass_bytes(case(n % 4, n), START_US + n)) for n in range(1, ROWS + 1)]
    points, pass_points = _points(readings), _points(passes)
    return [
        _serialised("readings: both points of each row", points, ">= 300,000"),
        _serialised("  of these, the rows of `log`", points[::2]),
        _serialised("  of these, the readings", points[1::2]),
        _serialised("door passes with evidence, of 550 bytes", pass_points),
        Figure("rows of the log mapped to points, readings", _rate(ROWS, lambda: _points(readings)), "rows/s"),
        Figure("the same, door passes", _rate(ROWS, lambda: _points(passes)), "rows/s"),
        Figure("from rows to lines, readings", _rate(2 * ROWS, lambda: Lines().encode(_points(readings))), "points/s"),
    ]


def _serialised(what: str, points: list[Point], target: str = "") -> Figure:
    ours = _rate(len(points), lambda: Lines().encode(points))
    other = _rate(CLIENT_POINTS, lambda: _with_client(points[:CLIENT_POINTS]))
    return Figure(what, ours, "points/s", BESIDE, other, target)


def measure_restore(count: int) -> list[Figure]:
    """A log of readings and door passes, written to a new influxd and restored from it."""
    with tempfile.TemporaryDirectory() as folder:
        server = Influxd(Path(folder) / "influxd")
        server.start()
        try:
            config = InfluxHistory(kind="influx", url=server.url)
            fed = _wall(lambda: _feed(config, count))
            began: dict[Stage, float] = {}
            done = _wall(
                lambda: restore(
                    SITE,
                    config,
                    Path(folder) / "ledger.db",
                    lambda stage, _, __: began.setdefault(stage, time.perf_counter()) and None,
                )
            )
            drained = asyncio.run(_drained(Path(folder), server.url))
            megabytes = (Path(folder) / "ledger.db").stat().st_size / 1e6
        finally:
            server.stop()
    return [
        Figure(f"{count:,} rows of `log` written to influxd, gzip", count / fed, "rows/s"),
        Figure("restored to an equal ledger", count / done, "rows/s"),
        Figure("  the whole of it", done, "s"),
        Figure("  of this, read from influxd before the fold began", began["folding"] - began["reading"], "s"),
        Figure("  a million rows at that pace", done * MILLION / count, "s", target="minutes"),
        Figure("  the ledger's file", megabytes, "MB"),
        Figure("fed again by the gateway after an outage: log, charts, levels", count / drained, "rows/s"),
        Figure("  memory of the process, at its end", rss_mib(os.getpid()), "MiB"),
    ]


def _feed(config: InfluxHistory, count: int) -> None:
    link, lines = InfluxLink(config), Lines()
    link.order(f"CREATE DATABASE {config.database}")
    page: list[Point] = []
    for row in _log(count):
        page.append(log_point(SITE.site, row))
        if len(page) == 5_000 or row.id == count:
            link.write(lines.encode(page))
            page = []
    link.close()


async def _drained(folder: Path, url: str) -> float:
    """Seconds until the restored ledger is in another database."""
    gateway = SITE.gateway.model_copy(update={"data": folder})
    history = influx.InfluxHistory(InfluxHistory(kind="influx", url=url, database="again"))
    with Ledger.open(folder / "ledger.db", SITE, lambda: time.time_ns() // 1000) as ledger:
        ledger.move_cursor("history", 0)
        feed = HistoryFeed(SITE.model_copy(update={"gateway": gateway}), ledger, history)
        began = time.perf_counter()
        work = asyncio.create_task(feed.run())
        while feed.link.waiting:  # noqa: ASYNC110  # it may take minutes, and tells nobody when it is done
            await asyncio.sleep(0.05)
        took_s = time.perf_counter() - began
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    await history.close()
    return took_s


def _log(count: int) -> Iterator[LogRow]:
    """A site told of, then readings and passes of 100,000 items through a dock, 50 rows a commit."""
    told = msgspec.json.encode(described(SITE, START_US))
    yield msgspec.structs.replace(_row(1, "site_described", told), agent=GATEWAY, epoch="8c5d0f3a9b7e2164")
    for n in range(2, count + 1):
        body = pass_bytes(case(n % 4, n % 100_000), START_US + n)
        row = _row(n, "door_pass", body) if n % 2 else _reading(n)
        yield msgspec.structs.replace(row, recorded_us=START_US + 5_000_000 + n // 50 * 25_000)


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


def _wall(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    show("history: line protocol on one core", measure())
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else RESTORED
    if shutil.which("influxd"):
        show("history: a lost ledger from InfluxDB 1.6 alone", measure_restore(rows))
    else:
        print("influxd is not installed: no restore is measured")
