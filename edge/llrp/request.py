"""Requests as bytes.

Every request says LLRP 1.0.1 (version 1 in its header). Readers of LLRP 1.1 begin every connection in version 1 until a
client asks for another (LLRP 1.1, GET_SUPPORTED_VERSION and SET_PROTOCOL_VERSION), and nothing that we need came with
1.1: so there is nothing to negotiate. What arrives may be of either version (`frames`).
"""

from struct import pack

from edge.llrp.frames import HEADER
from edge.llrp.words import CUSTOM, NUMBERS

_VERSION = 1 << 10


def message(name: str, message_id: int, body: bytes = b"") -> bytes:
    """A whole message; without a body KEEPALIVE_ACK, GET_ROSPECS, ENABLE_EVENTS_AND_REPORTS and CLOSE_CONNECTION."""
    return HEADER.pack(_VERSION | NUMBERS[name], HEADER.size + len(body), message_id) + body


def tlv(number: int, value: bytes) -> bytes:
    """A TLV parameter (LLRP 1.0.1 section 16.2.1)."""
    return pack(">HH", number, 4 + len(value)) + value


def custom(vendor: int, subtype: int, value: bytes) -> bytes:
    """A vendor's own parameter."""
    return tlv(CUSTOM, pack(">II", vendor, subtype) + value)
