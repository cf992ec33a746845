"""RO_ACCESS_REPORT at full rate.

A reader sends tag after tag with the same parameters in the same order and lengths. So the first tag is walked once
and gives a layout: which octets never change (types, lengths, vendor numbers) and where the values stand. Whatever is
decoded by a layout is first compared with it, every tag in every octet that must not change: a single tag as one big
integer, many as one array. The values of many come out a column at a time. A tag that does not fit is looked up among
the other layouts, or walked and gives one more.

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

from collections.abc import Iterable
from itertools import repeat
from operator import itemgetter
from struct import Struct, calcsize
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import BadFrame
from edge.llrp.body import TV_SIZES
from edge.llrp.words import CUSTOM

TAG_REPORT_DATA: Final = 240
EPC_DATA: Final = 241
IMPINJ: Final = 25882
BULK: Final = 8
"""From so many tags on, columns are quicker than single tags."""
BULK_BYTES: Final = 65_536
"""So much is decoded at once at most. More at once is no quicker, and each layout keeps twice as much to compare."""
MAX_LAYOUTS: Final = 64
"""More layouts than this are a reader that talks nonsense: all are forgotten and learnt anew."""


class TagReport(msgspec.Struct, frozen=True, gc=False):
    """What a reader said about one tag. None: it did not say, and never has.

    Outside the garbage collector, which else would walk all tags of a long report every few hundred tags. There is
    nothing to find: a tag holds plain values only.
    """

    epc: str
    """Lower-case hexadecimal; a bit count that is no multiple of 8 leaves the reader's padding in the last digits."""
    antenna: int | None
    rssi_dbm: float | None
    """Peak; with the vendor's finer resolution where it is sent."""
    channel: int | None
    seen: int | None
    """How often, since the reader's last report of it."""
    first_seen_us: int | None
    last_seen_us: int | None
    uptime: bool
    """The two times count from the reader's start instead of from 1970."""
    phase: int | None
    """0 to 4095 for a full turn (Impinj)."""
    doppler: int | None
    """In 1/16 Hz (Impinj)."""


_EPC, _ANTENNA, _RSSI, _CHANNEL, _SEEN, _FIRST, _LAST, _UPTIME, _PHASE, _DOPPLER = range(10)
"""Places in a TagReport; `_ANTENNA` to `_UPTIME` are the standard's optional parameters."""
_FINE_RSSI = 10
"""Goes to the place of `_RSSI`, in 1/100 dBm."""

_TV_VALUES: Final[dict[int, tuple[int, str]]] = {
    1: (_ANTENNA, "H"),
    2: (_FIRST, "Q"),
    3: (_FIRST, "Q"),
    4: (_LAST, "Q"),
    5: (_LAST, "Q"),
    6: (_RSSI, "b"),
    7: (_CHANNEL, "H"),
    8: (_SEEN, "H"),
    13: (_EPC, "12s"),
}
_CLOCKS: Final = {2: False, 3: True, 4: False, 5: True}
_VENDOR_VALUES: Final[dict[tuple[int, int], tuple[int, str]]] = {
    (IMPINJ, 56): (_PHASE, "H"),
    (IMPINJ, 57): (_FINE_RSSI, "h"),
    (IMPINJ, 68): (_DOPPLER, "h"),
}
_TLV: Final = Struct(">HH")
_BITS: Final = Struct(">H")
_VENDOR: Final = Struct(">II")


_UNHEARD: Final = (None, None, None, None, None, None, None, False, None, None)
"""The values of a tag without parameters."""


