"""LLRP framing without I/O: bytes in, whole messages out.

Invariant: whatever bytes are fed, `take` gives a message, asks for more bytes, or raises `BadFrame`, and nothing else.

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
"""

import re
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from edge.errors import BadFrame
from edge.llrp.body import Fields, read_message
from edge.llrp.words import BARE, CUSTOM, MESSAGES, NUMBERS, Field

HEADER = Struct(">HII")
MAX_BYTES = 4 * 1024 * 1024
"""Longest message that is believed; real readers send up to 1.5 MB."""
MAX_SEARCHED = 8 * MAX_BYTES
"""Octets of unreadable messages that are searched for others, in all; each may hold thousands as long as itself."""


class Frame(NamedTuple):
    """One whole message."""

    number: int
    """Message type, a key of `words.MESSAGES`."""
    id: int
    body: bytes
    offset: int
    """Place of its header, counted from the first byte received."""
    version: int

    @property
    def name(self) -> str:
        """Name of the message type in the standard."""
        return MESSAGES[self.number].name

    def fields(self) -> Fields:
        """The body as plain values; raises `BadFrame`."""
        return read_message(self.number, self.body, self.offset + HEADER.size)


class Frames:
    """Cuts a stream into messages and finds its way back after garbage.

    Feed, then `take` until None: so the buffer never holds more than one unfinished message and what was fed last.
    After garbage a header is believed only if it is plausible down to its first parameter, so that random bytes do not
    swallow the good messages behind them.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._position = 0
        self._dropped = 0
        """Bytes that stood before the buffer's first."""
        self._searched = 0
        self._last: tuple[int, int] | None = None
        """Begin and end of the message taken last, while it is in the buffer."""
        self.lost = False
        """Garbage was met and no plausible header has been found behind it yet."""

    @property
    def offset(self) -> int:
        """Place of the next byte to be looked at, counted from the first byte received."""
        return self._dropped + self._position

    @property
    def waiting(self) -> int:
        """Bytes held that are not yet a whole message."""
        return len(self._buffer) - self._position

    def feed(self, data: bytes) -> None:
        """Take in what was received."""
        if self._position:
            del self._buffer[: self._position]
            self._dropped += self._position
            self._position, self._last = 0, None
        self._buffer += data

    def take(self) -> Frame | None:
        """The next whole message, or None when more bytes are needed; raises `BadFrame` once a stretch of garbage."""
        self._last = None
        if self.lost and not self._resynchronise():
            return None
        if self.waiting < HEADER.size:
            return None
        head, length, message_id = HEADER.unpack_from(self._buffer, self._position)
        if reason := self._implausible(head, length):
            offset = self.offset
            self._search()
            raise BadFrame(offset, reason)
        if self.waiting < length:
            return None
        start, end = self._position, self._position + length
        self._position, self._last = end, (start, end)
        body = bytes(memoryview(self._buffer)[start + HEADER.size : end])
        return Frame(head & 0x3FF, message_id, body, self._dropped + start, head >> 10)

    def reject(self) -> None:
        """The body of the message just taken could not be read: its length may be wrong, too.

        If no plausible header follows it, the search goes on within it, as long as `MAX_SEARCHED` allows.
        """
        if self._last is None:
            return
        (start, end), self._last = self._last, None
        if len(self._buffer) >= end + HEADER.size and self._searched < MAX_SEARCHED:
            head, length, _ = HEADER.unpack_from(self._buffer, end)
            if self._implausible(head, length):
                self._searched += end - start
                self._position = start
                self._search()

    def give_up(self) -> None:
        """No more bytes will come for the unfinished message: search within it."""
        self._search()

    def _search(self) -> None:
        self.lost = True
        self._position += 1

    def _implausible(self, head: int, length: int) -> str:
        """Why this cannot be a header, or nothing."""
        number = head & 0x3FF
        word = MESSAGES.get(number)
        if head >> 10 not in (1, 2):
            return f"no LLRP header: reserved bits {head >> 13}, version {head >> 10 & 7}"
        if word is None:
            return f"unknown message type {number}"
        longest = _SHORTEST[number] if number in BARE else self._max_bytes
        if not _SHORTEST[number] <= length <= longest:
            return f"{word.name} cannot be {length} bytes long"
        return ""

    def _resynchronise(self) -> bool:
        """Move to the next header that can be believed; False when there is none (yet)."""
        for match in _HEADER_START.finditer(self._buffer, self._position):
            self._position = match.start()
            believed = self._looks_good()
            if believed is not False:
                self.lost = not believed
                return not self.lost
        self._position = max(self._position, len(self._buffer) - 2)
        return False

    def _looks_good(self) -> bool | None:
        """Whether a message begins here that can be believed; None when more bytes are needed to say."""
        if self.waiting < HEADER.size:
            return None
        head, length, _ = HEADER.unpack_from(self._buffer, self._position)
        if self._implausible(head, length):
            return False
        begins = _BEGINS.get(head & 0x3FF)
        if begins is None or length == HEADER.size:
            return True
        if self.waiting < HEADER.size + _TLV.size:
            return None
        first, size = _TLV.unpack_from(self._buffer, self._position + HEADER.size)
        return first in begins and _TLV.size <= size <= length - HEADER.size


