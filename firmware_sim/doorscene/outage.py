"""When a reader of a scene is lost, how that is noticed, and what becomes of the reads in that time."""

from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple

from firmware_sim.doorscene.place import Place

OutageKind = Literal["reset", "frozen", "buffered"]
"""reset: the connection breaks at once, the reads are lost. frozen: they are lost and only the keepalive tells.
buffered: the network is away; the reader goes on reading, and reports it all when it is connected again."""


class Outage(NamedTuple):
    """One reader, lost for a while; seconds of the scene."""

    door: str
    reader: str
    kind: OutageKind
    from_s: float
    noticed_s: float | None
    """None: it was over before the agent noticed."""
    back_s: float


def outages(where: Place, lasts_s: float, random: Random) -> Iterator[Outage]:
    """None in four sites of ten, else one or two that do not overlap."""
    free_s = 3.0
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        door = random.choice(where.doors)
        reader = random.choice(door.readers)
        kinds: tuple[OutageKind, ...] = ("reset", "frozen", "buffered")
        kind = random.choice(kinds)
        from_s = random.uniform(free_s, max(free_s + 1, lasts_s - 10))
        for_s = 2 * 20 ** random.random()
        notice_s = random.uniform(0.0, 0.3) if kind == "reset" else random.uniform(5.0, 15.0)
        noticed_s = from_s + notice_s if notice_s < for_s else None
        free_s = from_s + for_s + random.uniform(0.2, 1.0)
        if free_s > lasts_s:
            return
        yield Outage(door.name, reader.name, kind, from_s, noticed_s, free_s)
