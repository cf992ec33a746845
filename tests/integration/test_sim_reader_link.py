"""How the simulated reader and its client find and lose each other: TLS, reader-initiated, keepalives, versions."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from certificates import Certificate, authority
from llrpclient import Client, connected, inventory, play, read, rospec
from sllurp.llrp import LLRPMessage

from firmware_sim.reader import SimReader

ENABLE_EXTENSIONS = struct.pack(">IBI", 25882, 21, 0)


@pytest.fixture(scope="module")
def badge(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The reader's own certificate, signed by itself."""
    return authority(tmp_path_factory.mktemp("badge"), "reader.test")


def test_a_tls_client_that_trusts_the_reader_inventories_and_one_that_does_not_is_left_outside(
    badge: Certificate, tmp_path: Path
) -> None:
    stranger = authority(tmp_path, "somebody.else")

    async def story(reader: SimReader) -> None:
        stream, writer = await asyncio.open_connection("127.0.0.1", reader.port, ssl=badge.client())
        client = Client(stream, writer)
        assert (await client.next())[0] == "READER_EVENT_NOTIFICATION"
        await inventory(client, rospec())
        reader.deliver([read(antenna=2)])
        assert (await client.until("RO_ACCESS_REPORT"))["TagReportData"][0]["AntennaID"] == 2
        writer.close()
        await reader.vacant()
        with pytest.raises(OSError, match=r"(?i)certificate"):
            await asyncio.open_connection("127.0.0.1", reader.port, ssl=stranger.client())
        stream, writer = await asyncio.open_connection("127.0.0.1", reader.port)
        writer.write(struct.pack(">HII", 1 << 10 | 1, 11, 1) + b"\0")
        assert await Client(stream, writer).closed()
        writer.close()

    play(story, tls=badge.server())


class Host:
    """A client that listens for its reader."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[Client] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def listening(self, port: int = 0, **options: object) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._take, "127.0.0.1", port, **options)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _take(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.put_nowait(Client(stream, writer))

    async def reader(self) -> Client:
        """The next reader that calls, and greets as one that was called does."""
        async with asyncio.timeout(5):
            client = await self.came.get()
        name, content = await client.next()
        assert name == "READER_EVENT_NOTIFICATION"
        assert content["ReaderEventNotificationData"]["ConnectionAttemptEvent"]["Status"] == "Success"
        return client


def test_a_reader_that_calls_its_client_calls_again_after_each_loss() -> None:
    async def story() -> None:
        host = Host()
        async with host.listening() as port:
            pass  # the port is known, and nobody listens there
        async with SimReader("r", dial=("127.0.0.1", port), redial_s=0.05) as reader:
            await asyncio.sleep(0.12)
            assert not reader.connected
            async with host.listening(port):
                client = await host.reader()
                await inventory(client, rospec())
                client.writer.transport.abort()
                client = await host.reader()
                reader.deliver([read(antenna=3)])
                assert (await client.until("RO_ACCESS_REPORT"))["TagReportData"][0]["AntennaID"] == 3
                await reader.power_off()
                assert await client.closed()
                await reader.power_on()
                client = await host.reader()
                client.send_raw(26)
                assert (await client.raw())[1] == 36
                client.writer.close()

    asyncio.run(story())


def test_a_reader_calls_over_tls(badge: Certificate) -> None:
    async def story() -> None:
        host = Host()
        async with (
            host.listening(ssl=badge.server()) as port,
            SimReader("r", dial=("127.0.0.1", port), tls=badge.client()),
        ):
            client = await host.reader()
            assert await client.ask("DELETE_ROSPEC", ROSpecID=0) == "Success"
            client.writer.close()

    asyncio.run(story())


def test_a_client_that_dies_frees_the_reader_at_once() -> None:
    async def story(reader: SimReader) -> None:
        client = socket.create_connection(("127.0.0.1", reader.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await asyncio.to_thread(client.recv, 1)  # greeted
        assert reader.connected
        client.close()  # a reset
        async with asyncio.timeout(5):
            await reader.vacant()

    play(story)


async def configure(client: Client, threshold: int, enabled: bool = True) -> None:
    """A keepalive every 20 ms and the vendor's link monitor."""
    client.send_raw(1023, ENABLE_EXTENSIONS)
    await client.until("IMPINJ_ENABLE_EXTENSIONS_RESPONSE")
    keepalive = struct.pack(">HHBI", 220, 9, 1, 20)
    monitor = struct.pack(">HHIIHH", 1023, 16, 25882, 38, enabled, threshold)
    client.send_raw(3, b"\0" + keepalive + monitor)
    assert (await client.until("SET_READER_CONFIG_RESPONSE"))["LLRPStatus"]["StatusCode"] == "Success"


