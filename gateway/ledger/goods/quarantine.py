"""Quarantine: units of a lot that is over its limit are stock still, and may not be sold.

An item's lot is what a document last said of its tag; whether that was before or after the item came, and before or
after the lot was found bad, is the same.
"""

from gateway.ledger.goods import inventory, stock
from gateway.ledger.goods.stock import OUTSIDE, Standing
from gateway.ledger.rows import Param
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions


def belongs(state: State, epc: str, lot: str | None, now_us: int) -> None:
    """A document says of which lot a tag is. Nothing said changes nothing."""
    if lot is None or inventory.of(state, epc).lot == lot:
        return
    item = inventory.labelled(state, epc, lot=lot)
    if lot in state.index.held_lots and item.sku is not None and item.known and item.zone is None:
        _one_more_gone(state, lot, now_us)


def hold(state: State, lot: str, now_us: int) -> None:
    """The lot is over its limit."""
    if lot not in state.index.held_lots:
        was = _standings(state, lot)
        state.index.held_lots.add(lot)
        stock.restate(state, set(was), now_us, was)


def free(state: State, lot: str, now_us: int) -> None:
    """The lot may be sold."""
    if lot in state.index.held_lots:
        was = _standings(state, lot)
        state.index.held_lots.discard(lot)
        stock.restate(state, set(was), now_us, was)


def gone(state: State, lot: str) -> int:
    """Cases of the lot that have left the house: nobody can hold these any more."""
    bins = (state.bins.rows[key] for key in state.index.bins_of_lot.get(lot, ()))
    return sum(found.tagged for found in bins if found.zone == OUTSIDE)


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
    """Derive the index from the table."""
    state.index.held_lots.update(run.lot for run in state.lots.rows.values() if run.held)


def _standings(state: State, lot: str) -> dict[str, Standing]:
    return {key: stock.standing(state, state.bins.rows[key]) for key in state.index.bins_of_lot.get(lot, ())}


def _one_more_gone(state: State, lot: str, now_us: int) -> None:
    """A case turns out to have been of the lot only when it has left already."""
    told = exceptions.current(state, "quality", lot)
    if told is not None:
        gone_before = told.params.get("shipped", 0)
        assert isinstance(gone_before, int)
        exceptions.update(state, "quality", lot, now_us, told.count, {"shipped": gone_before + 1})
