"""What a camera process says to the process that keeps it, over an os.pipe: pictures, and how it goes.

| kind: 1 octet | length of the rest: 4, little-endian | rest |

'F' a picture | at_us 8 | seq 4 | height 2 | width 2 | low, high: 2 float32 | RGB, or nothing: as before |
'B' a beat    | JSON of `Beat` |
'T' trouble   | UTF-8 text: why there are no pictures |
'N' a note    | UTF-8 text: for the log |
'E' the end   | nothing: no more pictures will come |
"""

import os
import struct
from typing import Final, NamedTuple

import msgspec

from edge.vision.camera.sight import Light
from edge.vision.views import Image

HEAD: Final = struct.Struct("<cI")
PICTURE: Final = struct.Struct("<qIHHff")
MAX_BODY: Final = PICTURE.size + 3 * 40_000_000
"""No picture has more than 40 megapixels (see images.py)."""
MAX_TEXT: Final = 2_000
PIPE_OCTETS: Final = 1 << 20
"""Room in the pipe: what Linux allows everybody; a picture of 640 x 360 fits."""


class Beat(msgspec.Struct, frozen=True, array_like=True):
    """The process lives."""

    quiet_s: float
    """So long the source gave no sign of itself, neither a picture nor an error: a driver that hangs shows here."""
    counts: dict[str, int]
    """Since the process began, by name."""


class Shot(NamedTuple):
    """A picture as it comes out of the pipe."""

    at_us: int
    seq: int
    height: int
    width: int
    light: Light
    pixels: memoryview
    """RGB, row by row; empty when no pixel differs from the picture before."""


class Trouble(NamedTuple):
    """Why there are no pictures."""

    detail: str


class Note(NamedTuple):
    """For the log."""

    detail: str


class End(NamedTuple):
    """No more pictures will come."""


Said = Shot | Beat | Trouble | Note | End


class BadPipe(Exception):
    """The octets are not what a camera process says: it went wrong, and is to be ended."""


def shot_head(at_us: int, seq: int, image: Image, light: Light, repeated: bool) -> bytes:
    """What goes before the pixels of a picture; there are none of one that is `repeated`."""
    height, width = image.shape[:2]
    body = PICTURE.pack(at_us, seq & 0xFFFFFFFF, height, width, light.low, light.high)
    return HEAD.pack(b"F", len(body) + (0 if repeated else image.nbytes)) + body


def pack(said: Beat | Trouble | Note | End) -> bytes:
    """Everything but a picture."""
    match said:
        case Beat():
            kind, body = b"B", msgspec.json.encode(said)
        case Trouble(detail):
            kind, body = b"T", detail[:MAX_TEXT].encode()
        case Note(detail):
            kind, body = b"N", detail[:MAX_TEXT].encode()
        case End():
            kind, body = b"E", b""
    return HEAD.pack(kind, len(body)) + body


class Assembly:
    """Puts messages together from whatever part of them can be read now."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is the end of the pipe that is read; it should not block."""
        self._descriptor = descriptor
        self._kind: bytes | None = None
        """Of the message whose body is being read; None: its head is."""
        self._buffer = bytearray(HEAD.size)
        self._filled = 0

    def read(self) -> Said | None:
        """Read once; a message when it is complete. Raises `BadPipe`, EOFError at the end, BlockingIOError."""
        count = os.readv(self._descriptor, [memoryview(self._buffer)[self._filled :]])
        if count == 0:
            raise EOFError
        self._filled += count
        if self._filled < len(self._buffer):
            return None
        if self._kind is None:
            kind, length = HEAD.unpack(self._buffer)
            if length > MAX_BODY or kind not in b"FBTNE":
                raise BadPipe(f"a message {kind!r} of {length} octets")
            self._kind, self._buffer, self._filled = kind, bytearray(length), 0
            if length:
                return None
        said = _unpack(self._kind, self._buffer)
        self._kind, self._buffer, self._filled = None, bytearray(HEAD.size), 0
        return said


def _unpack(kind: bytes, body: bytearray) -> Said:
    match kind:
        case b"F":
            return _shot(body)
        case b"B":
            return _beat(body)
        case b"T":
            return Trouble(body.decode(errors="replace"))
        case b"N":
            return Note(body.decode(errors="replace"))
    return End()


def _beat(body: bytearray) -> Beat:
    try:
        return msgspec.json.decode(body, type=Beat)
    except msgspec.DecodeError as error:
        raise BadPipe(f"a beat that cannot be read: {error}") from error


def _shot(body: bytearray) -> Shot:
    if len(body) < PICTURE.size:
        raise BadPipe(f"a picture of {len(body)} octets")
    at_us, seq, height, width, low, high = PICTURE.unpack_from(body)
    pixels = memoryview(body)[PICTURE.size :]
    if len(pixels) not in (0, height * width * 3):
        raise BadPipe(f"a picture of {width} x {height} in {len(pixels)} octets")
    return Shot(at_us, seq, height, width, Light(low, high), pixels)
