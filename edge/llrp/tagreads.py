"""What one connection's reports become: reads with the agent's times."""

from collections import Counter
from typing import Final

from edge.errors import Why
from edge.llrp.answers import below
from edge.llrp.body import Fields
from edge.llrp.clock import ReaderClock
from edge.llrp.frames import HEADER, Frame
from edge.llrp.read import Read
from edge.llrp.report import ReportDecoder, TagReport

MAX_EPC_DIGITS: Final = 124
"""An EPC memory bank holds 496 bits at most (Gen2 section 6.3.2.1.2): anything longer is no tag's."""


class TagReads:
    """Decodes and dates what one connection to the reader of that name tells of tags."""

    def __init__(self, reader: str, clock: ReaderClock, counts: Counter[str]) -> None:
        """`counts`: where tags without antenna or level, or with an EPC that is none, count as `reports_skipped`."""
        self._reader, self._clock, self._counts = reader, clock, counts
        self._decoder = ReportDecoder()

    @property
    def rejected(self) -> Counter[Why]:
        """Tags that were not read, or not to their end, in reports that were; by reason."""
        return self._decoder.rejected

    def report(self, frame: Frame, arrived_us: int) -> tuple[list[Read], int]:
        """The reads in an RO_ACCESS_REPORT that arrived now, by the agent's clock, and by how much the reader's clock
        stepped, mostly 0. Raises `BadFrame`."""
        tags = self._decoder.decode(frame.body, frame.offset + HEADER.size)
        reads = list[Read]()
        if not tags:
            return reads, 0
        newest = tags[0] if len(tags) == 1 else max(tags, key=_last_seen)
        stepped_us = 0
        if newest.last_seen_us is not None:
            stepped_us = self._clock.observe(newest.last_seen_us, arrived_us, uptime=newest.uptime, report=True)
        for tag in tags:
            if tag.antenna is None or tag.rssi_dbm is None or not 0 < len(tag.epc) <= MAX_EPC_DIGITS:
                self._counts["reports_skipped"] += 1
                continue
            at_us = self._moment(tag, arrived_us)
            reads.append(Read(at_us, tag.epc, tag.antenna, tag.rssi_dbm, self._reader, tag.channel, tag.phase))
        return reads, stepped_us

    def date(self, event: Fields, arrived_us: int) -> tuple[int, int, bool]:
        """When a ReaderEventNotificationData that arrived now happened, by the agent's clock; by how much the reader's
        clock stepped; and whether it told its uptime."""
        for name, uptime in (("UTCTimestamp", False), ("Uptime", True)):
            at_us = below(event, name).get("Microseconds")
            if isinstance(at_us, int):
                stepped_us = self._clock.observe(at_us, arrived_us, uptime=uptime)
                return self._clock.at(at_us, arrived_us, uptime=uptime), stepped_us, uptime
        return arrived_us, 0, False

    def _moment(self, tag: TagReport, arrived_us: int) -> int:
        """When a tag was read: the middle of the times that its report covers, or its arrival if it names none.

        Never after its arrival, whatever the reader says: a read of the future would keep its pass open until then.
        """
        last = tag.first_seen_us if tag.last_seen_us is None else tag.last_seen_us
        if last is None:
            return arrived_us
        first = last if tag.first_seen_us is None else tag.first_seen_us
        return self._clock.at((first + last) // 2, arrived_us, uptime=tag.uptime)


def _last_seen(tag: TagReport) -> int:
    return -1 if tag.last_seen_us is None else tag.last_seen_us
