"""Tags that a zone reader hears more or less often, and then no more: our windows beside fixed ones, in one run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from zonewords import COLD, SECOND, START_US, epc, zone_reader

from contract.events import ZoneLeft
from contract.portals import PresenceRules
from edge.llrp.read import Read
from edge.portal.presence import ZoneTracker

Gaps = Callable[[Random], Iterator[float]]
"""The seconds from one read of a tag to the next, for ever."""
STEP_S = 1.0


def rounds(least: float, most: float, every_s: float = 1.0) -> Gaps:
    """A reader that goes round; each tag has a chance of its own to be read in a round."""

    def gaps(random: Random) -> Iterator[float]:
        chance = random.uniform(least, most)
        while True:
            missed = 0
            while random.random() >= chance:
                missed += 1
            yield every_s * (missed + random.uniform(0.8, 1.2))

    return gaps


def by_chance(least_hz: float, most_hz: float) -> Gaps:
    """Reads without any order."""

    def gaps(random: Random) -> Iterator[float]:
        rate_hz = random.uniform(least_hz, most_hz)
        while True:
            yield random.expovariate(rate_hz)

    return gaps


def in_bursts(on_s: float, off_s: float, chance: float) -> Gaps:
    """A reader that rests: a tag is read ten times a second while it is on, or (all the burst long) not at all."""

    def gaps(random: Random) -> Iterator[float]:
        while True:
            rest_s = off_s
            while random.random() >= chance:
                rest_s += on_s + off_s
            yield rest_s
            for _ in range(int(on_s * 10)):
                yield 0.1

    return gaps


@dataclass
class Outcome:
    """How one rule did."""

    false: int = 0
    """Departures of tags that were there."""
    noticed_s: list[float] = field(default_factory=list)
    """From a true departure to the moment at which it was told."""

    def noticed(self, share: float) -> float:
        """A quantile (nearest rank)."""
        return sorted(self.noticed_s)[int(share * (len(self.noticed_s) - 1))]


@dataclass
class Comparison:
    """The outcomes of the same reads."""

    tag_hours: float
    leaving: int
    ours: Outcome
    fixed: dict[float, Outcome]
    """By the length of the window in seconds."""

    def false_per_thousand(self, outcome: Outcome) -> float:
        """False departures in 1,000 tag-hours."""
        return 1000 * outcome.false / self.tag_hours


class _FixedWindow:
    """What most systems do: a tag has left when it was silent for so long."""

    def __init__(self, window_s: float) -> None:
        self._window_us = window_s * SECOND
        self._last_us: dict[str, int] = {}

    def feed(self, reads: list[Read]) -> None:
        for read in reads:
            self._last_us[read.epc] = read.at_us

    def due(self, now_us: int) -> list[str]:
        gone = [epc for epc, last_us in self._last_us.items() if now_us - last_us > self._window_us]
        for epc_gone in gone:
            del self._last_us[epc_gone]
        return gone


def compare(kinds: list[Gaps], tags: int, hours: float, seed: int, fixed_s: tuple[float, ...] = (5, 30)) -> Comparison:
    """So many tags of each kind; every other one leaves some time in the last third."""
    random, end_s = Random(seed), hours * 3600
    population = [gaps(Random(f"{seed} {kind} {n}")) for kind, gaps in enumerate(kinds) for n in range(tags)]
    leave_s = [random.uniform(end_s * 2 / 3, end_s) if n % 2 else end_s * 2 for n in range(len(population))]
    next_s = [random.uniform(0, 10) for _ in population]
    tracker, windows = ZoneTracker([zone_reader(a1=COLD)], PresenceRules()), {s: _FixedWindow(s) for s in fixed_s}
    present_s = sum(min(end_s, left_s) for left_s in leave_s)
    found = Comparison(present_s / 3600, sum(s < end_s for s in leave_s), Outcome(), {s: Outcome() for s in fixed_s})

    def judge(outcome: Outcome, gone: str, now_s: float) -> None:
        left_s = leave_s[int(gone[16:], 16)]
        if now_s < left_s:
            outcome.false += 1
        else:
            outcome.noticed_s.append(now_s - left_s)

    now_s = 0.0
    while now_s < end_s + 700:
        now_s += STEP_S
        reads = []
        for serial, gaps in enumerate(population):
            while next_s[serial] < now_s and next_s[serial] < leave_s[serial]:
                at_us = START_US + round(next_s[serial] * SECOND)
                reads.append(Read(at_us, epc(serial), 1, random.gauss(-60, 4), "ceiling"))
                next_s[serial] += next(gaps)
        reads.sort(key=lambda read: read.at_us)
        tracker.feed(reads)
        now_us = START_US + round(now_s * SECOND)
        for event in tracker.due(now_us):
            for gone in event.epcs if isinstance(event, ZoneLeft) else ():
                judge(found.ours, gone, now_s)
        for window_s, window in windows.items():
            window.feed(reads)
            for gone in window.due(now_us):
                judge(found.fixed[window_s], gone, now_s)
    return found
