"""Presence in zones: false departures and how soon true ones are noticed, beside fixed windows; and what it costs.

The same reads go to our tracker and to fixed windows of 5 and 30 s, in one run.
"""

import gc
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from random import Random

from figures import Figure, show
from presencesim import Comparison, Gaps, by_chance, compare, in_bursts, rounds
from zonewords import COLD, SECOND, START_US, epc, zone_reader

from contract.portals import PresenceRules
from edge.llrp.read import Read
from edge.portal.presence import ZoneTracker

SEED = 7
KINDS: list[tuple[str, Gaps, int, float]] = [
    ("read in 60-97 % of rounds of 1 s", rounds(0.6, 0.97), 100, 4),
    ("read in 10-60 % of rounds of 1 s", rounds(0.1, 0.6), 100, 4),
    ("read in 60-97 % of rounds of 10 s", rounds(0.6, 0.97, 10), 100, 10),
    ("0.05-1 reads/s by chance", by_chance(0.05, 1), 100, 5),
    ("bursts of 4 s, 20 s of rest", in_bursts(4, 20, 0.95), 30, 8),
]


def measure() -> list[Figure]:
    """Rules first, then cost."""
    figures = [
        figure
        for what, gaps, tags, hours in KINDS
        for figure in _beside_fixed(what, compare([gaps], tags, hours, SEED))
    ]
    return [*figures, _reads_a_second(), _processor(20_000, 1000), _memory(100_000)]


def _beside_fixed(what: str, found: Comparison) -> list[Figure]:
    ours, fixed = found.ours, found.fixed
    false = [found.false_per_thousand(one) for one in (ours, fixed[5], fixed[30])]
    unit = "false / 1,000 tag-h"
    return [
        Figure(f"{what}: {found.tag_hours:.0f} tag-hours", false[0], unit, "window of 5 s", false[1], "<= 1"),
        Figure("", false[0], unit, "window of 30 s", false[2]),
        Figure("  departure told after, median", ours.noticed(0.5), "s", "window of 30 s", fixed[30].noticed(0.5)),
        Figure("  departure told after, p99", ours.noticed(0.99), "s", "window of 30 s", fixed[30].noticed(0.99)),
    ]


Seconds = Iterable[tuple[int, list[Read]]]
"""The moment at which each second begins, and its reads."""


def _seconds(tags: int, seconds: int, reads_s: int) -> Iterator[tuple[int, list[Read]]]:
    """All tags in turn, so many reads a second."""
    random = Random(SEED)
    for second in range(seconds):
        begin_us = START_US + second * SECOND
        yield (
            begin_us,
            [
                Read(
                    begin_us + n * SECOND // reads_s,
                    epc((second * reads_s + n) % tags),
                    1,
                    random.gauss(-60, 4),
                    "ceiling",
                )
                for n in range(reads_s)
            ],
        )


def _spent_s(stream: Seconds, tracker: ZoneTracker) -> float:
    """Processor seconds, with `due` asked five times a second as the zonekeeper does."""
    begun_s = time.process_time()
    for begin_us, reads in stream:
        tracker.feed(reads)
        for tick in range(1, 6):
            tracker.due(begin_us + tick * SECOND // 5)
    return time.process_time() - begun_s


def _tracker() -> ZoneTracker:
    return ZoneTracker([zone_reader(a1=COLD)], PresenceRules())


def _reads_a_second() -> Figure:
    stream = list(_seconds(200, 40, 5000))
    return Figure("reads to the zones' tracker, 200 tags", 200_000 / _spent_s(stream, _tracker()), "reads/s")


def _processor(tags: int, reads_s: int) -> Figure:
    stream = list(_seconds(tags, 360, reads_s))
    tracker = _tracker()
    _spent_s(stream[:300], tracker)
    share = 100 * _spent_s(stream[300:], tracker) / 60
    assert tracker.present == {COLD: tags}
    return Figure(f"{reads_s:,} reads/s of {tags:,} tags in a zone", share, "% of a core", target="a few")


def _memory(tags: int) -> Figure:
    tracker = _tracker()
    gc.collect()
    tracemalloc.start()
    _spent_s(_seconds(tags, 100, tags * 3 // 100), tracker)
    gc.collect()
    octets = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return Figure(f"memory of {tags:,} tags", octets / tags, "bytes a tag", target="")


if __name__ == "__main__":
    show("Presence in zones: windows from each tag's own read rate beside fixed ones", measure())
