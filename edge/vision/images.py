"""Bytes to pictures. What is torn, too large or no picture is refused here, once, in words.

OpenCV decodes, but fills what is missing of a JPEG with grey and says nothing, and reserves memory for whatever size a
header claims. So the header is read first, and what looks torn is looked at again.
"""

import os
import re
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import BadImage
from edge.vision.views import Image

MAX_BYTES: Final = 25 * 10**6
MAX_PIXELS: Final = 40 * 10**6
MAX_SIDE: Final = 16_384
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""Of the files in a folder that are taken for images."""
UNREAD_SUFFIXES: Final = frozenset({".tif", ".tiff", ".gif", ".heic", ".heif", ".avif"})
"""Of images of the kinds that are not read."""
GROUND: Final = 127
"""Grey that is put behind what is transparent."""

_MISSING: Final = 128
"""What libjpeg fills blocks with whose data it has not (jdhuff.c: all coefficients zero)."""
_PADDING: Final = 16
"""Bytes."""
_BAND: Final = 64
"""Rows that are made RGB at a time: whatever is made on the way, it is of few pixels."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_NO_LENGTH: Final = frozenset([0x01, *range(0xD0, 0xD8)])
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

Complaint = Callable[[], str]
"""Gives what libjpeg has written to stderr since it was last called."""


def read(path: Path | str, longest: int | None = None, complaint: Complaint = str) -> Image:
    """The picture in a file, as `decode` gives it; errors name the file as `path` does.

    Raises BadImage, also where the file cannot be read, or is none: a pipe or a device, which may have no end.
    """
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise BadImage(f"{path}: a pipe or device: write the picture to a file, and name that")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadImage(f"{path}: cannot be read: {error.strerror}") from error
    if not data:
        raise BadImage(f"{path}: the file is empty: take or copy the picture again")
    return decode(data, str(path), longest, complaint)


def decode(data: bytes, where: str, longest: int | None = None, complaint: Complaint = str) -> Image:
    """JPEG, PNG, WebP or BMP to RGB; `where` names it in errors. Raises BadImage.

    Grey becomes RGB, 16 bits become 8, what is transparent lies on grey. With `longest` the picture is made smaller so
    that its longer side is no longer than that (in pixels); JPEGs more quickly than by hand. Without `complaint` a JPEG
    that is damaged in its middle passes for a whole one.
    """
    try:
        return smaller(_decode(data, longest, complaint), longest)
    except _Wrong as wrong:
        raise BadImage(f"{where}: {wrong}") from wrong


def smaller(image: Image, longest: int | None) -> Image:
    """The picture with no side longer than so many pixels; the very same one where it is no larger."""
    height, width = image.shape[:2]
    if longest is None or max(height, width) <= longest:
        return image
    scale = longest / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), np.uint8)


def means_damage(complaint: str) -> bool:
    """Is this, of what libjpeg writes to stderr, the mark of a picture that is not as it was taken?

    A few bytes too many at the end are none: many a webcam sends them.
    """
    said = re.findall(r"Corrupt JPEG data: ([^|\n]*)", complaint)
    padded = (re.fullmatch(r"(\d+) extraneous bytes before marker 0xd9\s*", words) for words in said)
    return any(match is None or int(match[1]) > _PADDING for match in padded)


class _Wrong(Exception):
    """Why it is no picture; `decode` adds the place."""


def _decode(data: bytes, longest: int | None, complaint: Complaint) -> Image:
    if len(data) > MAX_BYTES:
        raise _Wrong(f"more than {MAX_BYTES // 10**6} MB: take a smaller picture")
    width, height = _size(data)
    if not width or not height:
        raise _Wrong(f"{width} x {height} pixels: nothing to see")
    if width * height > MAX_PIXELS:
        raise _Wrong(f"{width} x {height} pixels are more than {MAX_PIXELS // 10**6} million: take a smaller picture")
    if max(width, height) > MAX_SIDE:
        raise _Wrong(f"{width} x {height} pixels: no side may be longer than {MAX_SIDE}")
    if _animated(data):
        raise _Wrong("animated, several pictures in one file: save the one that is meant by itself")
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data, _reduced(max(width, height), longest), complaint)
    return _in_rgb(_pixels(data, cv2.IMREAD_UNCHANGED))


