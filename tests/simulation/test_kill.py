"""Faults at random moments, 25 rounds (TRUECOUNT_KILL_ROUNDS=200 for more): nothing is lost, nothing doubled.

The whole house runs as it does for `truecount demo`: real processes, the real broker and InfluxDB, readers and a PLC
speaking real protocols. Meanwhile edge, gateway, broker and InfluxDB are killed, InfluxDB is wiped, the gateway's disk
is full, and the agent's clock is set. At the end five records must tell the same: the agent's outbox (what was
decided), the gateway's log (what was committed), the stock on the page (what was folded), the log folded and hashed
anew (`truecount ledger verify`), and the ledger that InfluxDB alone gives (`truecount restore`).
"""

import asyncio
import contextlib
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest
from influx import Influxd
from ledgersite import SITE
from wholehouse import plan

import truecount
from contract import wire
from contract.events import DoorPass, ZoneSeen
from edge.agent import outbox_file
from edge.outbox import Kept, read_history
from firmware_sim import gathering, house
from gateway.ledger.storage import chain
from gateway.ledger.storage.reader import Reader

LAUNCHER = Path(__file__).parent.parent / "ownclock.py"
ROUNDS = int(os.environ.get("TRUECOUNT_KILL_ROUNDS", "25"))
VICTIMS = ("edge-dock-edge", "gateway", "broker", "nats-server")
FAULTS = (*VICTIMS, *VICTIMS, "influxd", "influxd wiped", "disk full", "clock set")
STEPS_S = (-3600, -90, 7, 300, 86_400)
FULL_BYTES = 4096
"""While the disk is full no file may grow beyond this."""
SETTLE_S = 60
MOVING = ("door_pass", "zone_seen")


@pytest.fixture
def seed() -> int:
    value = int(os.environ.get("TRUECOUNT_SEED", random.SystemRandom().randrange(2**32)))
    print(f"TRUECOUNT_SEED={value}")
    return value


def busy_house(folder: Path, seed: int, influx: str) -> house.Plan:
    """One agent whose sensors never rest."""
    site = SITE.model_dump(mode="json")
    for register in site["modbus"][0]["registers"]:
        register["every_s"] = 0.05  # forty events a second besides the passes, so that every kill meets some
    site["agents"][0]["ack_timeout_s"] = 0.5
    site["gateway"]["history"] = {"kind": "influx", "url": influx}
    made = plan(folder / "house", seed=seed, speed=5.0, site=site, agents=("dock-edge",))
    return msgspec.structs.replace(made, command=(sys.executable, str(LAUNCHER), *made.command))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_event_is_committed_once_over_all_faults(tmp_path, seed):
    influxd = Influxd(tmp_path / "influx")
    influxd.start()
    try:
        asyncio.run(all_faults(tmp_path, seed, influxd))
    finally:
        influxd.stop()


async def all_faults(tmp_path: Path, seed: int, influxd: Influxd) -> None:
    dice = random.Random(seed)
    the_plan = busy_house(tmp_path, seed, influxd.url)
    site = house.prepare(the_plan)
    clock = the_plan.folder / "clock"
    set_clock(clock, 0)
    gateway = f"http://127.0.0.1:{site['gateway']['port']}"
    async with house.processes(the_plan, site, print) as parts, httpx.AsyncClient(timeout=10) as client:
        await asyncio.sleep(2)
        for _ in range(ROUNDS):
            await asyncio.sleep(dice.uniform(0.1, 3.0))
            await suffer(parts, influxd, clock, dice)
        outbox = outbox_file(Path(site["agents"][0]["data"]))
        decided = await settled(client, gateway, site, outbox)
        stock, items, rows = await at_one_moment(client, gateway)
        head, restored = await from_influx(client, gateway, the_plan, tmp_path / "restored.db")
    committed = [row for row in rows if row["agent"] == "dock-edge"][: len(decided)]
    assert len({kept.epoch for kept in decided}) == 1, "kill -9 must not cost the outbox its file"
    assert [kept.seq for kept in decided] == list(range(1, len(decided) + 1))
    assert len(decided) > ROUNDS
    told = [(row["epoch"], row["seq"]) for row in committed]
    assert [pair for pair, times in Counter(told).items() if times > 1] == [], "committed twice"
    assert told == [(kept.epoch, kept.seq) for kept in decided], "lost, or out of order"
    assert not [row for row in rows if row["kind"] in ("data_lost", "bad_messages")], "the gateway noticed a loss"
    assert [wire.decode_event(kept.body) for kept in decided] == [event_of(row) for row in committed]
    places = newest(rows, site)
    for item in items:
        by = item["container"] if item["inferred"] else item["epc"]
        assert places.get(by, (0, None))[1] == item["zone"], item
    assert Counter((item["sku"], item["zone"]) for item in items if item["sku"] and item["zone"]) == {
        (one["sku"], zone): units for one in stock for zone, units in one["zones"].items() if units
    }
    assert head == restored, "InfluxDB holds another log"


