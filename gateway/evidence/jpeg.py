"""Whether bytes are a JPEG that a browser may be given (ITU-T T.81, annex B). Its pixels are not decoded.

FF D8 | FF E0 <length> ... | ... | FF C0 <length> <precision> <height> <width> ... | ... | FF DA ... | FF D9
SOI     segments, each with its length  SOF: baseline or progressive                     SOS: the pixels  EOI
                          2 bytes, itself included   1 byte    2 bytes   2 bytes
"""

from gateway.errors import BadPicture

MAX_EDGE_PX = 4096
"""A picture of a few bytes may claim 65,535 x 65,535 pixels, and whoever opens it needs 12 GiB."""

_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END = 0xDA, 0xD9


def check(data: bytes) -> None:
    """Raises `BadPicture`, which says what is wrong."""
    if not data.startswith(b"\xff\xd8\xff"):
        raise BadPicture("no JPEG: it does not begin with FF D8 FF")
    if not data.endswith(b"\xff\xd9"):
        raise BadPicture("a torn JPEG: it does not end with FF D9")
    height, width = _edges(data)
    if not (0 < height <= MAX_EDGE_PX and 0 < width <= MAX_EDGE_PX):
        raise BadPicture(f"a JPEG of {width} x {height} pixels: at most {MAX_EDGE_PX} each way")


def _edges(data: bytes) -> tuple[int, int]:
    """Height and width, of the frame's header."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (_SCAN, _END) or length < 2:
            break
        if marker in _FRAMES and at + 9 <= len(data):
            return int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
        at += 2 + length
    raise BadPicture("a JPEG without the header of a frame")
