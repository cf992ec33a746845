"""The whole gateway process: it begins without anybody else, survives who goes away, and stops at once when told."""

import asyncio
import contextlib
import json
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


CRAMPED = """
import asyncio, resource, signal, sys
from pathlib import Path
from contract.site_file import load
from gateway import app
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
asyncio.run(app.run(load(Path(sys.argv[1]))))
"""
"""A gateway on a disk that is soon full."""


def test_when_the_disk_is_full_it_ends_loudly_and_keeps_what_it_said(tmp_path: Path) -> None:
    settings = site(tmp_path)
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(settings.model_dump(mode="json")))
    accepted: list[str] = []

    async def story() -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CRAMPED, str(file), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        address = f"http://127.0.0.1:{settings.gateway.port}"
        async with httpx.AsyncClient(base_url=address, timeout=10) as client, asyncio.timeout(60):
            while process.returncode is None:
                cases = [{"epc": case(0, 1000 * len(accepted) + n)} for n in range(50)]
                shipment = {"id": f"A{len(accepted)}", "direction": "inbound", "partner": "P", "cases": cases}
                with contextlib.suppress(httpx.TransportError):
                    if (await client.post("/api/v1/shipments", json=shipment)).status_code == 201:
                        accepted.append(str(shipment["id"]))
                await asyncio.sleep(0.01)
            assert process.stderr is not None
            assert b"LedgerFailed" in await process.stderr.read()
        async with running(settings) as client:
            kept = (await client.get("/api/v1/shipments")).json()["shipments"]
            assert accepted
            assert {one["id"] for one in kept} >= set(accepted)
        return process.returncode

    assert asyncio.run(story()) != 0
