"""What a door's readers heard under one setting, and the figures of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from contract.portals import Door
from edge.llrp.powers import Power, named
from edge.llrp.read import Read
from edge.portal.sides import Side, sides_of

QUICK: Final = 0.1
"""Share of the gaps between reads that shows how fast a reader can be."""
LEAST_GAPS: Final = 50
"""Fewer say nothing of that."""


class Setting(NamedTuple):
    """How the readers of a door are driven for a while."""

    down_db: float
    """Below what each was configured to."""
    powers: Mapping[str, Power]
    """By reader; without those that do not tell their powers."""
    session: int
    """Gen2 session of them all."""

    def __str__(self) -> str:
        return f"{named(self.powers)}, session S{self.session}"


class Measured(NamedTuple):
    """What was heard under one setting."""

    setting: Setting
    begun_us: int
    seconds: float
    reads: Sequence[Read]

    def but(self, epcs: Iterable[str]) -> "Measured":
        """Without the reads of some tags."""
        left_out = frozenset(epcs)
        return self._replace(reads=[read for read in self.reads if read.epc not in left_out]) if left_out else self


class AntennaHeard(Struct, frozen=True, kw_only=True):
    """One antenna under one setting."""

    reader: str
    antenna: int
    side: str
    """`inside`, `outside` or `neutral`."""
    connected: bool | None
    """As the reader says; None: it does not."""
    per_s: float
    """Reads."""
    tags: int
    median_rssi_dbm: float | None
    p90_rssi_dbm: float | None


def side_of(door: Door) -> Callable[[Read], Side | None]:
    """On which side of the door a read was heard."""
    sides = sides_of(door)
    return lambda read: sides[read.reader].of(read.antenna)


def antennas(door: Door, measured: Measured, connected: Mapping[tuple[str, int], bool]) -> list[AntennaHeard]:
    """Every antenna of the door, by reader and number, those that hear nothing, too."""
    heard: dict[tuple[str, int], list[Read]] = {}
    for read in measured.reads:
        heard.setdefault((read.reader, read.antenna), []).append(read)
    sides = sides_of(door)
    found = []
    for reader in door.readers:
        for antenna in sorted(reader.antennas):
            own = heard.get((reader.name, antenna), [])
            levels = [read.rssi_dbm for read in own]
            found.append(
                AntennaHeard(
                    reader=reader.name,
                    antenna=antenna,
                    side=sides[reader.name].of(antenna) or "neutral",
                    connected=connected.get((reader.name, antenna)),
                    per_s=round(len(own) / measured.seconds, 1),
                    tags=len({read.epc for read in own}),
                    median_rssi_dbm=round(float(np.median(levels)), 1) if levels else None,
                    p90_rssi_dbm=round(quantile(levels, 0.9), 1) if levels else None,
                )
            )
    return found


def by_tag(reads: Iterable[Read]) -> dict[str, list[Read]]:
    """The reads of each tag, in the order of time."""
    found: dict[str, list[Read]] = {}
    for read in sorted(reads, key=lambda read: read.at_us):
        found.setdefault(read.epc, []).append(read)
    return found


def duty(measured: Measured) -> float | None:
    """About what share of the air time the reads took, at the busiest reader; None: too few to say.

    No reader tells how many tags it could read in a second. The shortest gaps between the reads of different tags do:
    there one answer followed the other without a pause.
    """
    shares = []
    for reader in {read.reader for read in measured.reads}:
        own = sorted((read for read in measured.reads if read.reader == reader), key=lambda read: read.at_us)
        gaps_us = [
            later.at_us - read.at_us
            for read, later in pairwise(own)
            if later.epc != read.epc and later.at_us > read.at_us
        ]
        if len(gaps_us) >= LEAST_GAPS:
            shares.append(min(1.0, quantile(gaps_us, QUICK) * len(own) / (measured.seconds * 1e6)))
    return round(max(shares), 2) if shares else None


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share stays below, interpolated; at least one value."""
    return float(np.quantile(np.asarray(values, dtype=float), share))
