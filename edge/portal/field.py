"""The tags in the field of one door, and their stays: the reads of one tag, with no long silence between.

A stay ends when the tag has not been read for `gap_s` of time in which the door could see, or `max_pass_s` after its
last read. Reads may come late and in any order: each goes to the stay that it belongs to by its own time, and a read
that closes the silence between two stays makes them one. So the stays do not depend on the order of arrival.

A stay that lasts longer than `max_pass_s`, or has more than `MAX_READS` reads, is one of a tag that stands still. Of
its reads only the newest are kept (`LEAVING_US`, `MAX_TRAIL`), for they tell whether it is carried off in the end.

Bounds: at most `MAX_TAGS` tags are followed and `MAX_HELD` reads held; further ones are refused, and counted as
`overflow`. Of tags that stand still, `MAX_TRAILS` reads are held besides; then the next such tag keeps none.
"""

import heapq
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final

from edge.llrp.read import Read
from edge.portal.sides import Side
from edge.portal.sight import Sight

MAX_TAGS: Final = 10_000
MAX_READS: Final = 20_000
MAX_HELD: Final = 200_000
"""Reads of all tags together: three minutes of the fastest reader, some 50 MB."""
LEAVING_US: Final = 10_000_000
"""A tag that stood still is carried through a door within this time."""
MAX_TRAIL: Final = 128
BUCKET_US: Final = 500_000
MAX_TRAILS: Final = 50_000

_first_us = attrgetter("first_us")
_at_us = attrgetter("at_us")


class SoFar:
    """When a tag was heard on each side until now, weighted by linear power: sums that grow with the reads."""

    __slots__ = ("_counted", "_origin_us", "_sums", "first_us", "last_us", "peak_dbm", "powers_mw")

    def __init__(self, origin_us: int) -> None:
        self.peak_dbm = -math.inf
        self._counted = 0
        self._origin_us = origin_us
        self._sums: dict[Side | None, tuple[float, float]] = {}
        self.first_us = self.last_us = origin_us
        self.powers_mw: dict[int, float] = {}
        """Sums of all sides by half seconds, `BUCKET_US`."""

    def add(self, reads: Sequence[Read], side_of: Callable[[Read], Side | None]) -> None:
        """Take in those of the reads that are new since the last call."""
        powers_mw = self.powers_mw
        for read in reads[self._counted :]:
            side, at_us = side_of(read), read.at_us
            if read.rssi_dbm > self.peak_dbm:
                self.peak_dbm = read.rssi_dbm
            if at_us > self.last_us:
                self.last_us = at_us
            elif at_us < self.first_us:
                self.first_us = at_us
            power, moment = self._sums.get(side, (0.0, 0.0))
            weight = math.pow(10, read.rssi_dbm / 10)
            self._sums[side] = (power + weight, moment + weight * (at_us - self._origin_us))
            bucket = at_us // BUCKET_US
            powers_mw[bucket] = powers_mw.get(bucket, 0.0) + weight
        self._counted = len(reads)

    def centroid_us(self, side: Side) -> float | None:
        """When it was near a side; None if that has not heard it."""
        if side not in self._sums:
            return None
        power, moment = self._sums[side]
        return self._origin_us + moment / power


class Stay:
    """One tag in the field from its first read to its last one, so far."""

    __slots__ = ("epc", "first_us", "last_us", "reads", "so_far", "standing")

    def __init__(self, read: Read) -> None:
        self.epc = read.epc
        self.so_far: SoFar | None = None
        """Kept here by who asks for it."""
        self.first_us = self.last_us = read.at_us
        self.reads = [read]
        """In the order of arrival. Of one that stands still, the newest."""
        self.standing = False

    def until(self, at_us: int, side_of: Callable[[Read], Side | None]) -> SoFar:
        """What was known of it then."""
        if self.last_us > at_us:  # many came at once: some of them were not known then
            known = [read for read in self.reads if read.at_us <= at_us]
            so_far = SoFar(min((read.at_us for read in known), default=self.first_us))
            so_far.add(known, side_of)
            return so_far
        if self.so_far is None:
            self.so_far = SoFar(self.first_us)
        self.so_far.add(self.reads, side_of)
        return self.so_far

    def end(self, last_s: float) -> "Stay":
        """Its last seconds."""
        since_us = self.last_us - round(last_s * 1e6)
        stay = Stay(self.reads[0])
        stay.reads = [read for read in self.reads if read.at_us >= since_us]
        stay.first_us, stay.last_us = min(read.at_us for read in stay.reads), self.last_us
        stay.standing = self.standing
        return stay

    @classmethod
    def joined(cls, before: "Stay", after: "Stay") -> "Stay":
        """Two stays of one tag as one."""
        stay = cls(before.reads[0])
        stay.first_us, stay.last_us = before.first_us, after.last_us
        stay.reads = before.reads + after.reads
        stay.standing = before.standing or after.standing
        return stay


