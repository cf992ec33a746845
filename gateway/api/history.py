"""The site's history, asked by measurement, tags and time."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.api.parts import GatewayParts
from gateway.api.problems import ApiProblem, documented
from gateway.errors import BodyMistake, HistoryDown
from gateway.history.words import MAX_LIMIT, Point

router = APIRouter(prefix="/api/v1/history", tags=["log"])

MAX_US = 4_102_444_800_000_000
"""The year 2100."""
Micros = Annotated[int, Query(ge=0, le=MAX_US)]


class HistoryPoint(BaseModel):
    """One point of one series."""

    at_us: Annotated[int, Field(description="Event time or record time, as docs/influx.md says of the measurement.")]
    tags: dict[str, str]
    fields: dict[str, bool | int | float | str]


class HistoryPage(BaseModel):
    """Points of one measurement, oldest first."""

    measurement: str
    points: list[HistoryPoint]


@router.get("", operation_id="getHistory", responses=documented("invalid-request", "history-unavailable"))
async def get_history(
    parts: GatewayParts,
    measurement: Annotated[str, Query(pattern=r"^[a-z_]{1,40}$", description="E.g. level, condition, event.")],
    since_us: Micros = 0,
    until_us: Micros = MAX_US,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 1000,
    tag: Annotated[
        list[Annotated[str, Query(pattern=r"^[a-z_]{1,40}=[^\x00-\x1f\x7f]{1,200}$")]],
        Query(max_length=10, description="`key=value`; a point must have all of them."),
    ] = [],  # noqa: B006  # FastAPI copies defaults
) -> HistoryPage:
    """The first points of one measurement from `since_us` up to and without `until_us`."""
    tags = dict(one.split("=", 1) for one in tag)
    if len(tags) < len(tag):
        raise ApiProblem("invalid-request", "a tag is asked for twice", [BodyMistake("query.tag", "stands twice")])
    try:
        points = await parts.history.query(measurement, since_us * 1000, until_us * 1000, limit, tags)
    except HistoryDown as error:
        raise ApiProblem("history-unavailable", str(error)) from error
    return HistoryPage(measurement=measurement, points=[_point(point) for point in points])


def _point(point: Point) -> HistoryPoint:
    return HistoryPoint(at_us=point.at_ns // 1000, tags=dict(point.tags), fields=point.fields)
