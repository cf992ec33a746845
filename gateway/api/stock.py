"""The books of one SKU: what stands where, first expired first out, and why; and the books of a moment of the past."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from gateway.api import pages
from gateway.api.history import MAX_US
from gateway.api.parts import GatewayParts
from gateway.api.problems import ApiProblem, documented
from gateway.errors import NoPast
from gateway.ledger.goods.books import Cause, Shelf
from gateway.ledger.showing import shown
from gateway.views import (
    EventTime,
    ExceptionView,
    GatewayTime,
    OrderView,
    ShipmentView,
    StockView,
)

router = APIRouter(prefix="/api/v1", tags=["stock"])

Sku = Annotated[str, Path(min_length=1, max_length=100)]


class ShelfView(BaseModel):
    """Units of one lot in one zone."""

    zone: str
    lot: str | None
    expires: str | None
    """The last day on which it may be sold, ISO 8601."""
    standing: Literal["sellable", "damaged", "expired", "quarantined"]
    units: int
    """May be negative: it is shown, never clamped."""
    tagged: int
    """Of the units, those whose tags are known: GET /api/v1/items tells where each was seen."""
    first_us: EventTime | None
    """When the first of the lot came."""


class StockDetail(StockView):
    """A SKU with its lots."""

    shelves: list[ShelfView]
    """What expires first stands first; of the same day, what came first."""
    now_us: GatewayTime


class CauseView(BaseModel):
    """What one event or record changed in a balance: in one zone, lot and disposition."""

    row: int
    """Of the log: GET /api/v1/events?after={row - 1}&limit=1."""
    kind: str | None
    """Of the event; None where the log was cut meanwhile."""
    agent: str | None
    at_us: EventTime
    recorded_us: GatewayTime
    zone: str
    lot: str | None
    disposition: Literal["sellable", "damaged", "quarantined"]
    """As people say; what is expired or quarantined with its whole lot is sellable here."""
    change: int
    count: int
    """How many changes these are: an import may bring a thousand."""
    level: int
    """Units of the SKU in that zone after it, of all lots and dispositions."""
    epc: str | None
    """Of the tagged unit, if it is one."""
    body: dict[str, Any] | None
    """The event or record itself."""


class WhyPage(pages.Page):
    """The changes of a balance, newest first; their sum back to the beginning is what it is now."""

    sku: str
    causes: list[CauseView]


class PastView(BaseModel):
    """The books as they were at a moment: what the gateway knew then, not what it knows now of then."""

    at_us: GatewayTime
    row: int
    """The last row of the log until then."""
    stock: list[StockView]
    shipments: list[ShipmentView]
    exceptions: list[ExceptionView]
    orders: list[OrderView]


@router.get("/stock/{sku}", operation_id="getStockOfSku", responses=documented("unknown-sku", "invalid-request"))
async def get_stock_of_sku(parts: GatewayParts, sku: Sku) -> StockDetail:
    """One SKU: where it stands, by lot; first expired, first out."""
    view = parts.ledger.view("stock", sku)
    if not isinstance(view, StockView):
        raise ApiProblem("unknown-sku", f"no SKU {sku!r} is known here")
    return StockDetail(**vars(view), shelves=list(map(_shelf, parts.ledger.books.shelves(sku))), now_us=parts.clock())


@router.get("/stock/{sku}/why", operation_id="getWhy", responses=documented("unknown-sku", "invalid-request"))
async def get_why(
    parts: GatewayParts,
    sku: Sku,
    zone: Annotated[str | None, Query(max_length=100)] = None,
    lot: Annotated[str | None, Query(max_length=100)] = None,
    after: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Events of a page.")] = 50,
) -> WhyPage:
    """Why a balance is what it is: the events that made it, newest first."""
    if parts.ledger.view("stock", sku) is None:
        raise ApiProblem("unknown-sku", f"no SKU {sku!r} is known here")
    before = after or 2**63 - 1
    found = await asyncio.to_thread(parts.ledger.books.why, sku, zone=zone, lot=lot, before=before, rows=limit)
    rows = {one.posting.row for one in found}
    next_ = str(min(rows)) if len(rows) == limit else None
    return WhyPage(sku=sku, causes=list(map(_cause, found)), next=next_, now_us=parts.clock())


@router.get("/past", operation_id="getPast", responses=documented("no-past", "invalid-request"))
async def get_past(parts: GatewayParts, at_us: Annotated[int, Query(ge=0, le=MAX_US)]) -> Response:
    """The books as they were at a moment."""
    try:
        data = await asyncio.to_thread(_past, parts, at_us)
    except NoPast as error:
        raise ApiProblem("no-past", str(error)) from error
    return Response(data, media_type="application/json")


def _past(parts: GatewayParts, at_us: int) -> bytes:
    with parts.ledger.past.at(at_us) as (row, state):
        views = shown.of_past(state, at_us)
        past = PastView(
            at_us=at_us,
            row=row,
            stock=list(views("stock").values()),
            shipments=list(views("shipments").values()),
            exceptions=list(views("exceptions").values()),
            orders=list(views("orders").values()),
        )
    return past.model_dump_json().encode()


def _shelf(shelf: Shelf) -> ShelfView:
    return ShelfView(
        zone=shelf.bin.zone,
        lot=shelf.bin.lot or None,
        expires=shelf.lot.expires if shelf.lot else None,
        standing=shelf.standing,
        units=shelf.bin.units,
        tagged=shelf.bin.tagged,
        first_us=shelf.lot.first_us if shelf.lot else None,
    )


def _cause(cause: Cause) -> CauseView:
    one, count, row = cause
    return CauseView.model_validate(
        {
            "row": one.row,
            "kind": row.kind if row else None,
            "agent": row.agent if row else None,
            "at_us": one.at_us,
            "recorded_us": one.recorded_us,
            "zone": one.zone,
            "lot": one.lot or None,
            "disposition": one.disposition,
            "change": one.change,
            "count": count,
            "level": one.level,
            "epc": one.epc or None,
            "body": msgspec.json.decode(row.body) if row else None,
        }
    )
