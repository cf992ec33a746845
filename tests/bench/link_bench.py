"""A reader's link: how soon reads flow again when a killed reader is back, and how soon a frozen one is noticed.

Ten readers are killed and ten freeze at chance moments, all with keepalives every 5 s as in the field; sllurp's own
client meets the same in the same run, with its reconnection turned on, and is waited for at most `WAIT_S`.
"""

import asyncio
import logging
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from itertools import chain

import structlog
from figures import Figure, show
from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

from contract.events import Device
from contract.portals import LlrpReader
from edge.llrp.link import ReaderLink
from edge.llrp.read import Read
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader, wall_us

READERS = 10
SEED = 3
WAIT_S = 25.0
EVERY_S = 0.01
"""How often a tag is read."""


class Client:
    """When this client last got a read, and when it last noticed that the reader is gone."""

    def __init__(self) -> None:
        self.read_s = self.lost_s = 0.0

    def on_reads(self, _: Sequence[Read]) -> None:
        self.read_s = time.monotonic()

    def on_device(self, event: Device) -> None:
        if event.state == "lost":
            self.lost_s = time.monotonic()


@asynccontextmanager
async def ours(reader: SimReader) -> AsyncIterator[Client]:
    """Our link to it."""
    client = Client()
    settings = LlrpReader(name=reader.name, port=reader.port, inside=[1], outside=[2])
    running = asyncio.create_task(ReaderLink(settings, client.on_reads, client.on_device).run())
    try:
        yield client
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def sllurps(reader: SimReader) -> AsyncIterator[Client]:
    """sllurp's client, in its own thread."""
    client = Client()
    config = {"report_every_n_tags": 1, "keepalive_interval": 5000, "reconnect": True, "reconnect_retries": -1}
    theirs = LLRPReaderClient("127.0.0.1", reader.port, LLRPReaderConfig(config))
    theirs.add_tag_report_callback(lambda _, __: client.on_reads(()))
    theirs.add_disconnected_callback(lambda _: setattr(client, "lost_s", time.monotonic()))
    await asyncio.to_thread(theirs.connect)
    try:
        yield client
    finally:
        theirs.disconnect_requested.set()
        theirs.hard_disconnect()
        reader.thaw()
        await reader.power_off()
        await asyncio.to_thread(theirs.join, 5)


Who = Callable[[SimReader], AbstractAsyncContextManager[Client]]


async def after(since_s: float, moment: Callable[[], float], reader: SimReader) -> float:
    """Seconds from `since_s` to the moment, which is later; or `WAIT_S`. All the time a tag is read."""
    while moment() <= since_s and time.monotonic() < since_s + WAIT_S:  # the world's pace
        reader.deliver([TagRead(wall_us(), "30" * 12, 1, -50, 0, 1, 0)])
        await asyncio.sleep(EVERY_S)
    return min(max(moment() - since_s, 0.0) or WAIT_S, WAIT_S)


async def killed(who: Who, chance: random.Random) -> float:
    """Seconds from the moment when a killed reader is back to its first read."""
    async with SimReader("reader") as reader, who(reader) as client:
        await after(time.monotonic(), lambda: client.read_s, reader)
        await reader.power_off()
        await asyncio.sleep(chance.uniform(0.5, 5.0))
        await reader.power_on()
        return await after(time.monotonic(), lambda: client.read_s, reader)


async def frozen(who: Who, chance: random.Random) -> float:
    """Seconds from the moment when a reader freezes to when that is known."""
    async with SimReader("reader") as reader, who(reader) as client:
        await after(time.monotonic(), lambda: client.read_s, reader)
        await asyncio.sleep(chance.uniform(0.0, 5.0))
        reader.freeze()
        return await after(time.monotonic(), lambda: client.lost_s, reader)


async def measure() -> list[Figure]:
    """Median and longest of each."""
    chance = random.Random(SEED)
    stories = [*chain.from_iterable((killed(ours, chance), frozen(ours, chance)) for _ in range(READERS))]
    times = await asyncio.gather(*stories, killed(sllurps, chance), frozen(sllurps, chance))
    back, noticed, (their_back, their_notice) = times[:-2:2], times[1:-2:2], times[-2:]
    return [
        _figure("a killed reader is back: reads flow after (median)", statistics.median(back), their_back, ""),
        _figure(f"the longest of {READERS}", max(back), their_back, "<= 3 s"),
        _figure("a frozen reader is noticed after (median)", statistics.median(noticed), their_notice, ""),
        _figure(f"the longest of {READERS}", max(noticed), their_notice, "<= 15 s"),
    ]


def _figure(what: str, seconds: float, theirs_s: float, target: str) -> Figure:
    beside = "sllurp's client" if theirs_s < WAIT_S else "sllurp's client: not within"
    return Figure(what, seconds, "s", beside, theirs_s, target)


if __name__ == "__main__":
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    show("Links: trouble with readers", asyncio.run(measure()))
