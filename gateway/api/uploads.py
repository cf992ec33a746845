"""Bodies that come as JSON or CSV."""

from typing import Any, Literal

from fastapi import Request

from gateway.api.problems import ApiProblem

MAX_BODY_BYTES = 5 * 1024 * 1024

Form = Literal["json", "csv"]
FORMS: dict[str, Form] = {"application/json": "json", "text/csv": "csv"}


async def read(request: Request) -> tuple[Form, bytes]:
    """The body and its form; raises `ApiProblem` for a body of another kind."""
    said = request.headers.get("content-type", "")
    kind, *parameters = (part.strip().lower() for part in said.split(";"))
    if kind not in FORMS:
        raise ApiProblem("unsupported-media-type", f"expected {' or '.join(FORMS)}, not {said[:100] or 'nothing'!r}")
    charsets = [part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")]
    if any(charset not in ("utf-8", "utf8", "us-ascii") for charset in charsets):
        raise ApiProblem("unsupported-media-type", f"expected UTF-8, not {charsets[0][:40]!r}")
    return FORMS[kind], await request.body()


def documented(model: str, *, csv: str, single: bool) -> dict[str, Any]:
    """The request body of a route, for its OpenAPI."""
    one = {"$ref": f"#/components/schemas/{model}"}
    several = {"type": "array", "items": one, "minItems": 1}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"oneOf": [one, several]} if single else several},
                "text/csv": {"schema": {"type": "string", "description": f"UTF-8, header `{csv}`."}},
            },
        }
    }
