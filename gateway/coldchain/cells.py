"""Sums of readings: a cell for each quarter of an hour, and the 96 cells of a day in one piece of bytes.

    0      2       4      6     8      10          14                      22
    | n    | seen  | out  | low | high | total     | speed                 |   little-endian, 22 bytes
    | u16  | u16   | u16  | i16 | i16  | i32       | u64                   |

n counts readings; low, high and total are in hundredths of the unit. seen and out are the minutes of the quarter, one
bit each, that have a reading, and one outside the limits. speed is the sum of `kinetics.speed` in billionths, 0 for
what is no temperature. Every field is a sum, an extreme or a union of whole numbers, so that a cell is the same
whatever order its readings came in.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gateway.coldchain.kinetics import speed, temperature

MINUTE_US: Final = 60_000_000
QUARTER_US: Final = 15 * MINUTE_US
DAY_US: Final = 96 * QUARTER_US
"""Days are those of UTC."""
MAX_READINGS: Final = 65_535
"""In a quarter: 72 a second."""

_CELL = struct.Struct("<HHHhhiQ")
_EMPTY = bytes(_CELL.size)
_BILLION = 1_000_000_000
_ALL = (1 << 15) - 1


class Quarter(NamedTuple):
    """The readings of one quarter of an hour: of a sensor, or (`worst`) of all sensors of a zone."""

    start_us: int
    seen: int
    """The minutes that have a reading, as bits: 1 for the first."""
    out: int
    """Those that have one outside the limits."""
    low: float
    high: float
    mean: float
    speed: float
    """Mean of `kinetics.speed`; 0 for what is no temperature."""

    @property
    def kinetic_c(self) -> float:
        """Its mean kinetic temperature, between the lowest and the highest reading; its mean, of anything else."""
        if self.speed == 0:
            return self.mean
        return min(self.high, max(self.low, temperature(self.speed)))


def empty_day() -> bytearray:
    """A day without readings."""
    return bytearray(96 * _CELL.size)


def add(cells: bytearray, at_us: int, value: float, *, outside: bool, kinetic: bool) -> bool:
    """Add a reading to its day; False if its quarter holds `MAX_READINGS`. `value` is within -300 to 300."""
    place = at_us % DAY_US // QUARTER_US * _CELL.size
    n, seen, out, low, high, total, heat = _CELL.unpack_from(cells, place)
    if n == MAX_READINGS:
        return False
    hundredths = round(value * 100)
    minute = 1 << at_us % QUARTER_US // MINUTE_US
    seen, out = seen | minute, out | minute if outside else out
    low, high = (min(low, hundredths), max(high, hundredths)) if n else (hundredths, hundredths)
    heat += round(speed(hundredths / 100) * _BILLION) if kinetic else 0
    _CELL.pack_into(cells, place, n + 1, seen, out, low, high, total + hundredths, heat)
    return True


def quarters(cells: bytes | bytearray, day: int, since_us: int, until_us: int) -> Iterator[Quarter]:
    """The quarters of day `day` (since 1970) that hold readings and overlap [since, until), oldest first."""
    start_us = day * DAY_US
    first = max(0, (since_us - start_us) // QUARTER_US)
    last = min(96, -(-(until_us - start_us) // QUARTER_US))
    for i in range(first, last):
        place = i * _CELL.size
        if cells[place : place + _CELL.size] != _EMPTY:
            n, seen, out, low, high, total, heat = _CELL.unpack_from(cells, place)
            mean, kinetic = total / n / 100, heat / n / _BILLION
            yield Quarter(start_us + i * QUARTER_US, seen, out, low / 100, high / 100, mean, kinetic)


def first_outside(quarter: Quarter, since_us: int) -> int | None:
    """The begin of the first minute of a quarter that is outside and not over at `since_us`."""
    skipped = max(0, (since_us - quarter.start_us) // MINUTE_US)
    left = quarter.out >> skipped << skipped
    if not left:
        return None
    return quarter.start_us + ((left & -left).bit_length() - 1) * MINUTE_US


def filled(quarter: Quarter, carried: bool | None) -> tuple[int, int]:
    """The first minute of which something is known, and the minutes outside, as bits: a minute without a reading is as
    the one before. `carried`: the last minute of the quarter before was outside; None if nothing is known of it."""
    first = 0 if carried is not None else (quarter.seen & -quarter.seen).bit_length() - 1
    if quarter.seen == _ALL or (not quarter.out and not carried):
        return first, quarter.out
    out, state = 0, bool(carried)
    for minute in range(first, 15):
        if quarter.seen >> minute & 1:
            state = bool(quarter.out >> minute & 1)
        out |= state << minute
    return first, out


def worst(sensors: Iterable[Quarter]) -> Iterator[Quarter]:
    """One quarter at a time for all sensors of a zone, in order: as warm as the warmest, and outside where any is."""
    found: dict[int, Quarter] = {}
    for one in sensors:
        other = found.get(one.start_us)
        found[one.start_us] = one if other is None else _worse(one, other)
    return iter(sorted(found.values()))


def _worse(a: Quarter, b: Quarter) -> Quarter:
    return Quarter(
        a.start_us,
        a.seen | b.seen,
        a.out | b.out,
        min(a.low, b.low),
        max(a.high, b.high),
        max(a.mean, b.mean),
        max(a.speed, b.speed),
    )
