"""A simulated RFID reader: LLRP 1.0.1 over TCP, one client at a time, with faults to order."""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.facts import Facts
from firmware_sim.llrp.firmware import Firmware
from firmware_sim.llrp.frames import encode, read_frame
from firmware_sim.llrp.words import Message
from firmware_sim.radio import TagRead

__all__ = ["SimReader", "wall_us"]

_MAX_UNREAD_BYTES = 1024 * 1024
"""A client that reads so slowly that this much waits in its socket's buffer gets no more until it caught up."""


def wall_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


class SimReader:
    """A reader on the network: `async with SimReader("reader-dock-1") as reader: ...`.

    `clock` is the world's clock in microseconds, the one that reads are stamped with. The reader's own clock runs
    `clock_offset_us` beside it; with `utc=False` it has no calendar and counts from its start. With `gather` it
    merges the reads of a tag within one report; `buffer_tags` bounds what it keeps for a client that is away.
    """

    def __init__(
        self,
        name: str,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        ports: int = 4,
        clock: Callable[[], int] = wall_us,
        clock_offset_us: int = 0,
        utc: bool = True,
        gather: bool = False,
        buffer_tags: int = 20_000,
    ) -> None:
        self.name = name
        self._host, self._port = host, port
        self._facts = Facts(ports=ports, utc=utc)
        self._clock, self._offset_us, self._started_us = clock, clock_offset_us, 0
        self._gather, self._buffer_tags = gather, buffer_tags
        self._server: asyncio.Server | None = None
        self._firmware: Firmware | None = None
        self._client: asyncio.StreamWriter | None = None
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._last_id = 0

    async def __aenter__(self) -> "SimReader":
        await self.power_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.power_off()

    @property
    def port(self) -> int:
        """The TCP port, known once the reader has been on; it stays the same from then on."""
        return self._port

    @property
    def antennas(self) -> tuple[int, ...]:
        """Its antenna ports."""
        return tuple(range(1, self._facts.ports + 1))

    @property
    def connected(self) -> bool:
        """Whether a client holds the connection."""
        return self._client is not None

    async def vacant(self) -> None:
        """Return as soon as no client holds the connection."""
        await self._vacant.wait()

    def deliver(self, reads: Sequence[TagRead]) -> None:
        """What the antennas heard. Dropped while the reader is off or frozen, or no ROSpec has that antenna on air."""
        if self._firmware is not None and self._thawed.is_set():
            self._firmware.hear(reads, self._own_us)

    # Faults

    def freeze(self) -> None:
        """The firmware hangs: connections stay open, nothing is heard, read or written."""
        self._thawed.clear()

    def thaw(self) -> None:
        """It goes on where it stood."""
        self._thawed.set()
        if self._firmware is not None:
            self._firmware.drain()

    def drop_connection(self) -> None:
        """Reset the client's connection; the reader itself goes on."""
        if self._client is not None:
            self._client.transport.abort()

    def set_antenna(self, port: int, connected: bool) -> None:
        """Pull an antenna's cable, or plug it in again."""
        if self._firmware is not None:
            self._firmware.set_antenna(port, connected)

    def step_clock(self, by_us: int) -> None:
        """Somebody, or NTP, sets the reader's clock."""
        self._offset_us += by_us

    async def power_off(self) -> None:
        """No power: the socket is gone, and so are ROSpecs, settings and unsent reports."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._firmware is not None:
            self._firmware.close()
            self._firmware = None
        self._thawed.set()
        for writer in self._sessions.values():
            writer.transport.abort()
        await asyncio.gather(*self._sessions)

    async def power_on(self) -> None:
        """Start, or start again on the same port with nothing remembered. Raises OSError where the port is taken."""
        if self._server is not None:
            return
        self._started_us = self._clock()
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self._firmware = Firmware(
            self._facts, self._now_us, self._send, gather=self._gather, buffer_tags=self._buffer_tags
        )

    # The reader's clock

    def _now_us(self) -> int:
        return self._own_us(self._clock())

    def _own_us(self, world_us: int) -> int:
        """A moment of the world by the reader's own clock."""
        return max(0, world_us + self._offset_us - (0 if self._facts.utc else self._started_us))

    # The connection

    def _send(self, message: Message, body: bytes, message_id: int | None = None) -> bool:
        client = self._client
        if client is None or client.is_closing() or not self._thawed.is_set():
            return False
        if client.transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            return False
        if message_id is None:
            self._last_id = message_id = self._last_id % 0xFFFFFFFF + 1
        client.write(encode(message, message_id, body))
        return True

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions[session] = writer
        try:
            await self._thawed.wait()
            if self._firmware is None:
                return
            if self._client is not None:
                body = self._firmware.refusal()
                writer.write(encode(Message.READER_EVENT_NOTIFICATION, 0, body))
                await writer.drain()
            else:
                await self._converse(stream, writer, self._firmware)
        except ConnectionError:
            pass  # the client hung up: the next one is welcome
        finally:
            del self._sessions[session]
            writer.close()

    async def _converse(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter, firmware: Firmware) -> None:
        self._client = writer
        self._vacant.clear()
        try:
            firmware.connected()
            while True:
                frame = await read_frame(stream)
                await self._thawed.wait()
                if self._firmware is not firmware or not firmware.handle(frame):
                    return
                await writer.drain()
        except asyncio.IncompleteReadError:
            return
        except BadFrame as error:
            await self._thawed.wait()
            firmware.garbled(error)
            await writer.drain()
        finally:
            self._client = None
            self._vacant.set()
            firmware.disconnected()
