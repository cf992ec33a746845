"""Lots: what ran over the lines, and which of it is in quarantine."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api import etags, pages
from gateway.api.etags import IfMatch, IfNoneMatch
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.documents.known import LINE, Words
from gateway.ledger.fruit.lots import key_of
from gateway.records import LotReleased
from gateway.views import LotView

router = APIRouter(prefix="/api/v1/lots", tags=["lines"])


LotPath = Annotated[str, Path(min_length=1, max_length=100)]


class LotOfLine(LotView):
    """One lot on one line."""

    line: str


class LotRuns(BaseModel):
    """One lot, on every line where it ran."""

    lots: list[LotOfLine]


class LotList(pages.Page):
    """Lots, the last begun first."""

    lots: list[LotOfLine]


class Release(BaseModel):
    """Who frees a lot, and why it may be sold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Words
    why: str = Field(min_length=1, max_length=1000, pattern=LINE)


@router.get("", operation_id="getLots", responses=documented("invalid-request"))
async def get_lots(
    parts: GatewayParts,
    state: Literal["running", "within", "over", "released"] | None = None,
    after: pages.AfterTime = None,
    limit: pages.Limit = 100,
) -> LotList:
    """What ran over the lines."""
    found, next_ = pages.cut(
        [_lot(*one) for one in parts.ledger.sorting.last_lots(state, limit + 1, pages.before(after))],
        limit,
        lambda lot: pages.place(lot.begun_us, key_of(lot.line, lot.lot)),
    )
    return LotList(lots=found, next=next_, now_us=parts.clock())


@router.get(
    "/{lot:path}/runs",
    operation_id="getLotRuns",
    response_model=LotRuns,
    responses=etags.Conditional | documented("unknown-lot", "invalid-request"),
)
async def get_lot_runs(parts: GatewayParts, lot: LotPath, if_none_match: IfNoneMatch = None) -> Response:
    """One lot, on every line where it ran."""
    return etags.shown(_runs(parts, lot), if_none_match)


@router.post(
    "/{lot:path}/release",
    operation_id="releaseLot",
    response_model=LotRuns,
    responses=etags.Guarded
    | documented(
        "bad-request", "unknown-lot", "not-in-quarantine", "invalid-request", "body-too-large", "ledger-failed"
    ),
)
async def release_lot(parts: GatewayParts, lot: LotPath, release: Release, if_match: IfMatch = None) -> Response:
    """Take a lot that is over its limit out of quarantine, on every line. The same again changes nothing."""
    found = _runs(parts, lot)
    if any(view.state == "over" for view in found.lots):
        record = LotReleased(at_us=parts.clock(), lot=lot, who=release.who, why=release.why)
        await parts.ledger.record(record, refusal=etags.refusal(if_match, lambda: _runs(parts, lot)))
    else:
        _check_same(parts, lot, release, if_match)
    return etags.shown(_runs(parts, lot), at=f"/api/v1/lots/{quote(lot, safe='')}/runs")


def _check_same(parts: Parts, lot: str, release: Release, if_match: str | None) -> None:
    """Nothing is left to free: fine if these were the very words that freed it."""
    released = parts.ledger.sorting.released(lot)
    if released != (release.who, release.why):
        etags.check(if_match, _runs(parts, lot))
    if released is None:
        raise ApiProblem("not-in-quarantine", f"lot {lot!r} is not over its limit")
    if released != (release.who, release.why):
        raise ApiProblem("not-in-quarantine", f"{released[0]} has released it: {released[1]}")


def _runs(parts: Parts, lot: str) -> LotRuns:
    found = parts.ledger.sorting.lots(lot)
    if not found:
        raise ApiProblem("unknown-lot", f"no lot {lot!r} has run over a line")
    return LotRuns(lots=[_lot(line, view) for line, view in found])


def _lot(line: str, view: LotView) -> LotOfLine:
    return LotOfLine(line=line, **vars(view))
