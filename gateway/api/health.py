"""For those who watch the gateway itself: health and metrics."""

from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from gateway.api.parts import GatewayParts
from gateway.views import GatewayTime, LinkView

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Whether the gateway does its work."""

    status: Literal["ok", "deaf"]
    """`deaf`: the broker is away, so that nothing of the edge arrives."""
    version: str
    committed: int
    """Events in the log."""
    last_commit_us: GatewayTime | None
    broker: LinkView
    history: LinkView
    cloud: LinkView
    pictures_kept: bool
    """Whether pictures of fruit can be stored. While they cannot, their agents keep them."""


@router.get(
    "/healthz",
    operation_id="getHealth",
    responses={503: {"model": Health, "description": "The broker is away."}},
)
async def get_health(parts: GatewayParts, response: Response) -> Health:
    """200 while the edge can be heard. History, cloud and the pictures' disk may be away for hours: nothing is lost."""
    site = parts.site_view()
    deaf = site.broker.state == "down"
    response.status_code = 503 if deaf else 200
    return Health(
        status="deaf" if deaf else "ok",
        version=site.version,
        committed=site.committed,
        last_commit_us=parts.live.last_commit_us,
        broker=site.broker,
        history=site.history,
        cloud=site.cloud,
        pictures_kept=site.pictures_kept,
    )


@router.get(
    "/metrics",
    operation_id="getMetrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text."}},
)
async def get_metrics(parts: GatewayParts) -> Response:
    """Figures in Prometheus' text format."""
    return Response(generate_latest(parts.registry), media_type=CONTENT_TYPE_LATEST)
