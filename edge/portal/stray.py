"""Tags that are near a door without going through it.

They are told apart by what was read, never by who they are: too few reads, too weak at the strongest, read for too
long (the tracker's rule), flat, or turned back (direction.py). A tag that is carried past antennas comes near some and
leaves others: the mean level of an antenna changes, and the sides are heard at different times. A tag on a shelf does
neither, though its single reads flutter as much.
"""

import math
from collections.abc import Sequence
from typing import Final

from contract.events import PassEvidence
from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.direction import Decision

PARTS: Final = 3
FLAT_DB: Final = 3.0
"""Least change of an antenna's mean level between the thirds of a pass. Carried tags show 2 to 30 dB."""
FLAT_SHARE: Final = 0.06
"""Least distance of the centroids, as a share of the pass. A tag is flat if it reaches neither."""
ONE_SIDED_FLAT_DB: Final = 6.0
"""Where a tag came near one side only, the change of level alone must tell: most of these stand on a shelf."""
LEAST_READS: Final = 2
"""An antenna's mean of fewer reads than this in one third says nothing."""


def why_stray(reads: Sequence[Read], decision: Decision, rules: PassRules) -> str | None:
    """The reason for which the reads of one tag are no pass, or None."""
    if len(reads) < rules.min_reads:
        return "few_reads"
    if max(read.rssi_dbm for read in reads) < rules.min_peak_rssi_dbm:
        return "weak"
    if _is_flat(reads, decision.evidence):
        return "flat"
    return "turned_back" if decision.turned_back else None


def _is_flat(reads: Sequence[Read], evidence: PassEvidence) -> bool:
    length_s = (evidence.last_read_us - evidence.first_read_us) / 1e6
    if evidence.margin_s is not None and abs(evidence.margin_s) >= FLAT_SHARE * length_s:
        return False
    change_db = level_change_db(reads)
    if evidence.margin_s is None:
        return change_db is None or change_db < ONE_SIDED_FLAT_DB
    return change_db is not None and change_db < FLAT_DB


def level_change_db(reads: Sequence[Read]) -> float | None:
    """The largest difference, over all antennas, between the mean levels of thirds of a pass; None: too few reads."""
    first_us = min(read.at_us for read in reads)
    length_us = max(read.at_us for read in reads) - first_us
    if not length_us:
        return None

    antennas: dict[tuple[str, int], list[list[float]]] = {}
    for read in reads:
        parts = antennas.get((read.reader, read.antenna))
        if parts is None:
            parts = antennas[read.reader, read.antenna] = [[] for _ in range(PARTS + 1)]
        parts[PARTS * (read.at_us - first_us) // length_us].append(math.pow(10, read.rssi_dbm / 10))
    changes: list[float] = []
    for parts in antennas.values():
        parts[PARTS - 1] += parts[PARTS]  # the very last read
        means = [sum(powers_mw) / len(powers_mw) for powers_mw in parts[:PARTS] if len(powers_mw) >= LEAST_READS]
        if len(means) > 1:
            changes.append(10 * math.log10(max(means) / min(means)))
    return max(changes, default=None)
