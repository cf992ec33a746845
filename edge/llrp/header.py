"""What can be the beginning of an LLRP message, and what cannot.

    0                   1                   2                   3
    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
   +-----+-----+-------------------+-------------------------------+
   | Rsv | Ver |   Message Type    |    Message Length [31:16]     |   length: of the whole message,
   +-----+-----+-------------------+-------------------------------+   these ten octets included
   |    Message Length [15:0]      |      Message ID [31:16]       |
   +-------------------------------+-------------------------------+
   |      Message ID [15:0]        |      fields, parameters ...
   +-------------------------------+
                                                    (LLRP 1.0.1 section 16.1)

A length is all that tells where the next message begins, so a wrong one swallows good messages. What can be known about
it is: fields and TLV parameters, each with a length of its own, fill a message without a gap.
"""

import re
from contextlib import suppress
from struct import Struct
from typing import Final

from edge.errors import BadFrame
from edge.llrp.body import FIRST_TLV, TLV
from edge.llrp.words import BARE, CUSTOM, MESSAGES, NUMBERS, Field

HEADER: Final = Struct(">HII")
REPORT: Final = NUMBERS["RO_ACCESS_REPORT"]
MAX_BYTES: Final = 4 * 1024 * 1024
"""Longest report that is believed; real readers send up to 1.5 MB."""
MAX_OTHER_BYTES: Final = 256 * 1024
"""Longest message that is believed to be none; capabilities, the longest that readers send, take some 10 KB."""
_VERSIONS: Final = (1, 2)
_SUSPECTS: Final = 64
"""So many messages that seem to stand within another are looked at; who sends more can hide some."""
_BLOCK: Final = 64
"""So many parameters with the same header are followed at once."""


class Message:
    """The message that begins at `start`, if it is one; its parameters are followed as they come."""

    __slots__ = ("_followed", "end", "id", "number", "start", "version")

    def __init__(self, buffer: bytes | bytearray, at: int, start: int) -> None:
        head: int
        length: int
        self.id: int
        head, length, self.id = HEADER.unpack_from(buffer, at)
        self.number = head & 0x3FF
        self.version = head >> 10
        """With the reserved bits, which must not be set."""
        self.start, self.end = start, start + length
        """In the stream."""
        self._followed = SHORTEST.get(self.number, 0)

    def check_header(self, longest: int, longest_other: int) -> None:
        """Raises `BadFrame` if this can be no header; `longest` is that of reports, `longest_other` of all others."""
        word, length = MESSAGES.get(self.number), self.end - self.start
        if self.version not in _VERSIONS:
            words = f"no LLRP header: reserved bits {self.version >> 3}, version {self.version & 7}"
            raise BadFrame(self.start, words, "version")
        if word is None:
            raise BadFrame(self.start, f"unknown message type {self.number}", "type")
        shortest = SHORTEST[self.number]
        if length < shortest or (length > shortest and self.number in BARE):
            raise BadFrame(self.start, f"{word.name} cannot be {length} bytes long", "length")
        if length > (longest if self.number == REPORT else longest_other):
            raise BadFrame(self.start, f"{word.name} cannot be {length} bytes long", "too_long")

    def check_first(self, buffer: bytes | bytearray, at: int) -> None:
        """Raises `BadFrame` if the first parameter is none that such a message begins with; needs `sure` octets."""
        begins, place = _BEGINS.get(self.number), SHORTEST[self.number]
        room = self.end - self.start - place
        if begins is None or not room:
            return
        first, size = TLV.unpack_from(buffer, at + place) if room >= TLV.size else (0, 0)
        if first not in begins or not TLV.size <= size <= room:
            raise self._broken(place, f"does not begin with parameter {first} of {size} bytes")

    def follow(self, buffer: bytes | bytearray, at: int) -> None:
        """Raises `BadFrame` where the parameters, as far as they have come, do not follow each other.

        `at` is the message's place in the buffer.
        """
        if self.number == CUSTOM:
            return
        there, end = len(buffer), at + self.end - self.start
        place = at + self._followed
        while place < end:
            if place + TLV.size > min(there, end):
                if there < end:
                    break
                raise self._broken(place - at, "parameter header cut off")
            number, size = TLV.unpack_from(buffer, place)
            if number & 0x8000 or number & 0x3FF < FIRST_TLV or not TLV.size <= size <= end - place:
                raise self._broken(place - at, f"no parameter: type {number & 0x3FF}, length {size}")
            place += size * _alike(buffer, place, size, min(there, end))
        self._followed = place - at

    @property
    def sure(self) -> int:
        """So many octets tell whether its header can be believed after garbage."""
        return min(self.end - self.start, SHORTEST[self.number] + TLV.size)

    @property
    def followed(self) -> int:
        """The place in the stream up to which all is well."""
        return self.start + self._followed

    def _broken(self, place: int, words: str) -> BadFrame:
        self._followed = place
        return BadFrame(self.start + place, f"{MESSAGES[self.number].name}: {words}")


