"""Orders: what was asked for, how far the cloud says it is, and what of it has come through the doors."""

from gateway.errors import Misfit
from gateway.ledger.rows import Order, OrderState
from gateway.ledger.state import State
from gateway.records import LogRow, OrderReported, ReplenishmentRequested

_RANK: dict[OrderState, int] = {"requested": 0, "placed": 1, "shipped": 2, "cancelled": 3, "received": 4}
"""An order only goes forward; goods that came are there even if somebody cancelled."""
_ENDED = ("received", "cancelled")


def next_key(state: State, sku: str) -> str:
    """The idempotency key of the next need of a SKU."""
    return f"{state.house.told.site}:{sku}:{_needs(state, sku) + 1}"


def requested(state: State, row: LogRow, record: ReplenishmentRequested) -> None:
    """The house needs a SKU."""
    if record.key not in state.orders.rows:
        _begin(state, record.key, record.sku, record.units, row.recorded_us)


def reported(state: State, row: LogRow, record: OrderReported) -> None:
    """The cloud said how far an order is. One that this log never asked for (an older log's) counts as well."""
    order = state.orders.get(record.key)
    if order is None:
        parsed = _parsed(state, record.key)
        if parsed is None:
            raise Misfit(f"order {record.number!r} has the key {record.key!r}, which is none of this site's")
        order = _begin(state, record.key, parsed[0], record.units, row.recorded_us)
    order.number, order.supplier, order.units = record.number, record.supplier, record.units
    order.updated_us = row.recorded_us
    state.index.order_of_number[record.number] = record.key
    _advance(state, record.key, order, record.state)
    refresh(state, record.number, row.recorded_us)


def refresh(state: State, number: str, now_us: int) -> None:
    """Something happened to a shipment that answers an order: units received, and whether all of it has ended."""
    key = state.index.order_of_number.get(number)
    if key is None:
        return
    order = state.orders.rows[key]
    answers = [state.shipments.rows[shipment] for shipment in state.index.shipments_of_order[number]]
    lines = [answer.lines[order.sku] for answer in answers if order.sku in answer.lines]
    received = sum(line.seen + line.inferred for line in lines)
    if received != order.received:
        order.received = received
        order.updated_us = now_us
        state.orders.touch(key)
        state.position_moved(order.sku)
    if order.state not in _ENDED and answers and all(answer.ended for answer in answers):
        order.updated_us = now_us
        _advance(state, key, order, "received")


def on_order(state: State, sku: str) -> int:
    """Units that are on their way: of open orders what has not come, and of announced shipments that answer none."""
    open_orders = state.index.open_orders[sku]
    units = 0
    for key in open_orders:
        order = state.orders.rows[key]
        units += max(0, order.units - order.received)
    for key in state.index.in_transit[sku]:
        shipment = state.shipments.rows[key]
        if state.index.order_of_number.get(shipment.order or "") not in open_orders:
            line = shipment.lines[sku]
            units += line.expected - line.seen - line.inferred
    return units


def reindex(state: State) -> None:
    """Derive the indexes from the table."""
    for key, order in state.orders.rows.items():
        if order.number is not None:
            state.index.order_of_number[order.number] = key
        if order.state not in _ENDED:
            state.index.open_orders[order.sku].add(key)


def _begin(state: State, key: str, sku: str, units: int, now_us: int) -> Order:
    order = Order(sku=sku, units=units, state="requested", requested_us=now_us, updated_us=now_us)
    state.orders.put(key, order)
    state.index.open_orders[sku].add(key)
    state.reach(f"need {sku}", parsed[1] if (parsed := _parsed(state, key)) else 0)
    state.position_moved(sku)
    return order


def _advance(state: State, key: str, order: Order, reached: OrderState) -> None:
    if _RANK[reached] > _RANK[order.state]:
        order.state = reached
    if order.state in _ENDED:
        state.index.open_orders[order.sku].discard(key)
    state.orders.touch(key)
    state.position_moved(order.sku)


def _needs(state: State, sku: str) -> int:
    counter = state.counters.get(f"need {sku}")
    return counter.n if counter is not None else 0


def _parsed(state: State, key: str) -> tuple[str, int] | None:
    """SKU and number of the need, if a key is one of this site's."""
    site, _, rest = key.partition(":")
    sku, _, number = rest.rpartition(":")
    if site != state.house.told.site or not sku or not number.isascii() or not number.isdigit() or len(number) > 12:
        return None
    return sku, int(number)
