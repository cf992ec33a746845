"""What was borne: by a zone over a time, and by goods on their way through zones.

A reading stands for the time until the next one, but not beyond its quarter of an hour if there is none in the next.
What is not known ages goods as their own temperature would, and is told apart.

Life is used up as `sum(ageing(T) * dt) / life` (time-temperature tolerance: Van Arsdel, Copley and Olson, 1969; Labuza,
Shelf-Life Dating of Foods, 1982): it does not matter which exposure came first.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct

from contract.coldchain import ShelfLife
from gateway.coldchain.cells import MINUTE_US, QUARTER_US, Quarter, filled, worst
from gateway.coldchain.kinetics import ageing, temperature


class Exposure(Struct, frozen=True):
    """A time, and what it was like. Minutes, and the unit of the quantity."""

    minutes: float = 0.0
    """Those of which something is known."""
    unknown_minutes: float = 0.0
    out_minutes: float = 0.0
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    kinetic_c: float | None = None
    """Mean kinetic temperature; None for what is no temperature."""


class Stay(Struct, frozen=True):
    """Goods stood in a zone from `since_us` up to and without `until_us`."""

    zone: str
    since_us: int
    until_us: int


class Keeping(Struct, frozen=True):
    """How much of its life goods have left."""

    used: float
    """Share of it: 1 is all."""
    remaining_days: float
    """At the temperature for which their life is told; never below 0."""
    chilled_minutes: float = 0.0
    """Below the temperature at which the cold hurts them."""


class _Sum:
    def __init__(self) -> None:
        self.span = self.minutes = self.out = 0.0
        self.mean = self.speed = 0.0
        """Sums over the known minutes."""
        self.low: float | None = None
        self.high: float | None = None
        self.aged = self.chilled = 0.0

    def over(self, quarters: Iterable[Quarter], begin_us: int, over_us: int, life: ShelfLife | None) -> None:
        """Add a time, with the quarters that overlap it, in order; the one before it may be among them."""
        known = 0.0
        carried, end_us = False, -1
        for quarter in quarters:
            first, out = filled(quarter, carried if quarter.start_us == end_us else None)
            carried, end_us = bool(out >> 14), quarter.start_us + QUARTER_US
            since_us = max(begin_us, quarter.start_us + first * MINUTE_US)
            until_us = min(over_us, end_us)
            if since_us < until_us:
                known += (until_us - since_us) / MINUTE_US
                self._add(quarter, out, since_us, until_us, life)
        span = max(0, over_us - begin_us) / MINUTE_US
        self.span += span
        self.aged += max(0.0, span - known)

    def _add(self, quarter: Quarter, out: int, since_us: int, until_us: int, life: ShelfLife | None) -> None:
        minutes = (until_us - since_us) / MINUTE_US
        self.minutes += minutes
        self.out += _overlap(out, since_us - quarter.start_us, until_us - quarter.start_us)
        self.mean += minutes * quarter.mean
        self.speed += minutes * quarter.speed
        self.low = quarter.low if self.low is None else min(self.low, quarter.low)
        self.high = quarter.high if self.high is None else max(self.high, quarter.high)
        if life is not None:
            self.aged += minutes * ageing(life, quarter.kinetic_c)
            if life.chilling_c is not None and quarter.low < life.chilling_c:
                self.chilled += minutes

    def exposure(self) -> Exposure:
        unknown = max(0.0, self.span - self.minutes)
        if not self.minutes or self.low is None or self.high is None:
            return Exposure(unknown_minutes=unknown)
        low, high = self.low, self.high
        mean = min(high, max(low, self.mean / self.minutes))
        kinetic = min(high, max(low, temperature(self.speed / self.minutes))) if self.speed else None
        return Exposure(self.minutes, unknown, self.out, low, high, mean, kinetic)


def exposure(quarters: Iterable[Quarter], since_us: int, until_us: int) -> Exposure:
    """What the readings of [since, until) say: of one sensor, or of a zone by its `cells.worst`."""
    total = _Sum()
    total.over(quarters, since_us, until_us, None)
    return total.exposure()


def borne(
    stays: Iterable[Stay], quarters: Callable[[str, int, int], Iterable[Quarter]], life: ShelfLife | None
) -> tuple[Exposure, Keeping | None]:
    """What goods bore that stood in these zones, and what is left of their life. Stays may overlap: of goods in several
    zones at once it is the worst that any of them can have borne.

    `quarters(zone, since_us, until_us)`: the temperature quarters of a zone that overlap it, and the one before, in
    order.
    """
    total = _Sum()
    for zones, since_us, until_us in apart(stays):
        found = (quarter for zone in zones for quarter in quarters(zone, since_us, until_us))
        total.over(worst(found), since_us, until_us, life)
    return total.exposure(), _keeping(total, life)


def apart(stays: Iterable[Stay]) -> list[tuple[tuple[str, ...], int, int]]:
    """The same time in pieces (zones, since_us, until_us), oldest first, that do not overlap."""
    turns: dict[int, list[tuple[str, int]]] = {}
    for stay in stays:
        if stay.since_us < stay.until_us:
            turns.setdefault(stay.since_us, []).append((stay.zone, 1))
            turns.setdefault(stay.until_us, []).append((stay.zone, -1))
    pieces = []
    here: Counter[str] = Counter()
    for since_us, until_us in itertools.pairwise(sorted(turns)):
        for zone, change in turns[since_us]:
            here[zone] += change
        zones = tuple(sorted(zone for zone, n in here.items() if n))
        if zones:
            pieces.append((zones, since_us, until_us))
    return pieces


def presence(changes: Iterable[tuple[int, str, int]], until_us: int) -> list[Stay]:
    """Where goods stood: (event time, zone, units that came) of a lot or a tag, in any order. Up to `until_us`."""
    level: Counter[str] = Counter()
    since: dict[str, int] = {}
    stays = []
    for at_us, group in itertools.groupby(sorted(changes), key=lambda change: change[0]):
        for _, zone, units in group:
            level[zone] += units
        for zone in [zone for zone in since if level[zone] <= 0]:
            stays.append(Stay(zone, since.pop(zone), min(at_us, until_us)))
        for zone, units in level.items():
            if units > 0:
                since.setdefault(zone, at_us)
    stays += [Stay(zone, since_us, until_us) for zone, since_us in since.items()]
    return sorted(
        (stay for stay in stays if stay.since_us < stay.until_us), key=lambda stay: (stay.since_us, stay.zone)
    )


def _keeping(total: _Sum, life: ShelfLife | None) -> Keeping | None:
    if life is None:
        return None
    used = total.aged / (life.days * 24 * 60)
    return Keeping(used, max(0.0, life.days * (1 - used)), total.chilled)


def _overlap(minutes: int, since_us: int, until_us: int) -> float:
    """How many of these minutes of a quarter lie in [since, until), both from its begin."""
    if since_us == 0 and until_us == QUARTER_US:
        return float(minutes.bit_count())
    total_us = 0
    for minute in range(15):
        if minutes >> minute & 1:
            begin_us = minute * MINUTE_US
            total_us += max(0, min(until_us, begin_us + MINUTE_US) - max(since_us, begin_us))
    return total_us / MINUTE_US
