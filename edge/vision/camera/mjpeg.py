"""Motion JPEG out of a stream of octets (multipart/x-mixed-replace; RFC 2046 section 5.1). No I/O.

    --boundary CRLF | headers CRLF | CRLF | FF D8 ... FF D9 | CRLF --boundary CRLF | ...

Cameras break every rule of it: boundaries that are not those they declared, lengths that are wrong or gigabytes, parts
without headers, pictures cut off. So only the picture is believed: a JPEG says itself where it ends. What is none is
passed over up to the next boundary or, while the declared one has not been seen, up to the next picture.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from edge.vision.camera.jpegwalk import Step, Walk

MAX_PART: Final = 8 * 2**20
MAX_HEADERS: Final = 16 * 2**10
"""Octets from a boundary to its picture."""
_BEGIN: Final = b"\xff\xd8\xff"


class Part(NamedTuple):
    """One picture of the stream."""

    at_us: int
    """When its first octet arrived."""
    data: bytes
    """From SOI to EOI."""


class Parser:
    """Fed with octets as they arrive; gives pictures out as soon as their last octet is there."""

    def __init__(self, boundary: str | None, max_part: int = MAX_PART) -> None:
        """`boundary` as declared, with or without the two dashes; None when there is none."""
        name = (boundary or "").strip('" ').lstrip("-")
        self._delimiter = f"--{name}".encode() if name else None
        self._max_part = max_part
        self._buffer = bytearray()
        self._gone = 0
        """Octets that have left the buffer."""
        self._arrivals: deque[tuple[int, int]] = deque()
        """Of each piece in the buffer: the octets before it since the beginning, and when it arrived."""
        self._walk: Walk | None = None
        """Through the picture that the buffer begins with; None between pictures."""
        self._delimited = False
        """That picture came behind the boundary."""
        self._relied_on = False
        """A whole picture came behind the boundary: those that do not are parts of others."""
        self._passed = 0
        """Octets since the last picture."""
        self.torn = 0
        """Pictures that were cut off, damaged or too long."""

    @property
    def held(self) -> int:
        """Octets in memory: never more than a part and a piece."""
        return len(self._buffer)

    def feed(self, data: bytes, at_us: int) -> Iterator[Part]:
        """The pictures that are complete with `data`, which arrived at `at_us`. Use up one call before the next."""
        self._arrivals.append((self._gone + len(self._buffer), at_us))
        self._buffer += data
        while self._walk is not None or self._begins():
            assert self._walk is not None
            step, place = self._walk.step(self._buffer), self._walk.place
            if step is Step.MORE and len(self._buffer) <= self._max_part and not self._cut_off(place):
                return
            self._walk = None
            if step is Step.END and place <= self._max_part:
                self._relied_on, self._passed = self._relied_on or self._delimited, 0
                yield Part(self._arrivals[0][1], bytes(self._buffer[:place]))
                self._skip(place)
            else:
                self._tear(place)

    def _begins(self) -> bool:
        """Bring the next picture to the front of the buffer; False: it is not there yet."""
        while (begin := self._buffer.find(_BEGIN)) >= 0:
            delimiter = self._buffer.rfind(self._delimiter, 0, begin) if self._delimiter else -1
            self._delimited = delimiter >= 0 and begin - delimiter <= MAX_HEADERS
            if self._delimited or not self._relied_on:
                self._skip(begin)
                self._walk = Walk()
                return True
            self._pass_over(begin + len(_BEGIN))
        self._pass_over(len(self._buffer) - MAX_HEADERS)
        return False

    def _cut_off(self, place: int) -> bool:
        """The boundary is where a segment should go on that begins at `place`."""
        return self._relied_on and self._delimiter is not None and self._buffer.find(self._delimiter, place) >= 0

    def _tear(self, place: int) -> None:
        """What begins at the front is no picture from `place` on: the next may have begun within it."""
        self.torn += 1
        delimiter = self._buffer.find(self._delimiter) if self._delimiter else -1
        self._skip(delimiter if delimiter >= 0 else place)

    def _pass_over(self, count: int) -> None:
        """Let go of octets that belong to no picture; after too many of them the boundary has changed."""
        self._passed += max(0, count)
        self._relied_on &= self._passed <= self._max_part
        self._skip(count)

    def _skip(self, count: int) -> None:
        """Let go of the first octets."""
        if count > 0:
            del self._buffer[:count]
            self._gone += count
        while len(self._arrivals) > 1 and self._arrivals[1][0] <= self._gone:
            self._arrivals.popleft()