def _size(data: bytes) -> tuple[int, int]:
    """Width and height by the header."""
    if not data:
        raise _Wrong("no bytes at all")
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data.startswith(_PNG):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
            return abs(width), abs(height)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp_size(data)
    except (struct.error, IndexError) as error:
        raise _Wrong("cut off within its header") from error
    raise _Wrong("neither JPEG nor PNG, WebP or BMP: convert it, for example to JPEG")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Of the frame header; and the picture must have an end (ITU-T T.81 annex B).

    FF D8 | FF xx length ... | FF C0..CF length bits height width ... | FF DA ... entropy-coded ... | FF D9
    SOI     other segments     SOFn     2      1    2      2            SOS                           EOI
    """
    place, size = 2, None
    while True:
        while data[place] == 0xFF and data[place + 1] == 0xFF:
            place += 1
        if data[place] != 0xFF:
            raise _Wrong(f"damaged: no JPEG marker at byte {place}")
        marker = data[place + 1]
        place += 2
        if marker in _NO_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", data, place)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 3)
            size = width, height
        elif marker == 0xD9 or (marker == 0xDA and size is None):
            raise _Wrong("damaged: a JPEG without a frame header")
        place += length
        if marker == 0xDA and size is not None:
            break
    if data.find(b"\xff\xd9", place) < 0:
        raise _Wrong("torn: the end of the JPEG is missing")
    return size


def _webp_size(data: bytes) -> tuple[int, int]:
    """Of one of the three kinds of WebP (RFC 9649): lossy, lossless, extended."""
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(_exactly(data, 24, 3), "little") + 1, int.from_bytes(_exactly(data, 27, 3), "little") + 1
    raise _Wrong("damaged: a WebP of no known kind")


def _animated(data: bytes) -> bool:
    """Of such a file OpenCV gives the first picture only.

    PNG:  signature(8) | length(4) type(4) ... crc(4) | ...    a chunk acTL before IDAT (W3C PNG, 3rd edition, 11.3.6.1)
    WebP: RIFF size(4) WEBP | VP8X size(4) flags(1) ...        bit 1 of the flags (RFC 9649, 2.7)
    """
    if data.startswith(b"RIFF"):
        return data[12:16] == b"VP8X" and bool(data[20] & 2)
    if not data.startswith(_PNG):
        return False
    place, kind = len(_PNG), b""
    while kind not in (b"acTL", b"IDAT") and place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        place += length + 12
    return kind == b"acTL"


def _exactly(data: bytes, place: int, count: int) -> bytes:
    if len(data) < place + count:
        raise IndexError(place)
    return data[place : place + count]


def _reduced(longer: int, longest: int | None) -> int:
    """How to decode a JPEG whose longer side may be made `longest`: by halves, and never too small."""
    steps = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
    if longest:
        for step, how in steps.items():
            if longer // step >= longest:
                return how
    return cv2.IMREAD_COLOR


def _jpeg(data: bytes, how: int, complaint: Complaint) -> Image:
    complaint()  # of whatever was before
    pixels = _pixels(data, how)
    if means_damage(complaint()):
        raise _Wrong("torn or damaged: a part of the JPEG is missing or damaged")
    if (pixels[-1, -1] == _MISSING).all() and _torn(data, pixels, how):
        raise _Wrong("torn: a part of the JPEG is missing")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _torn(data: bytes, pixels: NDArray[np.integer[Any]], how: int) -> bool:
    """The decoder ran out of data before the picture was full: then more data would change the picture."""
    end = data.rindex(b"\xff\xd9")
    more = data[:end].rstrip(b"\xff") + b"\x5a\xa5\x3c\xc3" * 4 + data[end:]
    return not np.array_equal(pixels, _pixels(more, how))


def _pixels(data: bytes, how: int) -> NDArray[np.integer[Any]]:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error as error:
        raise _Wrong("damaged: it cannot be decoded") from error
    if pixels is None or pixels.size == 0:
        raise _Wrong("torn or damaged: it cannot be decoded")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise _Wrong(f"pixels of a kind ({pixels.dtype}) that no camera makes")
    return pixels  # type: ignore[return-value]


def _in_rgb(found: NDArray[np.integer[Any]]) -> Image:
    """Whatever OpenCV found: (height, width) or (height, width, 1, 3 or 4), 8 or 16 bits."""
    rgb = np.empty((*found.shape[:2], 3), np.uint8)
    for top in range(0, len(rgb), _BAND):
        rgb[top : top + _BAND] = _band_in_rgb(found[top : top + _BAND])
    return rgb


def _band_in_rgb(found: NDArray[np.integer[Any]]) -> Image:
    pixels = (found >> 8 if found.dtype == np.uint16 else found).astype(np.uint8)
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if pixels.shape[2] == 4:
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB).astype(np.uint16)
        opaque = pixels[..., 3:].astype(np.uint16)
        return np.asarray((rgb * opaque + GROUND * (255 - opaque) + 127) // 255, np.uint8)
    if pixels.shape[2] == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
    return np.repeat(pixels[..., :1], 3, axis=2).astype(np.uint8)
