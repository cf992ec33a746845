"""Announced shipments: what a partner says, and what came of it."""

import asyncio
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from gateway.api import etags, pages, uploads
from gateway.api.etags import IfMatch, IfNoneMatch
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.documents import asn
from gateway.epcis.incoming import TagForm
from gateway.errors import BodyMistake
from gateway.views import EventTime, ShipmentView

router = APIRouter(prefix="/api/v1/shipments", tags=["shipments"])

CaseState = Literal["expected", "seen", "inferred", "unexpected", "over", "missing"]


class AnnouncedShipments(BaseModel):
    """The shipments of a body, in its order."""

    shipments: list[ShipmentView]


class ShipmentList(pages.Page):
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
    """`unexpected` was seen and not announced, `over` is one more than announced by number; `missing` is a fact: the
    shipment is settled."""
    seen_us: EventTime | None
    seen_on: str | None
    """EPC of the pallet that it was seen to move with."""
    wrong_pallet: bool
    wrong_door: bool
    late: bool
    """It came when somebody had closed the shipment."""
    door: str | None
    """The door that it, or its pallet, came or went through."""
    lot: str | None
    expires: str | None
    """ISO 8601."""
    told_by: str | None
    """The agent that saw it, or its pallet; why it is believed stands at `{shipment}/cases/{epc}`."""
    told_us: EventTime | None


class ShipmentDetail(ShipmentView):
    """A shipment and every case of it."""

    cases: list[CaseView]


EPCIS = "EPCISDocument (EPCIS 2.0, JSON-LD) with events of shipping or departing that name a despatch advice."


class TagFormQuery(BaseModel):
    """For EPCIS documents: how the partner's tags are written, which the URIs of their EPCs do not say."""

    case_filter: int = Field(TagForm().case_filter, ge=0, le=7, description="Filter value of the cases' tags.")
    pallet_filter: int = Field(TagForm().pallet_filter, ge=0, le=7, description="Filter value of the pallets' tags.")
    prefix_digits: int | None = Field(
        None, ge=6, le=12, description="Digits of the company prefix, for Digital Links; without it they are SGTIN+."
    )


ShipmentPath = Annotated[str, Path(min_length=1, max_length=100)]


@router.post(
    "",
    operation_id="announceShipments",
    status_code=201,
    responses={
        200: {
            "model": AnnouncedShipments,
            "description": "All of them were announced before: the new words replace the old.",
        },
        **etags.Guarded,
        **documented("body-too-large", "unsupported-media-type", "invalid-body", "invalid-request", "ledger-failed"),
    },
    openapi_extra=uploads.documented("Shipment", csv=",".join(asn.COLUMNS), single=True, epcis=EPCIS),
)
async def announce_shipments(
    request: Request,
    response: Response,
    parts: GatewayParts,
    form: Annotated[TagFormQuery, Query()],
    if_match: IfMatch = None,
) -> AnnouncedShipments:
    """Announce shipments (ASN). Again with the same id replaces it; the same again changes nothing.

    In a CSV a row is one case (`epc`, on the pallet `sscc`), or units of a SKU (`sku`, `units`). An EPCIS 2.0 document
    (JSON-LD) announces what its events of shipping and departing say of each despatch advice.
    Nothing is accepted when anything is wrong, and every mistake is told with its place. If-Match is for a body with
    one shipment.
    """
    kind, data = await uploads.read(request, uploads.FORMS_OF_ASN)
    if kind == "epcis":
        read = partial(asn.from_epcis, site=parts.site.site, form=TagForm(**vars(form)))
    else:
        read = partial(asn.from_json if kind == "json" else asn.from_csv)
    announced = await asyncio.to_thread(read, data, parts.master, parts.clock())
    news = [record for record in announced if not parts.ledger.announced(record)]
    if all(parts.ledger.view("shipments", record.id) for record in announced):
        response.status_code = 200
    if if_match is not None and len(announced) > 1:
        text = "If-Match speaks of one shipment, and the body announces several"
        raise ApiProblem("invalid-request", text, [BodyMistake("header.if-match", text)])
    if news:
        await parts.ledger.record(*news, refusal=etags.refusal(if_match, lambda: detail_of(parts, announced[0].id)))
    return AnnouncedShipments(shipments=[_view(parts, record.id) for record in announced])


@router.get("", operation_id="getShipments", responses=documented("invalid-request"))
async def get_shipments(
    parts: GatewayParts,
    state: Literal["expected", "receiving", "complete", "short"] | None = None,
    after: pages.AfterTime = None,
    limit: pages.Limit = 100,
) -> ShipmentList:
    """Announced shipments."""
    wanted = (view for view in parts.ledger.views("shipments").values() if state in (None, view.state))
    views, next_ = pages.newest_first(wanted, lambda view: (view.announced_us, view.id), after, limit)
    return ShipmentList(shipments=views, next=next_, now_us=parts.clock())


@router.get(
    "/{shipment_id}",
    operation_id="getShipment",
    response_model=ShipmentDetail,
    responses=etags.Conditional | documented("unknown-shipment", "invalid-request"),
)
async def get_shipment(parts: GatewayParts, shipment_id: ShipmentPath, if_none_match: IfNoneMatch = None) -> Response:
    """One shipment, with every case."""
    detail = detail_of(parts, shipment_id)
    if detail is None:
        raise unknown(shipment_id)
    return etags.shown(detail, if_none_match)


def detail_of(parts: Parts, shipment_id: str) -> ShipmentDetail | None:
    """A shipment with its cases; None if it was never announced."""
    view = parts.ledger.views.built("shipments", shipment_id)
    if not isinstance(view, ShipmentView):
        return None
    cases = [
        CaseView(
            epc=case.epc,
            sku=case.sku,
            sscc=case.sscc,
            state=case.state,
            seen_us=case.seen_us,
            seen_on=case.seen_on,
            wrong_pallet=case.wrong_pallet,
            wrong_door=case.wrong_door,
            late=case.late,
            door=case.door,
            lot=case.lot,
            expires=case.expires,
            told_by=case.by[1] if case.by is not None else None,
            told_us=case.by[0] if case.by is not None else None,
        )
        for case in parts.ledger.cases(shipment_id)
    ]
    return ShipmentDetail(**vars(view), cases=cases)


def _view(parts: Parts, shipment_id: str) -> ShipmentView:
    view = parts.ledger.view("shipments", shipment_id)
    if not isinstance(view, ShipmentView):
        raise unknown(shipment_id)
    return view


def unknown(shipment_id: str) -> ApiProblem:
    """The problem that nobody announced it."""
    return ApiProblem("unknown-shipment", f"no shipment {shipment_id!r} was announced")
