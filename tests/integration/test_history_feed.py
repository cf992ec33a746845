"""The history as a cursor on the real log: all of it arrives, once, whatever dies on the way."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from influx import Influxd
from influxcounterpart import Counterpart
from ledgersite import SITE, START_US, Edge, case, door_pass, now_us
from patience import until

from contract import events, site
from contract.site import Site
from gateway import records
from gateway.history.feed import HistoryFeed
from gateway.history.influx import InfluxHistory
from gateway.history.local import LocalHistory
from gateway.history.measurements import row_of
from gateway.history.words import History, Point
from gateway.ledger.ledger import Ledger
from gateway.records import LogRow

END = 2**62


def at(folder: Path) -> Site:
    """The example site with its data in a folder."""
    return SITE.model_copy(update={"gateway": SITE.gateway.model_copy(update={"data": folder})})


@asynccontextmanager
async def feeding(ledger: Ledger, history: History, folder: Path) -> AsyncIterator[HistoryFeed]:
    """A feed that runs until the block ends."""
    feed = HistoryFeed(at(folder), ledger, history)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def everything(history: History, measurement: str) -> list[Point]:
    points: list[Point] = []
    since = 0
    while page := await history.query(measurement, since, END, 1000, {}):
        points += page
        since = page[-1].at_ns + 1
    return points


async def rows_in(history: History) -> list[LogRow]:
    return sorted((row_of(point) for point in await everything(history, "log")), key=lambda row: row.id)


def influx_of(server: Influxd) -> InfluxHistory:
    return InfluxHistory(site.InfluxHistory(kind="influx", url=server.url, database=f"feed-{secrets.token_hex(4)}"))


async def a_day(ledger: Ledger) -> None:
    """Something of every kind."""
    edge = Edge(ledger)
    t = START_US
    times = {"at_us": t, "decided_us": t + 5}
    lemons = [case(0, n) for n in range(8)]
    await edge.tell(door_pass(lemons[:6], t, "dock-1"))
    await edge.tell(
        door_pass(lemons[6:], t + 1, "dock-1"),
        door_pass(lemons[0], t + 1000, "dock-1", "outbound"),
        door_pass(lemons[1], t + 2000, "cold-gate"),
        door_pass(lemons[2], t + 3000, "dock-2", "unknown"),
        events.ZoneSeen(**times, zone="cold-room", epcs=tuple(lemons[2:4])),
        events.ZoneLeft(**times, zone="cold-room", epcs=tuple(lemons[2:3])),
        events.TagCount(**times, count="c-1", zone="receiving", epcs=(lemons[4],)),
        events.Inspection(
            **times, line="line-1", subject="lot 7", verdict="unsure", score=0.5, model="m", evidence="e"
        ),
        events.Condition(**times, device="t-1", zone="cold-room", quantity="temperature_c", value=3.0),
        events.Condition(**times, device="t-1", zone="cold-room", quantity="temperature_c", value=3.5),
        events.Device(
            **times, device="reader-dock-1", state="health", detail='"a\\b"\n', counts={"reads": 4, "Bad!": 1}
        ),
        b'{"kind": "nonsense"}',
    )
    line = records.AsnLine(sku="lemon-4kg", units=12)
    cases = tuple(records.AsnCase(epc=case(1, n)) for n in range(1500))
    await ledger.record(
        records.AsnReceived(at_us=t, id="S1", direction="inbound", partner="Hongda Fruit", lines=(line,), cases=cases),
        records.ItemsImported(at_us=t, who="ann", items=(records.ImportedItem(epc=case(2, 1), zone="receiving"),)),
        records.ShipmentSettled(at_us=t, id="S1"),
        records.OrderReported(at_us=t, key="north:lemon-4kg:9", number="PO-9", supplier="S", units=1, state="placed"),
        records.ExceptionResolved(at_us=t, id="x", who="ann", why="because"),
    )
    await ledger.tick(now_us())


@pytest.fixture(params=["local", "influx"])
def make_history(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], History]:
    if request.param == "local":
        return lambda: LocalHistory(tmp_path / f"history-{secrets.token_hex(4)}.db")
    return lambda: influx_of(request.getfixturevalue("influxd"))


def story(tmp_path: Path, tell: Callable[[Ledger], Awaitable[None]]) -> None:
    async def run() -> None:
        with Ledger.open(tmp_path / "ledger.db", SITE, now_us) as ledger:
            await tell(ledger)

    asyncio.run(run())


def test_the_whole_log_and_the_levels_arrive(tmp_path: Path, make_history: Callable[[], History]) -> None:
    async def tell(ledger: Ledger) -> None:
        history = make_history()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(history.close)
            feed = await stack.enter_async_context(feeding(ledger, history, tmp_path))
            await a_day(ledger)
            await until(lambda: feed.link.waiting == 0)
            assert feed.link.state == "ok"

            rows = ledger.rows(0, 10_000)
            assert await rows_in(history) == rows
            for kind in {row.kind for row in rows}:
                assert len(await everything(history, kind)) == sum(row.kind == kind for row in rows), kind
            newest = {
                (dict(p.tags)["sku"], dict(p.tags)["zone"]): p.fields["units"]
                for p in await everything(history, "level")
            }
            shown = {
                (sku, zone): units for sku, view in ledger.views("stock").items() for zone, units in view.zones.items()
            }
            assert {key: units for key, units in newest.items() if units} == {k: u for k, u in shown.items() if u}
            assert shown["lemon-4kg", "receiving"]

    story(tmp_path, tell)
    assert not (tmp_path / "history-refused.jsonl").exists()


def test_a_rebuilt_history_is_the_same_as_one_that_was_fed_live(tmp_path: Path) -> None:
    async def tell(ledger: Ledger) -> None:
        live, rebuilt = LocalHistory(tmp_path / "live.db"), LocalHistory(tmp_path / "rebuilt.db")
        edge = Edge(ledger)
        for turn in range(4):  # the feed stops and starts again between
            async with feeding(ledger, live, tmp_path) as feed:
                for n in range(5):
                    direction: events.Direction = "inbound" if n % 3 else "outbound"
                    at_us = START_US + turn * 100 + n
                    await edge.tell(door_pass([case(0, turn), case(1, n)], at_us, "dock-1", direction))
                await until(lambda: feed.link.waiting == 0)
            await edge.tell(door_pass(case(0, 50 + turn), START_US, "dock-2"))
        async with feeding(ledger, live, tmp_path) as feed:
            await until(lambda: feed.link.waiting == 0)
        await asyncio.to_thread(ledger.move_cursor, "history", 0)
        async with feeding(ledger, rebuilt, tmp_path) as feed:
            await until(lambda: feed.link.waiting == 0)
        for measurement in ("log", "door_pass", "level", "agent_heard"):
            points = await everything(live, measurement)
            assert points
            assert await everything(rebuilt, measurement) == points
        await live.close()
        await rebuilt.close()

    story(tmp_path, tell)


def test_influx_killed_and_back_nothing_is_lost(tmp_path: Path, own_influxd: Influxd) -> None:
    async def tell(ledger: Ledger) -> None:
        history = influx_of(own_influxd)
        edge = Edge(ledger)
        serial = 0

        async def pass_some(count: int) -> None:
            nonlocal serial
            told = [door_pass(case(0, serial + n), START_US + serial + n, "dock-1") for n in range(count)]
            serial += count
            await edge.tell(*told)

        async with feeding(ledger, history, tmp_path) as feed:
            await pass_some(20)  # before it was ever there
            await until(lambda: feed.link.state == "down")
            assert feed.link.waiting == ledger.last_id
            assert feed.link.oldest_us is not None

            await asyncio.to_thread(own_influxd.start)
            await until(lambda: feed.link.waiting == 0)
            for _ in range(2):
                await pass_some(30)
                own_influxd.kill()
                await pass_some(30)
                await until(lambda: feed.link.state == "down")
                await pass_some(30)
                await asyncio.to_thread(own_influxd.start)
                await until(lambda: feed.link.waiting == 0)
                assert feed.link.state == "ok"

            assert ledger.cursor("history") == ledger.last_id
            assert await rows_in(history) == ledger.rows(0, 10_000)

            own_influxd.kill()  # and wiped: it is fed again from the beginning
            own_influxd.wipe()
            await asyncio.to_thread(own_influxd.start)
            await pass_some(3)
            await until(lambda: feed.link.waiting == 0)
            assert await rows_in(history) == ledger.rows(0, 10_000)
        await history.close()

    story(tmp_path, tell)


@pytest.mark.parametrize("instead", [(200, "{}"), (401, ""), "silence"])
def test_the_cursor_moves_after_a_204_and_nothing_else(
    tmp_path: Path, instead: tuple[int, str] | Literal["silence"]
) -> None:
    """Of a counterpart of InfluxDB 3."""

    async def tell(ledger: Ledger) -> None:
        with Counterpart("3").serving() as server:
            config = site.InfluxHistory(kind="influx", url=server.url)
            history = InfluxHistory(config, timeout_ms=(500, 300))
            server.instead = instead
            async with feeding(ledger, history, tmp_path) as feed:
                await Edge(ledger).tell(*(door_pass(case(0, n), START_US + n, "dock-1") for n in range(20)))
                await until(lambda: feed.link.state == "down")
                assert feed.link.waiting == ledger.last_id
                assert ledger.cursor("history") == 0
                assert not server.kept
                server.instead = None
                await until(lambda: feed.link.waiting == 0)
                assert ledger.cursor("history") == ledger.last_id
                assert sum(line.startswith("log,") for line in server.kept) == ledger.last_id
            await history.close()

    story(tmp_path, tell)
    assert not (tmp_path / "history-refused.jsonl").exists()


def test_a_refused_point_is_put_aside_and_the_others_go_on(tmp_path: Path, make_history: Callable[[], History]) -> None:
    async def tell(ledger: Ledger) -> None:
        history = make_history()
        await history.ready()
        tags = (("agent", "dock-edge"), ("site", "north"))
        await history.write([Point("door_pass", tags, {"confidence": "high"}, START_US * 1000)])  # somebody else's
        async with feeding(ledger, history, tmp_path) as feed:
            await Edge(ledger).tell(*(door_pass(case(0, n), START_US + n, "dock-1") for n in range(3)))
            await until(lambda: feed.link.waiting == 0)
        assert await rows_in(history) == ledger.rows(0, 100)
        assert len(await everything(history, "door_pass")) == 1
        assert len(await everything(history, "level")) == 1
        await history.close()

    story(tmp_path, tell)
    aside = [json.loads(line) for line in (tmp_path / "history-refused.jsonl").read_text().splitlines()]
    assert [entry["point"]["fields"]["log_id"] for entry in aside] == [3, 4, 5]
    assert all("conflict" in entry["reason"] for entry in aside)
    assert all(entry["line"].startswith("door_pass,agent=dock-edge,") for entry in aside)
