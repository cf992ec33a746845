"""The Idempotency-Key of a POST: however often a request is sent, it is done once.

After draft-ietf-httpapi-idempotency-key-header-07 (IETF, work in progress), section 2. The key, what was asked with it
and the answer are in the ledger's file (`gateway.ledger.storage.deeds`), so they survive a crash at any moment.
A request that was refused and left nothing in the log does not use up its key: it may be mended and sent again.
"""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from fastapi import Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api import problems
from gateway.api.parts import Parts
from gateway.errors import LedgerFailed
from gateway.ledger.ledger import Ledger
from gateway.ledger.storage import deeds
from gateway.ledger.storage.deeds import Answer, Deed, Known

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
MAX_KEY: Final = 255

_STRING: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
"""sf-string of RFC 9651, section 3.3.3."""
_BARE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~:/=-]+")
"""What many clients send instead: the characters of a token (RFC 9651, section 3.3.4), wherever they stand, and `=`."""

_log = structlog.get_logger(__name__)


class Idempotency:
    """ASGI middleware: answers a POST whose key is known, and notes the answers of those whose key is new."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way: dict[str, str] = {}
        """Fingerprints of the requests that are being done, by key."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = Headers(scope=scope).getlist(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else []
        if not said:
            await self._app(scope, receive, send)
            return
        key = read_key(said)
        if key is None:
            text = f"{HEADER} is one string in quotes, or one word, of 1 to {MAX_KEY} printable ASCII characters"
            await problems.answer("idempotency-key-malformed", text)(scope, receive, send)
            return
        try:
            body = await _whole(receive)
        except HTTPException as error:
            await problems.answer("body-too-large", str(error.detail))(scope, receive, send)
            return
        if body is not None:  # else the client has hung up
            await self._once(Deed(key, fingerprint(scope, body)), body, scope, receive, send)

    async def _once(self, deed: Deed, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        parts = scope["app"].state.parts
        assert isinstance(parts, Parts)
        if deed.key in self._under_way:
            await _meanwhile(self._under_way[deed.key] == deed.fingerprint)(scope, receive, send)
            return
        self._under_way[deed.key] = deed.fingerprint
        try:
            known = await asyncio.to_thread(parts.ledger.deed, deed.key)
            if known is not None:
                await _again(deed, known)(scope, receive, send)
            elif await asyncio.to_thread(parts.ledger.deeds_full):
                text = f"{deeds.MAX_DEEDS} keys of the last day are known, which is as many as this gateway keeps"
                await problems.answer("too-many-keys", text)(scope, receive, send)
            else:
                await self._first(deed, parts.ledger, scope, _Replay(body, receive), send)
        finally:
            del self._under_way[deed.key]

    async def _first(self, deed: Deed, ledger: Ledger, scope: Scope, receive: "_Replay", send: Send) -> None:
        """Do it; the answer is on disk before the client has any of it."""
        caught = _Caught()
        token = deeds.current.set(deed)
        try:
            await self._app(scope, receive, caught)
        finally:
            deeds.current.reset(token)
        try:
            await asyncio.to_thread(ledger.answered, deed, caught.answer(), done=200 <= caught.status < 300)
        except LedgerFailed as error:  # it is done all the same: whoever asks again is told so
            _log.error("an answer cannot be kept", key=deed.key, error=str(error))
        for message in caught.messages:
            await send(message)


@dataclass
class _Caught:
    """An answer that is held back."""

    messages: list[Message] = field(default_factory=list)

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    def answer(self) -> Answer:
        headers = [
            [name.decode("latin-1"), value.decode("latin-1")]
            for name, value in self.messages[0]["headers"]
            if name.lower() != b"content-length"
        ]
        body = b"".join(message.get("body", b"") for message in self.messages[1:])
        return Answer(self.status, json.dumps(headers), body)


class _Replay:
    """A body that was read already, then what the client says further."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def read_key(said: list[str]) -> str | None:
    """The key of one or several header fields; None if there is none to be read."""
    text = said[0].strip(" \t") if len(said) == 1 else ""
    if string := _STRING.fullmatch(text):
        key = re.sub(r'\\(["\\])', r"\1", string.group(1))
    else:
        key = text if _BARE.fullmatch(text) else ""
    return key if 1 <= len(key) <= MAX_KEY else None


def fingerprint(scope: Scope, body: bytes) -> str:
    """Digest of what a request asks: its method, path, query, kind of body, and body."""
    kind = Headers(scope=scope).get("content-type", "")
    parts = (scope["method"].encode(), scope["path"].encode(), scope["query_string"], kind.encode("latin-1"), body)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


async def _whole(receive: Receive) -> bytes | None:
    """The whole body; None when the client has hung up in the middle of it."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _meanwhile(same: bool) -> Response:
    if not same:
        return _reused()
    text = "the same request is being done at this moment: ask again for its answer"
    return problems.answer("idempotency-in-progress", text, headers={"Retry-After": "1"})


def _again(deed: Deed, known: Known) -> Response:
    """The answer to a request whose key is known."""
    if known.fingerprint != deed.fingerprint:
        return _reused()
    if known.answer is None:
        made = (
            "it had nothing to record" if known.rows is None else f"it made the rows {known.rows[0]} to {known.rows[1]}"
        )
        text = f"it was done, and not once more now: {made}; its answer is not there any more"
        return problems.answer("already-done", text, rows=known.rows)
    answer = Response(known.answer.body, known.answer.status)
    for name, value in json.loads(known.answer.headers):
        answer.headers[name] = value
    answer.headers[REPLAYED] = "true"
    return answer


def _reused() -> Response:
    text = "this key came with another request before: give each request a key of its own"
    return problems.answer("idempotency-key-reused", text)


def document(operation: dict[str, Any]) -> None:
    """Say in the OpenAPI of a POST what it does with a key."""
    operation.setdefault("parameters", []).append(
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "The client's own name for this request: sent again with it, it is done once (docs/api.md).",
            "schema": {"type": "string", "minLength": 1, "pattern": f"^({_STRING.pattern}|{_BARE.pattern})$"},
        }
    )
    problems.mention(
        operation,
        "idempotency-key-malformed",
        "idempotency-in-progress",
        "already-done",
        "body-too-large",
        "idempotency-key-reused",
        "too-many-keys",
    )
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer.setdefault("headers", {})[REPLAYED] = {
                "description": "The request was done before: this is what was said then.",
                "schema": {"type": "string", "enum": ["true"]},
            }
