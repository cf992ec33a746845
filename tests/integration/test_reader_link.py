"""A reader link against the simulated reader: what can happen to a reader, and what people are told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from linkedreader import EPC, KEEPALIVE_S, Agent, door_reader, heard, linked, reading
from llrpdata import message, plain_tag, tlv

from edge.llrp.link import ReaderLink, wall_us
from edge.llrp.patience import Patience
from edge.llrp.read import Read
from edge.supervisor import Supervisor
from firmware_sim.reader import SimReader


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
            assert agent.link.counts["rospecs_kept"] == 1

    asyncio.run(story())


def test_a_reader_takes_leave_and_is_taken_up_again() -> None:
    async def story() -> None:
        async with SimReader("r") as reader, linked(reader.port) as agent:
            await reading(agent, reader)
            reader.close_connection()
            await agent.until(lambda: "lost" in agent.states)
            assert agent.devices[-1].detail == "the reader closed the connection"
            await reading(agent, reader)

    asyncio.run(story())


def test_a_reader_with_an_antenna_unplugged_is_blind_until_it_is_back() -> None:
    async def story() -> None:
        async with SimReader("r") as reader, linked(reader.port) as agent:
            await reading(agent, reader)
            reader.set_antenna(3, False)
            await agent.until(lambda: agent.states == ["connected", "blind"])
            assert agent.devices[-1].detail == "antenna 3 is disconnected: check its cable"
            await reading(agent, reader)  # the others still read
            reader.set_antenna(3, True)
            await agent.until(lambda: agent.states == ["connected", "blind", "connected"])

    asyncio.run(story())


def test_inputs_are_told_with_their_times() -> None:
    async def story() -> None:
        async with SimReader("r", clock_offset_us=-(10**14)) as reader, linked(reader.port) as agent:
            await agent.until(lambda: len(agent.inputs) == 4 and agent.states == ["connected"])
            assert [(port, high) for port, high, _ in agent.inputs] == [(port, False) for port in (1, 2, 3, 4)]
            reader.set_gpi(2, True)
            await agent.until(lambda: len(agent.inputs) == 5)
            port, high, at_us = agent.inputs[-1]
            assert (port, high) == (2, True)
            assert abs(at_us - wall_us()) < 1_000_000

    asyncio.run(story())


def test_after_a_mistake_of_ours_the_reader_is_lost_and_then_there_again() -> None:
    """Whatever fails in what we make of reads, the doors must know that nobody listens, and later that we do again."""

    async def story() -> None:
        async with SimReader("r") as reader:
            agent = Agent()
            mistakes = [ZeroDivisionError("ours")]

            def on_reads(reads: Sequence[Read]) -> None:
                if mistakes:
                    raise mistakes.pop()
                agent.on_reads(reads)

            link = ReaderLink(door_reader(reader.port), on_reads, agent.on_device)
            supervised = asyncio.create_task(Supervisor("reader-1", lambda _: None, wall_us).run(link.run))
            await agent.until(lambda: agent.states == ["connected"])
            reader.deliver([heard()])
            await agent.until(lambda: agent.states == ["connected", "lost", "connected"])
            await reading(agent, reader)
            supervised.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await supervised
            assert agent.states == ["connected", "lost", "connected"]

    asyncio.run(story())


@pytest.mark.parametrize("host", ["reader..example", "x" * 64])
@pytest.mark.parametrize("listen", [False, True])
def test_what_is_no_name_of_a_host_is_told_to_be_corrected(host: str, listen: bool) -> None:
    async def story() -> None:
        async with linked(9, host=host, listen=listen) as agent:
            await agent.until(lambda: agent.states == ["blind"])
            assert agent.devices[0].detail.endswith("correct host")

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


def test_a_port_that_never_greets_is_lost() -> None:
    async def story() -> None:
        async with serving(lambda *_: None) as port, linked(port, patience=Patience(answer_s=0.3)) as agent:
            await agent.until(lambda: agent.states == ["lost"])
            assert "nothing came for 0.3 s" in agent.devices[0].detail

    asyncio.run(story())