class ReportDecoder:
    """Decodes the reports of one connection.

    With `carry`, a standard parameter that a tag lacks keeps the value it last had: "if an optional parameter is
    enabled, and is absent in the report, the Client SHALL assume that the value is identical to the last parameter of
    the same type received" (LLRP 1.0.1 section 13.2.3). So one decoder serves one connection.
    """

    def __init__(self, *, carry: bool = True) -> None:
        self._carry = carry
        self._layouts: dict[int, list[_Layout]] = {}
        self.layouts = 0
        """How many are remembered."""
        self._layout: _Layout | None = None
        """That of the tag decoded last."""
        self._last: tuple[Any, ...] = _UNHEARD
        """What a tag without a parameter gets in its place."""

    def decode(self, body: bytes, offset: int = 0) -> list[TagReport]:
        """The tags of one report's body, in its order; `offset` is the body's place in the stream.

        Parameters that are unknown or not a tag's are skipped. Raises `BadFrame`, and then gives no tag of the body.
        """
        out: list[TagReport] = []
        position, end = 0, len(body)
        layout, tries = self._layout, end
        while position < end:
            if layout is None or not layout.fits(body, position):
                number, size = _parameter_at(body, position, end, offset)
                if number != TAG_REPORT_DATA:
                    position += size
                    continue
                layout = self._layout = self._layout_of(body, position, size, offset)
                tries = 1 if out else end  # where layouts alternate, to look far ahead each time would be in vain
            tags = layout.run(body, position, tries)
            if tags == 1:
                out.append(self._row(layout, body, position))
            else:
                out += self._rows(layout, body, position, tags)
            position += tags * layout.size
            tries = tags * BULK
        return out

    def _layout_of(self, body: bytes, position: int, size: int, offset: int) -> "_Layout":
        for layout in self._layouts.get(size, ()):
            if layout.fits(body, position):
                return layout
        layout = _learn(body, position, size, offset)
        if self.layouts >= MAX_LAYOUTS:
            self._layouts.clear()
            self.layouts = 0
        self._layouts.setdefault(size, []).insert(0, layout)
        self.layouts += 1
        return layout

    def _row(self, layout: "_Layout", body: bytes, position: int) -> TagReport:
        """The same as `_rows`, for one tag: readers that report every tag at once send nothing else."""
        epc, antenna, rssi, channel, seen, first, last, uptime, phase, doppler = layout.pick(
            layout.struct.unpack_from(body, position) + self._last
        )
        if layout.fine:
            rssi /= 100
        if layout.uptime is not None:
            uptime = layout.uptime
        if self._carry:
            self._last = (None, antenna, rssi, channel, seen, first, last, uptime, None, None)
        return TagReport(epc.hex(), antenna, rssi, channel, seen, first, last, uptime, phase, doppler)

    def _rows(self, layout: "_Layout", body: bytes, position: int, tags: int) -> list[TagReport]:
        """Tags with the same layout, a column at a time."""
        columns: list[Iterable[Any]] = [repeat(value) for value in self._last]
        if layout.uptime is not None:
            columns[_UPTIME] = repeat(layout.uptime)
        table = np.frombuffer(body, layout.table, tags, position)
        for name, place in enumerate(layout.places):
            values = table[str(name)]
            if place == _EPC:
                columns[_EPC] = _hex(values)
            elif place == _RSSI and layout.fine:
                columns[_RSSI] = (values / 100).tolist()
            else:
                columns[place] = values.tolist()
        rows = list(map(TagReport, *columns))
        if self._carry:
            self._last = (None, *msgspec.structs.astuple(rows[-1])[_ANTENNA : _UPTIME + 1], None, None)
        return rows


def _hex(column: npt.NDArray[np.void]) -> list[str]:
    """Octets as hexadecimal: all in one go, then cut."""
    if not column.itemsize:
        return [""] * len(column)
    return column.tobytes().hex(" ", column.itemsize).split(" ")


_Octets = npt.NDArray[np.uint8]


class _Value(NamedTuple):
    """Where a value stands in a tag: its place in a TagReport, its offset in octets and its struct code."""

    place: int
    offset: int
    code: str


