"""How a connection to a reader comes about: we connect to it, or it connects to us (`listen`, LLRP 1.0.1 section 18).

Either way the reader speaks first. What calls us is a reader only once it has begun to greet, so a port scanner
disturbs nobody; and a reader that calls again has given up its last connection, whether we know that yet or not: the
new one takes its place. A second reader that was told the same address is refused as long as the first one is there.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple, Protocol

import structlog

from contract.portals import Reader, Tls
from edge.errors import Blinded, Unreachable
from edge.llrp.frames import HEADER
from edge.llrp.patience import Patience
from edge.llrp.trust import distrusted, trusting
from edge.llrp.words import NUMBERS

log = structlog.get_logger(__name__)

MAX_CALLERS: Final = 4
"""Callers that have not yet greeted; more are turned away."""
PROBE_EVERY_S: Final = 5
"""How often the kernel asks whether the other end is there, when nothing was said."""


class Call(NamedTuple):
    """A connection, and what was already heard on it."""

    stream: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: bytes = b""


class Calls(Protocol):
    """Where connections to a reader come from."""

    async def next(self) -> Call:
        """A new connection. Raises `Unreachable`, or `Blinded` where trying again will not help."""

    async def close(self) -> None:
        """No more of them."""


def calls(reader: Reader, patience: Patience) -> Calls:
    """Those of this reader."""
    return Incoming(reader, patience) if reader.listen else Outgoing(reader, patience)


class Outgoing:
    """We connect to the reader."""

    def __init__(self, reader: Reader, patience: Patience) -> None:
        self._reader = reader
        self._patience = patience
        self._place = f"{reader.host}:{reader.port}"

    async def next(self) -> Call:
        """Connect, with TLS if the reader has it."""
        wire = await self._connected()
        try:
            with ExitStack() as ours:
                ours.enter_context(wire)
                _keep_watch(wire, self._reader.keepalive_s * self._patience.missed_keepalives)
                if self._reader.tls is None:
                    call = Call(*await asyncio.open_connection(sock=wire))
                else:
                    call = Call(*await self._encrypted(wire, self._reader.tls))
                ours.pop_all()
                return call
        except OSError as error:  # reset before we could do anything with it
            raise Unreachable(f"the connection to {self._place} broke at once: {error.strerror or error}") from error

    async def close(self) -> None:
        """Nothing is held between calls."""

    async def _connected(self) -> socket.socket:
        try:
            async with asyncio.timeout(self._patience.connect_s):
                return await _connect(self._reader.host, self._reader.port, self._patience.connect_s)
        except OSError as error:  # TimeoutError, too
            reason = error.strerror or f"no answer within {self._patience.connect_s:g} s"
            raise Unreachable(f"no connection to {self._place}: {reason}; check its power and network") from error
        except UnicodeError as error:  # a name that DNS cannot have: an empty part, or one of over 63 characters
            raise _no_host(self._reader.host, error) from error

    async def _encrypted(self, wire: socket.socket, tls: Tls) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection(
                sock=wire,
                ssl=trusting(tls),
                server_hostname=tls.server_name or self._reader.host,
                ssl_handshake_timeout=self._patience.handshake_s,
            )
        except ssl.SSLCertVerificationError as error:
            raise Blinded(distrusted(error, tls, tls.server_name or self._reader.host)) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise Unreachable(f"{self._place} hung up in the middle of the TLS handshake") from error
        except ssl.SSLError as error:
            why = (error.reason or "no reason given").lower().replace("_", " ")
            words = f"{self._place} does not speak TLS as we do ({why}): check that this is its TLS port"
            raise Blinded(words) from error
        except OSError as error:  # ConnectionAbortedError when the handshake takes too long
            raise Unreachable(f"the TLS handshake with {self._place} failed: {error.strerror or error}") from error
        except ValueError as error:  # UnicodeError, too
            name = tls.server_name or self._reader.host
            raise Blinded(f"{name!r} is no name that a certificate bears ({error}): correct tls.server_name") from error


class Incoming:
    """The reader connects to us."""

    def __init__(self, reader: Reader, patience: Patience) -> None:
        self._reader = reader
        self._patience = patience
        self._place = f"{reader.host}:{reader.port}"
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.StreamWriter] = set()
        self._waiting: Call | None = None
        """Greeted, and not yet taken; one that calls later takes its place."""
        self._called = asyncio.Event()
        self._current: asyncio.StreamWriter | None = None

    async def next(self) -> Call:
        """Wait for the reader to connect, as long as patience lasts."""
        if self._server is None:
            await self._listen()
        try:
            async with asyncio.timeout(self._patience.call_s):
                await self._called.wait()
        except TimeoutError as error:
            words = (
                f"the reader has not connected to {self._place}: check its power and network, and that it is told to"
            )
            raise Unreachable(words) from error
        call, self._waiting = self._waiting, None
        assert call is not None
        self._called.clear()
        self._current = call.writer
        return call

    async def close(self) -> None:
        """Free the port, and hang up on those who called and were not taken."""
        if self._server is not None:
            self._server.close()
        for writer in [*self._callers, *([self._waiting.writer] if self._waiting else [])]:
            writer.transport.abort()

    async def _listen(self) -> None:
        try:
            self._server = await asyncio.start_server(self._answer, self._reader.host, self._reader.port)
        except OSError as error:
            words = f"cannot listen on {self._place}: {error.strerror or error}; end what holds the port, or change it"
            raise Unreachable(words) from error
        except UnicodeError as error:
            raise _no_host(self._reader.host, error) from error

    async def _answer(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._callers) >= MAX_CALLERS or self._stranger(writer):
            log.warning("caller turned away", reader=self._reader.name, caller=_peer(writer))
            writer.transport.abort()
            return
        self._callers.add(writer)
        heard = b""
        with suppress(OSError, asyncio.IncompleteReadError):  # TimeoutError, too
            async with asyncio.timeout(self._patience.answer_s):
                heard = await stream.readexactly(HEADER.size)
        self._callers.discard(writer)
        if not _greets(heard) or self._stranger(writer) or writer.is_closing():
            writer.transport.abort()
            return
        _keep_watch(writer.get_extra_info("socket"), self._reader.keepalive_s * self._patience.missed_keepalives)
        for before in (self._current, self._waiting and self._waiting.writer):
            if before:
                before.transport.abort()
        self._waiting = Call(stream, writer, heard)
        self._called.set()

    def _stranger(self, writer: asyncio.StreamWriter) -> bool:
        """Whether a reader at another address is there."""
        there = self._waiting.writer if self._waiting else self._current
        return there is not None and not there.is_closing() and _peer(there) != _peer(writer)


def _no_host(host: str, error: UnicodeError) -> Blinded:
    return Blinded(f"{host!r} is no name of a host ({error}): correct host")


def _greets(heard: bytes) -> bool:
    """Whether that is the header of a READER_EVENT_NOTIFICATION."""
    if len(heard) < HEADER.size:
        return False
    head, _, _ = HEADER.unpack(heard)
    return (head >> 10) in (1, 2) and head & 0x3FF == NUMBERS["READER_EVENT_NOTIFICATION"]


def _peer(writer: asyncio.StreamWriter) -> str:
    """The address, without the port."""
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if peer else ""


async def _connect(host: str, port: int, patience_s: float) -> socket.socket:
    """To the first address of the host that takes us; an address that says nothing must not use up all the time."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        try:
            with ExitStack() as ours:
                wire = ours.enter_context(socket.socket(family, kind, protocol))
                wire.setblocking(False)
                async with asyncio.timeout(patience_s / len(addresses)):
                    await loop.sock_connect(wire, address)
                ours.pop_all()
                return wire
        except OSError as error:  # TimeoutError, too
            failure = error
    raise failure or OSError(f"{host} has no address")


def _keep_watch(wire: socket.socket, silent_s: float) -> None:
    """Let the kernel give up a dead peer, too: probes when idle, and an end to what is never acknowledged.

    Not every system has each of these; the keepalives of LLRP do not depend on them.
    """
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _watch_options(silent_s):
        with suppress(OSError):
            wire.setsockopt(socket.IPPROTO_TCP, option, value)


def _watch_options(silent_s: float) -> Iterator[tuple[int, int]]:
    wanted = {
        "TCP_KEEPIDLE": PROBE_EVERY_S,
        "TCP_KEEPINTVL": PROBE_EVERY_S,
        "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": round(silent_s * 1000),
    }
    for name, value in wanted.items():
        if hasattr(socket, name):
            yield getattr(socket, name), value
