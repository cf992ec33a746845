"""Trimming the books: what ended long ago leaves them, so that they grow with the house and not with its years.

The log keeps all of it until it is cut. What is told so late of a tag that is in the books no more is refused: nobody
could say any more whether it left before or after.
"""

from gateway.ledger.counting import counts
from gateway.ledger.goods import containers, inventory, stock
from gateway.ledger.goods.stock import OUTSIDE, Place
from gateway.ledger.receiving import awaited, tally
from gateway.ledger.rows import Item
from gateway.ledger.state import State
from gateway.records import LogRow
from gateway.records.stockrecords import BooksTrimmed


def trimmed(state: State, row: LogRow, record: BooksTrimmed) -> None:
    """Everything that ended before a moment leaves the books."""
    before_us = record.before_us
    state.reach(inventory.HORIZON, before_us)
    _shipments(state, before_us)
    _items(state, before_us)
    _bins(state, before_us)
    counts.trim(state, before_us)
    for key, order in list(state.orders.rows.items()):
        ended = order.state in ("received", "cancelled") and order.updated_us < before_us
        if ended and _unanswered(state, order.number):
            state.index.order_of_number.pop(order.number or "", None)
            state.orders.drop(key)
    for key, incident in list(state.exceptions.rows.items()):
        if not incident.open and not incident.lasting and incident.updated_us < before_us:
            state.exceptions.drop(key)
    state.swept_us = before_us


def _shipments(state: State, before_us: int) -> None:
    for key, shipment in list(state.shipments.rows.items()):
        if not shipment.ended or shipment.touched_us >= before_us:
            continue
        for case in state.index.cases.pop(key, {}).values():
            awaited.expect_no_more(state, shipment.direction, case.epc, key)
            state.cases.drop(tally.case_key(key, case.epc))
        if shipment.order is not None:
            state.index.shipments_of_order[shipment.order].discard(key)
        state.index.open_shipments.discard(key)
        state.shipments.drop(key)


def _items(state: State, before_us: int) -> None:
    """Tags outside the house that nobody has seen since, and that no shipment waits for."""
    expected = state.index.expecting["inbound"].keys() | state.index.expecting["outbound"].keys()
    gone = [epc for epc, item in state.items.rows.items() if _is_over(item, before_us) and epc not in expected]
    for epc in gone:
        item = state.items.rows[epc]
        if item.container is not None:
            containers.take_off(state, item.container, epc)
        _leave_bin(state, item)
        state.items.drop(epc)
        state.index.unheard.discard(epc)
    for epc, unit in list(state.containers.rows.items()):
        if not unit.items and epc not in state.items.rows:
            state.containers.drop(epc)


def _is_over(item: Item, before_us: int) -> bool:
    last = max(stamp[0] for stamp in (item.seen, item.inferred, item.joined, (0,)) if stamp is not None)
    return item.zone is None and last < before_us


def _leave_bin(state: State, item: Item) -> None:
    """The bin outside the house counts it no more."""
    if item.sku is None or not item.known:
        return
    key = stock.key_of(item.sku, Place(OUTSIDE, item.lot or "", item.disposition))
    state.bins.rows[key].tagged -= 1
    state.bins.touch(key)


def _bins(state: State, before_us: int) -> None:
    """Empty bins, and lots of which there are none."""
    for key, found in list(state.bins.rows.items()):
        last = max(found.counted_us or 0, found.merged_us, *(when for when, _ in found.recent), 0)
        if not found.tagged and not found.untagged and last < before_us:
            state.index.bins_of_sku[found.sku].discard(key)
            state.index.bins_of_lot[found.lot].discard(key)
            state.bins.drop(key)
    for key, lot in list(state.stocklots.rows.items()):
        if not state.index.bins_of_lot.get(lot.lot, set()) & state.index.bins_of_sku[lot.sku] and (
            lot.first_us is not None and lot.first_us < before_us
        ):
            state.index.expired_lots.discard((lot.sku, lot.lot))
            state.stocklots.drop(key)


def _unanswered(state: State, number: str | None) -> bool:
    """No shipment in the books answers an order."""
    return number is None or not state.index.shipments_of_order.get(number)
