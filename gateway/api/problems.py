"""Errors as problem details (RFC 9457): one shape, a stable `type` for programs, plain words for people."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from gateway.errors import BadBody, BodyMistake, Crowded, EvidenceDown, LedgerFailed, LedgerFull

MAX_MISTAKES = 500
"""A problem lists at most so many mistakes; its detail says how many there were."""

Slug = Literal[
    "bad-request",
    "unknown-path",
    "unknown-shipment",
    "unknown-item",
    "unknown-sku",
    "no-past",
    "unknown-exception",
    "unknown-line",
    "unknown-lot",
    "unknown-review",
    "unknown-zone",
    "unknown-count",
    "count-exists",
    "count-out-of-turn",
    "count-other-round",
    "count-other-counter",
    "count-not-apart",
    "no-picture",
    "method-not-allowed",
    "already-resolved",
    "already-answered",
    "already-closed",
    "cannot-reopen",
    "not-in-quarantine",
    "decision-needed",
    "changed-meanwhile",
    "idempotency-key-malformed",
    "idempotency-in-progress",
    "already-done",
    "idempotency-key-reused",
    "too-many-keys",
    "body-too-large",
    "unsupported-media-type",
    "invalid-body",
    "invalid-request",
    "internal-error",
    "too-many-streams",
    "history-unavailable",
    "evidence-unavailable",
    "ledger-failed",
    "disk-full",
]
STATUS: dict[Slug, tuple[int, str]] = {
    "bad-request": (400, "This request cannot be read"),
    "unknown-path": (404, "There is nothing at this path"),
    "unknown-shipment": (404, "No such shipment was announced"),
    "unknown-item": (404, "This item was never seen"),
    "unknown-sku": (404, "This SKU is not known"),
    "no-past": (404, "Nothing is known of that moment"),
    "unknown-exception": (404, "There is no such exception"),
    "unknown-line": (404, "There is no such sorting line"),
    "unknown-lot": (404, "No such lot has run here"),
    "unknown-zone": (404, "There is no such zone"),
    "unknown-count": (404, "Nobody asked for such a count"),
    "count-exists": (409, "Another open count is about the same stock"),
    "count-out-of-turn": (409, "The count is not so far, or too far, for this"),
    "count-other-round": (409, "The count is in another round"),
    "count-other-counter": (409, "Somebody else counts it"),
    "count-not-apart": (409, "Counter and approver must be two people, and counters blind"),
    "unknown-review": (404, "No such verdict waits for an answer"),
    "no-picture": (404, "There is no such picture"),
    "method-not-allowed": (405, "This path does not take this method"),
    "already-resolved": (409, "Somebody else has resolved this exception"),
    "already-answered": (409, "This verdict has another answer"),
    "already-closed": (409, "Somebody else has closed this shipment"),
    "cannot-reopen": (409, "This exception cannot be opened again"),
    "not-in-quarantine": (409, "This lot is not in quarantine"),
    "decision-needed": (422, "Say what becomes of the lot in quarantine"),
    "changed-meanwhile": (412, "It is not as it was seen; nothing was done"),
    "idempotency-key-malformed": (400, "The Idempotency-Key cannot be read"),
    "idempotency-in-progress": (409, "The same request is being done"),
    "already-done": (409, "The same request was done before, and its answer is gone"),
    "idempotency-key-reused": (422, "Another request had this Idempotency-Key"),
    "too-many-keys": (503, "Too many requests came with a key in one day"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "This path does not take this kind of body"),
    "invalid-body": (422, "The body has mistakes; nothing of it was accepted"),
    "invalid-request": (422, "The request has mistakes"),
    "internal-error": (500, "The gateway made a mistake"),
    "too-many-streams": (503, "Too many live streams are open"),
    "history-unavailable": (503, "The history cannot be read now"),
    "evidence-unavailable": (503, "The pictures cannot be read now"),
    "ledger-failed": (503, "The ledger cannot be written; nothing of this was accepted"),
    "disk-full": (503, "The gateway's disk is full; nothing of this was accepted"),
}
MEDIA_TYPE = "application/problem+json"

_log = structlog.get_logger(__name__)


class Mistake(BaseModel):
    """One thing that is wrong in a request."""

    where: str
    what: str


class Problem(BaseModel):
    """Problem details, RFC 9457."""

    type: str
    """`urn:truecount:problem:` and a slug that never changes."""
    title: str
    status: int
    detail: str
    mistakes: list[Mistake] = []
    rows: tuple[int, int] | None = None
    """Of `already-done`: the first and the last row of the log that the request made."""


class ApiProblem(Exception):
    """Raised by an endpoint to answer with a problem."""

    def __init__(
        self,
        slug: Slug,
        detail: str,
        mistakes: Sequence[BodyMistake] = (),
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{slug}: {detail}")
        self.slug: Slug = slug
        self.detail = detail
        self.mistakes = mistakes
        self.headers = headers


def documented(*slugs: Slug) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    by_status: dict[int, list[Slug]] = {}
    for slug in slugs:
        by_status.setdefault(STATUS[slug][0], []).append(slug)
    return {
        status: {
            "description": "; ".join(f"{STATUS[slug][1]} (`{slug}`)" for slug in group),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, group in by_status.items()
    }


def mention(operation: dict[str, Any], *slugs: Slug) -> None:
    """Say in the OpenAPI of a route that it may answer with these problems besides."""
    for status, told in documented(*slugs).items():
        other = operation["responses"].setdefault(str(status), told)
        news = [part for part in told["description"].split("; ") if part not in other["description"]]
        if other is not told and news:
            text = "; ".join([other["description"], *news])
            operation["responses"][str(status)] = other | {"description": text}


def answer(
    slug: Slug,
    detail: str,
    mistakes: Sequence[BodyMistake] = (),
    *,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
    rows: tuple[int, int] | None = None,
) -> Response:
    """The HTTP answer for a problem."""
    usual, title = STATUS[slug]
    problem = Problem(
        type=f"urn:truecount:problem:{slug}",
        title=title,
        status=status or usual,
        detail=detail,
        mistakes=[Mistake(where=mistake.place, what=mistake.text) for mistake in mistakes[:MAX_MISTAKES]],
        rows=rows,
    )
    text = json.dumps(problem.model_dump(exclude_none=True))  # ASCII: whatever text it repeats can be encoded
    return Response(text, status or usual, headers, MEDIA_TYPE)


_OF_STATUS: dict[int, Slug] = {
    404: "unknown-path",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Make every error of the app a problem; `routes` are all that it has."""

    async def of_http(request: Request, error: HTTPException) -> Response:
        return _of_http(request, error, routes)

    handlers: dict[type[Exception], Callable[..., Any]] = {
        ApiProblem: _of_endpoint,
        BadBody: _of_body,
        Crowded: _of_crowd,
        EvidenceDown: _of_pictures,
        LedgerFailed: _of_ledger,
        LedgerFull: _of_full_disk,
        RequestValidationError: _of_validation,
        HTTPException: of_http,
        ClientDisconnect: _of_one_who_left,
        Exception: _of_bug,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)


