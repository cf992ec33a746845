"""The test tag that the installer carries through the door: what the proposed settings make of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from contract.events import Direction, DoorPass
from contract.portals import Door
from edge.llrp.read import Read
from edge.portal.door import DoorTracker

SETTLE_US = 120_000_000
"""So long after the last read everything is decided."""


class Walk(Struct, frozen=True, kw_only=True):
    """One pass of the test tag."""

    after_s: float
    """Of its first read, since the walking began."""
    lasted_s: float
    direction: Direction
    confidence: float
    margin_s: float | None
    rule: str
    antennas: dict[str, int]
    """Reads by `reader/antenna`."""


class Walked(Struct, frozen=True, kw_only=True):
    """All that was seen of the test tag."""

    epc: str
    reads: int
    passes: list[Walk]
    strays: dict[str, int]
    """Stays that were no pass, by reason."""


def walked(door: Door, epc: str, reads: Iterable[Read], begun_us: int) -> Walked:
    """Decide the passes of a tag by a door's rules; photo-eyes, gate and neighbours were not listened to."""
    own = sorted((read for read in reads if read.epc == epc), key=lambda read: read.at_us)
    alone: dict[str, Any] = {"photo_eyes": None, "gate": None, "beside": [], "static_tags": []}
    tracker = DoorTracker(door.model_copy(update=alone))
    events = []
    for read in own:
        events += tracker.due(read.at_us)
        tracker.feed([read])
    events += tracker.due(own[-1].at_us + SETTLE_US) if own else []
    passes = [_walk(event, own, begun_us) for event in events if isinstance(event, DoorPass)]
    return Walked(epc=epc, reads=len(own), passes=passes, strays=dict(tracker.strays))


def _walk(event: DoorPass, reads: Sequence[Read], begun_us: int) -> Walk:
    first_us, last_us = event.evidence.first_read_us, event.evidence.last_read_us
    heard = Counter(f"{read.reader}/{read.antenna}" for read in reads if first_us <= read.at_us <= last_us)
    return Walk(
        after_s=round((first_us - begun_us) / 1e6, 1),
        lasted_s=round((last_us - first_us) / 1e6, 1),
        direction=event.direction,
        confidence=event.confidence,
        margin_s=event.evidence.margin_s,
        rule=event.evidence.rule,
        antennas=dict(sorted(heard.items())),
    )
