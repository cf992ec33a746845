"""kill -9 of edge, gateway and broker at random moments, fifty rounds: every event committed once, nothing lost.

The whole house runs as it does for `truecount demo`: real processes, the real broker, readers and a PLC speaking real
protocols. At the end three records must tell the same: the agent's outbox (what was decided), the gateway's log (what
was committed), and the stock on the page (what was folded).
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest
from ledgersite import SITE
from wholehouse import plan

from contract import wire
from contract.epc import identify
from contract.events import DoorPass, ZoneSeen
from edge.agent import outbox_file
from edge.outbox import Kept, read_history
from firmware_sim import gathering, house

ROUNDS = int(os.environ.get("TRUECOUNT_KILL_ROUNDS", "50"))
VICTIMS = ("edge-dock-edge", "gateway", "broker", "nats-server")
SETTLE_S = 60
MOVING = ("door_pass", "zone_seen")


@pytest.fixture
def seed() -> int:
    value = int(os.environ.get("TRUECOUNT_SEED", random.SystemRandom().randrange(2**32)))
    print(f"TRUECOUNT_SEED={value}")
    return value


def busy_house(folder: Path, seed: int) -> house.Plan:
    """One agent whose sensors never rest."""
    site = SITE.model_dump(mode="json")
    for register in site["modbus"][0]["registers"]:
        register["every_s"] = 0.05  # forty events a second besides the passes, so that every kill meets some
    site["agents"][0]["ack_timeout_s"] = 0.5
    return plan(folder / "house", seed=seed, speed=5.0, site=site, agents=("dock-edge",))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_event_is_committed_once_over_fifty_kills(tmp_path, seed):
    asyncio.run(fifty_kills(tmp_path, seed))


async def fifty_kills(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    the_plan = busy_house(tmp_path, seed)
    site = house.prepare(the_plan)
    gateway = f"http://127.0.0.1:{site['gateway']['port']}"
    async with house.processes(the_plan, site, print) as parts, httpx.AsyncClient(timeout=10) as client:
        await asyncio.sleep(2)
        for _ in range(ROUNDS):
            await asyncio.sleep(dice.uniform(0.1, 3.0))
            kill(parts, dice.choice(VICTIMS))
        outbox = outbox_file(Path(site["agents"][0]["data"]))
        decided = await settled(client, gateway, site, outbox)
        stock, rows = await at_one_moment(client, gateway)
    committed = [row for row in rows if row["agent"] == "dock-edge"][: len(decided)]
    opening = [row["body"] for row in rows if row["kind"] == "items_imported"]

    assert len({kept.epoch for kept in decided}) == 1, "kill -9 must not cost the outbox its file"
    assert [kept.seq for kept in decided] == list(range(1, len(decided) + 1))
    assert len(decided) > ROUNDS
    told = [(row["epoch"], row["seq"]) for row in committed]
    assert [pair for pair, times in Counter(told).items() if times > 1] == [], "committed twice"
    assert told == [(kept.epoch, kept.seq) for kept in decided], "lost, or out of order"
    assert not [row for row in rows if row["kind"] in ("data_lost", "bad_messages")], "the gateway noticed a loss"
    assert [wire.decode_event(kept.body) for kept in decided] == [event_of(row) for row in committed]
    moved = [wire.decode_event(msgspec.json.encode(row["body"])) for row in rows if row["kind"] in MOVING]
    assert units_by_zone(opening, moved, site) == {
        (one["sku"], zone): units for one in stock for zone, units in one["zones"].items() if units
    }


def kill(parts: dict[str, house.Process], victim: str) -> None:
    """SIGKILL to one process; `nats-server` is the broker's own child."""
    part = parts["broker" if victim == "nats-server" else victim]
    if part.pid is None:
        return
    targets = [part.pid]
    if victim == "nats-server":
        targets = [child.pid for child in psutil.Process(part.pid).children(recursive=True)]
    for pid in targets:
        os.kill(pid, signal.SIGKILL)


async def settled(client: httpx.AsyncClient, gateway: str, site: dict, outbox: Path) -> list[Kept]:
    """Nothing new begins; what the agent has decided by now (its sensors never stop) must all reach the log."""
    await gathering.rest(client, f"http://127.0.0.1:{site['simulation']['judge_port']}", site)
    decided = read_history(outbox)
    deadline = time.monotonic() + SETTLE_S
    rows = 0
    while rows < len(decided):
        assert time.monotonic() < deadline, f"{rows} of {len(decided)} events after {SETTLE_S} s"
        await asyncio.sleep(0.5)
        with contextlib.suppress(httpx.TransportError):  # the last victim may still be starting
            rows = len(await committed_rows(client, gateway))
    return decided


async def committed_rows(client: httpx.AsyncClient, gateway: str) -> list[dict]:
    return [row for row in await gathering.log_rows(client, gateway) if row["agent"] == "dock-edge"]


async def at_one_moment(client: httpx.AsyncClient, gateway: str) -> tuple[list[dict], list[dict]]:
    """The stock, and the log that it was folded from: the ceiling reader goes on telling where it sees what."""
    rows = await gathering.log_rows(client, gateway)
    while True:
        before, answer = rows, await client.get(f"{gateway}/api/v1/stock")
        rows = await gathering.log_rows(client, gateway)
        if not any(row["kind"] in MOVING for row in rows[len(before) :]):
            return answer.json()["stock"], rows


def event_of(row: dict[str, object]) -> object:
    return wire.decode_event(msgspec.json.encode(row["body"]))


def units_by_zone(opening: list[dict], moved: list[object], site: dict) -> dict[tuple[str, str], int]:
    """Stock by the shortest rule there is: a tag is where its newest directed pass or sighting left it."""
    skus = {item["gtin"]: item["sku"] for item in site["items"]}
    doors = {door["name"]: door for door in site["doors"]}
    seen: dict[str, tuple[int, str | None]] = {
        item["epc"]: (document["at_us"], item["zone"]) for document in opening for item in document["items"]
    }
    for event in moved:
        match event:
            case DoorPass(direction="inbound"):
                zone = doors[event.door]["inside"]
            case DoorPass(direction="outbound"):
                zone = doors[event.door]["outside"]
            case ZoneSeen():
                zone = event.zone
            case _:
                continue
        for epc in event.epcs:
            if event.at_us >= seen.get(epc, (0, None))[0]:
                seen[epc] = (event.at_us, zone)
    places = ((identify(epc).gtin, zone) for epc, (_, zone) in seen.items())
    return dict(Counter((skus[gtin], zone) for gtin, zone in places if gtin in skus and zone is not None))
