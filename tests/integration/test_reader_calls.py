"""How a link and its reader come together: over TLS, or because the reader connects to us."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from certificates import Certificate, authority, signed
from linkedreader import Agent, linked, reading
from llrpdata import message, tlv

from contract.portals import LlrpReader, Tls
from edge.llrp.calls import MAX_CALLERS
from edge.llrp.patience import Patience
from firmware_sim.reader import SimReader

NAME = "reader-dock-1.example"
BRIEF = Patience(call_s=0.3, handshake_s=0.5)
GREETING = message(63, tlv(246, tlv(128, bytes(8)) + tlv(256, b"\0\0")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def house(folder: Path) -> Certificate:
    return authority(folder, "house-authority")


@pytest.fixture(scope="module")
def badge(folder: Path, house: Certificate) -> Certificate:
    """The reader's own, signed by the house."""
    return signed(folder, NAME, house)


def test_a_reader_with_a_certificate_of_the_house_reads_and_is_found_again(
    house: Certificate, badge: Certificate
) -> None:
    async def story() -> None:
        tls = Tls(ca=house.pem, server_name=NAME)
        async with SimReader("r", tls=badge.server()) as reader, linked(reader.port, tls=tls) as agent:
            await reading(agent, reader)
            await reader.power_off()
            await agent.until(lambda: "lost" in agent.states)
            await reader.power_on()
            await reading(agent, reader)
            assert agent.states == ["connected", "lost", "connected"]

    asyncio.run(story())


def test_a_readers_own_certificate_may_be_pinned_whoever_signed_it(folder: Path, badge: Certificate) -> None:
    async def story() -> None:
        own = authority(folder, "self-signed.example")
        for certificate, name in ((own, "self-signed.example"), (badge, NAME)):
            tls = Tls(ca=certificate.pem, server_name=name)
            async with SimReader("r", tls=certificate.server()) as reader, linked(reader.port, tls=tls) as agent:
                await reading(agent, reader)

    asyncio.run(story())


def test_a_reader_of_2015_with_rsa_and_no_forward_secrecy_reads(folder: Path, house: Certificate) -> None:
    async def story() -> None:
        old = signed(folder, "old.example", house, rsa=True).server()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.set_ciphers("AES128-GCM-SHA256")
        tls = Tls(ca=house.pem, server_name="old.example")
        async with SimReader("r", tls=old) as reader, linked(reader.port, tls=tls) as agent:
            await reading(agent, reader)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("ca", "server_name", "words"),
    [
        ("stranger.pem", NAME, "is not signed by"),
        ("house-authority.pem", "another.example", "certificate is not for another.example: set tls.server_name"),
        ("house-authority.pem", None, "certificate is not for 127.0.0.1: set tls.server_name"),
        ("house-authority.pem", ".example", "correct tls.server_name"),
        ("house-authority.pem", "a..b", "correct tls.server_name"),
        ("nowhere.pem", NAME, "No such file or directory): correct tls.ca"),
        ("house-authority.key", NAME, "it holds none in PEM form): correct tls.ca"),
    ],
)
def test_who_cannot_be_trusted_is_blind_and_people_are_told_what_to_do(
    folder: Path, badge: Certificate, ca: str, server_name: str | None, words: str
) -> None:
    async def story() -> None:
        authority(folder, "stranger")
        tls = Tls(ca=folder / ca, server_name=server_name)
        async with SimReader("r", tls=badge.server()) as reader, linked(reader.port, tls=tls) as agent:
            await agent.until(lambda: agent.states == ["blind"])
            assert words in agent.devices[0].detail
            assert not reader.connected

    asyncio.run(story())


def test_a_certificate_that_is_out_of_date_says_so(folder: Path, house: Certificate) -> None:
    async def story() -> None:
        expired = signed(folder, "expired.example", house, days=0)
        tls = Tls(ca=house.pem, server_name="expired.example")
        async with SimReader("r", tls=expired.server()) as reader, linked(reader.port, tls=tls) as agent:
            await agent.until(lambda: agent.states == ["blind"])
            assert "out of date (certificate has expired)" in agent.devices[0].detail

    asyncio.run(story())


