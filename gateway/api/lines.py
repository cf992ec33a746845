"""Sorting lines: how each does, its picture, and which lot runs over it."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict

from gateway.api import etags
from gateway.api.etags import IfMatch, IfNoneMatch
from gateway.api.evidence import JPEG, jpeg
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.documents.known import Words
from gateway.errors import BodyMistake
from gateway.records import LotBegun
from gateway.views import GatewayTime, LineView, LotTime

router = APIRouter(prefix="/api/v1/lines", tags=["lines"])

LinePath = Annotated[str, Path(min_length=1, max_length=100)]


class LineList(BaseModel):
    """Every sorting line, in the order of the site file."""

    lines: list[LineView]
    now_us: GatewayTime


class RunningLot(BaseModel):
    """The lot that runs over a line, or ran last, as it was begun."""

    line: str
    lot: str | None
    """None: no lot has run over it yet. The others are None then, too."""
    sku: str | None
    customer: str | None
    begun_us: LotTime | None
    limit: float | None
    """A larger share of defective fruit is too much."""


class LotBeginning(BaseModel):
    """What runs over a line from now on, and who says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lot: Words
    sku: Words | None = None
    customer: Words | None = None
    """As a grade of the site file names it; another one has the grade of everybody."""
    who: Words


@router.get("", operation_id="getLines")
async def get_lines(parts: GatewayParts) -> LineList:
    """How the sorting lines do."""
    return LineList(lines=list(parts.ledger.views("lines").values()), now_us=parts.clock())


@router.get("/{line}", operation_id="getLine", responses=documented("unknown-line"))
async def get_line(parts: GatewayParts, line: LinePath) -> LineView:
    """How one line does."""
    return _view(parts, line)


@router.get(
    "/{line}/lot",
    operation_id="getRunningLot",
    response_model=RunningLot,
    responses=etags.Conditional | documented("unknown-line", "invalid-request"),
)
async def get_running_lot(parts: GatewayParts, line: LinePath, if_none_match: IfNoneMatch = None) -> Response:
    """Which lot runs over the line."""
    return etags.shown(_running(parts, line), if_none_match)


@router.post(
    "/{line}/lot",
    operation_id="beginLot",
    status_code=201,
    responses={
        200: {"model": LineView, "description": "This lot runs already, for this customer."},
        **etags.Guarded,
        **documented("bad-request", "unknown-line", "invalid-request", "body-too-large", "ledger-failed"),
    },
)
async def begin_lot(
    parts: GatewayParts, response: Response, line: LinePath, order: LotBeginning, if_match: IfMatch = None
) -> LineView:
    """Another lot runs over the line: its agent is told, its fruit counts for it. The same again changes nothing."""
    _view(parts, line)
    if order.sku is not None and (text := parts.master.unknown_sku(order.sku)):
        raise ApiProblem("invalid-request", text, [BodyMistake("body.sku", text)])
    if parts.ledger.sorting.runs_already(line, order.lot, order.sku, order.customer):
        response.status_code = 200
    else:
        limit = parts.ledger.sorting.limit(line, order.customer)
        record = LotBegun(at_us=parts.clock(), line=line, limit=limit, **order.model_dump())
        await parts.ledger.record(record, refusal=etags.refusal(if_match, lambda: _running(parts, line)))
    return _view(parts, line)


@router.get(
    "/{line}/belt.jpg",
    operation_id="getBelt",
    response_class=Response,
    responses={200: JPEG, **documented("unknown-line", "no-picture")},
)
async def get_belt(parts: GatewayParts, line: LinePath) -> Response:
    """The belt as the camera saw it last, about a second old while `belt_us` of the line goes on."""
    _view(parts, line)
    picture = parts.belts.picture(line)
    if picture is None:
        raise ApiProblem("no-picture", f"no picture of line {line!r} has come since the gateway began")
    return jpeg(picture, "no-store")


def _running(parts: Parts, line: str) -> RunningLot:
    view = parts.ledger.views.built("lines", line)
    if not isinstance(view, LineView):
        raise _unknown(line)
    lot = view.lot
    if lot is None:
        return RunningLot(line=line, lot=None, sku=None, customer=None, begun_us=None, limit=None)
    return RunningLot(
        line=line, lot=lot.lot, sku=lot.sku, customer=lot.customer, begun_us=lot.begun_us, limit=lot.limit
    )


def _view(parts: Parts, line: str) -> LineView:
    view = parts.ledger.view("lines", line)
    if not isinstance(view, LineView):
        raise _unknown(line)
    return view


def _unknown(line: str) -> ApiProblem:
    return ApiProblem("unknown-line", f"no sorting line of the site file is called {line!r}")
