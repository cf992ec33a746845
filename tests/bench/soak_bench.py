"""Ten minutes of eight readers at a thousand reads a second each, over real sockets: does memory stay flat, is a read
lost, what does it cost?

The readers are simulated, in a process of their own. Each has a door, through which a pallet of cases moves all the
time; the agent's side is what an agent runs: a link to each reader, the doors' trackers, their decisions.

python tests/bench soak          SOAK_SECONDS (600) says how long, e.g. SOAK_SECONDS=60 for a quick look
"""

import asyncio
import multiprocessing
import os
import statistics
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from multiprocessing.connection import Connection

import psutil
import structlog
from figures import Figure, show

from contract.events import Device, DoorPass, EmptyPass
from contract.portals import Door, LlrpReader
from contract.sitepart import Title
from edge.doorkeeper import Doorkeeper
from edge.llrp.link import ReaderLink, wall_us
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
READERS = 8
READS_S = 1000
TAGS = 30
"""On each pallet, each read once a tick while it is in the door: so many times, with the pauses, make `READS_S`."""
CROSSING_S = 4.0
PAUSE_S = 2.0
"""Until the next pallet, so that a pass ends."""
LEAD_S = 0.7
"""The pallets of each door are so much ahead of those of the door before it."""
TICK_S = 0.02
SAMPLE_S = 1.0


def measure() -> list[Figure]:
    """Memory, processor and reads of the agent's side."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    ours, theirs = multiprocessing.Pipe()
    readers = multiprocessing.get_context("spawn").Process(target=simulate, args=(theirs,), daemon=True)
    readers.start()
    try:
        return asyncio.run(_soak(ours))
    finally:
        readers.join(10)
        readers.kill()


async def _soak(readers: Connection) -> list[Figure]:
    passes: Counter[str] = Counter()

    def decided(event: DoorPass | EmptyPass) -> None:
        if isinstance(event, DoorPass):
            passes[event.direction] += len(event.epcs)

    def told(keeper: Doorkeeper, event: Device) -> None:
        keeper.reader(event)
        if all(link.state == "connected" for link in links):
            armed.set()

    armed = asyncio.Event()
    ports = await asyncio.to_thread(readers.recv)
    doors = [_door(number, port) for number, port in enumerate(ports)]
    keepers = [Doorkeeper([door], decided, wall_us) for door in doors]
    links = [
        ReaderLink(door.readers[0], keeper.feed, partial(told, keeper), wall_us)
        for door, keeper in zip(doors, keepers, strict=True)
    ]
    process, samples = psutil.Process(), list[float]()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part.run()) for part in (*links, *keepers)]
        await armed.wait()
        readers.send(SECONDS)
        begun_s, cpu_s = time.monotonic(), time.process_time()
        ended = asyncio.ensure_future(asyncio.to_thread(readers.recv))
        while not ended.done():
            await asyncio.wait([ended], timeout=SAMPLE_S)
            samples.append(process.memory_info().rss / 2**20)
        share = (time.process_time() - cpu_s) / (time.monotonic() - begun_s)
        await asyncio.sleep(PAUSE_S + 1)
        for task in tasks:
            task.cancel()
    delivered, pallets = ended.result()
    read = sum(link.counts["reads"] for link in links)
    trouble = Counter[str]()
    for link in links:
        trouble.update({name: count for name, count in link.counts.items() if count and name != "reads"})
    print(f"{delivered:,} reads, {pallets * TAGS:,} tags carried in; decided: {dict(passes)}; links: {dict(trouble)}")
    warm = samples[len(samples) // 5 :]
    early, late = (statistics.median(part) for part in (warm[: len(warm) // 4 + 1], warm[-len(warm) // 4 :]))
    return [
        Figure(f"{READERS} readers for {SECONDS:g} s", read / SECONDS, "reads/s", target=f"{READERS * READS_S}"),
        Figure("reads lost", delivered - read, "reads", target="0"),
        Figure("memory in the last quarter", late, "MiB", "the first after the warm-up", early),
        Figure("memory grown after the warm-up", 100 * (late / early - 1), "%", target="flat"),
        Figure("processor", 100 * share, "% of a core"),
        Figure("tags decided inbound", passes["inbound"], "tags", "carried in", pallets * TAGS),
    ]


def _door(number: int, port: int) -> Door:
    reader = LlrpReader(name=f"reader-{number}", port=port, inside=[1, 4], outside=[2, 3])
    title = Title(en=f"Dock {number}", zh=f"{number} 号门")
    return Door(name=f"dock-{number}", title=title, agent="soak", inside="cold", readers=[reader])


def simulate(agent: Connection) -> None:
    """The other process: gives the readers' ports, is told for how long to read, gives how many reads and pallets."""
    asyncio.run(_simulate(agent))


async def _simulate(agent: Connection) -> None:
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(SimReader(f"reader-{number}")) for number in range(READERS)]
        agent.send([reader.port for reader in readers])
        seconds = await asyncio.to_thread(agent.recv)
        delivered, begun_s, tick = 0, time.monotonic(), 0
        while tick * TICK_S < seconds:
            for number, reader in enumerate(readers):
                reads = _reads(number, tick, wall_us())
                reader.deliver(reads)
                delivered += len(reads)
            tick += 1
            await asyncio.sleep(max(0.0, begun_s + tick * TICK_S - time.monotonic()))
        await asyncio.sleep(PAUSE_S)
        agent.send((delivered, sum(_whole_pallets(number, seconds) for number in range(READERS))))
        await asyncio.to_thread(agent.poll, 5.0)


def _whole_pallets(number: int, seconds: float) -> int:
    """Pallets that were heard from the beginning of their crossing to its end."""
    period_s, lead_s = CROSSING_S + PAUSE_S, LEAD_S * number
    return int((seconds + lead_s - CROSSING_S) // period_s) + 1 - int(lead_s > 0) - int(lead_s // period_s)


def _reads(number: int, tick: int, now_us: int) -> list[TagRead]:
    """What one reader hears within a tick: each tag of the pallet once, by the antennas in turn."""
    pallet, at_s = divmod(tick * TICK_S + LEAD_S * number, CROSSING_S + PAUSE_S)
    if at_s >= CROSSING_S:
        return []
    antenna = (2, 1, 3, 4)[tick % 4]
    centre_s = 1.4 if antenna in (2, 3) else 2.6
    rssi_dbm = round(-48 - 6 * (at_s - centre_s) ** 2)
    first = ((number << 20 | int(pallet)) << 8) + (0x30 << 88)
    return [
        TagRead(
            now_us + 40 * tag, f"{first + tag:024x}", antenna, rssi_dbm - tag % 3, tick * 7 % 4096, tick % 50 + 1, 0
        )
        for tag in range(TAGS)
    ]


if __name__ == "__main__":
    figures = measure()
    show("Soak", figures)
    sys.exit(any(figure.ours for figure in figures if figure.target == "0"))
