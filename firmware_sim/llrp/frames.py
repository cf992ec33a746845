"""LLRP frames and parameters as bytes (LLRP 1.0.1 sections 16.1 and 16.2).

 0               1               2               3
 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
| Rsvd|Ver|   Message type    |        Message length ...
|   ... (with these 10 bytes) |          Message ID   ...
|   ...                       |  parameters ...

TLV:  | Rsvd (6) | Type (10) | Length (16, with these 4 bytes) | value |
TV:   | 1 | Type (7) | value of a length that the type fixes |
"""

import asyncio
import struct
from collections.abc import Iterator
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.words import VERSION, Param, Status

HEADER = struct.Struct(">HII")
MAX_FRAME_BYTES = 512 * 1024
"""What a client may send in one message; more is garbage or an attack."""

_TLV = struct.Struct(">HH")
_TV_BYTES = {1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 13: 12, 14: 2, 15: 2, 16: 4,
             17: 2, 18: 4}  # fmt: skip


class Frame(NamedTuple):
    """One message; `body` is what follows the ten bytes of its header."""

    version: int
    type: int
    id: int
    body: bytes


class Parameter(NamedTuple):
    """One parameter; `raw` has its header, `value` has not."""

    type: int
    value: bytes
    raw: bytes


def encode(message: int, message_id: int, body: bytes = b"", version: int = VERSION) -> bytes:
    """The bytes of one message."""
    return HEADER.pack(version << 10 | message, HEADER.size + len(body), message_id & 0xFFFFFFFF) + body


async def read_frame(stream: asyncio.StreamReader) -> Frame:
    """The next message; raises `BadFrame` for a length that cannot be (the stream is then out of step).

    Raises asyncio.IncompleteReadError where the client hung up.
    """
    head = await stream.readexactly(HEADER.size)
    return decode(head + await stream.readexactly(_length(head) - HEADER.size))


def decode(message: bytes) -> Frame:
    """The frame of one whole message; raises `BadFrame` where it says another length than it has."""
    if len(message) < HEADER.size or _length(message) != len(message):
        raise BadFrame(Status.PARAMETER_ERROR, f"{len(message)} bytes are no whole message")
    word, _, message_id = HEADER.unpack_from(message)
    return Frame(word >> 10 & 0x7, word & 0x3FF, message_id, message[HEADER.size :])


def _length(head: bytes) -> int:
    _, length, message_id = HEADER.unpack_from(head)
    if not HEADER.size <= length <= MAX_FRAME_BYTES:
        raise BadFrame(
            Status.PARAMETER_ERROR,
            f"message {message_id} says it is {length} bytes long: {HEADER.size} to {MAX_FRAME_BYTES} are allowed",
        )
    return int(length)


def tlv(kind: int, value: bytes) -> bytes:
    """A parameter with a length."""
    return _TLV.pack(kind, _TLV.size + len(value)) + value


def custom(vendor: int, subtype: int, value: bytes) -> bytes:
    """A vendor's parameter."""
    return tlv(Param.CUSTOM, struct.pack(">II", vendor, subtype) + value)


def parameters(data: bytes, where: str) -> Iterator[Parameter]:
    """The parameters in a run of bytes; raises `BadFrame` naming `where` for bytes that are none."""
    at = 0
    while at < len(data):
        if data[at] & 0x80:
            kind = data[at] & 0x7F
            if kind not in _TV_BYTES:
                raise BadFrame(Status.PARAMETER_ERROR, f"{where}: unknown TV parameter {kind} at byte {at}")
            head, end = 1, at + 1 + _TV_BYTES[kind]
        else:
            if len(data) - at < _TLV.size:
                raise BadFrame(Status.PARAMETER_ERROR, f"{where}: {len(data) - at} bytes left, a parameter needs 4")
            word, length = _TLV.unpack_from(data, at)
            kind, head, end = word & 0x3FF, _TLV.size, at + length
            if length < _TLV.size:
                raise BadFrame(Status.PARAMETER_ERROR, f"{where}: parameter {kind} says it is {length} bytes long")
        if end > len(data):
            raise BadFrame(Status.PARAMETER_ERROR, f"{where}: parameter {kind} at byte {at} ends beyond the message")
        yield Parameter(kind, data[at + head : end], data[at:end])
        at = end


def fields(layout: struct.Struct, data: bytes, where: str) -> tuple[int, ...]:
    """The fixed fields that begin a body; raises `BadFrame` where it is too short."""
    if len(data) < layout.size:
        raise BadFrame(Status.PARAMETER_ERROR, f"{where}: {len(data)} bytes, its fields need {layout.size}")
    return layout.unpack_from(data)


def status(code: int, text: str = "") -> bytes:
    """An LLRPStatus (section 14.2); a field error names field 0 as invalid."""
    words = text.encode()[:1000]
    inner = b""
    if code == Status.FIELD_ERROR:
        inner = tlv(Param.FIELD_ERROR, struct.pack(">HH", 0, Status.A_INVALID))
    return tlv(Param.STATUS, struct.pack(">HH", code, len(words)) + words + inner)
