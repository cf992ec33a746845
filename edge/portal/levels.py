r"""How loud one tag was on which side of a door, and when.

RSSI flutters by 10 dB and more from read to read, so no single read is trusted. Linear powers are weights: each side's
reads give a time centroid, the time at which the tag was near that side. The margin is the inside centroid minus the
outside one, and so negative for a tag that went out; the spread is the standard deviation of the times of all reads of
both sides, weighted alike.

    n = 4 / (1 / inside reads + 1 / outside reads)
    ln(P(inbound) / P(outbound)) = 7 * margin / spread * n / (n + 30)

That is what two normal distributions give, of means +m and -m and of one variance, of which a part shrinks with more
reads (flutter) and a part does not (what stands between, what the room throws back). It asks for no position, no level
and no pace. The two figures were fitted to recorded and to simulated passes, whole ones and thinned ones:
docs/decisions/direction.md.

A tag that comes up to the door and turns back is louder on one side before and after it is nearest:

    inside over       __                            inside over     ____
    outside, dB   ___/  \___    turned back         outside, dB ___/        came in
                    |    |                                        |    |
                    spread around the centroid of all reads
"""

import math
from collections.abc import Callable, Iterable
from itertools import repeat
from operator import mul, sub
from typing import Final, NamedTuple

from contract.events import SideEvidence
from edge.llrp.read import Read
from edge.portal.sides import Side

MARGIN_ODDS: Final = 7.0
HALF_READS: Final = 30.0
"""With so many reads, half of what reads can say is said."""
MOST_ODDS: Final = math.log(99)
"""Levels alone are never surer than 99 in 100."""
ALIKE_DB: Final = 8.0
"""Both sides are near, however weak the tag, if their strongest reads differ by no more."""

END_READS: Final = 4
"""Fewer before or after the tag was nearest say nothing."""
_SILENCE: Final = 1e-7
"""The power of a side that is not heard: 70 dB below the tag's loudest read."""
_NEPERS: Final = math.log(10) / 10
"""Of power, in a dB."""


class Levels(NamedTuple):
    """The reads of one tag, by the sides that heard it."""

    first_us: int
    last_us: int
    inside: "Powers"
    outside: "Powers"
    neutral_reads: int

    @property
    def margin_us(self) -> int | None:
        """Inside centroid minus outside centroid; None if one side heard nothing."""
        inside_us, outside_us = self.inside.centroid_us, self.outside.centroid_us
        return None if inside_us is None or outside_us is None else inside_us - outside_us

    @property
    def middle_us(self) -> int:
        """When it was between the sides, as far as it is known."""
        inside_us, outside_us = self.inside.centroid_us, self.outside.centroid_us
        if inside_us is None or outside_us is None:
            return (self.first_us + self.last_us) // 2
        return (inside_us + outside_us) // 2

    def came_near(self, min_peak_dbm: float) -> bool:
        """Whether the tag came near both sides: who stands on one side is heard from the other only faintly."""
        if not self.inside.powers or not self.outside.powers:
            return False
        fainter, louder = sorted((self.inside.peak_dbm, self.outside.peak_dbm))
        return fainter >= min_peak_dbm or louder - fainter <= ALIKE_DB

    def separation(self) -> float:
        """The margin in spreads, less for fewer reads, and positive for inbound; 0 if one side heard nothing."""
        margin_us, (_, spread_us) = self.margin_us, self._gathered_us()
        if margin_us is None or not spread_us:
            return 0.0
        reads = 4 / (1 / len(self.inside.powers) + 1 / len(self.outside.powers))
        return margin_us / spread_us * reads / (reads + HALF_READS)

    def log_odds(self) -> float:
        """ln(P(inbound) / P(outbound)) by the centroids, if the tag went through."""
        return max(-MOST_ODDS, min(MOST_ODDS, MARGIN_ODDS * self.separation()))

    def same_side_db(self) -> float:
        """By how much one side, the same, was louder before and after, or 0; for a tag that both sides heard."""
        centroid_us, spread_us = self._gathered_us()
        before, after = (
            [side.between(*when) for side in (self.inside, self.outside)]
            for when in ((-math.inf, centroid_us - spread_us / 2), (centroid_us + spread_us / 2, math.inf))
        )
        if min(sum(part.reads for part in parts) for parts in (before, after)) < END_READS:
            return 0.0
        before_db, after_db = (_over_db(inside.power, outside.power) for inside, outside in (before, after))
        return min(abs(before_db), abs(after_db)) if before_db * after_db > 0 else 0.0

    def _gathered_us(self) -> tuple[float, float]:
        """Centroid, after the first read, and spread of both sides together."""
        power, moment, square = (a + b for a, b in zip(self.inside.moments, self.outside.moments, strict=True))
        mean_us = moment / power
        return mean_us, math.sqrt(max(0.0, square / power - mean_us * mean_us))


