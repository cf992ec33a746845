"""A simulated RFID reader: LLRP over TCP or TLS, one client at a time, with faults to order."""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from random import Random
from types import TracebackType
from typing import Literal

from firmware_sim.emission import OnAir
from firmware_sim.errors import BadFrame
from firmware_sim.llrp.facts import Facts
from firmware_sim.llrp.firmware import Firmware
from firmware_sim.llrp.frames import read_frame
from firmware_sim.llrp.rospec import GPI_PORTS
from firmware_sim.radio import TagRead
from firmware_sim.tagmemory import Tags

__all__ = ["SimReader", "wall_us"]

_MAX_UNREAD_BYTES = 1024 * 1024
"""A client that reads so slowly that this much waits in its socket's buffer gets no more until it caught up."""
_DIAL_S = 2.0
"""How long a reader that connects to its client waits for it to answer."""


def wall_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


class SimReader:
    """A reader on the network: `async with SimReader("reader-dock-1") as reader: ...`.

    `clock` is the world's clock in microseconds, the one that reads are stamped with. The reader's own clock runs
    `clock_offset_us` beside it; with `utc=False` it has no calendar and counts from its start. With `gather` it
    merges the reads of a tag within one report; `buffer_tags` bounds what it keeps for a client that is away.

    It listens at `host` and `port`, with `tls` for TLS clients. With `dial` it does not listen but connects to the
    client there, and again `redial_s` after each end (LLRP 1.0.1 section 18); `tls` is then the context of a TLS
    client. `versions` is the newest protocol version that it speaks: 1 for LLRP 1.0.1, 2 for LLRP 1.1. `tags` are the
    tags of its world, for filters and for AccessSpecs that write; readers that meet the same tags share them.
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
        tls: ssl.SSLContext | None = None,
        dial: tuple[str, int] | None = None,
        redial_s: float = 1.0,
        vendor: Literal["none", "impinj"] = "impinj",
        versions: int = 1,
        tags: Tags | None = None,
    ) -> None:
        self.name = name
        self._host, self._port, self._tls = host, port, tls
        self._dial, self._redial_s = dial, redial_s
        self._facts = Facts(ports=ports, utc=utc, vendor=vendor, versions=versions)
        self._clock, self._offset_us, self._started_us = clock, clock_offset_us, 0
        self._gather, self._buffer_tags = gather, buffer_tags
        self._tags = Tags() if tags is None else tags
        self._high: set[int] = set()
        self._server: asyncio.Server | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._firmware: Firmware | None = None
        self._client: asyncio.StreamWriter | None = None
        self._sessions: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._thawed = asyncio.Event()
        self._thawed.set()

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

    @property
    def on_air(self) -> OnAir:
        """What goes out at each antenna that takes its turn just now, for the radio; empty while no ROSpec runs."""
        return self._firmware.on_air if self._firmware is not None and self._thawed.is_set() else {}

    def attenuation_db(self, antenna: int) -> float:
        """How far below the highest power an antenna is driven, as an ROSpec or the configuration says."""
        return self._firmware.attenuation_db(antenna) if self._firmware is not None else 0.0

    async def vacant(self) -> None:
        """Return as soon as no client holds the connection."""
        await self._vacant.wait()

    def deliver(self, reads: Sequence[TagRead]) -> None:
        """What the antennas heard. Dropped while the reader is off or frozen, or no ROSpec has that antenna on air."""
        if self._firmware is not None and self._thawed.is_set():
            self._firmware.hear(reads, self._own_us)

    def set_gpi(self, port: int, high: bool) -> None:
        """The level at an input, 1 to 4. The reader minds it while a client has the input enabled
        (GPIPortCurrentState in SET_READER_CONFIG: LLRP 1.0.1 section 16.2.6.9)."""
        assert 1 <= port <= GPI_PORTS, port
        (self._high.add if high else self._high.discard)(port)
        if self._firmware is not None and self._thawed.is_set():
            self._firmware.set_gpi(port, high)

    # Faults

    def freeze(self) -> None:
        """The firmware hangs: connections stay open, nothing is heard, read or written."""
        self._thawed.clear()

    def thaw(self) -> None:
        """It goes on where it stood."""
        self._thawed.set()
        if self._firmware is not None:
            for port in range(1, GPI_PORTS + 1):
                self._firmware.set_gpi(port, port in self._high)
            self._firmware.drain()

    def drop_connection(self) -> None:
        """Reset the client's connection; the reader itself goes on."""
        if self._client is not None:
            self._client.transport.abort()

    def close_connection(self) -> None:
        """The reader takes leave of its client, as before an update, and closes the connection."""
        if self._client is not None and self._firmware is not None:
            self._firmware.farewell()
            self._client.close()

    def set_antenna(self, port: int, connected: bool) -> None:
        """Pull an antenna's cable, or plug it in again."""
        if self._firmware is not None:
            self._firmware.set_antenna(port, connected)

    def trouble(self, text: str) -> None:
        """Something is wrong inside the reader, and it says so (ReaderExceptionEvent)."""
        if self._firmware is not None:
            self._firmware.trouble(text)

    def step_clock(self, by_us: int) -> None:
        """Somebody, or NTP, sets the reader's clock."""
        self._offset_us += by_us

    async def power_off(self) -> None:
        """No power: the socket is gone, and so are ROSpecs, settings and unsent reports."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.gather(self._dialling, return_exceptions=True)
            self._dialling = None
        if self._firmware is not None:
            self._firmware.close()
            self._firmware = None
        self._thawed.set()
        for writer in self._sessions.values():
            writer.transport.abort()
        await asyncio.gather(*self._sessions)

    async def power_on(self) -> None:
        """Start, or start again on the same port with nothing remembered. Raises OSError where the port is taken."""
        if self._firmware is not None:
            return
        self._started_us = self._clock()
        if self._dial is None:
            self._server = await asyncio.start_server(self._serve, self._host, self._port, ssl=self._tls)
            self._port = self._server.sockets[0].getsockname()[1]
        self._firmware = Firmware(
            self._facts,
            self._now_us,
            self._transmit,
            hang_up=self.drop_connection,
            gather=self._gather,
            buffer_tags=self._buffer_tags,
            tags=self._tags,
            chance=Random(f"reader {self.name}"),
            inputs=self._high,
        )
        if self._dial is not None:
            self._dialling = asyncio.create_task(self._connect(*self._dial))

    # The reader's clock

    def _now_us(self) -> int:
        return self._own_us(self._clock())

    def _own_us(self, world_us: int) -> int:
        """A moment of the world by the reader's own clock."""
        return max(0, world_us + self._offset_us - (0 if self._facts.utc else self._started_us))

    # The connection

    def _transmit(self, message: bytes) -> bool:
        client = self._client
        if client is None or client.is_closing() or not self._thawed.is_set():
            return False
        if client.transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            return False
        client.write(message)
        return True

    async def _connect(self, host: str, port: int) -> None:
        """Connect to the client, for ever."""
        while True:
            await self._thawed.wait()
            try:
                async with asyncio.timeout(_DIAL_S):
                    stream, writer = await asyncio.open_connection(host, port, ssl=self._tls)
            except OSError:  # nobody listens there, no way there, not TLS, or TimeoutError
                pass
            else:
                session = asyncio.create_task(self._serve(stream, writer))
                await asyncio.wait([session])
            await asyncio.sleep(self._redial_s)

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions[session] = writer
        try:
            await self._thawed.wait()
            if self._firmware is None:
                return
            if self._client is not None:
                writer.write(self._firmware.refusal())
                await writer.drain()
            else:
                await self._converse(stream, writer, self._firmware)
        except OSError:
            pass  # the client hung up, or breaks TLS: the next one is welcome
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
