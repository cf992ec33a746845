"""How one tag is heard in one zone: how often, how loud, and how long a silence therefore means that it has left.

SMURF (Jeffery, Garofalakis, Franklin: Adaptive Cleaning for RFID Data Streams, VLDB 2006) takes reads as samples: in
each epoch a tag that is there is heard with probability p, so among w epochs it stays unheard with probability
(1 - p)^w, and a window of w >= ln(1/delta)/p epochs is enough for completeness (section 4, lemma 4.1). Its readers
tell epochs and the response rate of each; ours tell moments. Here both come out of the gaps between the moments at
which the tag was heard: gaps that are geometric in epochs of length d have mean m = d/p and variance m^2 (1 - p), so


    p = 1 - v,   d = m p,   with v = variance / mean^2.

v near 0 is a reader that hears the tag in every round, v = 1 pure chance (Poisson), v > 1 reads that come in bursts:
then a burst counts as one read. The silence that a tag which is there breaks with certainty 1 - q is

    d ln(1/q) / -ln(1 - p)  =  m ln(1/q) (1 - v) / -ln v     (v < 1; the exact form of the lemma)
    m ln(1/q) v                                              (v > 1)

Three things are ours. q: every gap is another chance to be wrong, so delta is the risk of one hour and q = delta /
(gaps in an hour). Few gaps: ln(1/q) becomes n ((1/q)^(1/n) - 1), the same bound when the rate itself is only known
from n gaps (gamma posterior of a Poisson rate). Change: where SMURF halves its window when the last epochs differ from
p by more than two standard deviations (algorithm 1), we halve the memory of older gaps, at three.
"""

import math
from typing import Final

MERGE_US: Final = 500_000
"""Reads nearer than this to the last that counted are the same hearing: antennas in turn, repeats within a round."""
MEMORY: Final = 128.0
"""Gaps that are remembered; older ones fade."""
LEAST_MEMORY: Final = 8.0
RECENT: Final = 1 / 8
"""Weight of the newest gap in the recent mean, that tells of a change."""
CHANGE_SIGMAS: Final = 3.0
LEAST_V: Final = 0.2
"""No reader is trusted to be more regular: the window is never shorter than half of that for pure chance."""
LEVEL: Final = 1 / 16
"""Weight of the newest read in the level."""
READ_SIGMA_DB: Final = 5.0
"""How far reads of one tag that stands still lie apart, from channel to channel."""
HOUR_S: Final = 3600.0


class Hearing:
    """One tag in one zone. Some 350 bytes."""

    __slots__ = (
        "counted_us",
        "first_us",
        "gap2_s2",
        "gap_s",
        "gaps",
        "last_us",
        "level_dbm",
        "peak_dbm",
        "power_mw",
        "reads",
        "recent_s",
        "zone",
    )

    def __init__(self, zone: str, at_us: int) -> None:
        self.zone = zone
        self.first_us = self.last_us = self.counted_us = at_us
        """Of the first read since it came, of the newest, and of the newest that counted as a hearing of its own."""
        self.gaps = self.gap_s = self.gap2_s2 = self.recent_s = 0.0
        """How many gaps are remembered, the sum of their lengths and of the squares, and their recent mean."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """It has left, and may come back: reads and levels count from now on; its rhythm is remembered."""
        self.reads = 0
        self.power_mw = 0.0
        self.peak_dbm = self.level_dbm = -math.inf

    def add(self, at_us: int, rssi_dbm: float) -> None:
        """One read, in any order."""
        self.reads += 1
        self.power_mw += math.pow(10, rssi_dbm / 10)
        if self.reads == 1:
            self.level_dbm = self.peak_dbm = rssi_dbm
            self.first_us = at_us
        else:
            self.level_dbm += (rssi_dbm - self.level_dbm) * max(LEVEL, 1 / self.reads)
            if rssi_dbm > self.peak_dbm:
                self.peak_dbm = rssi_dbm
        if at_us > self.last_us:
            self.last_us = at_us
        elif at_us < self.first_us:
            self.first_us = at_us

    def is_gap(self, at_us: int) -> bool:
        """Whether a read at this moment is a hearing of its own."""
        return at_us - self.counted_us >= MERGE_US

    def end_gap(self, at_us: int) -> None:
        """The gap that this read ends is one of the tag's own: all who could hear it were listening."""
        gap_s = (at_us - self.counted_us) / 1e6
        self.counted_us = at_us
        if self.gaps >= MEMORY:
            self._fade(1 - 1 / MEMORY)
        self.gaps += 1
        self.gap_s += gap_s
        self.gap2_s2 += gap_s * gap_s
        if self.gaps < 1 / RECENT:
            self.recent_s = self.gap_s / self.gaps
            return
        self.recent_s += RECENT * (gap_s - self.recent_s)
        mean_s = self.gap_s / self.gaps
        spread_s = mean_s * math.sqrt(max(self._v(), LEAST_V) * RECENT / (2 - RECENT))
        if self.gaps > 2 * LEAST_MEMORY and abs(self.recent_s - mean_s) > CHANGE_SIGMAS * spread_s:
            self._fade(0.5)

    def skip_gap(self, at_us: int) -> None:
        """The gap that this read ends says nothing: somebody was deaf within it."""
        self.counted_us = at_us

    @property
    def level_error_db(self) -> float:
        """Two standard deviations of the level: a mean in decibels, which one read that flares up moves little."""
        return 2 * READ_SIGMA_DB / math.sqrt(min(self.reads, 2 / LEVEL - 1))

    @property
    def rate_hz(self) -> float | None:
        """Hearings a second, None before the second."""
        return self.gaps / self.gap_s if self.gap_s else None

    def window_s(self, delta: float) -> float:
        """The silence after which it has left: a tag that stays is wrongly missed once an hour at most with `delta`."""
        if self.gaps < 1:
            return math.inf
        mean_s = self.gap_s / self.gaps
        v = max(LEAST_V, self._v() * (1 + math.sqrt(8 / self.gaps)))  # the upper end of what it may be
        chances = HOUR_S / (mean_s * max(1.0, v))
        sure = math.log(max(chances, 1.0) / delta)
        exponent = sure / self.gaps
        if exponent > 50:
            return math.inf
        waits = self.gaps * math.expm1(exponent)
        stretch = v if v >= 1 else 1.0 if v > 0.999 else (1 - v) / -math.log(v)
        return mean_s * waits * stretch

    def _v(self) -> float:
        mean_s = self.gap_s / self.gaps
        return max(0.0, self.gap2_s2 / self.gaps / (mean_s * mean_s) - 1)

    def _fade(self, share: float) -> None:
        self.gaps *= share
        self.gap_s *= share
        self.gap2_s2 *= share
