"""Tagged items: the opening balance, and where one of them is."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from contract.epc import identify
from contract.errors import BadEpc
from gateway import openingbalance
from gateway.api import uploads
from gateway.api.parts import GatewayParts
from gateway.api.problems import ApiProblem, documented

router = APIRouter(prefix="/api/v1/items", tags=["items"])


class ItemView(BaseModel):
    """One tagged item, and where it was last seen."""

    epc: str
    uri: str | None
    """Pure identity, e.g. urn:epc:id:sgtin:0614141.812345.6789; None for a tag that is no GS1 encoding."""
    sku: str | None
    zone: str | None
    """None: not in the house."""
    seen_us: int | None
    """Event time of the newest sighting."""
    seen_at: str
    """Door or zone of it."""
    shipment: str | None
    """The shipment that it came or went with, last."""
    lot: str | None
    quarantined: bool
    """Its lot is over its limit: it may not be sold."""


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
    return ItemView(
        epc=epc,
        uri=_uri(epc),
        sku=item.sku,
        zone=item.zone,
        seen_us=item.seen[0],
        seen_at=item.seen_at,
        shipment=item.shipment,
        lot=item.lot,
        quarantined=parts.ledger.sorting.in_quarantine(item.lot),
    )


def _uri(epc: str) -> str | None:
    try:
        identity = identify(epc)
    except BadEpc:
        return None
    return identity.uri if identity.scheme else None