def test_without_link_monitor_a_client_that_never_acknowledges_keeps_the_reader() -> None:
    async def story(reader: SimReader) -> None:
        async with connected(reader) as client:
            await configure(client, 2, enabled=False)
            for _ in range(8):
                await client.until("KEEPALIVE")
            async with connected(reader, expect="Failed (a Client initiated connection already exists)"):
                pass

    play(story)


def test_with_link_monitor_it_is_dropped_and_the_next_client_is_served() -> None:
    async def story(reader: SimReader) -> None:
        async with connected(reader) as client:
            await configure(client, 2)
            for _ in range(6):  # acknowledged ones are no trouble
                await client.until("KEEPALIVE")
                client.send("KEEPALIVE_ACK")
            assert reader.connected
            assert await client.closed()
        async with connected(reader) as client:
            client.send_raw(2, struct.pack(">HBHH", 0, 8, 0, 0))
            keepalive = (await client.until("GET_READER_CONFIG_RESPONSE"))["KeepaliveSpec"]
            assert keepalive["TimeInterval"] == 20

    play(story)


def test_a_reader_that_closes_says_so() -> None:
    async def story(reader: SimReader) -> None:
        async with connected(reader) as client:
            reader.close_connection()
            data = (await client.until("READER_EVENT_NOTIFICATION"))["ReaderEventNotificationData"]
            assert "ConnectionCloseEvent" in data
            assert await client.closed()
        async with connected(reader):
            pass

    play(story)


GET_VERSION, SET_VERSION = 46, 47


def test_a_reader_of_the_first_version_knows_of_no_other() -> None:
    async def story(reader: SimReader) -> None:
        async with connected(reader) as client:
            for kind, body in ((GET_VERSION, b""), (SET_VERSION, b"\x01")):
                client.send_raw(kind, body, version=2)
                answer = await client.raw()
                assert answer[0] >> 2 == 1
                status = LLRPMessage(msgbytes=answer).msgdict["ERROR_MESSAGE"]["LLRPStatus"]
                assert status["StatusCode"] == "UnsupportedVersion"
            assert await client.ask("DELETE_ROSPEC", ROSpecID=0) == "Success"

    play(story)


def test_a_negotiated_version_stands_in_every_frame_until_the_connection_ends() -> None:
    async def ask(client: Client, kind: int, body: bytes = b"", version: int = 2) -> tuple[int, int, bytes]:
        client.send_raw(kind, body, version)
        answer = await client.raw()
        return answer[0] >> 2 & 7, struct.unpack_from(">H", answer)[0] & 0x3FF, answer[10:]

    async def story(reader: SimReader) -> None:
        async with connected(reader) as client:
            version, kind, body = await ask(client, GET_VERSION)
            assert (version, kind, body[:2], status_of(body[2:])) == (2, 56, b"\x01\x02", 0)
            for wrong in (0, 3):
                assert status_of((await ask(client, SET_VERSION, bytes([wrong])))[2]) == 110
            assert status_of((await ask(client, SET_VERSION, b"\x02"))[2]) == 0
            assert status_of((await ask(client, SET_VERSION, b"\x01"))[2]) == 112
            assert (await ask(client, GET_VERSION))[2][:2] == b"\x02\x02"
            version, kind, body = await ask(client, 21, bytes(4))
            assert (version, kind, status_of(body)) == (2, 31, 0)
            version, kind, body = await ask(client, 21, bytes(4), version=1)
            assert (version, kind, status_of(body)) == (2, 100, 110)
        async with connected(reader) as client:
            assert (await ask(client, 21, bytes(4), version=1))[:2] == (1, 31)

    play(story, versions=2)


def status_of(data: bytes) -> int:
    """The code of the LLRPStatus that begins these bytes."""
    assert struct.unpack_from(">H", data)[0] == 287
    return int(struct.unpack_from(">H", data, 4)[0])
