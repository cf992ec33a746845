"""The whole gateway process: it begins without anybody else, survives who goes away, and stops at once when told."""

import asyncio
import contextlib
import json
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiomqtt import Client
from influx import Influxd
from ledgersite import case, door_pass
from runninggateway import running, site, until
from servedgateway import ServerSent, listening_to

from contract import wire
from contract.site import Broker, InfluxHistory
from contract.topics import Topic
from gateway import app
from gateway import broker as brokers
from gateway.errors import CannotListen


async def _first_of(stream: AsyncIterator[ServerSent], epc: str) -> dict[str, Any]:
    """The first feed entry about a tag."""
    async for sent in stream:
        for entry in sent.data.get("feed", ()):
            if entry["epc"] == epc:
                return dict(entry)
    raise AssertionError("the stream ended")


def test_without_broker_and_cloud_it_serves_and_says_what_is_away(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(site(tmp_path)) as client:
            await until(client, 503)
            health = (await client.get("/healthz")).json()
            assert (health["status"], health["broker"]["state"]) == ("deaf", "down")
            shipment = {"id": "A", "direction": "inbound", "partner": "P", "cases": [{"epc": case(0, 1)}]}
            assert (await client.post("/api/v1/shipments", json=shipment)).status_code == 201
        async with running(site(tmp_path)) as client:
            [kept] = (await client.get("/api/v1/shipments")).json()["shipments"]
            assert kept["id"] == "A"

    asyncio.run(story())


def test_an_event_of_an_agent_reaches_the_page_the_history_and_the_log(tmp_path: Path) -> None:
    async def story() -> None:
        settings = Broker(kind="nats", data=tmp_path / "broker")
        async with brokers.running(settings, free_port=True) as child, running(site(tmp_path, child.broker)) as client:
            await until(client, 200)
            async with listening_to(client) as stream, Client("127.0.0.1", child.broker.port) as agent:
                batch = wire.encode_batch("dock-edge", "e1", 1, 1, (wire.encode(door_pass(case(0, 1))),))
                await agent.subscribe(str(Topic("north", "dock-edge", "ack")), qos=1)
                await agent.publish(str(Topic("north", "dock-edge", "events")), batch, qos=1)
                async with asyncio.timeout(10):
                    async for message in agent.messages:
                        assert isinstance(message.payload, bytes)
                        if wire.decode_ack(message.payload).through == 1:
                            break
                    feed = await _first_of(stream, case(0, 1))
                    assert feed["sku"] == "lemon-4kg"
            page = (await client.get("/api/v1/events")).json()
            assert "door_pass" in {event["kind"] for event in page["events"]}
            async with asyncio.timeout(10):
                points: list[object] = []
                while not points:
                    points = (await client.get("/api/v1/history?measurement=door_pass")).json()["points"]

    asyncio.run(story())


def test_with_influxdb_the_history_is_there(tmp_path: Path, influxd: Influxd) -> None:
    plain = site(tmp_path)
    history = InfluxHistory(kind="influx", url=influxd.url, database="app")
    settings = plain.model_copy(update={"gateway": plain.gateway.model_copy(update={"history": history})})

    async def story() -> None:
        async with running(settings) as client, asyncio.timeout(15):
            shipment = {"id": "A", "direction": "inbound", "partner": "P", "cases": [{"epc": case(0, 1)}]}
            await client.post("/api/v1/shipments", json=shipment)
            points: list[dict[str, Any]] = []
            while not points:
                answer = await client.get("/api/v1/history?measurement=asn_received")
                assert answer.status_code in (200, 503)  # until the feed has made the database
                points = answer.json().get("points", [])
            assert points[0]["tags"]["site"] == "north"

    asyncio.run(story())


def test_it_stops_while_pages_are_open(tmp_path: Path) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as pages, asyncio.timeout(30):
            settings = site(tmp_path)
            async with running(settings):
                for _ in range(20):
                    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.gateway.port}")
                    await pages.enter_async_context(client)
                    stream = await pages.enter_async_context(listening_to(client))
                    assert (await anext(stream)).event == "snapshot"

    asyncio.run(story())
    assert [task for task in ("ledger.db-wal", "ledger.db-shm") if (tmp_path / "gateway" / task).exists()] == []


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    settings = site(tmp_path)
    with (
        socket.create_server(("127.0.0.1", settings.gateway.port)),
        pytest.raises(CannotListen, match=f"127.0.0.1:{settings.gateway.port}: Address already in use"),
    ):
        asyncio.run(app.run(settings))


GATEWAY = """
import asyncio, contextlib, sys
from pathlib import Path
from contract.site_file import load
from gateway import app
with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(app.run(load(Path(sys.argv[1]))))
"""
CRAMPED_BYTES = 4096
"""No file of the gateway may grow beyond it: its disk is full."""


async def there(client: httpx.AsyncClient) -> bool:
    """Whether a gateway answers."""
    with contextlib.suppress(httpx.TransportError):
        return (await client.get("/healthz")).status_code in (200, 503)
    return False


def test_when_the_disk_is_full_people_are_told_and_the_page_is_there_until_there_is_room(tmp_path: Path) -> None:
    settings = site(tmp_path)
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(settings.model_dump(mode="json")))
    accepted: list[str] = []

    async def announce(client: httpx.AsyncClient, n: int) -> httpx.Response:
        cases = [{"epc": case(0, 1000 * n + i)} for i in range(50)]
        shipment = {"id": f"A{n}", "direction": "inbound", "partner": "P", "cases": cases}
        return await client.post("/api/v1/shipments", json=shipment)

    async def story() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", GATEWAY, str(file), stdout=asyncio.subprocess.DEVNULL
        )
        address = f"http://127.0.0.1:{settings.gateway.port}"
        async with httpx.AsyncClient(base_url=address, timeout=10) as client, asyncio.timeout(60):
            while not await there(client):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            assert (await announce(client, 0)).status_code == 201
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (CRAMPED_BYTES, resource.RLIM_INFINITY))
            waiting = asyncio.create_task(announce(client, 1))  # the one that meets the full disk waits with it
            await asyncio.wait([waiting], timeout=1)
            refused = await announce(client, 2)
            assert refused.json()["type"] == "urn:truecount:problem:disk-full"
            assert (await client.get("/api/v1/shipments")).status_code == 200, "the page is there"
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            while (again := await announce(client, 3)).status_code == 503:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            assert again.status_code == 201
            accepted.extend(f"A{n}" for n, one in ((0, 201), (1, (await waiting).status_code), (3, 201)) if one == 201)
            process.send_signal(signal.SIGINT)
            await process.wait()
        async with running(settings) as client:
            kept = (await client.get("/api/v1/shipments")).json()["shipments"]
            assert {one["id"] for one in kept} >= set(accepted)

    asyncio.run(story())
