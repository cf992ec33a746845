"""RO_ACCESS_REPORT at full rate.

A reader sends tag after tag with the same parameters in the same order and lengths. So the first two tags are walked,
parameter by parameter, and give a `Layout`. Whatever is decoded by a layout is first compared with it, every tag in
every octet that must not change: a single tag as one big integer, many as one array. The values of many come out a
column at a time. A tag that does not fit is looked up among the other layouts, or walked.

What contradicts itself is rejected as a whole, since then no length in it can be trusted. What is only unknown costs
no more than itself: an unknown TLV parameter is skipped by its length, an unknown TV parameter costs what stands
behind it in its tag, a tag without an EPC costs that tag; both are counted in `rejected`.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import repeat
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import BadFrame, Why
from edge.llrp.header import hidden
from edge.llrp.layout import ANTENNA, BULK, BULK_BYTES, EPC, RSSI, UPTIME, Layout, Walk, parameter_at, walk

__all__ = ["BULK", "BULK_BYTES", "ReportDecoder", "TagReport"]

TAG_REPORT_DATA: Final = 240
MAX_LAYOUTS: Final = 64
MAX_LAYOUT_BYTES: Final = 262_144
"""A reader with more layouts than this, or longer ones in all, talks nonsense: all are forgotten and learnt anew."""
MAX_MET: Final = 256
"""So many fingerprints are kept."""
MAX_ALIKE: Final = 4
"""So many layouts of one length are tried; of more, the one unused for longest goes."""


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


_UNHEARD: Final = (None, None, None, None, None, None, None, False, None, None)
"""The values of a tag without parameters."""


class ReportDecoder:
    """Decodes the reports of one connection.

    With `carry`, a standard parameter that a tag lacks keeps the value it last had: "if an optional parameter is
    enabled, and is absent in the report, the Client SHALL assume that the value is identical to the last parameter of
    the same type received" (LLRP 1.0.1 section 13.2.3). So one decoder serves one connection.
    """

    def __init__(self, *, carry: bool = True) -> None:
        self.rejected: Counter[Why] = Counter()
        """Tags that were not read, or not to their end, in reports that were."""
        self.layouts = 0
        """How many are remembered."""
        self.walked = 0
        """How many tags were walked, since no layout was known for them."""
        self._carry = carry
        self._layouts: dict[int, list[Layout]] = {}
        """By the length of their tags; those used last come first."""
        self._layout_bytes = 0
        self._met: set[int] = set()
        """Fingerprints of tags that were walked."""
        self._layout: Layout | None = None
        """That of the tag decoded last."""
        self._last: tuple[Any, ...] = _UNHEARD
        """What a tag without a parameter gets in its place."""

    def decode(self, body: bytes, offset: int = 0) -> list[TagReport]:
        """The tags of one report's body, in its order; `offset` is the body's place in the stream.

        Parameters that are unknown or not a tag's are skipped. Raises `BadFrame`, and then gives no tag of the body
        and carries nothing over from it.
        """
        before = self._last
        try:
            return self._decode(body, offset)
        except BadFrame:
            self._last = before
            raise

    def _decode(self, body: bytes, offset: int) -> list[TagReport]:
        out: list[TagReport] = []
        position, end = 0, len(body)
        layout, tries = self._layout, end
        while position < end:
            if layout is None or not layout.fits(body, position):
                number, size = parameter_at(body, position, end, offset)
                layout = self._known(body, position, size) if number == TAG_REPORT_DATA else None
                if layout is None:
                    _check_hidden(body, position, position + size, offset)
                    if number == TAG_REPORT_DATA:
                        out += self._walked(walk(body, position, size, offset))
                    position += size
                    continue
                self._layout = layout
                tries = 1 if out else end  # where layouts alternate, to look far ahead each time would be in vain
            tags = layout.run(body, position, tries)
            if layout.flaw:
                self.rejected[layout.flaw] += tags
            if not layout.has_epc:
                pass
            elif tags == 1:
                out.append(self._row(layout, body, position))
            else:
                out += self._rows(layout, body, position, tags)
            position += tags * layout.size
            tries = tags * BULK
        if layout and layout.open_ended:
            _check_hidden(body, end - layout.size, end, offset)
        return out

    def _known(self, body: bytes, position: int, size: int) -> Layout | None:
        alike = self._layouts.get(size, ())
        for place, layout in enumerate(alike):
            if layout.fits(body, position):
                if place:
                    self._layouts[size] = [layout, *alike[:place], *alike[place + 1 :]]
                return layout
        return None

    def _walked(self, found: Walk) -> list[TagReport]:
        """The tag that was walked, if it can be read; of what is met again a layout is made."""
        self.walked += 1
        met = hash(found.skeleton)
        if met in self._met:
            self._remember(Layout(found))
        elif len(self._met) >= MAX_MET:
            self._met.clear()
        self._met.add(met)
        if found.flaw:
            self.rejected[found.flaw] += 1
        row = list(self._last)
        found.into(row)
        if row[EPC] is None:
            return []
        if self._carry:
            self._last = (None, *row[ANTENNA : UPTIME + 1], None, None)
        return [TagReport(*row)]

    def _remember(self, layout: Layout) -> None:
        if self.layouts >= MAX_LAYOUTS or self._layout_bytes + layout.size > MAX_LAYOUT_BYTES:
            self._layouts.clear()
            self.layouts = self._layout_bytes = 0
        alike = self._layouts.setdefault(layout.size, [])
        alike.insert(0, layout)
        if len(alike) > MAX_ALIKE:
            alike.pop()
        else:
            self.layouts += 1
            self._layout_bytes += layout.size

    def _row(self, layout: Layout, body: bytes, position: int) -> TagReport:
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

    def _rows(self, layout: Layout, body: bytes, position: int, tags: int) -> list[TagReport]:
        """Tags with the same layout, a column at a time."""
        columns: list[Iterable[Any]] = [repeat(value) for value in self._last]
        if layout.uptime is not None:
            columns[UPTIME] = repeat(layout.uptime)
        table = np.frombuffer(body, layout.table, tags, position)
        for name, place in enumerate(layout.places):
            values = table[str(name)]
            if place == EPC:
                columns[EPC] = _hex(values)
            elif place == RSSI and layout.fine:
                columns[RSSI] = (values / 100).tolist()
            else:
                columns[place] = values.tolist()
        rows = list(map(TagReport, *columns))
        if self._carry:
            self._last = (None, *msgspec.structs.astuple(rows[-1])[ANTENNA : UPTIME + 1], None, None)
        return rows


def _check_hidden(body: bytes, begin: int, end: int, offset: int) -> None:
    """Raises `BadFrame` if another message hides in what no layout explains."""
    if trouble := hidden(body, begin, end, offset + begin):
        raise trouble


def _hex(column: npt.NDArray[np.void]) -> list[str]:
    """Octets as hexadecimal: all in one go, then cut."""
    if not column.itemsize:
        return [""] * len(column)
    return column.tobytes().hex(" ", column.itemsize).split(" ")