async def _of_endpoint(_: Request, error: ApiProblem) -> Response:
    return answer(error.slug, error.detail, error.mistakes, headers=error.headers)


async def _of_body(_: Request, error: BadBody) -> Response:
    count = len(error.mistakes)
    shown = "" if count <= MAX_MISTAKES else f", the first {MAX_MISTAKES} of them below"
    detail = f"{count} mistakes{shown}; the first: {error.mistakes[0]}" if count > 1 else str(error.mistakes[0])
    return answer("invalid-body", detail, error.mistakes)


async def _of_crowd(_: Request, error: Crowded) -> Response:
    return answer("too-many-streams", str(error), headers={"Retry-After": "5"})


async def _of_pictures(_: Request, error: EvidenceDown) -> Response:
    return answer("evidence-unavailable", str(error), headers={"Retry-After": "5"})


async def _of_ledger(_: Request, error: LedgerFailed) -> Response:
    return answer("ledger-failed", f"{error}. The gateway begins anew: try again", headers={"Retry-After": "5"})


async def _of_full_disk(_: Request, error: LedgerFull) -> Response:
    return answer("disk-full", f"{error}. Make room, then try again", headers={"Retry-After": "5"})


async def _of_validation(_: Request, error: RequestValidationError) -> Response:
    mistakes = [BodyMistake(".".join(str(part)[:100] for part in e["loc"]), e["msg"]) for e in error.errors()]
    return answer("invalid-request", "; ".join(map(str, mistakes[:5])), mistakes)


def _of_http(request: Request, error: HTTPException, routes: Sequence[BaseRoute]) -> Response:
    slug = _OF_STATUS.get(error.status_code, "bad-request")
    details = {
        "unknown-path": f"{request.url.path} is no path of this gateway",
        "method-not-allowed": f"{request.method} is not for {request.url.path}",
    }
    headers = dict(error.headers or {})
    if slug == "method-not-allowed":
        headers["Allow"] = ", ".join(_methods_at(request.scope, routes))
    return answer(slug, details.get(slug, str(error.detail)), headers=headers, status=error.status_code)


def _methods_at(scope: Scope, routes: Sequence[BaseRoute]) -> list[str]:
    """What a path takes: all of it (RFC 9110, section 15.5.6), where the framework names the first route's only."""
    here = [route for route in routes if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE]
    return sorted({method for route in here for method in route.methods or ()})


async def _of_one_who_left(_: Request, __: Exception) -> Response:
    """A client hung up in the middle of its body: nobody is there to read the answer, and it is no fault of ours."""
    return Response(status_code=400)


async def _of_bug(request: Request, error: Exception) -> Response:
    _log.error("request failed", method=request.method, path=request.url.path, error=repr(error))
    return answer("internal-error", "The gateway's log says what happened")
