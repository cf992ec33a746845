"""An InfluxDB that asks for a password, forbids, hangs or is not there: nothing is lost, and the reason is told."""

import asyncio
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from influx import Influxd
from serverprocess import free_port

from contract import site
from gateway.errors import HistoryDown
from gateway.history.influx import InfluxHistory
from gateway.history.words import Point

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
