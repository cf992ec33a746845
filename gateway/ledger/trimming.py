"""Trimming the books: what ended long ago leaves them, so that they grow with the house and not with its years.

The log keeps all of it until it is cut. What is told so late of a tag that is in the books no more is refused: nobody
could say any more whether it left before or after.
"""

from typing import Final

from gateway.ledger.counting import counts
from gateway.ledger.rows import Item, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow
from gateway.records.stockrecords import BooksTrimmed

_HORIZON: Final = "horizon"


def trimmed(state: State, row: LogRow, record: BooksTrimmed) -> None:
    """Everything that ended before a moment leaves the books."""
    before_us = record.before_us
    state.reach(_HORIZON, before_us)
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


def too_late(state: State, epc: str, by: Stamp) -> bool:
    """Whether a sighting is of a time of which the books know nothing of this tag any more."""
    horizon = state.counters.get(_HORIZON)
    if horizon is None or by[0] >= horizon.n or epc in state.items.rows:
        return False
    assert state.row is not None
    reason = {"reason": f"{epc} was seen before the books were trimmed"}
    exceptions.add(state, "bad_message", by[1], state.row.recorded_us, 1, reason)
    return True


def _shipments(state: State, before_us: int) -> None:
    for key, shipment in list(state.shipments.rows.items()):
        if not shipment.ended or shipment.touched_us >= before_us:
            continue
        for case in state.index.cases.pop(key, {}).values():
            waiting = state.index.expecting[shipment.direction].get(case.epc, set())
            waiting.discard(key)
            if not waiting:
                state.index.expecting[shipment.direction].pop(case.epc, None)
            state.cases.drop(f"{case.epc} {key}")
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
        if item.container is not None and (unit := state.containers.get(item.container)) is not None:
            unit.items.remove(epc)
            state.containers.touch(item.container)
        if item.sku is not None:
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
    if not item.known:
        return
    key = f"{item.sku}\x1f\x1f{item.lot or ''}\x1f{item.disposition}"
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