class Part(NamedTuple):
    """Some time of a stay on one side."""

    power: float
    reads: int


class Powers:
    """The reads of one side. Times count from the tag's first read, powers are shares of its loudest read's."""

    __slots__ = ("_after_us", "_begin_us", "_loudest_dbm", "centroid_us", "moments", "peak_dbm", "powers")

    def __init__(self, begin_us: int, loudest_dbm: float, times_us: list[int], levels_dbm: list[float]) -> None:
        self._begin_us = begin_us
        self._loudest_dbm = loudest_dbm
        self._after_us = [*map(sub, times_us, repeat(begin_us))]
        self.peak_dbm = max(levels_dbm, default=-math.inf)
        self.powers = [math.exp(_NEPERS * (level_dbm - loudest_dbm)) for level_dbm in levels_dbm]
        moments = [*map(mul, self.powers, self._after_us)]
        squares = map(mul, moments, self._after_us)
        self.moments = math.fsum(self.powers), math.fsum(moments), math.fsum(squares)
        """Sums of power, times time, times its square; rounded once, and so the same in any order of the reads."""
        power, moment, _ = self.moments
        self.centroid_us = begin_us + round(moment / power) if levels_dbm else None

    def between(self, after_us: float, until_us: float) -> Part:
        """A part of the time, ends excluded."""
        powers = [
            power for at_us, power in zip(self._after_us, self.powers, strict=True) if after_us < at_us < until_us
        ]
        return Part(math.fsum(powers), len(powers))

    def evidence(self) -> SideEvidence:
        """As an event tells it."""
        if self.centroid_us is None:
            return SideEvidence(reads=0)
        return SideEvidence(
            reads=len(self.powers),
            peak_rssi_dbm=self.peak_dbm,
            mean_rssi_dbm=round(self._loudest_dbm + 10 * math.log10(self.moments[0] / len(self.powers)), 1),
            centroid_us=self.centroid_us,
        )


def levels_of(reads: Iterable[Read], side_of: Callable[[Read], Side | None]) -> Levels:
    """The levels of the reads of one tag, at least one, in any order.

    An antenna reads a tag once at a time: of several reads at the same microsecond the loudest counts, so what is
    reported twice weighs no more.
    """
    antennas: dict[tuple[str, int], dict[int, float]] = {}
    sides: dict[Side | None, list[dict[int, float]]] = {"inside": [], "outside": [], None: []}
    for read in reads:
        antenna = (read.reader, read.antenna)
        heard = antennas.get(antenna)
        if heard is None:
            heard = antennas[antenna] = {}
            sides[side_of(read)].append(heard)
        at_us, level_dbm = read.at_us, read.rssi_dbm
        if heard.get(at_us, -math.inf) < level_dbm:
            heard[at_us] = level_dbm
    first_us = min(map(min, antennas.values()))
    loudest_dbm = max(max(heard.values()) for heard in antennas.values())
    inside, outside = (
        Powers(
            first_us,
            loudest_dbm,
            [at_us for heard in sides[side] for at_us in heard],
            [level_dbm for heard in sides[side] for level_dbm in heard.values()],
        )
        for side in ("inside", "outside")
    )
    return Levels(first_us, max(map(max, antennas.values())), inside, outside, sum(map(len, sides[None])))


def _over_db(inside: float, outside: float) -> float:
    return 10 * math.log10((inside + _SILENCE) / (outside + _SILENCE))