async def suffer(parts: dict[str, house.Process], influxd: Influxd, clock: Path, dice: random.Random) -> None:
    """One fault."""
    fault = dice.choice(FAULTS)
    match fault:
        case "influxd" | "influxd wiped":
            influxd.kill()
            if fault == "influxd wiped":
                influxd.wipe()
            await asyncio.sleep(dice.uniform(0, 2))
            await asyncio.to_thread(influxd.start)
        case "disk full":
            pid = parts["gateway"].pid
            with contextlib.suppress(ProcessLookupError):
                if pid is not None:
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, resource.RLIM_INFINITY))
                    await asyncio.sleep(dice.uniform(0.5, 3))
                    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        case "clock set":
            set_clock(clock, dice.choice(STEPS_S))
        case _:
            kill(parts, fault)


def set_clock(clock: Path, ahead_s: int) -> None:
    """Set the agent's clock."""
    clock.write_text(f"{ahead_s:+d}")


def head_of(the_plan: house.Plan, rows: int) -> str:
    """The hash of the first rows of the gateway's log."""
    site = json.loads((the_plan.folder / house.SITE_FILE).read_text())
    with Reader.open(Path(site["gateway"]["data"]) / "ledger.db") as reader:
        return chain.after(chain.BEGINNING, itertools.islice(reader.all_rows(), rows)).hex()


async def from_influx(client: httpx.AsyncClient, gateway: str, the_plan: house.Plan, file: Path) -> tuple[str, str]:
    """Hashes of the log that the gateway holds, once it is verified, and of the one that InfluxDB alone gives."""
    deadline = time.monotonic() + SETTLE_S
    while (await client.get(f"{gateway}/healthz")).json()["history"]["waiting"] > 100:
        assert time.monotonic() < deadline, "the history does not catch up"
        await asyncio.sleep(0.5)
    config = str(the_plan.folder / house.SITE_FILE)
    await asyncio.to_thread(said, "restore", "--from-influx", "--config", config, "--out", str(file))
    last = said("ledger", "verify", "--config", config, "--file", str(file))
    rows = int(last[0].split(" to ")[1].split(":")[0].replace(",", ""))
    assert "the log gives the hashes" in said("ledger", "verify", "--config", config)[0]
    return head_of(the_plan, rows), last[-1].split()[-1]


def said(*arguments: str) -> list[str]:
    """What a command of the command line says; it must be content."""
    done = subprocess.run([sys.executable, truecount.__file__, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


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


async def at_one_moment(client: httpx.AsyncClient, gateway: str) -> tuple[list[dict], list[dict], list[dict]]:
    """Stock and items, and the log that they were folded from: the ceiling reader goes on telling of its zone."""
    rows = await gathering.log_rows(client, gateway)
    while True:
        before, stock = rows, (await client.get(f"{gateway}/api/v1/stock?limit=1000")).json()["stock"]
        items, after = [], ""
        while after is not None:
            page = (await client.get(f"{gateway}/api/v1/items?limit=1000&after={after}")).json()
            items, after = [*items, *page["items"]], page["next"]
        rows = await gathering.log_rows(client, gateway)
        if not any(row["kind"] in MOVING for row in rows[len(before) :]):
            return stock, items, rows


def event_of(row: dict[str, object]) -> object:
    return wire.decode_event(msgspec.json.encode(row["body"]))


def newest(rows: list[dict], site: dict) -> dict[str, tuple[int, str | None]]:
    """When and where each tag was last, by the shortest rule there is: its newest directed pass or sighting left it
    there, by the agent's clock as far as that was right."""
    doors = {door["name"]: door for door in site["doors"]}
    clocks = [row["body"] for row in rows if row["kind"] == "clock_judged"]
    seen: dict[str, tuple[int, str | None]] = {
        item["epc"]: (row["at_us"], item["zone"])
        for row in rows
        if row["kind"] == "items_imported"
        for item in row["body"]["items"]
    }
    for row in rows:
        if row["kind"] not in MOVING:
            continue
        event = event_of(row)
        match event:
            case DoorPass(direction="inbound"):
                zone = doors[event.door]["inside"]
            case DoorPass(direction="outbound"):
                zone = doors[event.door]["outside"]
            case ZoneSeen():
                zone = event.zone
            case _:
                continue
        at_us = min(event.at_us - ahead_us(clocks, row), row["recorded_us"] + 60_000_000)
        for epc in event.epcs:
            if at_us >= seen.get(epc, (0, None))[0]:
                seen[epc] = (at_us, zone)
    return seen


def ahead_us(clocks: list[dict], row: dict) -> int:
    """How far the agent's clock was ahead when it told of this."""
    of_then = [one for one in clocks if one["epoch"] == row["epoch"] and one["began"] < row["seq"]]
    return of_then[-1]["ahead_us"] if of_then else 0
