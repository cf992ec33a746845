"""Master data: the item master, the zone tree, lots and their expiry; beside what the site file says."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from gateway.api import pages, uploads
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import documented
from gateway.documents import masterfiles, sheets
from gateway.documents.itemmaster import ItemMaster
from gateway.documents.masterfiles import LotLine, ProductLine, ZoneLine
from gateway.records import Record

router = APIRouter(prefix="/api/v1", tags=["master data"])

Line = TypeVar("Line", bound=BaseModel)
Who = Annotated[str, Query(min_length=1, max_length=100, description="Who says so.")]
_REFUSALS = documented("body-too-large", "unsupported-media-type", "invalid-body", "invalid-request", "ledger-failed")


class Imported(BaseModel):
    """What an import did."""

    rows: int


class ProductView(ProductLine):
    """One line of the item master."""


class ProductList(pages.Page):
    """The item master, by SKU."""

    products: list[ProductView]


class ZoneView(ZoneLine):
    """One zone."""


class ZoneList(pages.Page):
    """The zone tree, by name."""

    zones: list[ZoneView]


class LotExpiryView(BaseModel):
    """One lot that expires."""

    sku: str
    lot: str
    expires: str
    expired: bool
    """Its last day is over: its stock may not be sold."""


class LotExpiryList(BaseModel):
    """Lots that expire before a day, the first to expire first."""

    lots: list[LotExpiryView]


@router.post(
    "/products",
    operation_id="importProducts",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=uploads.documented("ProductLine", csv=",".join(masterfiles.PRODUCTS.columns), single=True),
)
async def import_products(request: Request, parts: GatewayParts, who: Who = "api") -> Imported:
    """Lines of the item master; a later one of the same SKU replaces it. Nothing is accepted when anything is wrong."""
    return await _imported(request, parts, ProductLine, masterfiles.PRODUCTS, masterfiles.products, who)


@router.get("/products", operation_id="getProducts", responses=documented("invalid-request"))
async def get_products(parts: GatewayParts, after: pages.AfterKey = "", limit: pages.Limit = 100) -> ProductList:
    """The item master."""
    found, next_ = pages.by_key(parts.ledger.house.products.values(), lambda product: product.sku, after, limit)
    views = [ProductView.model_validate(product, from_attributes=True) for product in found]
    return ProductList(products=views, next=next_, now_us=parts.clock())


@router.post(
    "/zones",
    operation_id="importZones",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=uploads.documented("ZoneLine", csv=",".join(masterfiles.ZONES.columns), single=True),
)
async def import_zones(request: Request, parts: GatewayParts, who: Who = "api") -> Imported:
    """Zones of the tree; a later one of the same name replaces it. Nothing is accepted when anything is wrong."""
    return await _imported(request, parts, ZoneLine, masterfiles.ZONES, masterfiles.zones, who)


@router.get("/zones", operation_id="getZones", responses=documented("invalid-request"))
async def get_zones(parts: GatewayParts, after: pages.AfterKey = "", limit: pages.Limit = 100) -> ZoneList:
    """The zone tree."""
    found, next_ = pages.by_key(parts.ledger.house.zones.values(), lambda zone: zone.name, after, limit)
    views = [ZoneView.model_validate(zone, from_attributes=True) for zone in found]
    return ZoneList(zones=views, next=next_, now_us=parts.clock())


@router.post(
    "/expiries",
    operation_id="importExpiries",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=uploads.documented("LotLine", csv=",".join(masterfiles.LOTS.columns), single=True),
)
async def import_expiries(request: Request, parts: GatewayParts, who: Who = "api") -> Imported:
    """When lots expire. Nothing is accepted when anything is wrong."""
    return await _imported(request, parts, LotLine, masterfiles.LOTS, masterfiles.lots, who)


@router.get("/expiries", operation_id="getExpiries", responses=documented("invalid-request"))
async def get_expiries(
    parts: GatewayParts,
    before: Annotated[str, Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="A day, ISO 8601.")],
    limit: pages.Limit = 100,
) -> LotExpiryList:
    """Lots in the books that expire before a day, the first to expire first."""
    views = [
        LotExpiryView(sku=lot.sku, lot=lot.lot, expires=lot.expires, expired=lot.expired)
        for lot in parts.ledger.books.lots(before)[:limit]
        if lot.expires is not None
    ]
    return LotExpiryList(lots=views)


async def _imported(
    request: Request,
    parts: Parts,
    model: type[Line],
    sheet: sheets.Sheet,
    made: Callable[[list[Line], ItemMaster, str, int], Iterable[Record]],
    who: str,
) -> Imported:
    """Read the rows of a body and record what is `made` of them."""
    form, data = await uploads.read(request)
    if form == "json":
        lines = await asyncio.to_thread(sheets.from_json, data, model, parts.master)
    else:
        lines = await asyncio.to_thread(sheets.from_csv, data, sheet, model, parts.master)
    await parts.ledger.record(*made(lines, parts.master, who, parts.clock()))
    return Imported(rows=len(lines))
