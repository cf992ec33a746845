"""Belief: what it costs to take in an event and to ask, and how right it is beside silence taken for absence."""

import sys
import time
from collections.abc import Callable
from random import Random

from beliefbooks import AGENT, Books
from beliefsim import HOUR_S, House, brier
from figures import Figure, show
from zonewords import COLD, SECOND, START_US

from contract.events import ZoneLeft, ZoneSeen
from gateway.belief.worth import units

SEED = 7


def measure() -> list[Figure]:
    """Cost first, then worth."""
    small, large = _event_us(1_000), _event_us(100_000)
    return [
        Figure("a tag seen or left, of 100,000", large, "us", "of 1,000", small, "<= 2x"),
        *_asked(10_000),
        *_right(),
    ]


def _tag(serial: int) -> str:
    return f"30395dfa834d8b80{serial:08x}"


def _filled(tags: int) -> Books:
    books, random = Books(), Random(SEED)
    for first in range(0, tags, 40):
        epcs = tuple(map(_tag, range(first, first + 40)))
        at_us = START_US + first * SECOND
        books.tell(ZoneSeen(at_us=at_us, decided_us=at_us, zone=COLD, epcs=epcs))
        if random.random() < 0.1:
            books.tell(ZoneLeft(at_us=at_us + SECOND, decided_us=at_us, zone=COLD, epcs=epcs))
    return books


def _event_us(tags: int) -> float:
    books, random = _filled(tags), Random(SEED)
    at_us = START_US + tags * SECOND
    events: list[ZoneSeen | ZoneLeft] = []
    for n in range(10_000):
        epcs, when_us = (_tag(random.randrange(tags)),), at_us + n * SECOND
        events.append(ZoneLeft(at_us=when_us, decided_us=when_us, zone=COLD, epcs=epcs))
        events.append(ZoneSeen(at_us=when_us + 1, decided_us=when_us, zone=COLD, epcs=epcs))
    return _seconds(lambda: [books.tell(event, AGENT) for event in events]) / len(events) * 1e6


def _asked(tags: int) -> list[Figure]:
    books, now_us = _filled(tags), START_US + 2 * tags * SECOND
    traces = {id(place.trace): place.trace for place in books.places.values()}
    kept = sum(
        sys.getsizeof(trace) + sys.getsizeof(trace.told_us) + sys.getsizeof(trace.left_us) for trace in traces.values()
    )
    spent_s = _seconds(lambda: units((None, books.belief(epc, now_us).r) for epc in books.places))
    return [
        Figure(f"units to be expected of {tags:,} items", spent_s * 1e3, "ms"),
        Figure("memory of an item's trace, told by pallets of 40", kept / tags, "bytes"),
    ]


def _right() -> list[Figure]:
    house = House(SEED).run(4)
    here, gone = [one for one in house.said if one.here], [one for one in house.said if not one.here]
    believed = brier([(one.r, one.here) for one in house.said])
    silent = brier([(float(not one.silent), one.here) for one in house.said])
    waits = sorted(house.noticed_s)
    return [
        Figure(
            "squared error of beliefs (Brier), 80 cases, 4 days",
            100 * believed,
            "% wrong",
            "silent is gone",
            100 * silent,
        ),
        Figure(
            "called probably gone of those that are there",
            100 * sum(one.r < 0.2 for one in here) / len(here),
            "% wrong",
            "silent is gone",
            100 * sum(one.silent for one in here) / len(here),
        ),
        Figure(
            "called probably gone of those that went unseen", 100 * sum(one.r < 0.2 for one in gone) / len(gone), "%"
        ),
        Figure("until one that went unseen is called so, median", waits[len(waits) // 2] / HOUR_S, "h"),
    ]


def _seconds(work: Callable[[], object]) -> float:
    begun_s = time.process_time()
    work()
    return time.process_time() - begun_s


if __name__ == "__main__":
    show("Belief", measure())
