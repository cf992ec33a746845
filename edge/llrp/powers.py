"""The transmit powers that a reader offers, and which of them is meant."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct


class Power(Struct, frozen=True):
    """One entry of a reader's power table."""

    index: int
    dbm: float
    """Conducted, at the antenna port."""


ONLY_INDEX: Final = 1
"""Of a reader that tells no powers."""


def meant(table: Sequence[Power], configured: int) -> int:
    """The index to be used: the configured one, or for 0 that of the highest power. `table`: weakest first."""
    return configured or (table[-1].index if table else ONLY_INDEX)


def lowered(table: Sequence[Power], configured: int, by_db: float) -> Power | None:
    """The entry nearest to `by_db` below the configured one (an index, 0 for the highest); None: not told."""
    top = (
        next((power for power in table if power.index == configured), None)
        if configured
        else max(table, key=lambda power: power.dbm, default=None)
    )
    if top is None:
        return None
    below_top = [power for power in table if power.dbm <= top.dbm]
    return min(below_top, key=lambda power: abs(top.dbm - by_db - power.dbm))


def named(powers: Mapping[str, Power]) -> str:
    """For people: one figure if all readers have the same, else one for each."""
    figures = {power.dbm for power in powers.values()}
    if len(figures) == 1:
        return f"{figures.pop():g} dBm"
    return ", ".join(f"{reader} {power.dbm:g} dBm" for reader, power in powers.items()) or "the highest power"
