"""Errors on the wire: problem+json (RFC 9457) with a stable `type` for every kind."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cloud.errors import BadCursor, BadText, CloudError, IllegalStep, KeyMismatch, KeyReused, NoSuchOrder

MEDIA_TYPE = "application/problem+json"

KINDS: Mapping[type[CloudError], tuple[int, str]] = {
    KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "key-reused"),
    KeyMismatch: (HTTPStatus.UNPROCESSABLE_ENTITY, "key-mismatch"),
    BadText: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad-text"),
    BadCursor: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad-cursor"),
    NoSuchOrder: (HTTPStatus.NOT_FOUND, "no-such-order"),
    IllegalStep: (HTTPStatus.CONFLICT, "illegal-step"),
}

_log = structlog.get_logger("cloud.api")


class Mistake(BaseModel):
    """One thing that is wrong in a request."""

    where: str = Field(examples=["body.units"])
    what: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(examples=["urn:truecount:problem:key-reused"])
    title: str
    status: int
    detail: str
    mistakes: list[Mistake] = []


def answer(status: int, kind: str, detail: str, mistakes: list[Mistake] | None = None) -> Response:
    """A response that tells of a problem. Whatever text it repeats, it can be encoded: JSON is written in ASCII."""
    body: dict[str, Any] = {
        "type": f"urn:truecount:problem:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    if mistakes:
        body["mistakes"] = [vars(mistake) for mistake in mistakes]
    return Response(json.dumps(body), int(status), media_type=MEDIA_TYPE)


def told(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that may refuse with these (422 and 503 besides)."""
    always = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
    return {int(status): {"model": Problem, "description": status.phrase} for status in (*statuses, *always)}


def install(app: FastAPI) -> None:
    """Let every error of the application, ours or the framework's, be answered as a problem."""
    app.add_exception_handler(CloudError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _no_database)
    app.add_exception_handler(500, _our_fault)


def _refused(_request: Request, error: Exception) -> Response:
    status, kind = KINDS[type(error)]  # type: ignore[index]  # registered for CloudError alone
    return answer(status, kind, str(error))


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = [Mistake(where=".".join(str(p)[:100] for p in e["loc"]), what=e["msg"]) for e in error.errors()[:50]]
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "the request does not fit the API", mistakes)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    response = answer(error.status_code, kind, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _no_database(request: Request, error: Exception) -> Response:
    _log.warning("the database does not answer", path=request.url.path, reason=str(error))
    response = answer(HTTPStatus.SERVICE_UNAVAILABLE, "no-database", "the database does not answer: try again")
    response.headers["Retry-After"] = "2"
    return response


def _our_fault(_request: Request, _error: Exception) -> Response:
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "a mistake of ours; it is in the service's log")
