"""What people do about an exception besides resolving it: take care of it, put it off, take its resolution back."""

from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api import etags
from gateway.api.etags import IfMatch
from gateway.api.exceptions import ExceptionPath, found, in_memory
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.documents.known import LINE, Words
from gateway.errors import BodyMistake
from gateway.records import ExceptionClaimed, ExceptionReopened, ExceptionSnoozed, Record
from gateway.views import ExceptionView, GatewayTime

router = APIRouter(prefix="/api/v1/exceptions", tags=["exceptions"])

MAX_SNOOZE_US: Final = 31 * 86_400_000_000
Why = Annotated[str, Field(min_length=1, max_length=1000, pattern=LINE)]

_PROBLEMS: Final = etags.Guarded | documented(
    "bad-request", "unknown-exception", "already-resolved", "invalid-request", "body-too-large", "ledger-failed"
)


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    who: Words


class Claim(_Said):
    """Who takes care of it, or does so no longer."""


class Snooze(_Said):
    """Nobody wants to hear of it until then, unless it gets worse."""

    until_us: GatewayTime
    """In the future, at most 31 days."""
    why: Why | None = None


class Reopening(_Said):
    """Its resolution is taken back."""

    why: Why


@router.post("/{exception_id}/claim", operation_id="claimException", response_model=ExceptionView, responses=_PROBLEMS)
async def claim_exception(
    parts: GatewayParts, exception_id: ExceptionPath, claim: Claim, if_match: IfMatch = None
) -> Response:
    """Take care of an exception; whoever did before does so no longer."""
    record = ExceptionClaimed(at_us=parts.clock(), id=exception_id, who=claim.who)
    return await _done(parts, exception_id, record, if_match)


@router.post(
    "/{exception_id}/release", operation_id="releaseException", response_model=ExceptionView, responses=_PROBLEMS
)
async def release_exception(
    parts: GatewayParts, exception_id: ExceptionPath, claim: Claim, if_match: IfMatch = None
) -> Response:
    """Nobody takes care of it any more."""
    record = ExceptionClaimed(at_us=parts.clock(), id=exception_id, who=claim.who, let_go=True)
    return await _done(parts, exception_id, record, if_match)


@router.post(
    "/{exception_id}/snooze", operation_id="snoozeException", response_model=ExceptionView, responses=_PROBLEMS
)
async def snooze_exception(
    parts: GatewayParts, exception_id: ExceptionPath, snooze: Snooze, if_match: IfMatch = None
) -> Response:
    """Put an exception off until a moment. It wakes before, when there is more of it or it is louder."""
    now_us = parts.clock()
    if not now_us < snooze.until_us <= now_us + MAX_SNOOZE_US:
        text = f"expected a moment in the next 31 days; now is {now_us}"
        raise ApiProblem("invalid-request", text, [BodyMistake("body.until_us", text)])
    record = ExceptionSnoozed(
        at_us=now_us, id=exception_id, who=snooze.who, until_us=snooze.until_us, why=snooze.why or ""
    )
    return await _done(parts, exception_id, record, if_match)


@router.post(
    "/{exception_id}/reopen",
    operation_id="reopenException",
    response_model=ExceptionView,
    responses=_PROBLEMS | documented("cannot-reopen"),
)
async def reopen_exception(
    parts: GatewayParts, exception_id: ExceptionPath, reopening: Reopening, if_match: IfMatch = None
) -> Response:
    """Take the resolution of an exception back: it is open again. Of one that is open this changes nothing."""
    view = await found(parts, exception_id)
    if view.state == "open":
        return _shown(exception_id, view)
    record = ExceptionReopened(at_us=parts.clock(), id=exception_id, who=reopening.who, why=reopening.why)
    unseen = etags.refusal(if_match, lambda: in_memory(parts, exception_id))
    await parts.ledger.record(record, refusal=_first(unseen, lambda: _closed_for_good(parts, exception_id)))
    return _shown(exception_id, await found(parts, exception_id))


async def _done(parts: Parts, exception_id: str, record: Record, if_match: str | None) -> Response:
    """Record something about an open exception."""
    await found(parts, exception_id)
    unseen = etags.refusal(if_match, lambda: in_memory(parts, exception_id))
    await parts.ledger.record(record, refusal=_first(unseen, lambda: _resolved(parts, exception_id)))
    return _shown(exception_id, await found(parts, exception_id))


def _shown(exception_id: str, view: ExceptionView) -> Response:
    return etags.shown(view, at=f"/api/v1/exceptions/{quote(exception_id, safe='')}")


def _resolved(parts: Parts, exception_id: str) -> ApiProblem | None:
    view = in_memory(parts, exception_id)
    if view is not None and view.state == "open":
        return None
    said = f"{view.resolved_by or 'the gateway'} has resolved it: {view.reason}" if view else "it was resolved long ago"
    return ApiProblem("already-resolved", said)


def _closed_for_good(parts: Parts, exception_id: str) -> ApiProblem | None:
    why = parts.ledger.why_closed_for_good(exception_id)
    return None if why is None else ApiProblem("cannot-reopen", why)


def _first(
    *refusals: Callable[[], ApiProblem | None] | None,
) -> Callable[[], ApiProblem | None]:
    """The first problem that one of them has."""
    return lambda: next((said for ask in refusals if ask is not None and (said := ask()) is not None), None)