def test_a_port_without_tls_says_so_and_one_that_never_shakes_hands_is_lost(house: Certificate) -> None:
    async def mute(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await stream.read(-1)
        writer.close()

    async def story() -> None:
        tls = Tls(ca=house.pem, server_name=NAME)
        async with SimReader("r") as reader, linked(reader.port, tls=tls, patience=BRIEF) as agent:
            await agent.until(lambda: agent.states == ["blind"])
            assert "does not speak TLS as we do (wrong version number)" in agent.devices[0].detail
        async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with linked(port, tls=tls, patience=BRIEF) as agent:
                await agent.until(lambda: agent.states == ["lost"])
                assert "TLS handshake" in agent.devices[0].detail

    asyncio.run(story())


def test_a_reader_that_connects_to_us_cannot_have_tls() -> None:
    with pytest.raises(ValueError, match="not for a reader that connects to us"):
        LlrpReader(name="r", inside=[1], listen=True, tls=Tls(ca=Path("ca.pem")))


# The reader connects to us


async def free_port() -> int:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        return int(server.sockets[0].getsockname()[1])


def told(story: Callable[[Agent, int], Awaitable[None]]) -> None:
    """A story about a link that listens."""

    async def whole() -> None:
        port = await free_port()
        async with linked(port, listen=True, patience=BRIEF) as agent:
            await story(agent, port)

    asyncio.run(whole())


def test_a_reader_that_connects_to_us_reads_and_comes_again() -> None:
    async def story(agent: Agent, port: int) -> None:
        await agent.until(lambda: agent.states == ["lost"])
        assert "has not connected to 127.0.0.1" in agent.devices[0].detail
        async with SimReader("r", dial=("127.0.0.1", port)) as reader:
            await reading(agent, reader)
            reader.drop_connection()
            await agent.until(lambda: agent.states == ["lost", "connected", "lost"])
            await reading(agent, reader)
            await reader.power_off()
            await agent.until(lambda: agent.states[-1] == "lost")
            await reader.power_on()
            await reading(agent, reader)

    told(story)


def test_a_busy_port_is_told_and_tried_again() -> None:
    async def story() -> None:
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as holder:
            port = int(holder.sockets[0].getsockname()[1])
            async with linked(port, listen=True, patience=BRIEF) as agent:
                await agent.until(lambda: agent.states == ["lost"])
                assert agent.devices[0].detail.endswith("end what holds the port, or change it")
                holder.close()
                async with SimReader("r", dial=("127.0.0.1", port)) as reader:
                    await reading(agent, reader)

    asyncio.run(story())


def test_callers_that_are_no_reader_disturb_nobody() -> None:
    async def story(agent: Agent, port: int) -> None:
        async with SimReader("r", dial=("127.0.0.1", port)) as reader:
            await reading(agent, reader)
            for _ in range(2 * MAX_CALLERS):
                await asyncio.open_connection("127.0.0.1", port)
            _, chatty = await asyncio.open_connection("127.0.0.1", port)
            chatty.write(b"GET / HTTP/1.1\r\n\r\n")
            await reading(agent, reader)
            assert "lost" not in agent.states[agent.states.index("connected") :]

    told(story)


def test_a_reader_that_calls_again_takes_the_place_of_its_dead_connection() -> None:
    async def story(agent: Agent, port: int) -> None:
        await agent.until(lambda: agent.states == ["lost"])  # it listens
        stream, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(GREETING)
        await stream.readexactly(10)  # it was taken: this asks what it can do
        async with SimReader("r", dial=("127.0.0.1", port)) as reader:
            await reading(agent, reader)
            with contextlib.suppress(ConnectionError):
                while await stream.read(65536):
                    pass
        assert agent.link.counts["connections"] == 2

    told(story)


def test_another_reader_is_turned_away_while_the_first_is_there() -> None:
    async def story(agent: Agent, port: int) -> None:
        async with SimReader("r", dial=("127.0.0.1", port)) as reader:
            await reading(agent, reader)
            stream, other = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
            other.write(GREETING)
            with contextlib.suppress(ConnectionError):
                assert await stream.read() == b""
            await reading(agent, reader)
            assert agent.link.counts["connections"] == 1

    told(story)
