"""Evidence: the picture of a fruit, and what was said of it."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from contract.wire import PICTURE_ID
from gateway.api.parts import GatewayParts
from gateway.api.problems import ApiProblem, documented
from gateway.views import EventTime, GatewayTime

router = APIRouter(prefix="/api/v1/evidence", tags=["lines"])

KEPT = "private, max-age=31536000, immutable"
"""An id is never given twice."""
JPEG: dict[str, Any] = {
    "description": "JPEG.",
    "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
}

EvidenceId = Annotated[str, Path(pattern=f"^{PICTURE_ID}$")]


class EvidenceView(BaseModel):
    """What came with a picture; the picture itself is at /api/v1/evidence/{id}.jpg."""

    id: str
    agent: str
    line: str
    at_us: EventTime
    kept_us: GatewayTime
    """When the gateway had it on disk."""
    verdict: Literal["good", "defective", "unsure", "unseen"] | None
    score: float | None
    model: str | None
    outline: list[tuple[float, float]]
    """Corners as shares of the picture's width and height."""
    bytes: int
    """Length of the picture."""


@router.get(
    "/{evidence_id}.jpg",
    operation_id="getEvidencePicture",
    response_class=Response,
    responses={200: JPEG, **documented("invalid-request", "no-picture", "evidence-unavailable")},
)
async def get_picture(parts: GatewayParts, evidence_id: EvidenceId) -> Response:
    """The picture of one fruit."""
    picture = await asyncio.to_thread(parts.pictures.picture, evidence_id)
    if picture is None:
        raise _none(evidence_id)
    return jpeg(picture, KEPT)


@router.get(
    "/{evidence_id}",
    operation_id="getEvidence",
    responses=documented("invalid-request", "no-picture", "evidence-unavailable"),
)
async def get_evidence(parts: GatewayParts, evidence_id: EvidenceId) -> EvidenceView:
    """What came with the picture of one fruit."""
    kept = await asyncio.to_thread(parts.pictures.get, evidence_id)
    if kept is None:
        raise _none(evidence_id)
    return EvidenceView.model_validate(kept._asdict())


def jpeg(picture: bytes, cache: str) -> Response:
    """A picture as an answer."""
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": cache})


def _none(evidence_id: str) -> ApiProblem:
    return ApiProblem("no-picture", f"no picture {evidence_id!r} has come, or it had to make room for newer ones")
