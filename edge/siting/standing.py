"""The tags that are near a door while nothing goes through: what each looks like, and what would be made of it.

A tag that stands still is cut into windows as long as a pass, and each window is judged as if the tag had come and gone
with it, by the door's own rules. How far apart the centroids of such windows lie, by nothing but flutter, is the null
distribution of the margin.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np
from msgspec import Struct

from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.beams import Beams
from edge.portal.direction import decide
from edge.portal.sides import Side
from edge.portal.stray import ONE_SIDED_FLAT_DB, level_change_db, why_stray
from edge.siting.measured import Measured, by_tag, quantile

PASS_S: Final = 4.0
"""As long as a pass: six metres at a walk."""
PRESENT: Final = 0.5
"""Least share of the time of one setting between first and last read of a tag that stands."""
MOVED_DB: Final = 10.0
"""A tag whose level changes more than this between thirds of the survey is carried about."""

Shape = Literal["standing", "flat", "weak", "few_reads", "moving"]
"""`standing`: there all the time. The others were heard for a while: `few_reads`, `weak` and `flat` as the door counts
strays; `moving` means that somebody carried it, and so that the survey was disturbed."""


class TagHeard(Struct, frozen=True, kw_only=True):
    """One tag, over the whole survey but for the gaps, which are those of the proposed setting."""

    epc: str
    shape: Shape
    reads: int
    peak_rssi_dbm: float
    median_rssi_dbm: float
    inside_peak_dbm: float | None
    """Under the proposed setting, as are the next ones."""
    outside_peak_dbm: float | None
    per_s: float
    """Reads."""
    noise_db: float | None
    """Standard deviation of its level about the median of each antenna."""
    gap_p50_s: float | None
    gap_p90_s: float | None
    gap_p99_s: float | None


class Peaks(NamedTuple):
    """The loudest reads of a tag, in dBm; None: not heard there."""

    inside: float | None
    outside: float | None
    any: float

    def __str__(self) -> str:
        sides = [(self.inside, "inside"), (self.outside, "outside")]
        said = [f"{level:.1f} dBm {side}" for level, side in sides if level is not None]
        return " and ".join(said) or f"{self.any:.1f} dBm overhead"


def tags(
    steps: Sequence[Measured], proposed: Measured, side_of: Callable[[Read], Side | None], rules: PassRules
) -> list[TagHeard]:
    """All tags of a survey, the loudest first."""
    now = by_tag(proposed.reads)
    peaks = peaks_of(proposed.reads, side_of)
    found = []
    for epc, parts in heard_in(steps).items():
        own, levels, peak = now.get(epc, []), [read.rssi_dbm for _, reads in parts for read in reads], peaks.get(epc)
        gaps_s = [(later.at_us - read.at_us) / 1e6 for read, later in pairwise(own)]
        found.append(
            TagHeard(
                epc=epc,
                shape=shape(parts, rules),
                reads=len(levels),
                peak_rssi_dbm=round(max(levels), 1),
                median_rssi_dbm=round(float(np.median(levels)), 1),
                inside_peak_dbm=_dbm(peak.inside if peak else None),
                outside_peak_dbm=_dbm(peak.outside if peak else None),
                per_s=round(len(own) / proposed.seconds, 2),
                noise_db=noise_db(own),
                gap_p50_s=_rounded(gaps_s, 0.5),
                gap_p90_s=_rounded(gaps_s, 0.9),
                gap_p99_s=_rounded(gaps_s, 0.99),
            )
        )
    return sorted(found, key=lambda tag: (-tag.peak_rssi_dbm, tag.epc))


Part = tuple[Measured, list[Read]]
"""A step of a survey, and the reads of one tag in it."""


def heard_in(steps: Iterable[Measured]) -> dict[str, list[Part]]:
    """The reads of each tag, by the steps in which it was heard."""
    found: dict[str, list[Part]] = {}
    for step in steps:
        for epc, reads in by_tag(step.reads).items():
            found.setdefault(epc, []).append((step, reads))
    return found


def shape(parts: Sequence[Part], rules: PassRules) -> Shape:
    """What a tag did during the survey. Levels are compared as if the power had been the same all the time."""
    heard: list[Read] = []
    present = 0.0
    for step, reads in parts:
        if len(reads) >= rules.min_reads:
            present = max(present, (reads[-1].at_us - reads[0].at_us) / (step.seconds * 1e6))
        by_db = step.setting.down_db
        heard += [Read(one.at_us, one.epc, one.antenna, one.rssi_dbm + by_db, one.reader) for one in reads]
    if len(heard) < rules.min_reads:
        return "few_reads"
    change_db = level_change_db(heard) or 0.0
    if change_db >= (MOVED_DB if present >= PRESENT else ONE_SIDED_FLAT_DB):
        return "moving"
    if present >= PRESENT:
        return "standing"
    return "weak" if max(read.rssi_dbm for read in heard) < rules.min_peak_rssi_dbm else "flat"


def peaks_of(reads: Iterable[Read], side_of: Callable[[Read], Side | None]) -> dict[str, Peaks]:
    """The peaks of each tag."""
    found: dict[str, Peaks] = {}
    for read in reads:
        level, side = read.rssi_dbm, side_of(read)
        old = found.get(read.epc, Peaks(None, None, level))
        found[read.epc] = Peaks(
            _louder(old.inside, level) if side == "inside" else old.inside,
            _louder(old.outside, level) if side == "outside" else old.outside,
            max(old.any, level),
        )
    return found


def noise_db(reads: Sequence[Read]) -> float | None:
    """How much the level of a tag flutters about the median of each antenna; None: too few reads."""
    antennas: dict[tuple[str, int], list[float]] = {}
    for read in reads:
        antennas.setdefault((read.reader, read.antenna), []).append(read.rssi_dbm)
    off = [level - float(np.median(levels)) for levels in antennas.values() if len(levels) > 2 for level in levels]
    return round(float(np.sqrt(np.mean(np.square(off)))), 1) if off else None


def windows(measured: Measured) -> Iterator[list[Read]]:
    """The reads of each tag in each whole window as long as a pass, where there are any."""
    length_us = round(PASS_S * 1e6)
    whole = int(measured.seconds * 1e6) // length_us
    cut: dict[tuple[str, int], list[Read]] = {}
    for read in measured.reads:
        place = (read.at_us - measured.begun_us) // length_us
        if 0 <= place < whole:
            cut.setdefault((read.epc, place), []).append(read)
    yield from cut.values()


def null_margins(measured: Iterable[Measured], side_of: Callable[[Read], Side | None], rules: PassRules) -> list[float]:
    """For each window the distance of its centroids in seconds, 0 where the door would have seen a stray."""
    found, none = [], Beams()
    for one in measured:
        for reads in windows(one):
            decision = decide(reads, side_of, none, rules)
            margin_s = decision.evidence.margin_s
            stray = margin_s is None or why_stray(reads, decision, rules) is not None
            found.append(0.0 if stray or margin_s is None else abs(margin_s))
    return found


def _louder(old: float | None, level: float) -> float:
    return level if old is None else max(old, level)


def _dbm(level: float | None) -> float | None:
    return None if level is None else round(level, 1)


def _rounded(gaps_s: Sequence[float], share: float) -> float | None:
    return round(quantile(gaps_s, share), 3) if gaps_s else None
