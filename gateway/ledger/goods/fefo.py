"""First expired, first out: from which lots an outbound order is to be picked.

What expires first is picked first, then what has no expiry; of two alike, what came first (FIFO). Only what may be sold
is proposed: no quarantined, damaged or expired units, and none that stand outside the house.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gateway.ledger.goods import stock
from gateway.ledger.rows import Bin, Line
from gateway.ledger.state import State

_NEVER = "9999-12-31"
_LAST_US = 2**63


class Pick(NamedTuple):
    """Units of one SKU and lot to take out of one zone. Without a zone: nowhere in the house are so many more."""

    sku: str
    units: int
    zone: str | None = None
    lot: str | None = None
    expires: str | None = None
    """ISO 8601."""


def picks(state: State, shipment: str) -> list[Pick]:
    """What is still to be picked for an outbound shipment that has not ended, line by line; nothing for others."""
    row = state.shipments.get(shipment)
    if row is None or row.direction != "outbound" or row.ended:
        return []
    return [pick for sku, line in row.lines.items() for pick in _of_line(state, sku, line)]


def _of_line(state: State, sku: str, line: Line) -> Iterator[Pick]:
    """Cases that the order names by their tags are to be picked as named: only its other units are proposed."""
    left = max(0, line.room)
    taken: dict[str, int] = {}
    for lot, units in line.lots.items():
        wanted = min(units, left)
        left -= wanted
        yield from _take(state, sku, wanted, taken, lot)
    yield from _take(state, sku, left, taken, None)


def _take(state: State, sku: str, wanted: int, taken: dict[str, int], lot: str | None) -> Iterator[Pick]:
    """`taken`: units by bin that are proposed already."""
    for key in sorted(state.index.bins_of_sku.get(sku, ()), key=lambda key: _rank(state, state.bins.rows[key])):
        found = state.bins.rows[key]
        if not found.zone or stock.standing(state, found) != "sellable" or lot not in (None, found.lot):
            continue
        units = min(wanted, found.units - taken.get(key, 0))
        if units > 0:
            taken[key] = taken.get(key, 0) + units
            wanted -= units
            yield Pick(sku, units, found.zone, found.lot or None, _lot(state, found)[0])
    if wanted > 0:
        yield Pick(sku, wanted, None, lot)


def _rank(state: State, found: Bin) -> tuple[str, int, str, str]:
    expires, first_us = _lot(state, found)
    return expires or _NEVER, _LAST_US if first_us is None else first_us, found.zone, found.lot


def _lot(state: State, found: Bin) -> tuple[str | None, int | None]:
    lot = stock.known_lot(state, found.sku, found.lot)
    return (None, None) if lot is None else (lot.expires, lot.first_us)
