"""What people do about a shipment, and why the ledger says of its cases what it says."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api import etags
from gateway.api.etags import IfMatch
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.api.shipments import ShipmentDetail, ShipmentPath, detail_of, unknown
from gateway.documents import caseevidence
from gateway.documents.caseevidence import CaseEvidence
from gateway.documents.known import LINE, Words
from gateway.ledger.goods.fefo import Pick
from gateway.records import ShipmentClosed
from gateway.views import ShipmentView

router = APIRouter(prefix="/api/v1/shipments", tags=["shipments"])

_CLOSING = etags.Guarded | documented(
    "bad-request", "unknown-shipment", "invalid-request", "body-too-large", "ledger-failed"
)


class Closing(BaseModel):
    """Who ends a shipment as it is, or takes that back, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Words
    why: Annotated[str, Field(min_length=1, max_length=1000, pattern=LINE)]


class PickView(BaseModel):
    """Units to take out of one zone."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    sku: str
    units: int
    zone: str | None
    """None: so many more are wanted than the house has to sell."""
    lot: str | None
    expires: str | None
    """ISO 8601."""


class Picks(BaseModel):
    """What is still to be picked for an outbound order, what expires first before the rest."""

    shipment: str
    picks: list[PickView]


@router.post(
    "/{shipment_id}/close",
    operation_id="closeShipment",
    response_model=ShipmentDetail,
    responses=_CLOSING | documented("already-closed"),
)
async def close_shipment(
    parts: GatewayParts, shipment_id: ShipmentPath, closing: Closing, if_match: IfMatch = None
) -> Response:
    """End a shipment as it is, short or over: nothing of it is waited for any more. The same again changes nothing."""
    return await _end(parts, shipment_id, closing, if_match, reopened=False)


@router.post(
    "/{shipment_id}/reopen",
    operation_id="reopenShipment",
    response_model=ShipmentDetail,
    responses=_CLOSING,
)
async def reopen_shipment(
    parts: GatewayParts, shipment_id: ShipmentPath, closing: Closing, if_match: IfMatch = None
) -> Response:
    """Take back that a shipment was closed. Of one that is not closed this changes nothing."""
    return await _end(parts, shipment_id, closing, if_match, reopened=True)


@router.get(
    "/{shipment_id}/picks", operation_id="getPicks", responses=documented("unknown-shipment", "invalid-request")
)
async def get_picks(parts: GatewayParts, shipment_id: ShipmentPath) -> Picks:
    """From which zones and lots to pick what an outbound order announced by number: first expired, first out."""
    if parts.ledger.view("shipments", shipment_id) is None:
        raise unknown(shipment_id)
    return Picks(shipment=shipment_id, picks=[_pick(pick) for pick in parts.ledger.picks(shipment_id)])


@router.get(
    "/{shipment_id}/cases/{epc}",
    operation_id="getCaseEvidence",
    responses=documented("unknown-shipment", "unknown-item", "no-past", "invalid-request"),
)
async def get_case_evidence(
    parts: GatewayParts,
    shipment_id: ShipmentPath,
    epc: Annotated[str, Path(pattern=r"^([0-9a-fA-F]{2}){1,62}$", description="EPC in hexadecimal.")],
) -> CaseEvidence:
    """The row of the log by which a case counts as seen or inferred, and what it says of it."""
    epc = epc.lower()
    if parts.ledger.view("shipments", shipment_id) is None:
        raise unknown(shipment_id)
    case = next((one for one in parts.ledger.cases(shipment_id) if one.epc == epc), None)
    if case is None or case.by is None:
        raise ApiProblem("unknown-item", f"no case {epc} of {shipment_id!r} was seen, nor its pallet")
    row = await asyncio.to_thread(parts.ledger.kept.row, *case.by[1:])
    if row is None:
        raise ApiProblem("no-past", "the log does not reach back to its sighting any more")
    return caseevidence.of(row, epc, case.sscc)


async def _end(parts: Parts, shipment_id: str, closing: Closing, if_match: str | None, *, reopened: bool) -> Response:
    view = _view(parts, shipment_id)
    if reopened == (view.closed_us is not None):
        record = ShipmentClosed(
            at_us=parts.clock(), id=shipment_id, who=closing.who, why=closing.why, reopened=reopened
        )
        await parts.ledger.record(record, refusal=etags.refusal(if_match, lambda: detail_of(parts, shipment_id)))
        view = _view(parts, shipment_id)  # of two who say it at once, the log has one first
    if not reopened and (view.closed_by, view.closed_why) != (closing.who, closing.why):
        raise ApiProblem("already-closed", f"{view.closed_by} has closed it: {view.closed_why}")
    detail = detail_of(parts, shipment_id)
    assert detail is not None
    return etags.shown(detail)


def _view(parts: Parts, shipment_id: str) -> ShipmentView:
    view = parts.ledger.views.built("shipments", shipment_id)
    if not isinstance(view, ShipmentView):
        raise unknown(shipment_id)
    return view


def _pick(pick: Pick) -> PickView:
    return PickView(sku=pick.sku, units=pick.units, zone=pick.zone, lot=pick.lot, expires=pick.expires)
