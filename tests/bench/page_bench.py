"""From the decision at the edge to the page: 1,000 events a second through a real broker and a real gateway process.

An agent's own outbox and uplink run here; broker, cloud and gateway are the processes of a house. The clock is this
machine's on both ends. Beside it: the same way for a trickle of 20 events a second, which shows what batching costs.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from figures import Figure, show

import truecount
from contract import site as site_file
from contract import wire
from contract.events import DoorPass, PassEvidence, SideEvidence
from contract.site import Site
from edge.outbox import Outbox
from edge.uplink import Uplink
from firmware_sim import house
from firmware_sim.tags import TagPrinter

SECONDS = 15
WARM_UP_S = 3.0


def measure() -> list[Figure]:
    """Run both loads and return their figures."""
    busy, memory = asyncio.run(_run(rate_hz=1000))
    calm, _ = asyncio.run(_run(rate_hz=20))
    target = "p99 <= 200 ms"
    return [
        Figure("decision to page, p50 at 1,000 events/s", busy[0], "ms", "at 20 events/s", calm[0]),
        Figure("decision to page, p99 at 1,000 events/s", busy[1], "ms", "at 20 events/s", calm[1], target),
        *(Figure(f"memory of {name} under that load", mib, "MiB") for name, mib in memory.items()),
    ]


async def _run(rate_hz: int) -> tuple[tuple[float, float], dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        plan = _plan(Path(folder) / "house")
        content = house.prepare(plan)
        site = site_file.load(plan.folder / house.SITE_FILE)
        address = f"http://127.0.0.1:{site.gateway.port}"
        watch = house.Watch()
        async with house.processes(plan, content, lambda _: None, only=("broker", "cloud", "gateway")) as parts:
            follower = asyncio.create_task(house.follow(address, watch))
            await _load(site, Path(folder), rate_hz, watch)
            memory = {name: _rss_mib(part.pid) for name, part in parts.items() if part.pid}
            follower.cancel()
            await asyncio.wait([follower])
    ordered = sorted(watch.latencies_us)
    return (ordered[len(ordered) // 2] / 1000, ordered[int(0.99 * (len(ordered) - 1))] / 1000), memory


async def _load(site: Site, folder: Path, rate_hz: int, watch: house.Watch) -> None:
    """Decide `rate_hz` passes a second, evenly, as an agent does: into the outbox, then wake the uplink."""
    agent = site.agents[0]
    with Outbox(folder / "outbox.db", retain=0) as outbox:
        uplink = Uplink(site.broker, site.site, agent, outbox, _now_us)
        sender = asyncio.create_task(uplink.run())
        printer = TagPrinter(seed=7)
        epcs = [printer.case(site.items[n % len(site.items)].gtin) for n in range(500)]
        each = max(1, rate_hz // 100)
        began = time.monotonic()
        measuring = False
        for n in range(int((SECONDS + WARM_UP_S) * rate_hz / each)):
            await asyncio.sleep(max(0.0, began + n * each / rate_hz - time.monotonic()))
            if not measuring and time.monotonic() - began > WARM_UP_S:
                measuring = True
                watch.latencies_us.clear()
            bodies = [wire.encode(_pass(epcs[(n * each + k) % len(epcs)])) for k in range(each)]
            await asyncio.to_thread(outbox.append, bodies)
            uplink.wake()
        await asyncio.sleep(1)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sender


def _pass(epc: str) -> DoorPass:
    now_us = _now_us()
    side = SideEvidence(reads=20, peak_rssi_dbm=-50.0, mean_rssi_dbm=-57.0, centroid_us=now_us - 1_500_000)
    return DoorPass(
        at_us=now_us - 1_500_000,
        decided_us=now_us,
        door="dock-1",
        direction="inbound",
        confidence=0.95,
        epcs=(epc,),
        evidence=PassEvidence(
            first_read_us=now_us - 3_000_000, last_read_us=now_us - 1_200_000, inside=side, outside=side, margin_s=0.8
        ),
    )


def _plan(folder: Path) -> house.Plan:
    site = site_file.load(Path("configs/site.yaml"))
    return house.Plan(
        site=site.model_dump(mode="json"),
        command=(sys.executable, str(Path(truecount.__file__))),
        agents=tuple(agent.name for agent in site.agents),
        folder=folder,
        seed=7,
        speed=1.0,
        duration_s=None,
        headless=True,
        report=None,
        made=lambda _: 0,
        version="bench",
    )


def _rss_mib(pid: int) -> float:
    process = psutil.Process(pid)
    family: Sequence[psutil.Process] = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in family) / 2**20


def _now_us() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    show("the way to the page", measure())
