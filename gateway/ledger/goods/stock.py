"""Stock: the units of each SKU by zone, lot and disposition, kept up to date one posting at a time.

A bin is the finest figure: tagged units, which are as many as the items that the books have there, and untagged ones,
which only moves and counts change. All other figures are sums of bins. A count of untagged units is an observation at
its own time: what happened before it is in it, however late it is told, and what happened after it comes on top.
"""

from bisect import insort
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple

from gateway.ledger.rows import Bin, Stock, StockLot
from gateway.ledger.state import State
from gateway.ledger.storage.posting import Posting
from gateway.ledger.troubles import exceptions
from gateway.records.stockrecords import Disposition

TRACE: Final = 60
"""Levels that are kept for the page's sparkline."""
RECENT: Final = 100
"""Changes of a bin's untagged units that a late count can be re-based on."""
OUTSIDE: Final = ""
"""The zone of units that left the house."""

Standing = Literal["sellable", "damaged", "expired", "quarantined"]


class Place(NamedTuple):
    """Where a unit is, and as what. The zone is empty outside the house, the lot where none is known."""

    zone: str
    lot: str = ""
    disposition: Disposition = "sellable"


def move(state: State, sku: str, origin: Place | None, target: Place | None, epc: str) -> None:
    """One tagged unit goes from a place to another; None: it was not in the books, or is not any more."""
    if origin == target:
        return
    stock = of(state, sku)
    before = stock.units
    if origin is not None:
        _post(state, stock, sku, origin, -1, epc)
    if target is not None:
        _post(state, stock, sku, target, 1, epc)
    _settle(state, sku, stock, before)


def change(state: State, sku: str, place: Place, units: int, at_us: int) -> None:
    """So many untagged units more (or, below 0, fewer) since `at_us`. What a later count has seen is in it already."""
    found = _bin(state, sku, place)
    if found.counted_us is not None and at_us <= found.counted_us:
        return
    insort(found.recent, (at_us, units))
    if len(found.recent) > RECENT:
        found.merged_us = max(found.merged_us, found.recent.pop(0)[0])
    stock = of(state, sku)
    before = stock.units
    _post(state, stock, sku, place, units)
    _settle(state, sku, stock, before)


def counted(state: State, sku: str, place: Place, units: int, at_us: int, *, with_tagged: bool = False) -> None:
    """Somebody counted the untagged units of a bin at `at_us`. An older count than the last changes nothing.

    `with_tagged`: all units were counted, and the tagged ones taken off. Whatever is told later of tags that came or
    went before, their number together stays.
    """
    found = _bin(state, sku, place)
    if found.counted_us is not None and at_us <= found.counted_us:
        return
    after = [one for one in found.recent if one[0] > at_us]
    difference = units + sum(n for _, n in after) - found.untagged
    found.counted_us, found.recent = at_us, after
    found.with_tagged_us = at_us if with_tagged else None
    state.bins.touch(key_of(sku, place))
    stock = of(state, sku)
    before = stock.units
    _post(state, stock, sku, place, difference)
    _settle(state, sku, stock, before)


def untagged_at(found: Bin | None, at_us: int) -> int | None:
    """Untagged units of a bin as of a moment, by what is known now; None if the moment lies too far back."""
    if found is None:
        return 0
    earlier = found.counted_us if found.counted_us is not None else found.merged_us
    if at_us < max(earlier, found.merged_us):
        return None
    return found.untagged - sum(units for when, units in found.recent if when > at_us)


def standing(state: State, found: Bin) -> Standing:
    """What may become of the units of a bin: people's word first, then that of their lot."""
    if found.disposition != "sellable":
        return found.disposition
    if (found.sku, found.lot) in state.index.expired_lots:
        return "expired"
    return "quarantined" if found.lot in state.index.held_lots else "sellable"


def restate(state: State, keys: set[str], now_us: int, was: dict[str, Standing]) -> None:
    """Lots were held, freed or expired: their bins count as something else than they `was`."""
    for key in sorted(keys):
        found = state.bins.rows[key]
        now = standing(state, found)
        if now != was[key] and found.zone:
            stock = of(state, found.sku)
            _hold(stock, was[key], -found.units)
            _hold(stock, now, found.units)
            stock.updated_us = now_us
            state.stock.touch(found.sku)
            state.position_moved(found.sku)


def of(state: State, sku: str) -> Stock:
    """The stock of a SKU, empty if there was none."""
    return state.stock.rows.get(sku) or state.stock.put(sku, Stock())


def lot_of(state: State, sku: str, lot: str) -> StockLot:
    """What is known of a lot of a SKU."""
    return known_lot(state, sku, lot) or state.stocklots.put(lot_key(sku, lot), StockLot(sku, lot))


def known_lot(state: State, sku: str, lot: str | None) -> StockLot | None:
    """The same; None for one that the books do not know."""
    return state.stocklots.get(lot_key(sku, lot)) if lot else None


