"""Servers that answer a reader link with ill will: it gives them up, says so, and tells nothing that cannot be."""

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llrpdata import message, plain_tag, tlv, tv

from contract import wire
from contract.events import Device
from contract.portals import Door, LlrpReader
from contract.sitepart import Title
from edge.llrp.arming import MAX_IN_VAIN
from edge.llrp.conversation import MAX_NONSENSE
from edge.llrp.link import ReaderLink
from edge.llrp.patience import Patience
from edge.llrp.read import Read
from edge.portal.door import DoorTracker

PATIENCE_S = 20.0
READER = LlrpReader(name="reader-1", inside=[1, 4], outside=[2, 3], keepalive_s=0.5)
GREETING = message(63, tlv(246, tlv(128, bytes(8)) + tlv(256, b"\0\0")))
SUCCESS = tlv(287, bytes(4))
CAPABLE = tlv(137, struct.pack(">HHIIH", 4, 0, 0, 0, 0))
ANSWERS = {1: (11, SUCCESS + CAPABLE)} | {
    request: (answer, SUCCESS)
    for request, answer in ((2, 12), (26, 36), (21, 31), (41, 51), (3, 13), (20, 30), (24, 34), (22, 32))
}

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def tag(
    first_us: int, last_us: int, *, antenna: int = 1, epc: bytes = tv(13, bytes(12)), uptime: bool = False
) -> bytes:
    """A tag report with any times."""
    times = tv(3 if uptime else 2, struct.pack(">Q", first_us)) + tv(5 if uptime else 4, struct.pack(">Q", last_us))
    return tlv(240, epc + tv(1, struct.pack(">H", antenna)) + tv(6, b"\xc8") + times)


