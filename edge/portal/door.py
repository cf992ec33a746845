"""One door: from reads to passes.

Reads of a tag belong together until the tag has been silent for `gap_s`; then the pass is decided, or found to be a
stray. All times are those of the reads, so late and shuffled reads change nothing; only `due` is told what time it is.
While a reader of the door is blind its silence means nothing: open passes are kept until it sees again, at most for
`max_pass_s`, and then end with what was read.

Bounds: at most `MAX_TAGS` tags are followed and `MAX_HELD` reads held; further ones are refused, and counted as
`overflow`. A tag that is
read for longer than `max_pass_s`, or more than `MAX_READS` times, stands still: its reads are dropped and it is a
stray, `standing`, until it falls silent.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from contract.events import DoorPass
from contract.site import Door
from edge.llrp.read import Read
from edge.portal.beams import Beam, Beams
from edge.portal.direction import Decision, decide
from edge.portal.sides import Side, sides_of
from edge.portal.sight import Sight
from edge.portal.stray import why_stray

MAX_TAGS: Final = 10_000
MAX_READS: Final = 20_000
MAX_HELD: Final = 200_000
"""Reads of all tags together: three minutes of the fastest reader, some 50 MB."""


class DoorTracker:
    """The tags at one door. Reads in, passes out; never reads a clock."""

    def __init__(self, door: Door) -> None:
        self.strays: Counter[str] = Counter()
        """Tags that were no pass, by reason, since the start; for `overflow`, reads."""
        self._name = door.name
        self._rules = door.rules
        self._sides = sides_of(door)
        self._gap_us = round(door.rules.gap_s * 1e6)
        self._longest_us = round(door.rules.max_pass_s * 1e6)
        self._tags: dict[str, _Tag] = {}
        self._held = 0
        """Reads in `_tags`."""
        self._ends: list[tuple[int, str]] = []
        """Heap of (earliest end, epc), one entry for each tag; the end may have moved on since."""
        self._beams = Beams()
        self._sight = Sight()

    def feed(self, reads: Iterable[Read]) -> None:
        """Take in reads, in any order."""
        for read in reads:
            tag = self._tags.get(read.epc)
            if self._held >= MAX_HELD or (tag is None and len(self._tags) >= MAX_TAGS):
                self.strays["overflow"] += 1
                continue
            if tag is None:
                tag = self._tags[read.epc] = _Tag(read)
                heapq.heappush(self._ends, (read.at_us + self._gap_us, read.epc))
            elif tag.standing and self._sight.silence_us(tag.last_us, read.at_us) > self._gap_us:
                self.strays["standing"] += 1
                tag.begin_again(read)
            self._held += not tag.standing
            tag.add(read)
            if not tag.standing and self._is_long(tag):
                self._shorten(tag)

    def beam(self, at_us: int, which: Beam, broken: bool) -> None:
        """A photo-eye of the door broke or became clear."""
        self._beams.change(at_us, which, broken)

    def blind(self, now_us: int, reader: str = "") -> None:
        """A reader of the door is lost or blind."""
        self._sight.lose(reader, now_us)

    def sighted(self, now_us: int, reader: str = "") -> None:
        """A reader of the door sees again."""
        if self._sight.regain(reader, now_us):
            self._ends = [(self._end_of(tag, now_us), epc) for epc, tag in self._tags.items()]
            heapq.heapify(self._ends)

    def next_due_us(self) -> int | None:
        """When `due` should be called next; it may find nothing then."""
        return self._ends[0][0] if self._ends else None

    def due(self, now_us: int) -> list[DoorPass]:
        """The passes that are over by now, in the order in which they happened."""
        passes: list[DoorPass] = []
        while self._ends and self._ends[0][0] <= now_us:
            epc = self._ends[0][1]
            tag = self._tags[epc]
            end_us = self._end_of(tag, now_us)
            if end_us <= now_us:
                heapq.heappop(self._ends)
                del self._tags[epc]
                self._held -= len(tag.reads) + sum(map(len, tag.over))
                passes += self._finish(tag, now_us)
            else:
                heapq.heapreplace(self._ends, (end_us, epc))
        return sorted(passes, key=lambda found: (found.at_us, found.epcs))

    def _end_of(self, tag: "_Tag", now_us: int) -> int:
        """When a tag's pass is over if it is not read again."""
        if self._sight.blind:
            return tag.last_us + self._longest_us
        silent_us = self._sight.silence_us(tag.last_us, max(now_us, tag.last_us))
        rest_us = max(now_us, tag.last_us) + self._gap_us - silent_us
        return min(rest_us, tag.last_us + self._longest_us)

    def _shorten(self, tag: "_Tag") -> None:
        """Set what is over apart, and see whether the rest still is too much: then the tag stands still."""
        *over, tag.reads = self._split(tag.reads)
        tag.over += over
        tag.first_us = tag.reads[0].at_us
        if self._is_long(tag):
            tag.standing = True
            self._held -= len(tag.reads)
            tag.reads = []

    def _is_long(self, tag: "_Tag") -> bool:
        return tag.last_us - tag.first_us > self._longest_us or len(tag.reads) > MAX_READS

    def _split(self, reads: list[Read]) -> list[list[Read]]:
        """Reads by time, cut where the tag was silent for too long."""
        parts: list[list[Read]] = []
        before_us, part = 0, list[Read]()
        for read in sorted(reads):
            silent = read.at_us - before_us > self._gap_us  # quickly told; what the door did not see makes it less
            if not part or (silent and self._sight.silence_us(before_us, read.at_us) > self._gap_us):
                part = []
                parts.append(part)
            part.append(read)
            before_us = read.at_us
        return parts

    def _finish(self, tag: "_Tag", now_us: int) -> Iterator[DoorPass]:
        if tag.standing:
            self.strays["standing"] += 1
        for reads in [*tag.over, *self._split(tag.reads)]:
            decision = decide(reads, self._side_of, self._beams, self._rules)
            reason = why_stray(reads, decision.evidence, self._rules)
            if reason:
                self.strays[reason] += 1
            else:
                yield self._pass(reads[0].epc, decision, now_us)

    def _pass(self, epc: str, decision: Decision, now_us: int) -> DoorPass:
        return DoorPass(
            at_us=decision.at_us,
            decided_us=now_us,
            door=self._name,
            direction=decision.direction,
            confidence=decision.confidence,
            epcs=(epc,),
            evidence=decision.evidence,
        )

    def _side_of(self, read: Read) -> Side | None:
        sides = self._sides.get(read.reader)
        return sides.of(read.antenna) if sides else None


class _Tag:
    """What is known of one tag since it was last silent."""

    __slots__ = ("first_us", "last_us", "over", "reads", "standing")

    def __init__(self, read: Read) -> None:
        self.first_us = self.last_us = read.at_us
        self.reads: list[Read] = []
        self.over: list[list[Read]] = []
        """Passes that ended before the reads in `reads` began, when many came late and at once."""
        self.standing = False

    def begin_again(self, read: Read) -> None:
        """It stood still, was silent, and is read again."""
        self.first_us = self.last_us = read.at_us
        self.standing = False

    def add(self, read: Read) -> None:
        if not self.standing:
            self.reads.append(read)
        if read.at_us > self.last_us:
            self.last_us = read.at_us
        elif read.at_us < self.first_us:
            self.first_us = read.at_us
