"""The cases of a shipment as they are shown: how each stands, and by which sighting."""

from msgspec import Struct

from gateway.ledger.goods import stock
from gateway.ledger.receiving import shipments, tally
from gateway.ledger.rows import Case, Shipment, Stamp
from gateway.ledger.state import State


class CaseOf(Struct, frozen=True):
    """One case of a shipment."""

    epc: str
    sku: str
    sscc: str | None
    """EPC of the pallet that it was announced on."""
    state: shipments.CaseState
    seen_us: int | None
    seen_on: str | None
    """EPC of the logistic unit that it was seen to move with."""
    wrong_pallet: bool
    wrong_door: bool
    late: bool
    """It came when somebody had closed the shipment."""
    door: str | None
    """The door to the world that it, or its pallet, came through."""
    lot: str | None
    expires: str | None
    by: Stamp | None
    """The sighting of it, or of its pallet; (agent, epoch, number) name its row of the log."""


def cases(state: State, key: str) -> list[CaseOf]:
    """Every case of a shipment: the announced ones, and what came with them; nothing for one that is not known."""
    shipment = state.shipments.get(key)
    if shipment is None:
        return []
    return [_shown(state, shipment, case) for case in state.index.cases[key].values()]


def _shown(state: State, shipment: Shipment, case: Case) -> CaseOf:
    item = state.items.get(case.epc)
    lot = case.lot or (item.lot if item is not None else None)
    known = stock.known_lot(state, case.sku, lot)
    pallet, door = tally.marks(shipment, case)
    return CaseOf(
        epc=case.epc,
        sku=case.sku,
        sscc=case.sscc,
        state=shipments.case_state(shipment, case),
        seen_us=case.seen_us,
        seen_on=case.seen_on,
        wrong_pallet=pallet,
        wrong_door=door,
        late=case.late,
        door=case.door,
        lot=lot,
        expires=case.expires or (known.expires if known is not None else None),
        by=case.by,
    )
