"""The largest body that the API reads."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.problems import answer

MAX_BODY_BYTES = 64 * 1024


class BodyLimit:
    """Refuses with 413 what says it is larger than the limit, and what turns out to be."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit
        self._text = f"the body may have {limit} bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._announced(scope) > self._limit:
            refusal = answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request-entity-too-large", self._text)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _announced(self, scope: Scope) -> int:
        length: bytes = dict(scope["headers"]).get(b"content-length", b"0")
        return int(length[:18]) if length.isdigit() else 0

    def _counted(self, receive: Receive) -> Receive:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._text)
            return message

        return counted
