"""Lots: what ran over the lines, and which of it is in quarantine."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.known import LINE, Words
from gateway.records import LotReleased
from gateway.views import LotView

router = APIRouter(prefix="/api/v1/lots", tags=["lines"])


class LotOfLine(LotView):
    """One lot on one line."""

    line: str


class LotList(BaseModel):
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
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> LotList:
    """What ran over the lines."""
    return LotList(lots=[_lot(line, view) for line, view in parts.ledger.sorting.last_lots(state, limit)])


@router.post(
    "/{lot:path}/release",
    operation_id="releaseLot",
    responses=documented(
        "bad-request", "unknown-lot", "not-in-quarantine", "invalid-request", "body-too-large", "ledger-failed"
    ),
)
async def release_lot(
    parts: GatewayParts, lot: Annotated[str, Path(min_length=1, max_length=100)], release: Release
) -> LotList:
    """Take a lot that is over its limit out of quarantine, on every line. The same again changes nothing."""
    found = parts.ledger.sorting.lots(lot)
    if not found:
        raise ApiProblem("unknown-lot", f"no lot {lot!r} has run over a line")
    if any(view.state == "over" for _, view in found):
        await parts.ledger.record(LotReleased(at_us=parts.clock(), lot=lot, who=release.who, why=release.why))
    else:
        _check_same(parts, lot, release)
    return LotList(lots=[_lot(line, view) for line, view in parts.ledger.sorting.lots(lot)])


def _check_same(parts: Parts, lot: str, release: Release) -> None:
    """Nothing is left to free: fine if these were the very words that freed it."""
    released = parts.ledger.sorting.released(lot)
    if released is None:
        raise ApiProblem("not-in-quarantine", f"lot {lot!r} is not over its limit")
    if released != (release.who, release.why):
        raise ApiProblem("not-in-quarantine", f"{released[0]} has released it: {released[1]}")


def _lot(line: str, view: LotView) -> LotOfLine:
    return LotOfLine(line=line, **vars(view))