def hidden(octets: bytes | bytearray, begin: int, end: int, start: int) -> BadFrame | None:
    """What is wrong with the message at `start` if the octets from `begin` to `end`, of its body, hold a whole message.

    Then it was cut short, and its missing octets are those of others. What parameters hold may be any octets, so they
    alone would not show it; that they are a message by chance happens once in 2^48 octets. Not looked for are messages
    that may consist of anything.
    """
    suspects = 0
    while suspects < _SUSPECTS and (match := BEGINNING.search(octets, begin, end)):
        at, begin = match.start(), match.start() + 1
        if HEADER.size <= end - at and _stands(octets, at, end):
            suspects += 1
            with suppress(BadFrame):
                Message(octets, at, at).follow(octets, at)
                return BadFrame(start, "another message stands within this one", "length")
    return None


def _stands(octets: bytes | bytearray, at: int, end: int) -> bool:
    """Whether a message of a kind that can be told from anything else seems to stand there."""
    message = Message(octets, at, at)
    if message.end > end or (message.number not in BARE and message.number not in _BEGINS):
        return False
    try:
        message.check_header(MAX_BYTES, MAX_OTHER_BYTES)
        message.check_first(octets, at)
    except BadFrame:
        return False
    return True


def _alike(buffer: bytes | bytearray, place: int, size: int, there: int) -> int:
    """How many parameters with the header of the one at `place` stand there one after the other: 1, or a block."""
    end = place + _BLOCK * size
    if end > there:
        return 1
    for at in range(place, place + TLV.size):
        if buffer[at:end:size] != buffer[at : at + 1] * _BLOCK:
            return 1
    return _BLOCK


def _fixed_size(fields: tuple[Field, ...]) -> int:
    """Octets that a message's own fields take at least."""
    kinds = [field.kind for field in fields]
    return sum(int(kind[1:]) for kind in kinds if kind[1:].isdigit()) // 8


SHORTEST: Final = {number: HEADER.size + _fixed_size(word.fields) for number, word in MESSAGES.items()}
_BEGINS: Final[dict[int, frozenset[int]]] = {
    **{number: frozenset({287}) for number, word in MESSAGES.items() if word.name.endswith("_RESPONSE")},
    NUMBERS["ERROR_MESSAGE"]: frozenset({287}),
    NUMBERS["READER_EVENT_NOTIFICATION"]: frozenset({246}),
    NUMBERS["ADD_ROSPEC"]: frozenset({177}),
    NUMBERS["ADD_ACCESSSPEC"]: frozenset({207}),
    REPORT: frozenset({240, 242, CUSTOM}),
}
"""What the first parameter can be, for messages that begin with one."""
BEGINNING: Final = re.compile(
    b"[\x04\x08][" + b"".join(re.escape(bytes([number])) for number in sorted(MESSAGES) if number < 256) + b"]\\x00"
    rb"|[\x07\x0b]\xff\x00"
)
"""Version 1 or 2, a known type, a length below 16 MiB."""
