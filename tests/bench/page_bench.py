"""From the decision at the edge to the page: 1,000 events a second through a real broker and a real gateway process.

An agent's own outbox and uplink run here; broker, cloud and gateway are the processes of a house. The clock is this
machine's on both ends. Beside it: the same way for a trickle of 20 events a second, which shows what the load costs.
Then the memory of every process: of these under that load, and of the whole house while its world lives.
"""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path

import memory
from figures import Figure, show
from ledgersite import case, door_pass, now_us
from wholehouse import plan

from contract import site_file, wire
from contract.site import Site
from edge.outbox import Outbox
from edge.uplink import Uplink
from firmware_sim import house

SECONDS = 15
WARM_UP_S = 3.0
PATH = ("broker", "cloud", "gateway")
"""The processes between an agent and the page."""


def measure() -> list[Figure]:
    """Run both loads and the whole house."""
    busy, under_load = asyncio.run(_run(rate_hz=1000))
    calm, _ = asyncio.run(_run(rate_hz=20))
    beside = "at 20 events/s"
    return [
        Figure("decision to page, p50 at 1,000 events/s", busy[0], "ms", beside, calm[0]),
        Figure("decision to page, p99 at 1,000 events/s", busy[1], "ms", beside, calm[1], "<= 200 ms"),
        *(figure._replace(what=f"{figure.what} under that load") for figure in under_load),
        *(figure._replace(what=f"{figure.what} in the demo") for figure in asyncio.run(_whole_house())),
    ]


async def _run(rate_hz: int) -> tuple[tuple[float, float], list[Figure]]:
    with tempfile.TemporaryDirectory() as folder:
        the_plan = plan(Path(folder) / "house", seed=7)
        content = house.prepare(the_plan)
        site = site_file.load(the_plan.folder / house.SITE_FILE)
        watch = house.Watch()
        async with house.processes(the_plan, content, lambda _: None, only=PATH) as parts:
            follower = asyncio.create_task(house.follow(f"http://127.0.0.1:{site.gateway.port}", watch))
            await _load(site, Path(folder), rate_hz, watch)
            held = list(memory.of_processes(parts))
            follower.cancel()
            await asyncio.wait([follower])
    ordered = sorted(watch.latencies_us)
    return (ordered[len(ordered) // 2] / 1000, ordered[int(0.99 * (len(ordered) - 1))] / 1000), held


async def _whole_house() -> list[Figure]:
    """Every process of the demo, with the world's schedule in a hurry."""
    with tempfile.TemporaryDirectory() as folder:
        the_plan = plan(Path(folder) / "house", seed=7, speed=10.0)
        async with house.processes(the_plan, house.prepare(the_plan), lambda _: None) as parts:
            await asyncio.sleep(SECONDS)
            return list(memory.of_processes(parts))


async def _load(site: Site, folder: Path, rate_hz: int, watch: house.Watch) -> None:
    """Decide `rate_hz` passes a second, evenly, as an agent does: into the outbox, then wake the uplink."""
    agent = site.agents[0]
    with Outbox(folder / "outbox.db", retain=0) as outbox:
        uplink = Uplink(site.broker, site.site, agent, outbox, now_us)
        sender = asyncio.create_task(uplink.run())
        epcs = [case(n % len(site.items), n) for n in range(500)]
        each = max(1, rate_hz // 100)
        began = time.monotonic()
        measuring = False
        for n in range(int((SECONDS + WARM_UP_S) * rate_hz / each)):
            await asyncio.sleep(max(0.0, began + n * each / rate_hz - time.monotonic()))
            if not measuring and time.monotonic() - began > WARM_UP_S:
                measuring = True
                watch.latencies_us.clear()
            bodies = [wire.encode(door_pass(epcs[(n * each + k) % len(epcs)])) for k in range(each)]
            await asyncio.to_thread(outbox.append, bodies)
            uplink.wake()
        await asyncio.sleep(1)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sender


if __name__ == "__main__":
    show("the way to the page", measure())
