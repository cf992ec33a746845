"""What is gathered at the end of a demo, from both sides: the simulator's truth, and what the house believes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from firmware_sim import judge, linejudge
from firmware_sim.clerk import Clerk
from firmware_sim.errors import DemoError

SETTLE_S = 90.0

Identity = tuple[str, str, int]
"""Agent, epoch and sequence number: what names an event for ever."""
Made = Callable[[Path], Sequence[tuple[str, int]]]
"""(epoch, sequence) of every event in the outbox of the agent with this data folder, acknowledged or not."""


def simulator(site: dict[str, Any]) -> str:
    """Where the world's truth is told."""
    return f"http://127.0.0.1:{site['simulation']['judge_port']}"


async def gather(
    client: httpx.AsyncClient,
    address: str,
    site: dict[str, Any],
    clerk: Clerk,
    *,
    made_at: Made,
    latencies_us: Sequence[int],
    version: str,
) -> judge.Evidence:
    """Let the world come to rest and the house catch up, then take both sides' word; raises `DemoError`."""
    truth = await rest(client, simulator(site), site)
    await clerk.catch_up()
    made = await _caught_up(client, address, site, made_at)
    events = [event for event in await log_rows(client, address) if event["agent"] != "gateway"]
    placed = (await client.get(f"{site['cloud']['url']}/api/v1/orders", params={"site": site["site"]})).json()["orders"]
    stock = await _listed(client, f"{address}/api/v1/stock", "stock")
    orders = await _listed(client, f"{address}/api/v1/orders", "orders")
    return judge.Evidence(
        truth=truth,
        made=len(made),
        sequences=[identity for identity in map(_identity, events) if identity in made],
        passes=[one for event in events if event["kind"] == "door_pass" for one in _decided(event["body"])],
        fruit=clerk.written,
        inspections=[_inspected(event["body"]) for event in events if event["kind"] == "inspection"],
        stock={one["sku"]: one["zones"] for one in stock},
        requested=[judge.Order(one["key"], one["number"]) for one in orders],
        placed=[judge.Order(one["key"], one["number"]) for one in placed],
        latencies_us=latencies_us,
        version=version,
    )


async def rest(client: httpx.AsyncClient, world: str, site: dict[str, Any]) -> judge.Truth:
    """The truth, once nothing moves and every door has had the time to decide what it read last."""
    await client.post(f"{world}/quiesce")
    deadline = time.monotonic() + SETTLE_S
    while True:
        truth = msgspec.json.decode((await client.get(f"{world}/truth")).content, type=judge.Truth)
        if truth.quiet:
            break
        if time.monotonic() > deadline:
            raise DemoError(f"the simulated world did not come to rest within {SETTLE_S:.0f} s")
        await asyncio.sleep(0.2)
    await asyncio.sleep(1.0 + max((_decides_s(door["rules"]) for door in site["doors"]), default=0))
    return msgspec.json.decode((await client.get(f"{world}/truth")).content, type=judge.Truth)


def _decides_s(rules: dict[str, Any]) -> float:
    """How long after the last read a door has decided about everything, companions that are still read included."""
    return float(rules["gap_s"] + rules["group_wait_s"])


async def _caught_up(client: httpx.AsyncClient, address: str, site: dict[str, Any], made_at: Made) -> set[Identity]:
    """What the agents have made until now, once the ledger holds it all or will not get more.

    Sensors never rest: what is made after this moment is left out of the account on both sides.
    """
    made = {(agent["name"], *one) for agent in site["agents"] for one in made_at(Path(agent["data"]))}
    deadline = time.monotonic() + SETTLE_S
    while True:
        if made <= set(map(_identity, await log_rows(client, address))) or time.monotonic() > deadline:
            return made
        await asyncio.sleep(0.5)


def _identity(row: dict[str, Any]) -> Identity:
    return row["agent"], row["epoch"], row["seq"]


async def log_rows(client: httpx.AsyncClient, address: str) -> list[dict[str, Any]]:
    """The gateway's whole log, page by page."""
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["id"] if events else 0
        page = (await client.get(f"{address}/api/v1/events", params={"after": after, "limit": 1000})).json()
        if not page["events"]:
            return events
        events.extend(page["events"])


async def _listed(client: httpx.AsyncClient, url: str, noun: str) -> list[dict[str, Any]]:
    """A list of the gateway, page by page."""
    page = (await client.get(url, params={"limit": 1000})).json()
    found: list[dict[str, Any]] = page[noun]
    while page["next"] is not None:
        page = (await client.get(url, params={"limit": 1000, "after": page["next"]})).json()
        found.extend(page[noun])
    return found


def _inspected(body: dict[str, Any]) -> linejudge.Inspected:
    return linejudge.Inspected(body["line"], body["at_us"], body["verdict"], body.get("gate"))


def _decided(body: dict[str, Any]) -> list[judge.DecidedPass]:
    return [
        judge.DecidedPass(
            epc=epc,
            door=body["door"],
            direction=body["direction"],
            at_us=body["at_us"],
            decided_us=body["decided_us"],
            last_read_us=body["evidence"]["last_read_us"],
        )
        for epc in body["epcs"]
    ]
