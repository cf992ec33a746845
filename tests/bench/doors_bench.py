"""Simulated doors at length: our answers beside two plain rules on the same reads, and what a confidence is worth.

The plain rules decide each tag of a door by itself, whenever it has been silent for `gap_s`: by the sides of the first
and the last antenna that heard it, or by which side's power-weighted time centroid comes later, with no margin. They
know of no strays, pallets, photo-eyes, neighbours or lost readers.

python tests/bench/doors_bench.py [SCENES]
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from statistics import mean, median
from typing import NamedTuple

from doorjudge import Tally, Verdicts, decide, judge, shares, table, tally
from figures import Figure, show
from rich.console import Console
from rich.table import Table

from contract.events import Direction, DoorPass, PassEvidence, SideEvidence
from contract.portals import PassRules
from firmware_sim.doorscene.scene import Heard, Scene, scene
from firmware_sim.radio import TagRead

SCENES = 60
FIRST_SEED = 1_000
"""Other scenes than those of the tests."""
BUSY_S = 120.0
BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.001)

Sided = tuple[TagRead, int]
"""A read and the side of its antenna: +1 inside, -1 outside."""
Rule = Callable[[Sequence[Sided]], int]
"""+1 inbound, -1 outbound, 0 unknown."""


class Told(NamedTuple):
    """A direction that was said with some confidence, and whether it was so."""

    confidence: float
    right: bool
    invented: bool
    """It was about tags that did not go through."""


class Judgement(NamedTuple):
    """One scene, by each rule."""

    ours: Verdicts
    first_last: Verdicts
    centroid: Verdicts
    told: list[Told]
    waited_s: list[float]
    """From the last read of each pass to its decision."""


def first_against_last(reads: Sequence[Sided]) -> int:
    """From the side that heard it first to the side that heard it last."""
    return (reads[-1][1] - reads[0][1]) // 2


def plain_centroid(reads: Sequence[Sided]) -> int:
    """To the side whose power-weighted mean time is later."""
    middles: dict[int, float] = {}
    for side in (1, -1):
        weighted = [(10 ** (read.rssi_dbm / 10), read.at_us - reads[0][0].at_us) for read, of in reads if of == side]
        if not weighted:
            return 0
        middles[side] = sum(power * at_us for power, at_us in weighted) / sum(power for power, _ in weighted)
    return (middles[1] > middles[-1]) - (middles[1] < middles[-1])


def by_rule(played: Scene, rule: Rule) -> Iterator[DoorPass]:
    """What a plain rule says of a scene."""
    gap_us = round(PassRules().gap_s * 1e6)
    sides = {
        (reader.name, port): 1 if port in reader.inside else -1
        for door in played.doors
        for reader in door.readers
        for port in (*reader.inside, *reader.outside)
    }
    heard: dict[tuple[str, str], list[Sided]] = {}
    for entry in played.timeline:
        if isinstance(entry, Heard):
            for read in entry.reads:
                sided = (read, sides[entry.reader, read.antenna])
                heard.setdefault((entry.door, read.epc), []).append(sided)
    for (door, epc), reads in heard.items():
        reads.sort()
        begin = 0
        for end in range(1, len(reads) + 1):
            if end == len(reads) or reads[end][0].at_us - reads[end - 1][0].at_us > gap_us:
                yield _said(door, epc, reads[begin:end], rule)
                begin = end


def _said(door: str, epc: str, reads: Sequence[Sided], rule: Rule) -> DoorPass:
    first_us, last_us = reads[0][0].at_us, reads[-1][0].at_us
    directions: dict[int, Direction] = {1: "inbound", -1: "outbound", 0: "unknown"}
    inside = sum(side > 0 for _, side in reads)
    return DoorPass(
        at_us=(first_us + last_us) // 2,
        decided_us=last_us,
        door=door,
        direction=directions[rule(reads)],
        confidence=1.0,
        epcs=(epc,),
        evidence=PassEvidence(
            first_read_us=first_us,
            last_read_us=last_us,
            inside=SideEvidence(reads=inside),
            outside=SideEvidence(reads=len(reads) - inside),
        ),
    )


def judged(seed: int) -> Judgement:
    """One scene, decided three times."""
    played = scene(seed, BUSY_S)
    events = decide(played)
    plain = (judge(played, [*by_rule(played, rule)]) for rule in (first_against_last, plain_centroid))
    waited_s = [(event.decided_us - event.evidence.last_read_us) / 1e6 for event in events]
    return Judgement(judge(played, events), *plain, [*_told(played, events)], waited_s)


def _told(played: Scene, events: Sequence[DoorPass]) -> Iterator[Told]:
    """Of each pass with a direction: whether most of its tags went that way."""
    truths = {(truth.door, truth.epc): truth.direction for truth in played.truth}
    for event in events:
        if event.direction != "unknown":
            (was, _), *_ = Counter(truths.get((event.door, epc)) for epc in event.epcs).most_common(1)
            yield Told(event.confidence, was == event.direction, was is None)


def measure(scenes: int = SCENES) -> tuple[list[Figure], Table, Tally]:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes:
        judgements = [*processes.map(judged, range(FIRST_SEED, FIRST_SEED + scenes), chunksize=2)]
    ours, first_last, centroid = (
        tally([getattr(one, name) for one in judgements]) for name in ("ours", "first_last", "centroid")
    )
    figures = [
        figure
        for name, other in (("first antenna against last", first_last), ("centroid, no margin", centroid))
        for figure in _beside(ours, name, other)
    ]
    waited_s = [one_s for one in judgements for one_s in one.waited_s]
    figures += [
        Figure("passes decided within 1.5 s of the last read", 100 * mean(one <= 1.5 for one in waited_s), "%"),
        Figure("from the last read to the decision, median", median(waited_s), "s", target="<= 1.5 s"),
    ]
    return figures, reliability([told for one in judgements for told in one.told]), ours


def _beside(ours: Tally, name: str, other: Tally) -> Iterator[Figure]:
    mine, theirs = shares(ours), shares(other)
    figure = partial(Figure, unit="%", beside=name)
    yield figure("right, of the tags given a direction", 100 * mine.right, other=100 * theirs.right, target=">= 99 %")
    yield figure(
        "given a direction, of the tags told of",
        100 * (1 - mine.unknown),
        other=100 * (1 - theirs.unknown),
        target=">= 97 %",
    )
    yield figure("told of, of the readable tags that passed", 100 * (1 - mine.missed), other=100 * (1 - theirs.missed))
    yield figure("left in peace, of the tags that did not pass", 100 * mine.quiet, other=100 * theirs.quiet)


def reliability(told: Sequence[Told]) -> Table:
    """Of the passes given a confidence, how many were right."""
    shown = Table(title="What a confidence is worth", title_justify="left", title_style="bold")
    for name in ("confidence", "passes", "mean", "right", "did not go through", "right of those that did"):
        shown.add_column(name, justify="right")
    for least, below in pairwise(BINS):
        part = [one for one in told if least <= one.confidence < below]
        if part:
            count, through = len(part), [one for one in part if not one.invented]
            shown.add_row(
                f"{least:.2f}-{min(below, 1):.2f}",
                f"{count:,}",
                f"{sum(one.confidence for one in part) / count:.3f}",
                f"{sum(one.right for one in part) / count:.3f}",
                str(count - len(through)),
                f"{sum(one.right for one in through) / max(1, len(through)):.3f}",
            )
    return shown


if __name__ == "__main__":
    figures, curve, ours = measure(int(sys.argv[1]) if sys.argv[1:] else SCENES)
    show("Simulated doors, tag by tag", figures)
    Console(width=150).print(curve)
    print(table(ours))
