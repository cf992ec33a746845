"""Announced shipments: what a partner says, and what came of it."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from gateway import asn
from gateway.api import uploads
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.views import ShipmentView

router = APIRouter(prefix="/api/v1/shipments", tags=["shipments"])

CaseState = Literal["expected", "seen", "unexpected", "missing"]


class ShipmentList(BaseModel):
    """Shipments, the last announced first."""

    shipments: list[ShipmentView]


class CaseView(BaseModel):
    """One case of a shipment."""

    epc: str
    sku: str
    """`unidentified` for a tag that is no stock unit."""
    sscc: str | None
    """EPC of the pallet's own tag."""
    state: CaseState
    """`unexpected` was seen and not announced; `missing` is a fact: the shipment is settled."""
    seen_us: int | None


class ShipmentDetail(ShipmentView):
    """A shipment and every case of it."""

    cases: list[CaseView]


ShipmentPath = Annotated[str, Path(min_length=1, max_length=100)]


@router.post(
    "",
    operation_id="announceShipments",
    status_code=201,
    responses={
        200: {
            "model": ShipmentList,
            "description": "All of them were announced before: the new words replace the old.",
        },
        **documented("body-too-large", "unsupported-media-type", "invalid-body", "ledger-failed"),
    },
    openapi_extra=uploads.documented("Shipment", csv=",".join(asn.COLUMNS), single=True),
)
async def announce_shipments(request: Request, response: Response, parts: GatewayParts) -> ShipmentList:
    """Announce shipments (ASN). Again with the same id replaces it; the same again changes nothing.

    In a CSV a row is one case (`epc`, on the pallet `sscc`), or units of a SKU (`sku`, `units`).
    Nothing is accepted when anything is wrong, and every mistake is told with its place.
    """
    form, data = await uploads.read(request)
    read = asn.from_json if form == "json" else asn.from_csv
    announced = await asyncio.to_thread(read, data, parts.master, parts.clock())
    news = [record for record in announced if not parts.ledger.announced(record)]
    if all(parts.ledger.view("shipments", record.id) for record in announced):
        response.status_code = 200
    if news:
        await parts.ledger.record(*news)
    return ShipmentList(shipments=[_view(parts, record.id) for record in announced])


@router.get("", operation_id="getShipments")
async def get_shipments(
    parts: GatewayParts, state: Literal["expected", "receiving", "complete", "short"] | None = None
) -> ShipmentList:
    """Announced shipments."""
    views = [view for view in parts.ledger.views("shipments").values() if state in (None, view.state)]
    return ShipmentList(shipments=sorted(views, key=lambda view: view.announced_us, reverse=True))


@router.get("/{shipment_id}", operation_id="getShipment", responses=documented("unknown-shipment"))
async def get_shipment(parts: GatewayParts, shipment_id: ShipmentPath) -> ShipmentDetail:
    """One shipment, with every case."""
    view = _view(parts, shipment_id)
    cases = [
        CaseView(epc=case.epc, sku=case.sku, sscc=case.sscc, state=case.state, seen_us=case.seen_us)
        for case in parts.ledger.cases(shipment_id)
    ]
    return ShipmentDetail(**vars(view), cases=cases)


def _view(parts: Parts, shipment_id: str) -> ShipmentView:
    view = parts.ledger.view("shipments", shipment_id)
    if not isinstance(view, ShipmentView):
        raise ApiProblem("unknown-shipment", f"no shipment {shipment_id!r} was announced")
    return view
