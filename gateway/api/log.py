"""The log of the house, page by page."""

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.api import pages
from gateway.api.parts import GatewayParts
from gateway.api.problems import documented
from gateway.records import LogRow
from gateway.views import EventTime, GatewayTime

router = APIRouter(prefix="/api/v1/events", tags=["log"])


class LogEvent(BaseModel):
    """One row of the log."""

    id: int
    agent: str
    epoch: str
    seq: int
    kind: str
    at_us: EventTime
    decided_us: EventTime
    recorded_us: GatewayTime
    body: dict[str, Any]
    """The event or record itself; `kind` says which."""


class EventPage(pages.Page):
    """A page of the log, oldest first."""

    events: list[LogEvent]
    after: int
    """Pass it as `after` to hear of later ones, even at the end."""
    last: int
    """Id of the last row of the log."""


class _Page(msgspec.Struct):
    events: list[dict[str, object]]
    after: int
    last: int
    next: str | None
    now_us: int


@router.get("", operation_id="getEvents", response_model=EventPage, responses=documented("invalid-request"))
async def get_events(
    parts: GatewayParts,
    after: pages.AfterNumber = 0,
    limit: pages.Limit = 100,
) -> Response:
    """Rows of the log after an id."""
    rows, next_ = pages.cut(
        await asyncio.to_thread(parts.ledger.rows, after, limit + 1), limit, lambda row: str(row.id)
    )
    page = _Page(
        [_event(row) for row in rows], rows[-1].id if rows else after, parts.ledger.last_id, next_, parts.clock()
    )
    return Response(msgspec.json.encode(page), media_type="application/json")


def _event(row: LogRow) -> dict[str, object]:
    """The row as `LogEvent`; its body is JSON already and is passed on as it is."""
    fields: dict[str, object] = {name: getattr(row, name) for name in LogRow.__struct_fields__}
    return fields | {"body": msgspec.Raw(row.body)}
