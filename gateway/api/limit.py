"""The largest body that the gateway reads.

The framework's own limit answers a body that says its length in plain text; this one answers as a problem.
"""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api import problems


class BodyLimit:
    """ASGI middleware: refuses a body by its stated length, or once it has become too long."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            said = Headers(scope=scope).get("content-length", "")
            if said.isascii() and said.isdigit() and (len(said) > 18 or int(said) > self._max_bytes):
                await problems.answer("body-too-large", self._text())(scope, receive, send)
                return
        await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        total = 0

        async def receive_counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._max_bytes:
                raise HTTPException(413, self._text())
            return message

        return receive_counted

    def _text(self) -> str:
        return f"a body may have {self._max_bytes} bytes"
