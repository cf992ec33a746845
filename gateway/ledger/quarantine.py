"""Quarantine: tagged units of a lot that is over its limit are stock still, and may not be sold.

An item's lot is what a document last said of its tag; whether that was before or after the item came, and before or
after the lot was found bad, is the same.
"""

from gateway.ledger import exceptions, inventory, stock
from gateway.ledger.rows import Item, Param
from gateway.ledger.state import State


def belongs(state: State, epc: str, lot: str | None, now_us: int) -> None:
    """A document says of which lot a tag is. Nothing said changes nothing."""
    if lot is None:
        return
    item = inventory.of(state, epc)
    if item.lot == lot:
        return
    _count(state, item, -(item.lot in state.index.held_lots), now_us)
    if item.lot is not None:
        state.index.items_of_lot[item.lot].discard(epc)
    item.lot = lot
    state.index.items_of_lot[lot].add(epc)
    _count(state, item, +(lot in state.index.held_lots), now_us)
    state.items.touch(epc)
    if lot in state.index.held_lots and _is_gone(item):
        _one_more_gone(state, lot, now_us)


def hold(state: State, lot: str, now_us: int) -> None:
    """The lot is over its limit."""
    if lot not in state.index.held_lots:
        state.index.held_lots.add(lot)
        _count_all(state, lot, 1, now_us)


def free(state: State, lot: str, now_us: int) -> None:
    """The lot may be sold."""
    if lot in state.index.held_lots:
        state.index.held_lots.discard(lot)
        _count_all(state, lot, -1, now_us)


def gone(state: State, lot: str) -> int:
    """Cases of the lot that have left the house: nobody can hold these any more."""
    return sum(_is_gone(state.items.rows[epc]) for epc in state.index.items_of_lot.get(lot, ()))


def shipped(state: State, epc: str, door: str, now_us: int) -> None:
    """A case went out to the world: of a lot in quarantine it should not have. It stays an exception until a person
    has dealt with it, whatever becomes of the lot."""
    item = state.items.rows[epc]
    if item.lot is None or item.lot not in state.index.held_lots or item.sku is None:
        return
    evidence: dict[str, Param] = {"door": door, "epc": epc}
    if item.shipment is not None:
        evidence["shipment"] = item.shipment
    exceptions.add(state, "quarantine_shipped", item.lot, now_us, 1, evidence)


def reindex(state: State) -> None:
    """Derive the indexes from the tables."""
    for epc, item in state.items.rows.items():
        if item.lot is not None:
            state.index.items_of_lot[item.lot].add(epc)
    state.index.held_lots.update(run.lot for run in state.lots.rows.values() if run.held)


def _is_gone(item: Item) -> bool:
    return item.sku is not None and item.placed is not None and item.zone is None


def _one_more_gone(state: State, lot: str, now_us: int) -> None:
    """A case turns out to have been of the lot only when it has left already."""
    told = exceptions.current(state, "quality", lot)
    if told is not None:
        gone_before = told.params.get("shipped", 0)
        assert isinstance(gone_before, int)
        exceptions.update(state, "quality", lot, now_us, told.count, {"shipped": gone_before + 1})


def _count_all(state: State, lot: str, change: int, now_us: int) -> None:
    for epc in sorted(state.index.items_of_lot.get(lot, ())):
        _count(state, state.items.rows[epc], change, now_us)


def _count(state: State, item: Item, change: int, now_us: int) -> None:
    if change and item.sku is not None and item.zone is not None:
        stock.quarantine(state, item.sku, change, now_us)