async def arm(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a good reader until the client reads."""
    writer.write(GREETING)
    await obey(stream, writer)


async def obey(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say yes to everything, and list no ROSpec, until the client reads."""
    while True:
        head, length, _ = struct.unpack(">HII", await stream.readexactly(10))
        await stream.readexactly(length - 10)
        if head & 0x3FF == 64:  # ENABLE_EVENTS_AND_REPORTS
            return
        number, body = ANSWERS[head & 0x3FF]
        writer.write(message(number, body))


class Witness:
    """What a link told; every event of it, and every pass made from its reads, must be fit for the wire."""

    def __init__(self) -> None:
        self.devices: list[Device] = []
        self.reads = 0
        self.latest_us = 0
        self._tracker = DoorTracker(
            Door(name="d", title=Title(en="D", zh="D"), agent="a", inside="i", readers=[READER])
        )
        self._news = asyncio.Event()

    def on_reads(self, reads: Sequence[Read]) -> None:
        self.reads += len(reads)
        self.latest_us = max(self.latest_us, *(read.at_us for read in reads))
        self._tracker.feed(reads)
        self._news.set()

    def on_device(self, event: Device) -> None:
        assert wire.decode_event(wire.encode(event)) == event
        self.devices.append(event)
        self._news.set()

    def passes(self) -> None:
        """A minute later every pass is over, and the gateway would take it."""
        for door_pass in self._tracker.due(time.time_ns() // 1000 + 120_000_000):
            assert wire.decode_event(wire.encode(door_pass)) == door_pass
        assert self._tracker.next_due_us() is None

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.devices]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def linked(talk: Talk, patience: Patience = Patience()) -> AsyncIterator[Witness]:  # noqa: B008  # frozen
    """A link to a server that talks so."""

    async def serve(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, KeyError, asyncio.CancelledError):
                await talk(stream, writer)
                await stream.read()
        finally:
            writer.transport.abort()

    witness = Witness()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader = READER.model_copy(update={"port": server.sockets[0].getsockname()[1]})
        link = ReaderLink(reader, witness.on_reads, witness.on_device, patience=patience)
        running = asyncio.create_task(link.run())
        try:
            yield witness
            assert not running.done()  # nothing that a reader says ends the link
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def test_a_reader_that_greets_and_then_only_chats_is_given_up() -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        while True:
            writer.write(message(62, b"") + message(13, SUCCESS))  # a keepalive, and an answer to no question
            await writer.drain()
            await asyncio.sleep(0.05)

    async def story() -> None:
        async with linked(talk, Patience(arming_s=0.5)) as witness:
            await witness.until(lambda: witness.states == ["lost"])
            assert "could not be armed" in witness.devices[0].detail

    asyncio.run(story())


def test_a_reader_that_never_lists_its_rospec_is_armed_again_a_few_times_and_then_let_be() -> None:
    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arm(stream, writer)
        for _ in range(MAX_IN_VAIN):
            await obey(stream, writer)
        head = await stream.readexactly(10)
        assert head[1] == 26  # GET_ROSPECS
        writer.write(message(36, SUCCESS))
        writer.write(message(61, plain_tag(1)))

    async def story() -> None:
        async with linked(talk, Patience(check_every_s=0.1)) as witness:
            await witness.until(lambda: witness.reads == 1)
            told = [event for event in witness.devices if event.state in ("connected", "blind", "lost")]
            assert [event.state for event in told] == ["connected", *["blind", "connected"] * MAX_IN_VAIN]
            assert "had stopped reading" in told[1].detail

    asyncio.run(story())


def test_a_message_that_comes_byte_by_byte_and_never_ends_is_silence() -> None:
    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arm(stream, writer)
        writer.write(message(61, bytes(1_000_000))[:10])
        while True:
            writer.write(b"\0")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def story() -> None:
        async with linked(talk) as witness:
            await witness.until(lambda: witness.states[:2] == ["connected", "lost"])
            assert "whole message" in witness.devices[1].detail

    asyncio.run(story())


BROKEN = message(61, tlv(240, b"\0\xf1\0\0"))
"""A short report whose EPC claims to be no bytes long, header included."""


@pytest.mark.parametrize(
    "junk",
    [
        struct.pack(">HII", 0x43D, 0xFFFFFFFF, 1) * 30,  # 4 GiB each
        BROKEN * 200_000,  # 4 MB of them
        struct.pack(">HII", 0x43D, 3_600_010, 1) + BROKEN * 200_000,  # ... in one
        message(63, tlv(700, b"") * 1_000_000) * 2 + bytes(300),  # an event with a million parameters
    ],
)
def test_nonsense_is_given_up_after_a_few_messages(junk: bytes) -> None:
    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arm(stream, writer)
        while True:
            writer.write(junk)
            await writer.drain()

    async def story() -> None:
        async with linked(talk) as witness:
            await witness.until(lambda: "lost" in witness.states)
            detail = witness.devices[1].detail
            assert "does not speak LLRP" in detail or "nothing came" in detail
            assert 1 <= witness.devices[1].counts["bad_messages"] <= MAX_NONSENSE + 1

    asyncio.run(story())


def test_a_clock_that_steps_with_every_report_is_told_once() -> None:
    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arm(stream, writer)
        for step in range(1, 2001):
            writer.write(message(61, tag(step * 10_000_000, step * 10_000_000)))
        await writer.drain()

    async def story() -> None:
        async with linked(talk) as witness:
            await witness.until(lambda: witness.reads == 2000)
            assert witness.states == ["connected", "clock_stepped"]

    asyncio.run(story())


def test_one_flooding_reader_does_not_stop_another() -> None:
    async def flood(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arm(stream, writer)
        report = message(61, b"".join(plain_tag(n) for n in range(500)))
        while True:
            writer.write(report)
            await writer.drain()

    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arm(stream, writer)
        for serial in range(5):
            writer.write(message(61, plain_tag(serial)) + message(62, b""))
            await asyncio.sleep(0.02)

    async def story() -> None:
        async with linked(flood) as hostile:
            await hostile.until(lambda: hostile.reads > 10_000)
            async with linked(talk) as witness:
                await witness.until(lambda: witness.reads == 5)
                assert "lost" not in witness.states
            assert "lost" not in hostile.states

    asyncio.run(story())


MOMENTS = st.sampled_from([0, 1, 2**31, 10**15, 1_700_000_000_000_000, 2**53, 2**62, 2**63, 2**64 - 1])
BITS = st.sampled_from([0, 1, 8, 95, 96, 496, 497, 65535])
TAGS = st.builds(
    lambda first, last, antenna, bits, uptime: tag(
        first,
        last,
        antenna=antenna,
        epc=tlv(241, struct.pack(">H", bits) + bytes((bits + 7) // 8)),
        uptime=uptime,
    ),
    MOMENTS,
    MOMENTS,
    st.sampled_from([0, 1, 2, 65535]),
    BITS,
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(reports=st.lists(st.lists(TAGS, min_size=1, max_size=6).map(b"".join), min_size=1, max_size=8), junk=st.binary())
def test_whatever_a_reader_says_of_tags_becomes_no_read_of_the_future_and_no_event_that_is_refused(
    reports: list[bytes], junk: bytes
) -> None:
    async def talk(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arm(stream, writer)
        for report in reports:
            writer.write(message(61, report))
        writer.write(message(61, tag(5, 5, antenna=3)) + junk)
        await writer.drain()
        writer.close()

    async def story() -> None:
        async with linked(talk) as witness:
            await witness.until(lambda: "lost" in witness.states)
            assert witness.reads
            assert witness.latest_us <= time.time_ns() // 1000
            witness.passes()

    asyncio.run(story())
