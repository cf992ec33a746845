"""Bodies that come as JSON or CSV, or as an EPCIS document (JSON-LD)."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from fastapi import Request

from gateway.api.problems import ApiProblem

MAX_BODY_BYTES = 5 * 1024 * 1024

Form = Literal["json", "csv", "epcis"]
FORMS: Final[dict[str, Form]] = {"application/json": "json", "text/csv": "csv"}
FORMS_OF_ASN: Final[dict[str, Form]] = {**FORMS, "application/ld+json": "epcis"}


async def read(request: Request, forms: Mapping[str, Form] = FORMS) -> tuple[Form, bytes]:
    """The body and its form; raises `ApiProblem` for a body of another kind."""
    said = request.headers.get("content-type", "")
    kind, *parameters = (part.strip().lower() for part in said.split(";"))
    if kind not in forms:
        raise ApiProblem("unsupported-media-type", f"expected {' or '.join(forms)}, not {said[:100] or 'nothing'!r}")
    charsets = [part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")]
    if any(charset not in ("utf-8", "utf8", "us-ascii") for charset in charsets):
        raise ApiProblem("unsupported-media-type", f"expected UTF-8, not {charsets[0][:40]!r}")
    return forms[kind], await request.body()


def documented(model: str, *, csv: str, single: bool, epcis: str | None = None) -> dict[str, Any]:
    """The request body of a route, for its OpenAPI; `epcis` says what a document in JSON-LD must be."""
    one = {"$ref": f"#/components/schemas/{model}"}
    several = {"type": "array", "items": one, "minItems": 1}
    content: dict[str, Any] = {
        "application/json": {"schema": {"oneOf": [one, several]} if single else several},
        "text/csv": {"schema": {"type": "string", "description": f"UTF-8, header `{csv}`."}},
    }
    if epcis is not None:
        content["application/ld+json"] = {"schema": {"type": "object", "description": epcis}}
    return {"requestBody": {"required": True, "content": content}}
