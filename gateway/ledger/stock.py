"""Stock: the units of each SKU in each zone, kept up to date one move at a time."""

from gateway.ledger import exceptions
from gateway.ledger.rows import Stock
from gateway.ledger.state import State

TRACE = 60
"""Levels that are kept for the page's sparkline."""


def move(state: State, sku: str, origin: str | None, target: str | None, now_us: int, *, held: bool = False) -> None:
    """One unit goes from a zone to another; None is outside the house. `held`: it is in quarantine, wherever it is."""
    if origin == target:
        return
    stock = of(state, sku)
    if origin is not None:
        _add(stock, origin, -1)
    if target is not None:
        _add(stock, target, 1)
        stock.known = True
    change = (target is not None) - (origin is not None)
    stock.updated_us = now_us
    state.stock.changed.add(sku)
    if change:
        stock.units += change
        stock.quarantined += change * held
        _trace(stock, now_us)
        state.position_moved(sku)
    below = origin is not None and stock.zones.get(origin, 0) < 0
    if below or ("negative_stock", sku) in state.index.open_exceptions:
        _judge(state, sku, stock, now_us)


def quarantine(state: State, sku: str, change: int, now_us: int) -> None:
    """So many more units in the house may not be sold."""
    stock = of(state, sku)
    stock.quarantined += change
    stock.updated_us = now_us
    state.stock.changed.add(sku)
    state.position_moved(sku)


def of(state: State, sku: str) -> Stock:
    """The stock of a SKU, empty if there was none."""
    return state.stock.rows.get(sku) or state.stock.put(sku, Stock())


def announced(state: State, sku: str) -> None:
    """A partner announced units of it: from now on it is replenished."""
    stock = of(state, sku)
    if not stock.known:
        stock.known = True
        state.stock.touch(sku)


def _add(stock: Stock, zone: str, units: int) -> None:
    level = stock.zones.get(zone, 0) + units
    if level:
        stock.zones[zone] = level
    else:
        del stock.zones[zone]


def _trace(stock: Stock, now_us: int) -> None:
    """Levels of one commit have one record time: the last of them counts."""
    trace = stock.trace
    if trace and trace[-1][0] == now_us:
        trace[-1] = (now_us, stock.units)
        return
    trace.append((now_us, stock.units))
    if len(trace) > TRACE:
        del trace[0]


def _judge(state: State, sku: str, stock: Stock, now_us: int) -> None:
    """Negative stock is shown and never clamped: somebody must find what was not recorded."""
    lowest = min(stock.units, *stock.zones.values(), 0)
    if lowest:
        exceptions.begin(state, "negative_stock", sku, now_us, -lowest, {"units": stock.units})
    else:
        exceptions.end(state, "negative_stock", sku, now_us, "no level is below zero")