def lot_key(sku: str, lot: str) -> str:
    """Key of a lot in its table."""
    return f"{sku}\x1f{lot}"


def forget(state: State, sku: str) -> None:
    """Nobody knows this SKU any more: unless some of it is there, it leaves the books."""
    keys = state.index.bins_of_sku[sku]
    if any(state.bins.rows[key].units for key in keys):
        return
    for key in keys:
        state.index.bins_of_lot[state.bins.rows[key].lot].discard(key)
        state.bins.drop(key)
    del state.index.bins_of_sku[sku]
    state.stock.drop(sku)


def announced(state: State, sku: str) -> None:
    """A partner announced units of it: from now on it is replenished."""
    stock = of(state, sku)
    if not stock.known:
        stock.known = True
        state.stock.touch(sku)


def key_of(sku: str, place: Place) -> str:
    """Key of a bin in its table."""
    return f"{sku}\x1f{place.zone}\x1f{place.lot}\x1f{place.disposition}"


def reindex(state: State) -> None:
    """Derive the indexes from the tables."""
    for key, found in state.bins.rows.items():
        _enlist(state, key, found)
    state.index.expired_lots.update((lot.sku, lot.lot) for lot in state.stocklots.rows.values() if lot.expired)


def _bin(state: State, sku: str, place: Place) -> Bin:
    key = key_of(sku, place)
    found = state.bins.rows.get(key)
    if found is None:
        found = state.bins.put(key, Bin(sku, place.zone, place.lot, place.disposition))
        _enlist(state, key, found)
        if place.lot:
            lot_of(state, sku, place.lot)
    return found


def _enlist(state: State, key: str, found: Bin) -> None:
    state.index.bins_of_sku[found.sku].add(key)
    if found.lot:
        state.index.bins_of_lot[found.lot].add(key)


def _post(state: State, stock: Stock, sku: str, place: Place, units: int, epc: str = "") -> None:
    """Change one bin, and the sums above it."""
    if not units:
        return
    found = _bin(state, sku, place)
    row = state.row
    assert row is not None, "a balance changes only while a row is folded"
    key = key_of(sku, place)
    state.bins.changed.add(key)
    if epc:
        found.tagged += units
        if found.with_tagged_us is not None and row.at_us <= found.with_tagged_us:
            found.untagged -= units
            return
    else:
        found.untagged += units
    if not place.zone:
        return
    level = stock.zones.get(place.zone, 0) + units
    if level:
        stock.zones[place.zone] = level
    else:
        del stock.zones[place.zone]
    stock.units += units
    _hold(stock, standing(state, found), units)
    state.postings.append(
        Posting(row.id, row.at_us, row.recorded_us, sku, place.zone, place.lot, place.disposition, units, level, epc)
    )
    if units > 0:
        stock.known = True
        if place.lot:
            _arrived(state, sku, place.lot, row.at_us)


def _arrived(state: State, sku: str, lot: str, at_us: int) -> None:
    one = lot_of(state, sku, lot)
    if one.first_us is not None and at_us >= one.first_us:
        return
    one.first_us = at_us
    state.stocklots.touch(lot_key(sku, lot))
    product = state.house.products.get(sku)
    if product is not None and product.shelf_life_days is not None and (one.expires is None or one.derived):
        last = datetime.fromtimestamp(at_us / 1e6, UTC).date() + timedelta(days=product.shelf_life_days)
        one.expires, one.derived = last.isoformat(), True


def _hold(stock: Stock, what: Standing, units: int) -> None:
    if what == "sellable":
        return
    left = stock.held.get(what, 0) + units
    if left:
        stock.held[what] = left
    else:
        stock.held.pop(what, None)


def _settle(state: State, sku: str, stock: Stock, before: int) -> None:
    """After all postings of one change."""
    assert state.row is not None
    now_us = state.row.recorded_us
    stock.updated_us = now_us
    state.stock.changed.add(sku)
    if stock.units != before:
        _trace(stock, now_us)
    state.position_moved(sku)
    below = min(stock.units, 0, *stock.zones.values())
    told = ("negative_stock", sku)
    if below or told in state.index.open_exceptions or told in state.index.lasting:
        _judge(state, sku, stock, below, now_us)


def _trace(stock: Stock, now_us: int) -> None:
    """Levels of one commit have one record time: the last of them counts."""
    trace = stock.trace
    if trace and trace[-1][0] == now_us:
        trace[-1] = (now_us, stock.units)
        return
    trace.append((now_us, stock.units))
    if len(trace) > TRACE:
        del trace[0]


def _judge(state: State, sku: str, stock: Stock, below: int, now_us: int) -> None:
    """Negative stock is shown and never clamped: somebody must find what was not recorded."""
    if below:
        exceptions.begin(state, "negative_stock", sku, now_us, -below, {"units": stock.units})
    else:
        exceptions.end(state, "negative_stock", sku, now_us, "no level is below zero")
