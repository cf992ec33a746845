"""An InfluxDB that asks for a password, forbids, hangs or is not there: nothing is lost, and the reason is told."""

import asyncio
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Literal

import pytest
from influx import Influxd
from influxcounterpart import Counterpart, Dialect
from serverprocess import free_port

from contract import site
from gateway.errors import HistoryDown
from gateway.history.blame import blamed
from gateway.history.influx import InfluxHistory
from gateway.history.influxlink import InfluxLink, WriteRefused
from gateway.history.line import Lines
from gateway.history.words import Field, Point, Refused

ANN = {"u": "ann", "p": "a b:c"}
POINT = Point("condition", (("zone", "cold-room"),), {"value": 3.5}, 1_790_000_000_000_000_000)


def history_at(url: str, **access: str) -> InfluxHistory:
    config = site.InfluxHistory.model_validate({"kind": "influx", "url": url, "database": "house", **access})
    return InfluxHistory(config, timeout_ms=(500, 1500))


async def write_and_read(history: InfluxHistory) -> list[Point]:
    try:
        await history.ready()
        assert await history.write([POINT]) == []
        return await history.query("condition", 0, 2**62, 10, {})
    finally:
        await history.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A server that asks for a password: of ann, who may do everything, or of bob, who may use the database `house`."""
    server = Influxd(tmp_path_factory.mktemp("guarded"), asks_for_a_password=True)
    try:
        server.start()
        ask(server, "CREATE USER ann WITH PASSWORD 'a b:c' WITH ALL PRIVILEGES", {})
        ask(server, "CREATE USER bob WITH PASSWORD 'bob'", ANN)
        yield server
    finally:
        server.stop()


def ask(server: Influxd, query: str, who: dict[str, str]) -> None:
    address = f"{server.url}/query?{urllib.parse.urlencode({'q': query, **who})}"
    with urllib.request.urlopen(address, b"", timeout=5) as answer:
        assert b"error" not in answer.read()


def test_with_its_password_everything_works(guarded: Influxd) -> None:
    assert asyncio.run(write_and_read(history_at(guarded.url, username="ann", password="a b:c"))) == [POINT]


def test_a_user_who_may_not_create_the_database_can_use_it(guarded: Influxd) -> None:
    ask(guarded, "CREATE DATABASE house", ANN)
    ask(guarded, "GRANT ALL ON house TO bob", ANN)
    assert POINT in asyncio.run(write_and_read(history_at(guarded.url, username="bob", password="bob")))


@pytest.mark.parametrize("access", [{}, {"username": "ann", "password": "x"}, {"token": "nonsense"}])
def test_a_wrong_password_is_told_and_no_point_is_blamed(guarded: Influxd, access: dict[str, str]) -> None:
    with pytest.raises(HistoryDown, match=f"{guarded.url}.*40[013]"):
        asyncio.run(write_and_read(history_at(guarded.url, **access)))


def test_a_server_that_hangs_or_is_not_there_is_down(guarded: Influxd) -> None:
    with guarded.frozen(), pytest.raises(HistoryDown, match=guarded.url):
        asyncio.run(write_and_read(history_at(guarded.url, username="ann", password="a b:c")))
    with pytest.raises(HistoryDown, match="refused"):
        asyncio.run(write_and_read(history_at(f"http://127.0.0.1:{free_port()}")))


def reading(n: int, **fields: Field) -> Point:
    told = fields or {"value": n / 10}
    return Point("condition", (("zone", "cold-room"),), told, 1_790_000_000_000_000_000 + n)


def link_to(server: Influxd, database: str) -> InfluxLink:
    link = InfluxLink(site.InfluxHistory(kind="influx", url=server.url, database=database))
    assert link.order(f"CREATE DATABASE {database}") is None
    return link


def refusal(link: InfluxLink, points: list[Point]) -> dict[int, str]:
    """The suspects that the server's answer gives."""
    encode = Lines().encode
    with pytest.raises(WriteRefused) as refused:
        link.write(encode(points))
    found = blamed(refused.value.text, points, [encode([point]).decode() for point in points])
    assert found.exact
    return found.suspects


def test_influx_1_names_the_lines_that_it_cannot_parse_and_keeps_the_others(influxd: Influxd) -> None:
    link = link_to(influxd, "unparsed")
    points = [reading(n) for n in range(50)]
    points[7] = reading(7, value=float("nan"))
    points[30] = Point("condition", (("zone", "it's: here, 'there'"),), {"n": 2**63}, 5)
    suspects = refusal(link, points)
    assert sorted(suspects) == [7, 30]
    assert all(reason for reason in suspects.values())
    assert sum(len(series.values) for series in link.ask("SELECT value FROM condition")) == 48
    link.close()


