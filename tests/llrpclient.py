"""A plain LLRP client for the tests of the simulated reader: requests written and answers read by sllurp's codec."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from sllurp.llrp import LLRPMessage
from sllurp.llrp_proto import LLRPROSpec

from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader, wall_us

EPC = "303435fc8803d056d15b963f"
ALL = {
    "EnableROSpecID": True,
    "EnableSpecIndex": True,
    "EnableInventoryParameterSpecID": True,
    "EnableAntennaID": True,
    "EnableChannelIndex": True,
    "EnablePeakRSSI": True,
    "EnableFirstSeenTimestamp": True,
    "EnableLastSeenTimestamp": True,
    "EnableTagSeenCount": True,
    "EnableAccessSpecID": True,
}
TIMEOUT_S = 5.0


class Client:
    """A client that waits for each answer and keeps what came unasked."""

    def __init__(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stream, self.writer, self.ids = stream, writer, 0

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next message as sllurp decodes it."""
        data = await self.raw()
        message = LLRPMessage(msgbytes=data)
        return message.msgname, message.msgdict[message.msgname]

    async def raw(self) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            head = await self.stream.readexactly(10)
            return head + await self.stream.readexactly(struct.unpack_from(">I", head, 2)[0] - 10)

    async def until(self, name: str) -> dict[str, Any]:
        """The next message of that name; others are skipped."""
        while True:
            came, content = await self.next()
            if came == name:
                return content

    def send(self, name: str, **content: Any) -> int:
        self.ids += 1
        self.writer.write(LLRPMessage(msgdict={name: {"ID": self.ids, **content}}).msgbytes)
        return self.ids

    def send_raw(self, kind: int, body: bytes = b"", version: int = 1, message_id: int = 77) -> None:
        self.writer.write(struct.pack(">HII", version << 10 | kind, 10 + len(body), message_id) + body)

    async def ask(self, name: str, **content: Any) -> str:
        """Send a request and return the status code of its answer."""
        asked = self.send(name, **content)
        answer = await self.until(f"{name}_RESPONSE")
        assert answer["ID"] == asked
        return str(answer["LLRPStatus"]["StatusCode"])

    async def silent_for(self, seconds: float) -> bool:
        """Whether nothing came for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.stream.readexactly(1)
        except TimeoutError:
            return True
        return False

    async def closed(self) -> bool:
        """Whether the reader hung up (what came before is thrown away)."""
        async with asyncio.timeout(TIMEOUT_S):
            try:
                while await self.stream.read(65536):
                    pass
            except ConnectionError:
                pass
        return True


@asynccontextmanager
async def connected(reader: SimReader, expect: str = "Success") -> AsyncIterator[Client]:
    stream, writer = await asyncio.open_connection("127.0.0.1", reader.port)
    client = Client(stream, writer)
    try:
        name, content = await client.next()
        assert name == "READER_EVENT_NOTIFICATION"
        assert content["ReaderEventNotificationData"]["ConnectionAttemptEvent"]["Status"] == expect
        yield client
    finally:
        writer.close()


def rospec(n: int = 1, spec_id: int = 1, antennas: tuple[int, ...] = (1, 2, 3, 4), **changes: Any) -> dict[str, Any]:
    """An ROSpec that starts at once and reports every `n` tags."""
    spec = LLRPROSpec(None, spec_id, antennas=antennas, tag_content_selector=ALL)
    spec["ROReportSpec"].update(ROReportTrigger="Upon_N_Tags_Or_End_Of_ROSpec", N=n)
    spec["ROBoundarySpec"].update(changes)
    return dict(spec)


async def inventory(client: Client, spec: dict[str, Any]) -> None:
    assert await client.ask("ADD_ROSPEC", ROSpecID=spec["ROSpecID"], ROSpec=spec) == "Success"
    assert await client.ask("ENABLE_ROSPEC", ROSpecID=spec["ROSpecID"]) == "Success"


def read(antenna: int = 1, epc: str = EPC, rssi: int = -60, at_us: int | None = None) -> TagRead:
    return TagRead(wall_us() if at_us is None else at_us, epc, antenna, rssi, 100, 7, -3)


Story = Callable[[SimReader], Coroutine[Any, Any, None]]


def play(story: Story, **arguments: Any) -> None:
    async def whole() -> None:
        async with SimReader("reader-1", **arguments) as reader:
            await story(reader)

    asyncio.run(whole())
