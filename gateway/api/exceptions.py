"""Exceptions: what staff should look at, and what they did about it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.errors import BodyMistake
from gateway.known import LINE, Words
from gateway.records import Decision, ExceptionResolved, LotReleased, Record
from gateway.views import ExceptionView

router = APIRouter(prefix="/api/v1/exceptions", tags=["exceptions"])


class ExceptionList(BaseModel):
    """All that are open, and the last that were resolved; newest first."""

    exceptions: list[ExceptionView]


class Resolution(BaseModel):
    """Who dealt with it, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Words
    why: str = Field(min_length=1, max_length=1000, pattern=LINE)
    decision: Decision | None = None
    """Asked for where a lot is in quarantine: `release` its stock, or `keep` it there."""


@router.get("", operation_id="getExceptions")
async def get_exceptions(parts: GatewayParts, state: Literal["open", "resolved"] | None = None) -> ExceptionList:
    """What staff should look at."""
    views = [view for view in parts.ledger.views("exceptions").values() if state in (None, view.state)]
    return ExceptionList(exceptions=sorted(views, key=lambda view: view.updated_us, reverse=True))


@router.post(
    "/{exception_id}/resolve",
    operation_id="resolveException",
    responses=documented(
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
    parts: GatewayParts, exception_id: Annotated[str, Path(min_length=1, max_length=100)], resolution: Resolution
) -> ExceptionView:
    """Say that an exception is dealt with. The same again changes nothing."""
    view = _view(parts, exception_id)
    if view.state == "open":
        _check_decision(view, resolution.decision)
        await parts.ledger.record(_deed(parts, view, resolution))
        view = _view(parts, exception_id)  # of two who say it at once, the log has one first
    if (view.resolved_by, view.reason, view.decision) != (resolution.who, resolution.why, resolution.decision):
        raise ApiProblem("already-resolved", f"{view.resolved_by or 'the gateway'} has resolved it: {view.reason}")
    return view


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


def _view(parts: Parts, exception_id: str) -> ExceptionView:
    view = parts.ledger.view("exceptions", exception_id)
    if not isinstance(view, ExceptionView):
        raise ApiProblem("unknown-exception", f"no exception {exception_id!r} is open or was resolved lately")
    return view
