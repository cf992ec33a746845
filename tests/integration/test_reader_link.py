"""A reader link against the simulated reader: what can happen to a reader, and what people are told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from llrpdata import message, plain_tag, tlv

from contract.events import Device
from contract.site import LlrpReader
from edge.llrp import link as link_module
from edge.llrp.link import Read, ReaderLink, wall_us
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
        self._news = asyncio.Event()

    def on_reads(self, reads: Sequence[Read]) -> None:
        self.reads += reads
        self._news.set()

    def on_device(self, event: Device) -> None:
        self.devices.append(event)
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
async def linked(port: int, *, name: str = "reader-1", keepalive_s: float = KEEPALIVE_S) -> AsyncIterator[Agent]:
    """A link that runs for the time of a test."""
    agent = Agent()
    reader = LlrpReader(name=name, port=port, inside=[1, 4], outside=[2, 3], keepalive_s=keepalive_s)
    running = asyncio.create_task(ReaderLink(reader, agent.on_reads, agent.on_device).run())
    try:
        yield agent
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def heard(antenna: int = 1, at_us: int | None = None) -> TagRead:
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


@pytest.mark.parametrize(
    ("offset_us", "utc"), [(0, True), (-800_000_000_000_000, True), (3_600_000_000, True), (0, False)]
)
def test_reads_come_with_the_agents_time_whatever_clock_the_reader_has(offset_us: int, utc: bool) -> None:
    async def story() -> None:
        async with SimReader("r", clock_offset_us=offset_us, utc=utc) as reader, linked(reader.port) as agent:
            await agent.until(lambda: agent.states == ["connected"])
            await reading(agent, reader)
            agent.reads.clear()
            at_us = [wall_us() + step for step in range(4)]
            reader.deliver([heard(antenna, at) for antenna, at in zip((1, 2, 3, 4), at_us, strict=True)])
            await agent.until(lambda: len(agent.reads) == 4)
            assert [(read.epc, read.antenna, read.rssi_dbm, read.reader) for read in agent.reads] == [
                (EPC, antenna, -55, "reader-1") for antenna in (1, 2, 3, 4)
            ]
            assert all(abs(read.at_us - at) < 1_000_000 for read, at in zip(agent.reads, at_us, strict=True))
            assert [read.at_us for read in agent.reads] == sorted(read.at_us for read in agent.reads)

    asyncio.run(story())


def test_a_reader_loses_power_and_comes_back_with_nothing_remembered() -> None:
    async def story() -> None:
        async with SimReader("r") as reader, linked(reader.port) as agent:
            await reading(agent, reader)
            await reader.power_off()
            await agent.until(lambda: agent.states == ["connected", "lost"])
            await asyncio.sleep(0.5)  # several tries in vain: nobody is told again
            await reader.power_on()
            await reading(agent, reader)
            assert agent.states == ["connected", "lost", "connected"]

    asyncio.run(story())


def test_a_reader_that_is_off_at_first_is_lost_and_then_reads() -> None:
    async def story() -> None:
        async with SimReader("r") as reader:
            await reader.power_off()
            async with linked(reader.port) as agent:
                await agent.until(lambda: agent.states == ["lost"])
                assert "check its power and network" in agent.devices[0].detail
                await reader.power_on()
                await reading(agent, reader)
                assert agent.states == ["lost", "connected"]

    asyncio.run(story())


def test_a_frozen_reader_is_noticed_by_its_missing_keepalives() -> None:
    async def story() -> None:
        async with SimReader("r") as reader, linked(reader.port) as agent:
            await reading(agent, reader)
            reader.freeze()
            await agent.until(lambda: "lost" in agent.states)
            assert "fell silent" in agent.devices[-1].detail
            reader.thaw()
            await reading(agent, reader)
            assert agent.states == ["connected", "lost", "connected"]

    asyncio.run(story())


def test_a_quiet_door_is_no_trouble() -> None:
    async def story() -> None:
        async with SimReader("r") as reader, linked(reader.port) as agent:
            await agent.until(lambda: agent.states == ["connected"])
            await asyncio.sleep(5 * KEEPALIVE_S)
            await reading(agent, reader)
            assert agent.states == ["connected"]

    asyncio.run(story())


def test_a_reader_held_by_another_client_is_told_plainly_and_waited_for() -> None:
    async def story() -> None:
        async with SimReader("r") as reader, contextlib.AsyncExitStack() as ours:
            async with linked(reader.port, name="holder") as holder:
                await reading(holder, reader)
                agent = await ours.enter_async_context(linked(reader.port))
                await agent.until(lambda: agent.states == ["blind"])
                assert "another client holds the reader" in agent.devices[0].detail
                await reading(holder, reader)
                assert holder.states == ["connected"]
            await reading(agent, reader)  # the holder took its leave
            assert agent.states == ["blind", "connected"]

    asyncio.run(story())


def test_a_dropped_connection_is_replaced_and_reads_of_the_meantime_are_replayed() -> None:
    async def story() -> None:
        async with SimReader("r") as reader, linked(reader.port) as agent:
            await reading(agent, reader)
            await reading(agent, reader)
            reader.drop_connection()
            await agent.until(lambda: "lost" in agent.states)
            missed_us = wall_us()
            reader.deliver([heard(2, missed_us)])
            await agent.until(lambda: any(read.antenna == 2 for read in agent.reads))
            (replayed,) = [read for read in agent.reads if read.antenna == 2]
            assert abs(replayed.at_us - missed_us) < 100_000
            assert agent.states == ["connected", "lost", "connected"]

    asyncio.run(story())


# Servers that are no readers


@contextlib.asynccontextmanager
async def serving(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]) -> AsyncIterator[int]:
    """A TCP server that does what `answer` says with each connection; gives its port."""

    async def serve(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            result = answer(stream, writer)
            if asyncio.iscoroutine(result):
                await result
            await stream.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


GREETING = message(63, tlv(246, tlv(128, bytes(8)) + tlv(256, b"\0\0")))
SUCCESS = tlv(287, bytes(4))


def test_what_speaks_another_protocol_is_given_up_and_told_once() -> None:
    def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(50):
            writer.write(message(62, b"") + b"220 mail.example.com ESMTP\r\n")

    async def story() -> None:
        async with serving(talk) as port, linked(port) as agent:
            await agent.until(lambda: agent.states == ["lost"])
            assert "does not speak LLRP" in agent.devices[0].detail
            await asyncio.sleep(1)
            assert agent.states == ["lost"]

    asyncio.run(story())


def test_garbage_between_messages_is_survived_and_counted() -> None:
    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\xfe boot loader \x04" + GREETING)
        head = await stream.readexactly(10)
        assert head[1] == 1  # GET_READER_CAPABILITIES
        writer.write(message(61, plain_tag(3)) + b"\0\0garbage\0" + message(61, plain_tag(4)))

    async def story() -> None:
        async with serving(talk) as port, linked(port) as agent:
            await agent.until(lambda: len(agent.reads) >= 2)
            assert [read.antenna for read in agent.reads[:2]] == [4, 1]

    asyncio.run(story())


def test_a_reader_that_refuses_is_blind_and_its_words_are_passed_on() -> None:
    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        await stream.readexactly(10)
        writer.write(message(100, tlv(287, b"\x01\x91\x00\x05no RF")))

    async def story() -> None:
        async with serving(talk) as port, linked(port) as agent:
            await agent.until(lambda: agent.states == ["blind"])
            assert agent.devices[0].detail == "the reader refuses while capabilities: R_DeviceError, no RF"

    asyncio.run(story())


def test_a_port_that_never_greets_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "ANSWER_S", 0.3)

    async def story() -> None:
        async with serving(lambda *_: None) as port, linked(port) as agent:
            await agent.until(lambda: agent.states == ["lost"])
            assert "nothing came for 0.3 s" in agent.devices[0].detail

    asyncio.run(story())