class Field:
    """The tags at one door. Reads in, stays out; never reads a clock."""

    def __init__(self, gap_us: int, longest_us: int, sight: Sight, refused: Counter[str]) -> None:
        """`refused` counts reads under `overflow`."""
        self._gap_us = gap_us
        self._longest_us = longest_us
        self._sight = sight
        self._refused = refused
        self._tags: dict[str, list[Stay]] = {}
        """Stays of each tag by time; nearly always one."""
        self._ends: list[tuple[int, str]] = []
        """Heap of (earliest end, epc), at least one for the first stay of each tag; it may have moved on since."""
        self._held = self._trailing = 0
        """Reads in stays, without and with those that stand still."""

    def feed(self, reads: Iterable[Read]) -> None:
        """Take in reads, in any order."""
        tags, gap_us, longest_us = self._tags, self._gap_us, self._longest_us
        for read in reads:
            stays = tags.get(read.epc)
            if stays is None:
                self._begin(read)
                continue
            stay, at_us = stays[-1], read.at_us
            if stay.standing or self._held >= MAX_HELD or not stay.first_us <= at_us <= stay.last_us + gap_us:
                self._put(stays, read)
                continue
            stay.reads.append(read)
            self._held += 1
            if at_us > stay.last_us:
                stay.last_us = at_us
            if stay.last_us - stay.first_us > longest_us or len(stay.reads) > MAX_READS:
                self._stand(stay)

    def next_end_us(self) -> int | None:
        """When a stay may end next; it may have moved on by then."""
        return self._ends[0][0] if self._ends else None

    def ended(self, now_us: int) -> Iterator[Stay]:
        """The stays that have ended by now, in the order of their ends. Their reads are no longer held."""
        while self._ends and self._ends[0][0] <= now_us:
            _, epc = self._ends[0]
            stays = self._tags.get(epc)
            if stays is None:
                heapq.heappop(self._ends)  # of a stay that became one with another
                continue
            end_us = self._end_of(stays[0])
            if end_us > now_us:
                heapq.heapreplace(self._ends, (end_us, epc))
                continue
            heapq.heappop(self._ends)
            stay = stays.pop(0)
            if not stays:
                del self._tags[epc]
            self._release(stay)
            if stay.standing:
                stay.reads = _newest(stay.reads)
            yield stay

    def reopen(self, stay: Stay, read: Read) -> None:
        """Take back a stay that has ended, because a late read shows that it went on."""
        stays = self._tags.setdefault(stay.epc, [])
        stays.insert(bisect_right(stays, stay.first_us, key=_first_us), stay)
        self._held += len(stay.reads)
        self._expect(stay)
        self._put(stays, read)

    def belongs(self, stay: Stay, read: Read) -> bool:
        """Whether a read is of this stay, by its time."""
        return self._silence_us(stay, read.at_us) <= self._gap_us

    def open_stays(self, at_us: int) -> Iterator[Stay]:
        """The stays that have begun by then and have not ended, but for those that stand still."""
        for stays in self._tags.values():
            for stay in stays:
                if stay.first_us <= at_us and not stay.standing:
                    yield stay

    def stays_of(self, epc: str) -> Iterable[Stay]:
        """The stays of one tag that have not ended."""
        return self._tags.get(epc, ())

    def look_again(self) -> None:
        """The door sees again: ends that lay far away may be near."""
        self._ends = [(self._end_of(stays[0]), epc) for epc, stays in self._tags.items()]
        heapq.heapify(self._ends)

    def _begin(self, read: Read) -> None:
        if self._held >= MAX_HELD or len(self._tags) >= MAX_TAGS:
            self._refused["overflow"] += 1
            return
        stay = Stay(read)
        self._tags[read.epc] = [stay]
        self._held += 1
        self._expect(stay)

    def _put(self, stays: list[Stay], read: Read) -> None:
        """A read that does not simply go on with the last stay of its tag."""
        place = bisect_right(stays, read.at_us, key=_first_us)
        near = [stay for stay in stays[max(0, place - 1) : place + 1] if self.belongs(stay, read)]
        standing = any(stay.standing for stay in near)
        if not standing and self._held >= MAX_HELD:
            self._refused["overflow"] += 1
            return
        if not near:
            stay = Stay(read)
            stays.insert(place, stay)
            self._held += 1
            self._expect(stay)
            return
        stay = near[0]
        if len(near) == 2:
            self._join(stay, near[1])
            stays.remove(near[1])
        stay.first_us = min(stay.first_us, read.at_us)
        stay.last_us = max(stay.last_us, read.at_us)
        if stay.standing:
            self._trail(stay, read)
            return
        stay.reads.append(read)
        self._held += 1
        if stay.last_us - stay.first_us > self._longest_us or len(stay.reads) > MAX_READS:
            self._stand(stay)

    def _join(self, stay: Stay, later: Stay) -> None:
        stay.last_us = max(stay.last_us, later.last_us)
        self._release(stay)
        self._release(later)
        stay.reads += later.reads
        stay.so_far = None
        if stay.standing or later.standing:
            stay.standing = False
            self._held += len(stay.reads)
            self._stand(stay)
        else:
            self._held += len(stay.reads)

    def _stand(self, stay: Stay) -> None:
        self._held -= len(stay.reads)
        stay.standing, stay.so_far = True, None
        if self._trailing + MAX_TRAIL > MAX_TRAILS:
            stay.reads = []
        else:
            stay.reads = _newest(stay.reads)
        self._trailing += len(stay.reads)

    def _trail(self, stay: Stay, read: Read) -> None:
        """Keep the newest reads of a tag that stands still."""
        if not stay.reads and self._trailing + MAX_TRAIL > MAX_TRAILS:
            return
        self._trailing += 1
        stay.reads.append(read)
        if len(stay.reads) >= 2 * MAX_TRAIL:
            self._trailing -= len(stay.reads)
            stay.reads, stay.so_far = _newest(stay.reads), None
            self._trailing += len(stay.reads)

    def _release(self, stay: Stay) -> None:
        if stay.standing:
            self._trailing -= len(stay.reads)
        else:
            self._held -= len(stay.reads)

    def _expect(self, stay: Stay) -> None:
        heapq.heappush(self._ends, (self._end_of(stay), stay.epc))

    def _end_of(self, stay: Stay) -> int:
        """When a stay is over if its tag is not read again."""
        latest_us = stay.last_us + self._longest_us
        silent_us = self._sight.silent_at(stay.last_us, self._gap_us)
        return latest_us if silent_us is None else min(silent_us, latest_us)

    def _silence_us(self, stay: Stay, at_us: int) -> int:
        """How long the door saw nothing of a tag between a stay and another moment."""
        if at_us > stay.last_us:
            return self._sight.silence_us(stay.last_us, at_us) if at_us - stay.last_us > self._gap_us else 0
        if at_us < stay.first_us:
            return self._sight.silence_us(at_us, stay.first_us) if stay.first_us - at_us > self._gap_us else 0
        return 0


def _newest(reads: list[Read]) -> list[Read]:
    """The last `MAX_TRAIL` reads, within `LEAVING_US` of the last."""
    reads = sorted(reads, key=_at_us)[-MAX_TRAIL:]
    since_us = reads[-1].at_us - LEAVING_US if reads else 0
    return [read for read in reads if read.at_us >= since_us]
