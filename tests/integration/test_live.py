"""The live stream: whoever listens sees what the house sees, whatever the network does."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ledgersite import Edge, case, door_pass, now_us
from servedgateway import OK, Served, ServerSent, listening_to, served

from contract import events
from gateway.live import COALESCE_S, QUEUE_FRAMES, Live
from gateway.records import AsnCase, AsnLine, AsnReceived, ImportedItem, ItemsImported

SECTIONS = ("site", "doors", "shipments", "stock", "exceptions", "orders", "devices", "conditions")


class Page:
    """What a page holds: the snapshot, with every delta applied."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.seen: list[ServerSent] = []
        self.id = ""

    def take(self, sent: ServerSent) -> None:
        self.seen.append(sent)
        self.id = sent.id
        if sent.event == "snapshot":
            self.state = dict(sent.data)
        elif sent.event == "delta":
            assert sent.data["n"] == self.state["n"] + 1, "a delta is missing"
            self.state["n"] = sent.data["n"]
            self.state["feed"] = (self.state["feed"] + sent.data["feed"])[-30:]
            for change in sent.data["changes"]:
                section = self.state[change["section"]]
                if change["value"] is None:
                    section.pop(change["key"], None)
                else:
                    section[change["key"]] = change["value"]

    async def follow(self, stream: AsyncIterator[ServerSent], until_row: int) -> None:
        """Take events until the feed has reached a row of the log."""
        async with asyncio.timeout(10):
            while not self.state or not self.state["feed"] or self.state["feed"][-1]["id"] < until_row:
                self.take(await anext(stream))


async def same_as_fresh(page: Page, gateway: Served) -> None:
    fresh = (await gateway.client.get("/api/v1/snapshot")).json()
    for section in (*SECTIONS, "feed", "n"):
        assert page.state[section] == fresh[section], section


def test_a_snapshot_comes_first_and_then_what_changes(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, listening_to(gateway.client) as stream:
            page = Page()
            page.take(await anext(stream))
            assert page.seen[0].event == "snapshot"
            assert page.state["zones"][0]["title"] == {"en": "Receiving", "zh": "收货区"}
            await Edge(gateway.ledger).tell(door_pass(case(0, 1)))
            await page.follow(stream, gateway.ledger.last_id)
            [entry] = [entry for entry in page.state["feed"] if entry["kind"] == "door_pass"]
            assert entry["place"] == "dock-1"
            assert (entry["agent"], entry["sku"], entry["epc"]) == ("dock-edge", "lemon-4kg", case(0, 1))
            assert (entry["direction"], entry["confidence"]) == ("inbound", 0.95)
            assert page.state["doors"]["dock-1"]["inbound"] == 1
            assert page.state["stock"]["lemon-4kg"]["units"] == 1
            assert page.state["site"]["site"]["committed"] == gateway.ledger.last_id

    asyncio.run(story())


def random_deed(rng: random.Random) -> events.Event | AsnReceived | ItemsImported:
    at = now_us()
    epc = case(rng.randrange(4), rng.randrange(40))
    match rng.randrange(6):
        case 0:
            cases = tuple(AsnCase(epc=case(0, serial)) for serial in range(rng.randrange(1, 9)))
            lines = (AsnLine(sku="tomato-tray", units=rng.randrange(1, 9)),)
            direction = rng.choice(["inbound", "outbound"])
            return AsnReceived(
                at_us=at, id=f"A{rng.randrange(5)}", direction=direction, partner="P", lines=lines, cases=cases
            )  # type: ignore[arg-type]
        case 1:
            return ItemsImported(at_us=at, who="Ana", items=(ImportedItem(epc=epc, zone="receiving"),))
        case 2:
            value = rng.uniform(-5, 20)
            name = "cold-room-temperature"
            return events.Condition(
                at_us=at, decided_us=at, device=name, zone="cold-room", quantity="temperature_c", value=value
            )
        case 3:
            state = rng.choice(["connected", "lost", "blind"])
            return events.Device(at_us=at, decided_us=at, device="reader-dock-1", state=state)  # type: ignore[arg-type]
        case _:
            door = rng.choice(["dock-1", "dock-2", "cold-gate"])
            direction = rng.choice(["inbound", "outbound", "unknown"])
            return door_pass(epc, door=door, direction=direction)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [7, 1234, None], ids=["7", "1234", "any"])
