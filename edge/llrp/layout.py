"""The layout of a tag report: which octets never change from tag to tag, and where the values stand.

TLV TagReportData   |0 0 0 0 0 0|  240 (10)  |  length (16)  |  parameters in any order:
  TLV EPCData       |0 0 0 0 0 0|  241 (10)  |  length (16)  |  bits (16)  |  EPC, padded to a whole octet
  TV  EPC_96        |1|  13 (7)  |  EPC (96)
  TV  AntennaID     |1|   1 (7)  |  antenna (16)
  TLV Custom        |0 0 0 0 0 0| 1023 (10)  |  length (16)  |  vendor (32)  |  subtype (32)  |  value
                                                (LLRP 1.0.1 sections 13.2.3 and 16.2.7.3)

a tag       00 F0 00 1F | 8D (EPC, 12 octets) | 81 00 02 | 86 C4 | 84 (microseconds, 8 octets)
skeleton    00 F0 00 1F   8D 00  ...  00        81 00 00   86 00   84 00  ...  00
mask        FF FF FF FF   FF 00  ...  00        FF 00 00   FF 00   FF 00  ...  00     fits: tag AND mask = skeleton
"""

from functools import cached_property
from operator import itemgetter
from struct import Struct, calcsize
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.errors import BadFrame, Why
from edge.llrp.body import FIRST_TLV, TLV, TV_SIZES
from edge.llrp.header import HEADER
from edge.llrp.words import CUSTOM

EPC_DATA: Final = 241
IMPINJ: Final = 25882
BULK: Final = 8
"""From so many tags on, columns are quicker than single tags."""
BULK_BYTES: Final = 65_536
"""So much is decoded at once at most. More at once is no quicker, and each layout keeps twice as much to compare."""

EPC, ANTENNA, RSSI, CHANNEL, SEEN, FIRST, LAST, UPTIME, PHASE, DOPPLER = range(10)
"""Places of the values in a TagReport."""
PLACES: Final = 10
_FINE_RSSI: Final = PLACES
"""The vendor's, in 1/100 dBm: stands in for the standard's, in whole dBm."""

_TV_VALUES: Final[dict[int, tuple[int, str]]] = {
    1: (ANTENNA, "H"),
    2: (FIRST, "Q"),
    3: (FIRST, "Q"),
    4: (LAST, "Q"),
    5: (LAST, "Q"),
    6: (RSSI, "b"),
    7: (CHANNEL, "H"),
    8: (SEEN, "H"),
    13: (EPC, "12s"),
}
_CLOCKS: Final = {2: False, 3: True, 4: False, 5: True}
_VENDOR_VALUES: Final[dict[tuple[int, int], tuple[int, str]]] = {
    (IMPINJ, 56): (PHASE, "H"),
    (IMPINJ, 57): (_FINE_RSSI, "h"),
    (IMPINJ, 68): (DOPPLER, "h"),
}
_VENDOR_SIZE: Final = 14
"""Octets of a vendor's parameter that holds one of these."""
_BITS: Final = Struct(">H")
_VENDOR: Final = Struct(">II")
_NUMPY: Final = {"H": ">u2", "Q": ">u8", "b": "i1", "h": ">i2"}
_NUMBERS: Final = {code: Struct(">" + code) for code in _NUMPY}

_Octets = npt.NDArray[np.uint8]


class Value(NamedTuple):
    """Where a value stands in a tag: its place in a TagReport, its offset in octets and its struct code."""

    place: int
    offset: int
    code: str


class Walk(NamedTuple):
    """What was found in one tag, parameter by parameter."""

    octets: bytes
    mask: bytes
    """Of the octets, 255 where they never change in such tags, else 0."""
    values: list[Value]
    uptime: bool | None
    """Of its times, if it has any."""
    unknown_tv: bool

    @property
    def skeleton(self) -> int:
        """The octets that never change, as one big integer."""
        return int.from_bytes(self.octets, "big") & int.from_bytes(self.mask, "big")

    @property
    def flaw(self) -> Why | None:
        """What is wrong with such tags, though they do not contradict themselves."""
        if self.unknown_tv:
            return "unknown_tv"
        return None if any(value.place == EPC for value in self.values) else "no_epc"

    def into(self, row: list[Any]) -> None:
        """Put the values at their places in a TagReport, and leave the others as they are."""
        fine = None
        for place, offset, code in self.values:
            if place == _FINE_RSSI:
                fine = int.from_bytes(self.octets[offset : offset + 2], "big", signed=True)
            elif place == EPC:
                row[EPC] = self.octets[offset : offset + int(code[:-1])].hex()
            else:
                row[place] = _NUMBERS[code].unpack_from(self.octets, offset)[0]
        if fine is not None:
            row[RSSI] = fine / 100
        if self.uptime is not None:
            row[UPTIME] = self.uptime


