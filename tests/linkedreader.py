"""A reader link at work for the time of a test, and what it told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from contract.events import Device
from contract.portals import LlrpReader
from edge.llrp.link import ReaderLink, wall_us
from edge.llrp.patience import Patience
from edge.llrp.read import Read
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader

EPC = "303435fc8803d056d15b963f"
KEEPALIVE_S = 0.3
PATIENCE_S = 15.0


class Agent:
    """What the link told, and a way to wait for it."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self.devices: list[Device] = []
        self.inputs: list[tuple[int, bool, int]] = []
        self.link: ReaderLink
        self._news = asyncio.Event()

    def on_reads(self, reads: Sequence[Read]) -> None:
        self.reads += reads
        self._news.set()

    def on_device(self, event: Device) -> None:
        self.devices.append(event)
        self._news.set()

    def on_gpi(self, port: int, high: bool, at_us: int) -> None:
        self.inputs.append((port, high, at_us))
        self._news.set()

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.devices]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def linked(
    port: int,
    *,
    patience: Patience = Patience(),  # noqa: B008  # frozen
    **settings: Any,
) -> AsyncIterator[Agent]:
    """A link that runs for the time of a test; `settings` are those of the site file."""
    agent = Agent()
    reader = door_reader(port, **settings)
    agent.link = ReaderLink(reader, agent.on_reads, agent.on_device, on_gpi=agent.on_gpi, patience=patience)
    running = asyncio.create_task(agent.link.run())
    try:
        yield agent
        assert not running.done(), "nothing ends a link"
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def door_reader(port: int, **settings: Any) -> LlrpReader:
    """As the site file has it."""
    given = {"name": "reader-1", "port": port, "inside": [1, 4], "outside": [2, 3], "keepalive_s": KEEPALIVE_S}
    return LlrpReader.model_validate(given | settings)


def heard(antenna: int = 1, at_us: int | None = None) -> TagRead:
    """The tag, now."""
    return TagRead(wall_us() if at_us is None else at_us, EPC, antenna, -55, 100, 7, 0)


async def reading(agent: Agent, reader: SimReader) -> None:
    """Wait until what the reader hears arrives."""
    before = len(agent.reads)
    async with asyncio.timeout(PATIENCE_S):
        while len(agent.reads) == before:
            reader.deliver([heard()])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await agent.until(lambda: len(agent.reads) > before)
