"""The live stream over HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from gateway.api.parts import GatewayParts
from gateway.api.problems import documented
from gateway.views import Beat, Delta, Snapshot

router = APIRouter(prefix="/api/v1", tags=["state"])

EVENTS: dict[str, type[BaseModel]] = {"snapshot": Snapshot, "delta": Delta, "beat": Beat}
"""What `data` holds for each `event`."""

_STREAM = {
    "description": "Server-sent events; `data` is JSON as `x-events` says, `id` resumes.",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "x-events": {name: {"$ref": f"#/components/schemas/{model.__name__}"} for name, model in EVENTS.items()},
        }
    },
}


class EventStream(Response):
    """Server-sent events. Ends at once when the client hangs up, which a server tells only to those who listen."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send(send))
            while (await receive())["type"] != "http.disconnect":
                pass
            sending.cancel()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with contextlib.aclosing(self._frames) as frames:
            async for frame in frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@router.get(
    "/live",
    operation_id="getLive",
    response_class=Response,
    responses={200: _STREAM, **documented("too-many-streams")},
)
async def get_live(
    parts: GatewayParts,
    last_event_id: Annotated[str | None, Header(description="Set by browsers that come back.")] = None,
) -> Response:
    """A snapshot, then what changes; a beat every second. With a known Last-Event-ID only what changed since."""
    return EventStream(parts.live.stream(last_event_id))
