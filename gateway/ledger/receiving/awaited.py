"""What is waited for: which shipments have not ended, where they should come, and who names a tag."""

from collections.abc import Iterable

from gateway.ledger.rows import Case, Direction, Shipment
from gateway.ledger.state import State


def enlist(state: State, key: str, shipment: Shipment) -> None:
    """Into the indexes, as far as it still waits for something."""
    index = state.index
    expecting = index.expecting[shipment.direction]
    for case in index.cases[key].values():
        if case.named and case.seen_us is None:
            expecting.setdefault(case.epc, set()).add(key)
    if shipment.order is not None and shipment.direction == "inbound":
        index.shipments_of_order[shipment.order].add(key)
    _list(state, key, shipment)
    if shipment.ended:
        return
    if shipment.door is not None:
        index.bound_for[shipment.door].add(key)
        state.shown.add(("doors", shipment.door))
    if shipment.direction == "inbound":
        for sku in shipment.lines:
            index.in_transit[sku].add(key)


def delist(state: State, key: str, shipment: Shipment, cases: Iterable[Case] = ()) -> None:
    """Out of the indexes of shipments that have not ended; `cases` are no longer waited for."""
    index = state.index
    _list(state, key, shipment)
    if shipment.door is not None:
        index.bound_for[shipment.door].discard(key)
        state.shown.add(("doors", shipment.door))
    for sku in shipment.lines:
        index.in_transit[sku].discard(key)
    for case in cases:
        expect_no_more(state, shipment.direction, case.epc, key)


def expect_no_more(state: State, direction: Direction, epc: str, key: str) -> None:
    """A shipment waits for a tag no longer."""
    expecting = state.index.expecting[direction]
    waiting = expecting.get(epc)
    if waiting and key in waiting:
        waiting.discard(key)
        if not waiting:
            del expecting[epc]


def _list(state: State, key: str, shipment: Shipment) -> None:
    (state.index.open_shipments.add if shipment.unsettled else state.index.open_shipments.discard)(key)


def first(state: State, keys: Iterable[str]) -> str:
    """The shipment that was announced first."""
    return min(keys, key=lambda key: (state.shipments.rows[key].announced_us, key))


def reindex(state: State) -> None:
    """Derive the indexes from the tables."""
    for case in state.cases.rows.values():
        state.index.cases[case.shipment][case.epc] = case
    for key, shipment in state.shipments.rows.items():
        enlist(state, key, shipment)
