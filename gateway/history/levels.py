"""Stock levels for the history, from the postings of the ledger.

Rows of one commit have one record time; the level after the last of them is the level at that time, so the points are
a function of the log, however it is cut into batches.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from gateway.history.words import Point
from gateway.ledger.storage.posting import Posting


def level_points(site: str, postings: Iterable[Posting]) -> Iterator[Point]:
    """A point for every level of a SKU in a zone that is another one at the end of a record time.

    `postings`: all of whole commits, in order.
    """
    for recorded_us, of_one_time in groupby(postings, key=lambda one: one.recorded_us):
        changes: dict[tuple[str, str], int] = {}
        levels: dict[tuple[str, str], int] = {}
        for one in of_one_time:
            key = one.sku, one.zone
            changes[key] = changes.get(key, 0) + one.change
            levels[key] = one.level
        for (sku, zone), units in sorted(levels.items()):
            if changes[sku, zone]:
                tags = (("site", site), ("sku", sku), ("zone", zone))
                yield Point("level", tags, {"units": units}, recorded_us * 1000)
