"""The gateway's HTTP application, put together."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.api import (
    beliefs,
    conditions,
    countplan,
    counts,
    deadletters,
    evidence,
    exceptionlife,
    exceptions,
    exposures,
    headers,
    health,
    history,
    idempotency,
    items,
    limit,
    lines,
    links,
    log,
    lots,
    masterdata,
    moves,
    page,
    problems,
    reviews,
    shipmentlife,
    shipments,
    state,
    stock,
    stream,
)
from gateway.api.parts import Parts
from gateway.api.uploads import MAX_BODY_BYTES
from gateway.documents.asn import Shipment
from gateway.documents.countentries import Found
from gateway.documents.masterfiles import LotLine, ProductLine, ZoneLine
from gateway.documents.moves import DispositionLine, Move
from gateway.documents.openingbalance import StandingItem

API_VERSION = "1"
NOUNS = (
    state,
    stock,
    beliefs,
    stream,
    shipments,
    shipmentlife,
    items,
    moves,
    masterdata,
    exceptions,
    exceptionlife,
    lines,
    lots,
    reviews,
    countplan,
    counts,
    conditions,
    exposures,
    evidence,
    log,
    deadletters,
    history,
    health,
    page,
)
BODIES: tuple[type[BaseModel], ...] = (
    *(Shipment, StandingItem, Move, DispositionLine),
    *(ProductLine, ZoneLine, LotLine),
    Found,
)
"""Rows of bodies that come as JSON or CSV."""
UNROUTED: tuple[type[BaseModel], ...] = (problems.Problem, *stream.EVENTS.values(), *BODIES)
"""Models that stand in the OpenAPI though no route names them to FastAPI."""


def build(parts: Parts) -> FastAPI:
    """The application over the parts of one gateway."""
    app = bare()
    app.state.parts = parts
    return app


def bare() -> FastAPI:
    """The routes without a gateway behind them: enough for their OpenAPI."""
    app = FastAPI(
        title="Truecount gateway",
        version=API_VERSION,
        description="What one site truly holds, right now. Times are microseconds since 1970-01-01 UTC.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the pages that FastAPI has for this load scripts from outside
        redoc_url=None,
        redirect_slashes=False,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.add_middleware(idempotency.Idempotency)
    app.add_middleware(limit.BodyLimit, max_bytes=MAX_BODY_BYTES)
    app.add_middleware(headers.StandingHeaders)  # outermost: on every answer
    problems.install(app, [route for noun in NOUNS for route in noun.router.routes])
    for noun in NOUNS:
        app.include_router(noun.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _, extra = models_json_schema(
            [(model, "serialization") for model in UNROUTED], ref_template="#/components/schemas/{model}"
        )
        components = schema["components"]["schemas"] | extra["$defs"]
        for ours in ("HTTPValidationError", "ValidationError"):  # FastAPI's own shape, which this gateway never sends
            components.pop(ours, None)
        schema["components"]["schemas"] = dict(sorted(components.items()))
        for operation in (operation for path in schema["paths"].values() for operation in path.values()):
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                operation["responses"]["422"] = problems.documented("invalid-request")[422]
        for method, operation in ((m, operation) for path in schema["paths"].values() for m, operation in path.items()):
            links.document(operation)
            if method == "post":
                problems.mention(operation, "disk-full")
                idempotency.document(operation)
        app.openapi_schema = schema
    return app.openapi_schema
