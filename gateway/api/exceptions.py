"""Exceptions: what staff should look at, and what they did about it."""

import asyncio
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api import etags, pages
from gateway.api.etags import IfMatch, IfNoneMatch
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.documents.known import LINE, Words
from gateway.errors import BodyMistake
from gateway.ledger.showing.shown import exception_view
from gateway.records import Decision, ExceptionResolved, LotReleased, Record
from gateway.views import ExceptionView

router = APIRouter(prefix="/api/v1/exceptions", tags=["exceptions"])


ExceptionPath = Annotated[str, Path(min_length=1, max_length=100)]


class ExceptionList(pages.Page):
    """Exceptions, the last opened first."""

    exceptions: list[ExceptionView]


class Resolution(BaseModel):
    """Who dealt with it, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Words
    why: str = Field(min_length=1, max_length=1000, pattern=LINE)
    decision: Decision | None = None
    """Asked for where a lot is in quarantine: `release` its stock, or `keep` it there."""


@router.get("", operation_id="getExceptions", responses=documented("invalid-request"))
async def get_exceptions(
    parts: GatewayParts,
    state: Literal["open", "resolved"] | None = None,
    after: pages.AfterTime = None,
    limit: pages.Limit = 100,
) -> ExceptionList:
    """What staff should look at, and what they have looked at."""
    open_ones = None if state is None else state == "open"
    found = await asyncio.to_thread(parts.ledger.kept.exceptions, open_ones, pages.before(after), limit + 1)
    views, next_ = pages.cut(
        [exception_view(*one) for one in found], limit, lambda view: pages.place(view.opened_us, view.id)
    )
    return ExceptionList(exceptions=views, next=next_, now_us=parts.clock())


@router.get(
    "/{exception_id}",
    operation_id="getException",
    response_model=ExceptionView,
    responses=etags.Conditional | documented("unknown-exception", "invalid-request"),
)
async def get_exception(
    parts: GatewayParts, exception_id: ExceptionPath, if_none_match: IfNoneMatch = None
) -> Response:
    """One exception, however long ago it was resolved."""
    return etags.shown(await found(parts, exception_id), if_none_match)


@router.post(
    "/{exception_id}/resolve",
    operation_id="resolveException",
    response_model=ExceptionView,
    responses=etags.Guarded
    | documented(
        "bad-request",
        "unknown-exception",
        "already-resolved",
        "decision-needed",
        "invalid-request",
        "body-too-large",
        "ledger-failed",
    ),
)
async def resolve_exception(
    parts: GatewayParts, exception_id: ExceptionPath, resolution: Resolution, if_match: IfMatch = None
) -> Response:
    """Say that an exception is dealt with. The same again changes nothing."""
    view = await found(parts, exception_id)
    if view.state == "open":
        _check_decision(view, resolution.decision)
        unseen = etags.refusal(if_match, lambda: in_memory(parts, exception_id))
        await parts.ledger.record(_deed(parts, view, resolution), refusal=unseen)
        view = await found(parts, exception_id)  # of two who say it at once, the log has one first
    if (view.resolved_by, view.reason, view.decision) != (resolution.who, resolution.why, resolution.decision):
        etags.check(if_match, view)
        raise ApiProblem("already-resolved", f"{view.resolved_by or 'the gateway'} has resolved it: {view.reason}")
    return etags.shown(view, at=f"/api/v1/exceptions/{quote(exception_id, safe='')}")


def _check_decision(view: ExceptionView, decision: Decision | None) -> None:
    """Nobody resolves a lot in quarantine without saying what becomes of its stock."""
    held = view.kind == "quality"  # the ledger ends it when the lot is freed
    if held and decision is None:
        text = f"lot {view.subject!r} is in quarantine: say in `decision` to `release` its stock or to `keep` it there"
        raise ApiProblem("decision-needed", text)
    if decision is not None and not held:
        text = "this exception is about no lot in quarantine: leave it out"
        raise ApiProblem("invalid-request", text, [BodyMistake("body.decision", text)])


def _deed(parts: Parts, view: ExceptionView, said: Resolution) -> Record:
    if said.decision == "release":
        return LotReleased(at_us=parts.clock(), lot=view.subject, who=said.who, why=said.why, exception=view.id)
    return ExceptionResolved(at_us=parts.clock(), id=view.id, who=said.who, why=said.why, decision=said.decision)


def in_memory(parts: Parts, exception_id: str) -> ExceptionView | None:
    """An exception as it is at this moment; None if it was resolved long ago, or never was."""
    view = parts.ledger.views.built("exceptions", exception_id)
    return view if isinstance(view, ExceptionView) else None


async def found(parts: Parts, exception_id: str) -> ExceptionView:
    """An exception, however long ago it was resolved; raises `ApiProblem` if there never was one."""
    view = in_memory(parts, exception_id)
    if view is None:
        kept = await asyncio.to_thread(parts.ledger.kept.exception, exception_id)
        if kept is None:
            raise ApiProblem("unknown-exception", f"there never was an exception {exception_id!r}")
        view = exception_view(exception_id, kept)
    return view
