"""The log of the house, page by page."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from gateway.api.parts import GatewayParts
from gateway.api.problems import documented
from gateway.records import LogRow

router = APIRouter(prefix="/api/v1/events", tags=["log"])


class LogEvent(BaseModel):
    """One row of the log."""

    id: int
    agent: str
    epoch: str
    seq: int
    kind: str
    at_us: int
    decided_us: int
    recorded_us: int
    body: dict[str, Any]
    """The event or record itself; `kind` says which."""


class EventPage(BaseModel):
    """A page of the log, oldest first."""

    events: list[LogEvent]
    after: int
    """Pass it as `after` to go on."""
    last: int
    """Id of the last row of the log."""


class _Page(msgspec.Struct):
    events: list[dict[str, object]]
    after: int
    last: int


@router.get("", operation_id="getEvents", response_model=EventPage, responses=documented("invalid-request"))
async def get_events(
    parts: GatewayParts,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Rows of the log after an id."""
    rows = await asyncio.to_thread(parts.ledger.rows, after, limit)
    page = _Page([_event(row) for row in rows], rows[-1].id if rows else after, parts.ledger.last_id)
    return Response(msgspec.json.encode(page), media_type="application/json")


def _event(row: LogRow) -> dict[str, object]:
    """The row as `LogEvent`; its body is JSON already and is passed on as it is."""
    fields: dict[str, object] = {name: getattr(row, name) for name in LogRow.__struct_fields__}
    return fields | {"body": msgspec.Raw(row.body)}
