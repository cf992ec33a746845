"""Replenishment: when a SKU's inventory position has fallen to its reorder point, ask for enough to fill it up.

The rule is level-triggered: it is asked whenever a position may have changed and at every start, and gives the same
answer for the same figures. Once the need is in the log it counts as on order, so the next answer is no.

    inventory position = on hand (all zones, negative levels included) - in quarantine + on order
    on order           = units of open orders that have not come + units announced on shipments that answer none of them

A SKU is replenished only once the ledger knows it: a unit of it was in the house, or a partner has announced some.
A site that has recorded nothing yet orders nothing; nor does the first case that is seen leaving such a site.
"""

from gateway.ledger.receiving import orders
from gateway.ledger.state import State
from gateway.records import ReplenishmentRequested
from gateway.records.stockrecords import Product

MAX_UNITS = 1_000_000
"""Of one order; contract/replenishment.py admits no more."""


def units_to_order(item: Product, on_hand: int, on_order: int) -> int:
    """Whole packs that lift the position to the order-up-to level, if it is at or below the reorder point; else 0."""
    position = on_hand + on_order
    lacking = item.order_up_to - position
    if position > item.reorder_point or lacking <= 0:
        return 0
    packs = min(-(-lacking // item.pack), MAX_UNITS // item.pack)
    return packs * item.pack


def need(state: State, sku: str, now_us: int) -> ReplenishmentRequested | None:
    """What the house needs of a SKU at the moment."""
    item = state.house.products.get(sku)
    stock = state.stock.get(sku)
    if item is None or stock is None or not stock.known:
        return None
    units = units_to_order(item, stock.sellable, orders.on_order(state, sku))
    if units == 0:
        return None
    key = orders.next_key(state, sku)
    return ReplenishmentRequested(at_us=now_us, key=key, sku=sku, units=units, on_hand=stock.sellable)
