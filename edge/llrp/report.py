"""RO_ACCESS_REPORT at full rate.

A reader sends tag after tag with the same parameters in the same order and lengths. So the first tag is walked once
and gives a layout: which octets never change (types, lengths, vendor numbers) and where the values stand. The octets
that must not change are checked for all tags of a message at once, as one AND and one comparison of big integers; the
values come out a column at a time. What does not fit is walked again and gives a layout of its own.

    TLV TagReportData   |0 0 0 0 0 0|  240 (10)  |  length (16)  |  parameters in any order:
      TLV EPCData       |0 0 0 0 0 0|  241 (10)  |  length (16)  |  bits (16)  |  EPC, padded to a whole octet
      TV  EPC_96        |1|  13 (7)  |  EPC (96)
      TV  AntennaID     |1|   1 (7)  |  antenna (16)
      TLV Custom        |0 0 0 0 0 0| 1023 (10)  |  length (16)  |  vendor (32)  |  subtype (32)  |  value
                                                    (LLRP 1.0.1 sections 13.2.3 and 16.2.7.3)
"""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from struct import Struct, calcsize
from typing import Any, Final, NamedTuple, cast

import numpy as np

from edge.errors import BadFrame
from edge.llrp.body import TV_SIZES
from edge.llrp.words import CUSTOM

TAG_REPORT_DATA: Final = 240
EPC_DATA: Final = 241
IMPINJ: Final = 25882
BULK: Final = 3
"""From so many tags on, columns are quicker than single tags."""
MAX_LAYOUTS: Final = 64
"""More layouts than this are a reader that talks nonsense: all are forgotten and learnt anew."""


class TagReport(NamedTuple):
    """What a reader said about one tag. None: it did not say, and never has."""

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


_tag_report = cast("Callable[[tuple[Any, ...]], TagReport]", partial(tuple.__new__, TagReport))
"""What TagReport._make does, without a Python frame for each tag."""


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
        self._last: list[Any] = [None] * 10
        self._last[_UPTIME] = False

    def decode(self, body: bytes, offset: int = 0) -> list[TagReport]:
        """The tags of one report's body, in its order; `offset` is the body's place in the stream.

        Parameters that are unknown or not a tag's are skipped. Raises `BadFrame`, and then gives no tag of the body.
        """
        out: list[TagReport] = []
        position, end = 0, len(body)
        while position < end:
            number, size = _parameter_at(body, position, end, offset)
            if number != TAG_REPORT_DATA:
                position += size
                continue
            layout = self._layout_of(body, position, size, offset)
            position += self._run(layout, body, position, out)
        return out

    def _layout_of(self, body: bytes, position: int, size: int, offset: int) -> "_Layout":
        for layout in self._layouts.get(size, ()):
            if layout.fits(body, position, 1):
                return layout
        layout = _learn(body, position, size, offset)
        if self.layouts >= MAX_LAYOUTS:
            self._layouts.clear()
            self.layouts = 0
        self._layouts.setdefault(size, []).insert(0, layout)
        self.layouts += 1
        return layout

    def _run(self, layout: "_Layout", body: bytes, position: int, out: list[TagReport]) -> int:
        """Decode the tag at `position` and those behind it that look the same; gives the octets they take."""
        begin, size = position, layout.size
        tags, rest = divmod(len(body), size)
        if begin or rest or (tags > 1 and not layout.fits(body, 0, tags)):
            tags = 1
        while tags:
            if tags < BULK:
                out += [self._row(layout, body, at) for at in range(position, position + tags * size, size)]
            else:
                out += self._rows(layout, body, position, tags)
            position += tags * size
            tags = min(tags * 2, (len(body) - position) // size)
            if tags and not layout.fits(body, position, tags):
                break
        return position - begin

    def _row(self, layout: "_Layout", body: bytes, position: int) -> TagReport:
        """The same as `_rows`, for one tag: readers that report every tag at once send nothing else."""
        row = self._last.copy()
        if layout.uptime is not None:
            row[_UPTIME] = layout.uptime
        for place, value in zip(layout.places, layout.struct.unpack_from(body, position), strict=True):
            if place == _FINE_RSSI:
                row[_RSSI] = value / 100
            else:
                row[place] = value
        if self._carry:
            self._last[_ANTENNA : _UPTIME + 1] = row[_ANTENNA : _UPTIME + 1]
        row[_EPC] = row[_EPC].hex()
        return _tag_report(tuple(row))

    def _rows(self, layout: "_Layout", body: bytes, position: int, tags: int) -> list[TagReport]:
        """Tags with the same layout, a column at a time."""
        last = self._last
        columns: list[Iterable[Any]] = [repeat(value) for value in last]
        if layout.uptime is not None:
            columns[_UPTIME] = repeat(layout.uptime)
            last[_UPTIME] = self._carry and layout.uptime
        table = np.frombuffer(body, layout.columns, tags, position)
        for name, place in enumerate(layout.places):
            values = table[str(name)].tolist()
            if place == _EPC:
                columns[_EPC] = map(bytes.hex, values)
                continue
            if place == _FINE_RSSI:
                place, values = _RSSI, [value / 100 for value in values]
            columns[place] = values
            if self._carry and _ANTENNA <= place <= _UPTIME:
                last[place] = values[-1]
        return list(map(_tag_report, zip(*columns)))  # noqa: B905  # repeat() has no end


class _Value(NamedTuple):
    """Where a value stands in a tag: its place in a TagReport, its offset in octets and its struct code."""

    place: int
    offset: int
    code: str


class _Layout:
    """Which octets of a tag never change, and where its values stand."""

    def __init__(self, skeleton: bytes, mask: bytes, values: list[_Value], uptime: bool | None) -> None:
        self.size = len(skeleton)
        self.places = [value.place for value in values]
        self.uptime = uptime
        self.struct = Struct(_struct_format(values))
        self.columns = np.dtype({
            "names": [str(name) for name in range(len(values))],
            "formats": [_NUMPY.get(value.code) or f"V{value.code[:-1]}" for value in values],
            "offsets": [value.offset for value in values],
            "itemsize": self.size,
        })  # fmt: skip
        self._skeleton, self._mask = skeleton, mask
        self._one = self._many = _Pattern(skeleton, mask, 1)

    def fits(self, body: bytes, position: int, tags: int) -> bool:
        """Whether so many tags, one behind the other, have this layout."""
        pattern = self._one if tags == 1 else self._many
        if tags != pattern.tags:
            pattern = self._many = _Pattern(self._skeleton, self._mask, tags)
        octets = int.from_bytes(body[position : position + tags * self.size], "big")
        return octets & pattern.mask == pattern.skeleton


class _Pattern:
    """The octets of so many tags that never change, as one integer each."""

    __slots__ = ("mask", "skeleton", "tags")

    def __init__(self, skeleton: bytes, mask: bytes, tags: int) -> None:
        self.tags = tags
        self.skeleton = int.from_bytes(skeleton * tags, "big")
        self.mask = int.from_bytes(mask * tags, "big")


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
    if any(value.place == _FINE_RSSI for value in values):
        values = [value for value in values if value.place != _RSSI]
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
