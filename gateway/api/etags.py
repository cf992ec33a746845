"""Entity tags (RFC 9110, section 8.8.3): what somebody saw is told back, so that nobody decides about something else.

A tag is a digest of the whole answer and, behind it, two letters for each of its fields: from the tag alone the gateway
can say which fields have changed since.

    "Hq3v0cQeXyk1-aB3f_k..."
     `- 72 bits -' `---- 12 bits a field, in their order
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Header, Response
from pydantic import BaseModel

from gateway.api.problems import ApiProblem, documented
from gateway.errors import BodyMistake

_WHOLE: Final = 12
_FIELD: Final = 2
_TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="ETag of what was seen: if it has changed meanwhile, nothing is done (412).",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="ETag of what is known: if it has not changed, 304."),
]
_ETAG: Final = {"ETag": {"description": "It changes with whatever is in the answer.", "schema": {"type": "string"}}}
Conditional: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": _ETAG},
    304: {"description": "It has not changed: If-None-Match names its ETag.", "headers": _ETAG},
}
"""`responses` of a route that answers by `shown`."""
Guarded: Final = documented("changed-meanwhile")
"""`responses` of a route that takes `IfMatch`."""


def tag(view: BaseModel) -> str:
    """The strong entity tag of a view, without its quotes."""
    fields = [json.dumps(part, sort_keys=True).encode() for part in view.model_dump(mode="json").values()]
    return _letters(b"\0".join(fields), _WHOLE) + "-" + "".join(_letters(part, _FIELD) for part in fields)


def shown(view: BaseModel, if_none_match: str | None = None, *, at: str | None = None, status: int = 200) -> Response:
    """A view as an answer with its tag, or 304. `at` is its own address, where another one answers with it."""
    said = tag(view)
    headers = {"ETag": f'"{said}"', "Cache-Control": "no-cache"}
    if at is not None:
        headers["Content-Location"] = at
    if if_none_match is not None and _names(if_none_match, said):
        return Response(status_code=304, headers=headers)
    return Response(view.model_dump_json(), status, headers, "application/json")


def refusal(if_match: str | None, present: Callable[[], BaseModel | None]) -> Callable[[], ApiProblem | None] | None:
    """What `Ledger.record` asks before it records: whether something is still as it was seen. None: nobody saw it.

    `present` gives it as it is at that moment; None if it is gone.
    """
    return None if if_match is None else lambda: changed(if_match, present())


def check(if_match: str | None, view: BaseModel | None) -> None:
    """Raise `ApiProblem` if something is not as it was seen."""
    if if_match is not None and (problem := changed(if_match, view)) is not None:
        raise problem


def changed(if_match: str, view: BaseModel | None) -> ApiProblem | None:
    """The problem that something is not as it was seen, if it is not; it names the fields that differ."""
    if view is None:
        return ApiProblem("changed-meanwhile", "it is not there any more")
    said = tag(view)
    if _names(if_match, said, weak=False):
        return None
    seen = _TAG.fullmatch(if_match.strip())
    names = _differing(list(type(view).model_fields), seen.group(1) if seen else "", said)
    what = ", ".join(names) or "more than can be told by the ETag"
    return ApiProblem(
        "changed-meanwhile",
        f"changed since it was seen: {what}. Nothing was done; read it again",
        [BodyMistake(name, "has changed") for name in names],
        headers={"ETag": f'"{said}"'},
    )


def _names(header: str, said: str, *, weak: bool = True) -> bool:
    """Whether a list of tags, or `*`, names a tag. `weak` compares as If-None-Match does (RFC 9110, 8.8.3.2)."""
    if header.strip() == "*":
        return True
    return any(one.group(1) == said and (weak or not one.group().startswith("W/")) for one in _TAG.finditer(header))


def _differing(fields: list[str], seen: str, said: str) -> list[str]:
    """The fields whose letters differ; none if the tags are not of the same kind of thing."""
    if len(seen) != len(said):
        return []
    starts = range(_WHOLE + 1, len(said), _FIELD)
    return [
        field
        for field, start in zip(fields, starts, strict=True)
        if seen[start : start + _FIELD] != said[start : start + _FIELD]
    ]


def _letters(data: bytes, count: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest())[:count].decode()
