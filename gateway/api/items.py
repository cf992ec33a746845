"""Tagged items: the opening balance, and where one of them is."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from contract.epc import identify
from contract.errors import BadEpc
from gateway.api import beliefs, pages, uploads
from gateway.api.beliefs import BeliefView
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.documents import openingbalance
from gateway.ledger.rows import Item
from gateway.ledger.storage.kept import Wanted
from gateway.views import EventTime

router = APIRouter(prefix="/api/v1/items", tags=["items"])


class ItemView(BaseModel):
    """One tagged item, and where it was last seen."""

    epc: str
    uri: str | None
    """Pure identity, e.g. urn:epc:id:sgtin:0614141.812345.6789; None for a tag that is no GS1 encoding."""
    sku: str | None
    zone: str | None
    """None: not in the house."""
    seen_us: EventTime | None
    """Event time of the newest sighting."""
    seen_at: str
    """Door or zone of it."""
    shipment: str | None
    """The shipment that it came or went with, last."""
    lot: str | None
    quarantined: bool
    """Its lot is over its limit: it may not be sold."""
    disposition: Literal["sellable", "quarantined", "damaged"] = "sellable"
    """As people last said."""
    container: str | None = None
    """EPC of the pallet that it stands on, or stood on last."""
    inferred: bool = False
    """Not its own tag was seen there but that of its pallet."""
    belief: BeliefView | None = None
    """How likely it still is where the books have it; only where one item is asked for."""


class ItemList(pages.Page):
    """Tagged items by EPC. A page may have fewer than `limit`, even none, and not be the last: see `next`."""

    items: list[ItemView]


class ImportResult(BaseModel):
    """What an import did."""

    items: int


@router.post(
    "",
    operation_id="importItems",
    status_code=201,
    responses=documented(
        "body-too-large", "unsupported-media-type", "invalid-body", "invalid-request", "ledger-failed"
    ),
    openapi_extra=uploads.documented("StandingItem", csv=",".join(openingbalance.COLUMNS), single=False),
)
async def import_items(
    request: Request,
    parts: GatewayParts,
    who: Annotated[str, Query(min_length=1, max_length=100, description="Who says so.")] = "api",
) -> ImportResult:
    """An opening balance: these items stand in these zones. Nothing is accepted when anything is wrong."""
    form, data = await uploads.read(request)
    read = openingbalance.from_json if form == "json" else openingbalance.from_csv
    record = await asyncio.to_thread(read, data, parts.master, who, parts.clock())
    await parts.ledger.record(record)
    return ImportResult(items=len(record.items))


@router.get("", operation_id="getItems", responses=documented("invalid-request"))
async def get_items(
    parts: GatewayParts,
    zone: Annotated[str | None, Query(max_length=100)] = None,
    sku: Annotated[str | None, Query(max_length=100)] = None,
    lot: Annotated[str | None, Query(max_length=100)] = None,
    after: pages.AfterKey = "",
    limit: pages.Limit = 100,
) -> ItemList:
    """Tagged items that were ever seen, in a zone, of a SKU, of a lot: all that is asked for must be so."""
    found, next_ = await asyncio.to_thread(parts.ledger.kept.items, Wanted(zone, sku, lot), after.lower(), limit)
    return ItemList(items=[_view(parts, *one) for one in found], next=next_, now_us=parts.clock())


@router.get("/{epc}", operation_id="getItem", responses=documented("unknown-item", "invalid-request"))
async def get_item(
    parts: GatewayParts,
    epc: Annotated[str, Path(pattern=r"^([0-9a-fA-F]{2}){1,62}$", description="EPC in hexadecimal.")],
) -> ItemView:
    """One tagged item."""
    epc = epc.lower()
    item = parts.ledger.item(epc)
    if item is None or item.seen is None:
        raise ApiProblem("unknown-item", f"no tag {epc} was ever seen here")
    belief = parts.ledger.beliefs.of(epc, parts.clock())
    return _view(parts, epc, item).model_copy(update={"belief": belief and beliefs.view(belief)})


def _view(parts: Parts, epc: str, item: Item) -> ItemView:
    return ItemView(
        epc=epc,
        uri=_uri(epc),
        sku=item.sku,
        zone=item.zone,
        seen_us=item.seen[0] if item.seen is not None else None,
        seen_at=item.seen_at,
        shipment=item.shipment,
        lot=item.lot,
        quarantined=parts.ledger.sorting.in_quarantine(item.lot),
        disposition=item.disposition,
        container=item.container,
        inferred=item.inferred is not None,
    )


def _uri(epc: str) -> str | None:
    try:
        identity = identify(epc)
    except BadEpc:
        return None
    return identity.uri if identity.scheme else None