def test_influx_1_counts_conflicts_of_types_and_points_that_are_too_old(influxd: Influxd) -> None:
    link = link_to(influxd, "counted")
    link.write(Lines().encode([reading(-1)]))
    points = [reading(n) for n in range(50)]
    points[7], points[8] = reading(7, value="high"), reading(8, value="low")
    assert sorted(refusal(link, points)) == [7, 8]
    assert sum(len(series.values) for series in link.ask("SELECT value FROM condition")) == 49
    assert link.order("CREATE RETENTION POLICY short ON counted DURATION 10000d REPLICATION 1 DEFAULT") is None
    old = [Point("condition", (), {"value": 1.0}, 10**15 * n) for n in (1, 2)]
    assert sorted(refusal(link, [reading(1), old[0], reading(2), old[1]])) == [1, 3]
    link.close()


@pytest.mark.parametrize(
    ("dialect", "flaw", "writes"),
    [("3", "high", 3), ("3", None, 3), ("2", "high", 3), ("2", None, 7), ("3 whole", "high", 7)],
)
def test_the_words_of_2_and_3_find_the_bad_lines_at_once(dialect: Dialect, flaw: str | None, writes: int) -> None:
    """Among 1,000 points; halving takes some 60 writes."""
    points = [reading(n) for n in range(1_000)]
    bad = {n: reading(n, value=flaw) if flaw else Point("condition", (), {}, n) for n in (0, 500, 999)}

    async def story() -> list[Refused]:
        with Counterpart(dialect).serving() as server:
            history = history_at(server.url)
            refused = await history.write([bad.get(n, point) for n, point in enumerate(points)])
            await history.close()
            assert len(server.kept) == 997
            assert server.writes == writes
            return refused

    refused = asyncio.run(story())
    assert sorted(one.point.at_ns for one in refused) == sorted(point.at_ns for point in bad.values())
    assert all(one.reason for one in refused)


def test_more_bad_lines_than_3_names_at_once_are_all_found() -> None:
    points = [reading(n, value="high") if n % 2 else reading(n) for n in range(500)]

    async def story() -> None:
        with Counterpart("3").serving() as server:
            history = history_at(server.url)
            assert {one.point.at_ns for one in await history.write(points)} == {p.at_ns for p in points[1::2]}
            await history.close()
            assert len(server.kept) == 250
            assert server.writes <= 9

    asyncio.run(story())


@pytest.mark.parametrize("instead", [(401, ""), (403, "no"), (404, "{}"), (429, ""), (500, "?"), (503, ""), "silence"])
def test_an_answer_that_blames_no_line_loses_none(instead: tuple[int, str] | Literal["silence"]) -> None:
    async def story() -> None:
        with Counterpart("3").serving() as server:
            history = InfluxHistory(site.InfluxHistory(kind="influx", url=server.url), timeout_ms=(500, 300))
            server.instead = instead
            with pytest.raises(HistoryDown, match=str(instead[0]) if isinstance(instead, tuple) else "imed out"):
                await history.write([POINT, reading(1)])
            server.instead = None
            assert await history.write([POINT, reading(1)]) == []
            await history.close()
            assert len(server.kept) == 2

    asyncio.run(story())


def test_with_a_retention_the_log_is_kept_for_good_and_the_rest_is_not(influxd: Influxd) -> None:
    now_ns = time.time_ns()
    log = Point("log", (("shard", "00"),), {"id": 1, "body": "{}"}, 10**18)
    new, old = (Point("condition", (("zone", "a"),), {"value": 1.0}, at) for at in (now_ns, 10**18))

    async def story() -> None:
        config = site.InfluxHistory(kind="influx", url=influxd.url, database="kept", retention_days=30)
        for days in (30, 60):  # what is there is changed
            history = InfluxHistory(config.model_copy(update={"retention_days": days}))
            await history.ready()
            refused = await history.write([log, new, old])
            assert [one.point for one in refused] == [old]
            assert "retention policy" in refused[0].reason
            assert await history.query("log", 0, 2**62, 10, {}) == [log]
            assert await history.query("condition", 0, 2**62, 10, {}) == [new]
            await history.close()

    asyncio.run(story())
    link = link_to(influxd, "kept")
    policies = {row[0]: (row[1], row[4]) for series in link.ask("SHOW RETENTION POLICIES") for row in series.values}
    assert policies == {"autogen": ("0s", False), "log": ("0s", False), "charts": ("1440h0m0s", True)}
    link.close()


def test_a_server_that_is_no_influx_is_down() -> None:
    async def story() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>what?\xff!</"
            )
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            history = history_at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            with pytest.raises(HistoryDown):
                await history.write([POINT])
            with pytest.raises(HistoryDown):
                await history.query("condition", 0, 2**62, 10, {})
            await history.close()

    asyncio.run(story())