class _Layout:
    """Which octets of a tag never change, and where its values stand."""

    def __init__(self, skeleton: bytes, mask: bytes, values: list[_Value], uptime: bool | None) -> None:
        self.size = len(skeleton)
        self.uptime = uptime
        self.fine = any(value.place == _FINE_RSSI for value in values)
        if self.fine:
            values = [value for value in values if value.place != _RSSI]
        self.places = [_RSSI if value.place == _FINE_RSSI else value.place for value in values]
        self.struct = Struct(_struct_format(values))
        at = {place: index for index, place in enumerate(self.places)}
        self.pick = itemgetter(*(at.get(place, len(values) + place) for place in range(len(_UNHEARD))))
        """From what `struct` gives, followed by what a tag gets without, the values of a TagReport."""
        self.table = np.dtype({
            "names": [str(name) for name in range(len(values))],
            "formats": [_NUMPY.get(value.code) or f"V{value.code[:-1]}" for value in values],
            "offsets": [value.offset for value in values],
            "itemsize": self.size,
        })  # fmt: skip
        self._skeleton, self._mask = int.from_bytes(skeleton, "big"), int.from_bytes(mask, "big")
        self._octets = skeleton, mask
        self._most = BULK_BYTES // self.size
        self._many: tuple[_Octets, _Octets] | None = None
        """The same `_most` times, for the tags that are compared at once."""

    def fits(self, body: bytes, position: int) -> bool:
        """Whether the tag there has this layout."""
        octets = body[position : position + self.size]
        return int.from_bytes(octets, "big") & self._mask == self._skeleton and len(octets) == self.size

    def run(self, body: bytes, position: int, tries: int) -> int:
        """How many tags from there on have this layout, if the first one has: 1, or from `BULK` to `tries`."""
        tags = min(tries, (len(body) - position) // self.size, self._most)
        if tags < BULK:
            return 1
        if self._many is None:
            skeleton, mask = (np.frombuffer(one * self._most, np.uint8) for one in self._octets)
            self._many = skeleton, mask
        size = tags * self.size
        skeleton, mask = self._many
        strange = (np.frombuffer(body, np.uint8, size, position) & mask[:size]) != skeleton[:size]
        if strange.any():
            tags = int(strange.argmax()) // self.size
        return tags if tags >= BULK else 1


def _parameter_at(body: bytes, position: int, end: int, offset: int) -> tuple[int, int]:
    """Type and whole size of the TLV parameter at `position`."""
    if position + 4 > end:
        raise BadFrame(offset + position, "parameter header cut off")
    number, size = _TLV.unpack_from(body, position)
    if number & 0x8000:
        raise BadFrame(offset + position, f"TV parameter {number >> 8 & 0x7F} where a TagReportData should stand")
    if not 4 <= size <= end - position:
        raise BadFrame(offset + position, f"parameter {number & 0x3FF} of {size} bytes where {end - position} are left")
    return number & 0x3FF, size


_NUMPY: Final = {"H": ">u2", "Q": ">u8", "b": "i1", "h": ">i2"}


def _struct_format(values: list[_Value]) -> str:
    form, position = ">", 0
    for value in values:
        form += f"{value.offset - position}x{value.code}"
        position = value.offset + calcsize(">" + value.code)
    return form


def _learn(body: bytes, begin: int, size: int, offset: int) -> _Layout:
    """Walk one tag."""
    end, position = begin + size, begin + 4
    mask, values, uptime = bytearray(b"\xff" * 4), list[_Value](), None
    while position < end:
        if body[position] & 0x80:
            number, head = body[position] & 0x7F, 1
            step = TV_SIZES.get(number, 0)
            wanted = _TV_VALUES.get(number)
            uptime = _CLOCKS.get(number, uptime)
            if not step or position + step > end:
                raise BadFrame(offset + position, f"TV parameter {number} is unknown or cut off")
        else:
            number, step = _parameter_at(body, position, end, offset)
            head, wanted = _tlv_value(body, position, number, step, offset)
        mask += b"\xff" * head + bytes(step - head)
        if wanted:
            values.append(_Value(wanted[0], position + head - begin, wanted[1]))
        position += step
    if not any(value.place == _EPC for value in values):
        raise BadFrame(offset + begin, "tag report without an EPC")
    skeleton = int.from_bytes(body[begin:end], "big") & int.from_bytes(mask, "big")
    return _Layout(skeleton.to_bytes(size, "big"), bytes(mask), values, uptime)


def _tlv_value(body: bytes, position: int, number: int, size: int, offset: int) -> tuple[int, tuple[int, str] | None]:
    """How many octets of a TLV parameter never change, and the value behind them that we want."""
    if number == EPC_DATA:
        bits = _BITS.unpack_from(body, position + 4)[0] if size >= 6 else 0
        octets = (bits + 7) // 8
        if size < 6 or octets > size - 6:
            raise BadFrame(offset + position, f"EPC of {bits} bits in a parameter of {size} bytes")
        return 6, (_EPC, f"{octets}s")
    if number == CUSTOM:
        if size < 12:
            raise BadFrame(offset + position, f"custom parameter of {size} bytes")
        value = _VENDOR_VALUES.get(_VENDOR.unpack_from(body, position + 4))
        return 12, value if size == 14 else None
    return 4, None