class Layout:
    """How the tags of one layout are recognised and where their values are; numpy's part is made for the first run."""

    def __init__(self, walk: Walk) -> None:
        values = walk.values
        self.size = len(walk.octets)
        self.uptime = walk.uptime
        self.flaw = walk.flaw
        self.fine = any(value.place == _FINE_RSSI for value in values)
        if self.fine:
            values = [value for value in values if value.place != RSSI]
        self.places = [RSSI if value.place == _FINE_RSSI else value.place for value in values]
        self.has_epc = EPC in self.places
        self.open_ended = len(walk.mask) - len(walk.mask.rstrip(b"\0")) >= HEADER.size
        """It ends with so many octets of any value that they could be a message."""
        self.struct = Struct(_struct_format(values))
        at = dict(zip(self.places, range(len(values)), strict=True))
        self.pick = itemgetter(*(at.get(place, len(values) + place) for place in range(PLACES)))
        """From what `struct` gives, followed by what a tag gets without, the values of a TagReport."""
        self._values = values
        self._skeleton, self._mask = walk.skeleton, int.from_bytes(walk.mask, "big")
        self._octets = self._skeleton.to_bytes(self.size, "big"), walk.mask
        self._most = BULK_BYTES // self.size

    @cached_property
    def table(self) -> "np.dtype[np.void]":
        """Many such tags as an array of records, whose fields are named by the order of `places`."""
        return np.dtype({
            "names": [str(name) for name in range(len(self._values))],
            "formats": [_NUMPY.get(value.code) or f"V{value.code[:-1]}" for value in self._values],
            "offsets": [value.offset for value in self._values],
            "itemsize": self.size,
        })  # fmt: skip

    @cached_property
    def _many(self) -> tuple[_Octets, _Octets]:
        """Skeleton and mask `_most` times, for the tags that are compared at once."""
        skeleton, mask = (np.frombuffer(one * self._most, np.uint8) for one in self._octets)
        return skeleton, mask

    def fits(self, body: bytes, position: int) -> bool:
        """Whether the tag there has this layout."""
        octets = body[position : position + self.size]
        return int.from_bytes(octets, "big") & self._mask == self._skeleton and len(octets) == self.size

    def run(self, body: bytes, position: int, tries: int) -> int:
        """How many tags from there on have this layout, if the first one has: 1, or from `BULK` to `tries`."""
        tags = min(tries, (len(body) - position) // self.size, self._most)
        if tags < BULK:
            return 1
        size = tags * self.size
        skeleton, mask = self._many
        strange = (np.frombuffer(body, np.uint8, size, position) & mask[:size]) != skeleton[:size]
        if strange.any():
            tags = int(strange.argmax()) // self.size
        return tags if tags >= BULK else 1


def _struct_format(values: list[Value]) -> str:
    form, position = ">", 0
    for value in values:
        form += f"{value.offset - position}x{value.code}"
        position = value.offset + calcsize(">" + value.code)
    return form


def parameter_at(body: bytes, position: int, end: int, offset: int) -> tuple[int, int]:
    """Type and whole size of the TLV parameter at `position`; raises `BadFrame`, `offset` being the body's place."""
    if position + TLV.size > end:
        raise BadFrame(offset + position, "parameter header cut off", "cut_off")
    number, size = TLV.unpack_from(body, position)
    if number & 0x8000:
        raise BadFrame(offset + position, f"TV parameter {number >> 8 & 0x7F} where a TagReportData should stand")
    number &= 0x3FF
    if size < TLV.size or number < FIRST_TLV:
        raise BadFrame(offset + position, f"parameter {number} with length {size}")
    if size > end - position:
        words = f"parameter {number} of {size} bytes where {end - position} are left"
        raise BadFrame(offset + position, words, "cut_off")
    return number, size


def walk(body: bytes, begin: int, size: int, offset: int) -> Walk:
    """Walk the tag at `begin`. Raises `BadFrame` where it contradicts itself.

    What stands several times counts where it stands last. Behind a TV parameter that nobody knows nothing more can be
    read, since its length is not known either; what stands before it can.
    """
    end, position = begin + size, begin + TLV.size
    mask, values, uptime, unknown_tv = bytearray(b"\xff" * TLV.size), list[Value](), None, False
    while position < end:
        if body[position] & 0x80:
            number, head = body[position] & 0x7F, 1
            step = TV_SIZES.get(number, 0)
            if not number:
                raise BadFrame(offset + position, "TV parameter 0 is none")
            if not step:
                unknown_tv, step = True, end - position
            elif position + step > end:
                raise BadFrame(offset + position, f"TV parameter {number} cut off", "cut_off")
            wanted = _TV_VALUES.get(number)
            uptime = _CLOCKS.get(number, uptime)
        else:
            number, step = parameter_at(body, position, end, offset)
            head, wanted = _tlv_value(body, position, number, step, offset)
        mask += b"\xff" * head + bytes(step - head)
        if wanted:
            values.append(Value(wanted[0], position + head - begin, wanted[1]))
        position += step
    return Walk(body[begin:end], bytes(mask), values, uptime, unknown_tv)


def _tlv_value(body: bytes, position: int, number: int, size: int, offset: int) -> tuple[int, tuple[int, str] | None]:
    """How many octets of a TLV parameter never change, and the value behind them that we want."""
    if number == EPC_DATA:
        bits = _BITS.unpack_from(body, position + TLV.size)[0] if size >= 6 else 0
        octets = (bits + 7) // 8
        if size < 6 or octets > size - 6:
            raise BadFrame(offset + position, f"EPC of {bits} bits in a parameter of {size} bytes", "cut_off")
        return 6, (EPC, f"{octets}s")
    if number == CUSTOM:
        if size < TLV.size + _VENDOR.size:
            raise BadFrame(offset + position, f"custom parameter of {size} bytes", "cut_off")
        if size == _VENDOR_SIZE:
            return TLV.size + _VENDOR.size, _VENDOR_VALUES.get(_VENDOR.unpack_from(body, position + TLV.size))
    return TLV.size, None