def test_deltas_lead_to_what_a_fresh_snapshot_says(tmp_path: Path, seed: int | None) -> None:
    seed = random.randrange(10**6) if seed is None else seed
    print("seed", seed)
    rng = random.Random(seed)

    async def story() -> None:
        async with served(tmp_path) as gateway, contextlib.AsyncExitStack() as stack:
            edge = Edge(gateway.ledger)
            pages: list[tuple[Page, AsyncIterator[ServerSent]]] = []
            for _ in range(40):
                if rng.random() < 0.1:
                    pages.append((Page(), await stack.enter_async_context(listening_to(gateway.client))))
                for _ in range(rng.randrange(5)):
                    deed = random_deed(rng)
                    if isinstance(deed, AsnReceived | ItemsImported):
                        await gateway.ledger.record(deed)
                    else:
                        await edge.tell(deed)
                await asyncio.sleep(rng.choice([0, 0.01, COALESCE_S * 1.2]))
            await gateway.ledger.record(ItemsImported(at_us=now_us(), who="Ana", items=()))
            for page, stream in pages:
                await page.follow(stream, gateway.ledger.last_id)
                await same_as_fresh(page, gateway)

    asyncio.run(story())


def test_who_comes_back_gets_what_was_missed_and_no_snapshot(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            edge, page = Edge(gateway.ledger), Page()
            async with listening_to(gateway.client) as stream:
                await edge.tell(door_pass(case(0, 1)))
                await page.follow(stream, gateway.ledger.last_id)
            for serial in range(2, 6):
                await edge.tell(door_pass(case(0, serial)))
                await asyncio.sleep(COALESCE_S * 1.5)
            before = len(page.seen)
            async with listening_to(gateway.client, page.id) as stream:
                await page.follow(stream, gateway.ledger.last_id)
            assert {sent.event for sent in page.seen[before:]} <= {"delta", "beat"}
            await same_as_fresh(page, gateway)

    asyncio.run(story())


def test_an_id_of_another_run_or_of_nobody_gets_a_snapshot(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            await Edge(gateway.ledger).tell(door_pass(case(0, 1)))
            page = Page()
            async with listening_to(gateway.client) as stream:
                await page.follow(stream, gateway.ledger.last_id)
            run, _, number = page.id.rpartition("-")
            strange = [
                f"deadbeef-{number}",
                f"{run}-{int(number) + 1}",
                f"{run}--1",
                f"{run}-",
                "7",
                f"{run}-{'9' * 40}",
            ]
            for event_id in strange:
                async with listening_to(gateway.client, event_id) as stream:
                    assert (await anext(stream)).event == "snapshot", event_id

    asyncio.run(story())


def test_an_idle_house_still_beats(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, listening_to(gateway.client) as stream, asyncio.timeout(5):
            beats = []
            async for sent in stream:
                beats += [sent] if sent.event == "beat" else []
                if len(beats) == 2:
                    break
            assert 500_000 < beats[1].data["now_us"] - beats[0].data["now_us"] < 3_000_000
            assert beats[1].data["n"] == int(beats[1].id.rpartition("-")[2])

    asyncio.run(story())


def test_a_link_that_falls_behind_is_told_without_any_event(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, listening_to(gateway.client) as stream, asyncio.timeout(5):
            page = Page()
            page.take(await anext(stream))
            gateway.links.cloud = OK.model_copy(update={"state": "down", "waiting": 3})
            while page.state["site"]["site"]["cloud"]["state"] != "down":
                page.take(await anext(stream))

    asyncio.run(story())


def test_a_client_that_does_not_keep_up_gets_a_snapshot_and_then_what_follows(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, asyncio.timeout(30):
            edge = Edge(gateway.ledger)
            slow, quick = gateway.live.stream(), Page()
            assert b"retry" in await anext(slow)
            assert b"event: snapshot" in await anext(slow)
            async with listening_to(gateway.client) as stream:
                for serial in range(QUEUE_FRAMES + 3):
                    await edge.tell(door_pass(case(0, serial)))
                    await asyncio.sleep(COALESCE_S * 1.1)
                await quick.follow(stream, gateway.ledger.last_id)
            assert [sent.event for sent in quick.seen].count("snapshot") == 1, "the slow one held up the other"
            frame = await anext(slow)
            assert b"event: snapshot" in frame
            await edge.tell(door_pass(case(0, 999)))
            while b"event: delta" not in (frame := await anext(slow)):
                pass
            assert f'"epc":"{case(0, 999)}"'.encode() in frame

    asyncio.run(story())


def test_a_client_that_reads_nothing_holds_up_nobody_and_costs_a_bounded_queue(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            edge = Edge(gateway.ledger)
            with socket.socket() as deaf:
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                deaf.connect(("127.0.0.1", httpx.URL(gateway.url).port))
                deaf.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: x\r\n\r\n")
                page = Page()
                async with listening_to(gateway.client) as stream:
                    for serial in range(10):
                        await edge.tell(*(door_pass(case(serial % 4, 100 * serial + n)) for n in range(50)))
                        await page.follow(stream, gateway.ledger.last_id)
                assert gateway.live.clients >= 1
            async with asyncio.timeout(5):
                while gateway.live.clients:  # noqa: ASYNC110  # nobody tells when a client has gone
                    await asyncio.sleep(0.01)

    asyncio.run(story())


def test_who_hangs_up_is_forgotten_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            async with listening_to(gateway.client) as stream:
                await anext(stream)
                assert gateway.live.clients == 1
            async with asyncio.timeout(0.5):  # well before the next beat could find it out
                while gateway.live.clients:  # noqa: ASYNC110  # nobody tells when a client has gone
                    await asyncio.sleep(0.01)

    asyncio.run(story())


def test_when_the_gateway_stops_the_streams_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as clients, asyncio.timeout(30):
            async with served(tmp_path) as gateway:
                streams = []
                for _ in range(5):
                    client = await clients.enter_async_context(httpx.AsyncClient(base_url=gateway.url))
                    streams.append(await clients.enter_async_context(listening_to(client)))
                    assert (await anext(streams[-1])).event == "snapshot"
            for stream in streams:
                assert [sent.event async for sent in stream if sent.event == "snapshot"] == []

    asyncio.run(story())


def test_many_rows_at_once_show_the_newest_and_count_the_rest(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, listening_to(gateway.client) as stream:
            edge, page = Edge(gateway.ledger), Page()
            page.take(await anext(stream))
            async with asyncio.TaskGroup() as group:
                for batch in range(12):
                    group.create_task(edge.tell(*(door_pass(case(batch % 4, 1000 * batch + n)) for n in range(60))))
            await page.follow(stream, gateway.ledger.last_id)
            deltas = [sent.data for sent in page.seen if sent.event == "delta"]
            assert all(len(delta["feed"]) <= 200 for delta in deltas)
            assert sum(len(delta["feed"]) + delta["skipped"] for delta in deltas) == gateway.ledger.last_id - 1

    asyncio.run(story())


def test_the_number_of_streams_is_bounded(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, max_clients=1) as gateway, listening_to(gateway.client) as stream:
            await anext(stream)
            refused = await gateway.client.get("/api/v1/live")
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:truecount:problem:too-many-streams"

    asyncio.run(story())


def test_the_headers_keep_proxies_from_holding_it_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway, gateway.client.stream("GET", "/api/v1/live") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["cache-control"] == "no-store"
            assert response.headers["x-accel-buffering"] == "no"

    asyncio.run(story())


def test_a_restarted_gateway_shows_the_feed_of_before(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as gateway:
            await Edge(gateway.ledger).tell(door_pass(case(0, 1)), door_pass(case(0, 2)))
            feed = gateway.live.snapshot().feed
        async with served(tmp_path) as gateway:
            again = gateway.live.snapshot()
            assert isinstance(gateway.live, Live)
            assert [entry.epc for entry in again.feed if entry.epc] == [case(0, 1), case(0, 2)]
            assert again.n == 0
            assert feed == again.feed[: len(feed)]

    asyncio.run(story())
