"""Tags that are near a door without going through it.

They are told apart by what was read, never by who they are: too few reads, too weak at the strongest, read for too
long (the tracker's rule), or flat. A tag that is carried past antennas comes near some and leaves others: the mean
level of an antenna changes, and the sides are heard at different times. A tag on a shelf does neither, though its
single reads flutter as much.
"""

import math
from collections.abc import Sequence
from typing import Final

from contract.events import PassEvidence
from contract.site import PassRules
from edge.llrp.read import Read

PARTS: Final = 3
FLAT_DB: Final = 3.0
"""Least change of an antenna's mean level between the thirds of a pass. Carried tags show 2 to 30 dB."""
FLAT_SHARE: Final = 0.06
"""Least distance of the centroids, as a share of the pass. A tag is flat if it reaches neither."""
ONE_SIDED_FLAT_DB: Final = 6.0
"""Where a tag came near one side only, the change of level alone must tell: most of these stand on a shelf."""
LEAST_READS: Final = 2
"""An antenna's mean of fewer reads than this in one third says nothing."""


def why_stray(reads: Sequence[Read], evidence: PassEvidence, rules: PassRules) -> str | None:
    """The reason for which the reads of one tag are no pass, or None."""
    if len(reads) < rules.min_reads:
        return "few_reads"
    if max(read.rssi_dbm for read in reads) < rules.min_peak_rssi_dbm:
        return "weak"
    return "flat" if _is_flat(reads, evidence) else None


def _is_flat(reads: Sequence[Read], evidence: PassEvidence) -> bool:
    change_db = level_change_db(reads)
    if evidence.margin_s is None:
        return change_db is None or change_db < ONE_SIDED_FLAT_DB
    length_s = (evidence.last_read_us - evidence.first_read_us) / 1e6
    together = abs(evidence.margin_s) < FLAT_SHARE * length_s
    return together and change_db is not None and change_db < FLAT_DB


def level_change_db(reads: Sequence[Read]) -> float | None:
    """The largest difference, over all antennas, between the mean levels of thirds of a pass; None: too few reads."""
    first_us = min(read.at_us for read in reads)
    length_us = max(read.at_us for read in reads) - first_us
    if not length_us:
        return None

    parts: dict[tuple[str, int, int], list[float]] = {}
    for read in reads:
        part = min(PARTS - 1, PARTS * (read.at_us - first_us) // length_us)
        parts.setdefault((read.reader, read.antenna, part), []).append(10 ** (read.rssi_dbm / 10))
    levels: dict[tuple[str, int], list[float]] = {}
    for (reader, antenna, _), powers_mw in parts.items():
        if len(powers_mw) >= LEAST_READS:
            levels.setdefault((reader, antenna), []).append(10 * math.log10(sum(powers_mw) / len(powers_mw)))
    changes = [max(found) - min(found) for found in levels.values() if len(found) > 1]
    return max(changes, default=None)