def _fixed_size(fields: tuple[Field, ...]) -> int:
    """Octets that a message's own fields take at least."""
    kinds = [field.kind for field in fields]
    return sum(int(kind[1:]) for kind in kinds if kind[1:].isdigit()) // 8


_TLV = Struct(">HH")
_SHORTEST = {number: HEADER.size + _fixed_size(word.fields) for number, word in MESSAGES.items()}
_BEGINS: dict[int, frozenset[int]] = {
    **{number: frozenset({287}) for number, word in MESSAGES.items() if word.name.endswith("_RESPONSE")},
    NUMBERS["GET_SUPPORTED_VERSION_RESPONSE"]: frozenset(range(1024)),
    NUMBERS["ERROR_MESSAGE"]: frozenset({287}),
    NUMBERS["READER_EVENT_NOTIFICATION"]: frozenset({246}),
    NUMBERS["ADD_ROSPEC"]: frozenset({177}),
    NUMBERS["ADD_ACCESSSPEC"]: frozenset({207}),
    NUMBERS["RO_ACCESS_REPORT"]: frozenset({240, 242, CUSTOM}),
}
"""What the first parameter can be, for messages that begin with one."""
_HEADER_START = re.compile(
    b"[\x04\x08][" + b"".join(re.escape(bytes([number])) for number in sorted(MESSAGES) if number < 256) + b"]\\x00"
    rb"|[\x07\x0b]\xff\x00"
)
"""Version 1 or 2, a known type, a length below 16 MiB."""


def decode_file(data: bytes) -> Iterator[Fields]:
    """One JSON-able mapping for each message: `type`, `id`, and `tags` for a report or `fields` for any other.

    `error` and `offset` stand where something could not be read; the search goes on behind it.
    """
    frames = Frames()
    frames.feed(data)
    while frames.waiting:
        try:
            frame = frames.take()
        except BadFrame as error:
            yield {"error": error.reason, "offset": error.offset}
            continue
        if frame is not None:
            yield _described(frame, frames)
            continue
        if frames.waiting and not frames.lost:
            yield {"error": f"{frames.waiting} bytes of an unfinished message", "offset": frames.offset}
        frames.give_up()


def _described(frame: Frame, frames: Frames) -> Fields:
    out: Fields = {"type": frame.name, "id": frame.id}
    try:
        fields = frame.fields()
    except BadFrame as error:
        frames.reject()
        return out | {"error": error.reason, "offset": error.offset}
    if frame.number == NUMBERS["RO_ACCESS_REPORT"]:
        tags = fields.pop("TagReportData", [])
        out["tags"] = [_tag(tag) for tag in (tags if isinstance(tags, list) else [tags]) if isinstance(tag, dict)]
    if fields or "tags" not in out:
        out["fields"] = fields
    return out


_TAG_FIELDS = {
    "AntennaID": ("AntennaID", "antenna"),
    "PeakRSSI": ("PeakRSSI", "rssi_dbm"),
    "TagSeenCount": ("TagCount", "count"),
    "FirstSeenTimestampUTC": ("Microseconds", "first_seen_us"),
    "LastSeenTimestampUTC": ("Microseconds", "last_seen_us"),
    "FirstSeenTimestampUptime": ("Microseconds", "first_seen_us"),
    "LastSeenTimestampUptime": ("Microseconds", "last_seen_us"),
    "ChannelIndex": ("ChannelIndex", "channel"),
    "ROSpecID": ("ROSpecID", "rospec"),
    "SpecIndex": ("SpecIndex", "spec_index"),
    "InventoryParameterSpecID": ("InventoryParameterSpecID", "inventory_spec"),
    "AccessSpecID": ("AccessSpecID", "access_spec"),
    "C1G2_PC": ("PC_Bits", "pc"),
    "C1G2_CRC": ("CRC", "crc"),
}


def _tag(report: Fields) -> Fields:
    """One TagReportData with the house's names; what has none stays under `other`."""
    out: Fields = {}
    other: Fields = {}
    for name, value in report.items():
        match name, value:
            case "EPC_96", {"EPC": str(epc)}:
                out["epc"] = epc
            case "EPCData", {"EPC": {"Bits": int(bits), "Hex": str(epc)}}:
                out |= {"epc": epc, "epc_bits": bits} if bits % 8 else {"epc": epc}
            case str(), dict() if name in _TAG_FIELDS:
                field, ours = _TAG_FIELDS[name]
                out[ours] = value[field]
                if name.endswith("Uptime"):
                    out["clock"] = "uptime"
            case _:
                other[name] = value
    return out | {"other": other} if other else out
