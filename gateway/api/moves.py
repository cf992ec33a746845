"""What people moved without a portal, and what of the stock may be sold."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.api import uploads
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import documented
from gateway.documents import moves
from gateway.documents.moves import DispositionLine, Move
from gateway.views import ShipmentView

router = APIRouter(prefix="/api/v1", tags=["stock"])

_PROBLEMS: Final = documented(
    "body-too-large", "unsupported-media-type", "invalid-body", "invalid-request", "ledger-failed"
)


class Elsewhere(BaseModel):
    """A tag that the books had elsewhere than in `from`: it is moved all the same, the newest word counts."""

    epc: str
    said: str
    """`from`."""
    was: str | None
    """Zone; None: not in the house, as far as was known."""


class MoveResult(BaseModel):
    """What a body of moves did."""

    moves: int
    elsewhere: list[Elsewhere]


class DispositionResult(BaseModel):
    """What a body of dispositions did."""

    lines: int


@router.post(
    "/moves",
    operation_id="moveStock",
    status_code=201,
    responses=_PROBLEMS,
    openapi_extra=uploads.documented("Move", csv=",".join(moves.MOVE_COLUMNS), single=True),
)
async def move_stock(request: Request, parts: GatewayParts) -> MoveResult:
    """Tell of stock that was moved by hand: putaway, picks, receipts and shipments without tags, returns, scrap.

    A row is one tag (`epc`), or `units` of a `sku`. Nothing is accepted when anything is wrong, and every mistake is
    told with its place.
    """
    form, data = await uploads.read(request)
    rows = await asyncio.to_thread(moves.moves_from, form, data, parts.master)
    moves.check(form, rows, lambda row: _no_shipment(parts, row))
    elsewhere = [found for row in rows if (found := _elsewhere(parts, row)) is not None]
    await parts.ledger.record(*moves.moved(rows, parts.clock()))
    return MoveResult(moves=len(rows), elsewhere=elsewhere)


@router.post(
    "/dispositions",
    operation_id="setDispositions",
    status_code=201,
    responses=_PROBLEMS,
    openapi_extra=uploads.documented("DispositionLine", csv=",".join(moves.DISPOSITION_COLUMNS), single=True),
)
async def set_dispositions(request: Request, parts: GatewayParts) -> DispositionResult:
    """Say what may be sold, and what is quarantined or damaged: one tag a row, or `units` of a `sku` in a `zone`."""
    form, data = await uploads.read(request)
    rows = await asyncio.to_thread(moves.dispositions_from, form, data, parts.master)
    moves.check(form, rows, lambda row: _never_seen(parts, row))
    await parts.ledger.record(*moves.dispositions(rows, parts.clock()))
    return DispositionResult(lines=len(rows))


def _no_shipment(parts: Parts, row: Move) -> tuple[str, str] | None:
    if row.shipment is None:
        return None
    view = parts.ledger.view("shipments", row.shipment)
    if not isinstance(view, ShipmentView):
        return "shipment", f"no shipment {row.shipment!r} was announced"
    wanted = "outbound" if row.reason == "shipment" else "inbound"
    if view.direction != wanted:
        return "shipment", f"shipment {row.shipment!r} is {view.direction}: a {row.reason} is {wanted}"
    return None


def _never_seen(parts: Parts, row: DispositionLine) -> tuple[str, str] | None:
    if row.epc is None or parts.ledger.item(row.epc) is not None:
        return None
    return "epc", f"no tag {row.epc} was ever seen here"


def _elsewhere(parts: Parts, row: Move) -> Elsewhere | None:
    if row.epc is None or row.origin is None:
        return None
    item = parts.ledger.item(row.epc)
    was = item.zone if item is not None else None
    return None if was == row.origin else Elsewhere(epc=row.epc, said=row.origin, was=was)
