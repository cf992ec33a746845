"""A camera's RTSP server for tests: RTSP 1.0 (RFC 2326), RTP over the same connection (section 10.12), JPEG in RTP
(RFC 2435). As much of them as a client needs that plays one stream.

    framing:  $ | channel 1 | length 2
    RTP:      0x80 | M PT | sequence 2 | timestamp 4 | SSRC 4
    JPEG:     0 | offset 3 | type | Q | W/8 | H/8 | quantization tables, in the first of a picture | data
"""

import asyncio
import itertools
import struct
from collections.abc import Awaitable, Callable, Iterator

from mjpegserver import EVERY_S

_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=belt\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\nc=IN IP4 0.0.0.0\r\na=control:track0\r\n"
)
_FRAGMENT = 1400
_TABLES_IN_BAND = 255


class RtspCamera:
    """Answers as a camera does, and then plays what the script sends; one that forbids answers every request by 401."""

    def __init__(self, script: Callable[["Play"], Awaitable[None]], forbidden: bool = False) -> None:
        self._script = script
        self._forbidden = forbidden
        self._plays = itertools.count(1)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client is free to go, and so are we
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            method = request.split(" ")[0]
            number = next(line[5:].strip() for line in request.split("\r\n") if line.lower().startswith("cseq:"))
            status = "401 Unauthorized" if self._forbidden else "200 OK"
            headers, body = _answer(method)
            writer.write(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{headers}\r\n{body}".encode())
            await writer.drain()
            if method == "PLAY" and not self._forbidden:
                await self._script(Play(writer, next(self._plays)))
                return


class Play:
    """One client that watches."""

    def __init__(self, writer: asyncio.StreamWriter, number: int) -> None:
        self.number = number
        """Counts from 1 over all of them."""
        self._writer = writer
        self._sequence = 0

    async def stream(self, images: Iterator[bytes]) -> None:
        for number, jpeg in enumerate(images):
            for packet in _packets(jpeg, round(number * EVERY_S * 90_000)):
                header = struct.pack(">BBHII", 0x80, packet[0], self._sequence, *packet[1:3])
                self._sequence = (self._sequence + 1) % 65536
                data = header + packet[3]
                self._writer.write(struct.pack(">cBH", b"$", 0, len(data)) + data)
            await self._writer.drain()
            await asyncio.sleep(EVERY_S)


def _answer(method: str) -> tuple[str, str]:
    match method:
        case "OPTIONS":
            return "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""
        case "DESCRIBE":
            return f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n", _SDP
        case "SETUP":
            return "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""
    return "Session: 1\r\n", ""


def _packets(jpeg: bytes, timestamp: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Payload type with the marker of the last one, timestamp, SSRC, and payload, of a baseline 4:2:0 JPEG."""
    segments = dict(_segments(jpeg))
    height, width = struct.unpack_from(">HH", segments[0xC0], 1)
    tables = b"".join(
        data[at + 1 : at + 65] for code, data in _segments(jpeg) if code == 0xDB for at in range(0, len(data), 65)
    )
    scan = jpeg[jpeg.index(b"\xff\xda") + 2 + 12 : -2]
    for offset in range(0, len(scan), _FRAGMENT):
        last = 0x80 if offset + _FRAGMENT >= len(scan) else 0
        head = struct.pack(">I", offset) + bytes((1, _TABLES_IN_BAND, width // 8, height // 8))
        quantization = b"" if offset else struct.pack(">BBH", 0, 0, len(tables)) + tables
        yield 26 | last, timestamp, 7, head + quantization + scan[offset : offset + _FRAGMENT]


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker codes and contents, up to the scan."""
    place = 2
    while (code := jpeg[place + 1]) != 0xDA:
        (length,) = struct.unpack_from(">H", jpeg, place + 2)
        yield code, jpeg[place + 4 : place + 2 + length]
        place += 2 + length
