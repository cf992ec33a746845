"""From tags that came or went together to the events that tell of them, with the evidence of all."""

import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Final, Literal, NamedTuple

from contract.events import MAX_EPCS, ZoneEvidence, ZoneLeft, ZoneSeen

SEEN_SPREAD_US: Final = 2_000_000
"""Last reads of tags that are told as seen together. The event bears the earliest of them, at which every one of the
tags had been heard already and was to be heard again."""
LEFT_SPREAD_US: Final = 10_000_000
"""Last reads of tags that are told as left together. The event bears the latest: none of them was heard after it."""

Rule = Literal["appeared", "moved", "silent"]


class Told(NamedTuple):
    """One tag that came to a zone or left it."""

    epc: str
    zone: str
    rule: Rule
    first_us: int
    last_us: int
    """Of its reads there."""
    reads: int
    power_mw: float
    """Sum of the reads' linear powers."""
    peak_dbm: float
    rate_hz: float | None
    window_s: float | None
    """The silence that was waited for; None where none was."""


def seen(tags: Iterable[Told], now_us: int) -> list[ZoneSeen]:
    """The fewest events that tell of these tags, in the order of their times."""
    return [
        ZoneSeen(
            at_us=group[0].last_us,
            decided_us=now_us,
            zone=group[0].zone,
            epcs=tuple(tag.epc for tag in group),
            evidence=_evidence(group),
        )
        for group in sorted(_groups(tags, SEEN_SPREAD_US), key=lambda group: group[0].last_us)
    ]


def left(tags: Iterable[Told], now_us: int) -> list[ZoneLeft]:
    """The same for tags that left."""
    return [
        ZoneLeft(
            at_us=group[-1].last_us,
            decided_us=now_us,
            zone=group[0].zone,
            epcs=tuple(tag.epc for tag in group),
            evidence=_evidence(group),
        )
        for group in sorted(_groups(tags, LEFT_SPREAD_US), key=lambda group: group[-1].last_us)
    ]


def _groups(tags: Iterable[Told], spread_us: int) -> Iterator[Sequence[Told]]:
    """Tags of one zone and rule whose last reads lie together, each group by time and no larger than an event."""
    together: list[Told] = []
    for tag in sorted(tags, key=lambda tag: (tag.zone, tag.rule, tag.last_us, tag.epc)):
        first = together[0] if together else tag
        alike = (tag.zone, tag.rule) == (first.zone, first.rule) and tag.last_us - first.last_us <= spread_us
        if not alike or (tag.rule != "silent" and tag.first_us > first.last_us):
            yield from _chunks(together)
            together = []
        together.append(tag)
    yield from _chunks(together)


def _chunks(tags: Sequence[Told]) -> Iterator[Sequence[Told]]:
    return (tags[first : first + MAX_EPCS] for first in range(0, len(tags), MAX_EPCS))


def _evidence(tags: Sequence[Told]) -> ZoneEvidence:
    reads, power_mw = sum(tag.reads for tag in tags), sum(tag.power_mw for tag in tags)
    rates = [tag.rate_hz for tag in tags if tag.rate_hz is not None]
    windows = [tag.window_s for tag in tags if tag.window_s is not None]
    return ZoneEvidence(
        reads=reads,
        peak_rssi_dbm=max(tag.peak_dbm for tag in tags),
        mean_rssi_dbm=round(10 * math.log10(power_mw / reads), 1),
        rate_hz=round(median(rates), 4) if rates else None,
        window_s=round(max(windows), 3) if windows else None,
        rule=tags[0].rule,
    )
