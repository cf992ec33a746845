"""The cold chain: what each sensor and each zone is like, and was (docs/coldchain.md)."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.coldchain.cells import DAY_US
from gateway.coldchain.exposure import Exposure, exposure
from gateway.errors import BodyMistake
from gateway.ledger.showing.shown_cold import Record, zone_quarters
from gateway.ledger.watching.climate import KEPT_DAYS
from gateway.views import ConditionView, EventTime

router = APIRouter(prefix="/api/v1/conditions", tags=["conditions"])

MAX_US = 4_102_444_800_000_000
"""The year 2100."""
Since = Annotated[int | None, Query(ge=0, le=MAX_US, description="Event time; a day before `until_us` if left out.")]
Until = Annotated[int | None, Query(ge=0, le=MAX_US, description="Event time; now if left out.")]


class ExposureView(BaseModel):
    """What a time was like, in minutes and the unit of the quantity. Of a door `out_minutes` tells how long it was
    open."""

    minutes: float
    """Those of which something is known."""
    unknown_minutes: float
    out_minutes: float
    low: float | None
    high: float | None
    mean: float | None
    kinetic_c: float | None
    """Mean kinetic temperature (ICH Q1A(R2), USP <1079.2>)."""


class PlaceExposure(ExposureView):
    """Of one quantity in one zone: by one sensor, or by all of them together (`device` is None)."""

    zone: str
    quantity: str
    device: str | None


class ConditionsNow(BaseModel):
    """Each sensor now, and what it told of the time asked for."""

    since_us: EventTime
    until_us: EventTime
    now: list[ConditionView]
    zones: list[PlaceExposure]
    """By all sensors together: as warm as the warmest, and outside where any is."""
    sensors: list[PlaceExposure]


@router.get("", operation_id="getConditions", responses=documented("invalid-request"))
async def get_conditions(parts: GatewayParts, since_us: Since = None, until_us: Until = None) -> ConditionsNow:
    """Every sensor now, and the extremes, time out of range and mean kinetic temperature of a time."""
    since, until = window(parts, since_us, until_us)
    cold = parts.ledger.cold
    now, records = cold.sensors(), cold.records(since, until)
    zones, sensors = await asyncio.to_thread(_places, records, since, until)
    return ConditionsNow(since_us=since, until_us=until, now=now, zones=zones, sensors=sensors)


def window(parts: Parts, since_us: int | None, until_us: int | None) -> tuple[int, int]:
    """The time asked for; raises `ApiProblem` where there is none in it, or too much."""
    until = parts.clock() if until_us is None else until_us
    since = max(0, until - DAY_US) if since_us is None else since_us
    if not since < until <= since + KEPT_DAYS * DAY_US:
        text = f"lies between 1 microsecond and {KEPT_DAYS} days before until_us"
        raise ApiProblem(
            "invalid-request", "the time asked for is empty or too long", [BodyMistake("query.since_us", text)]
        )
    return since, until


def _places(records: Sequence[Record], since_us: int, until_us: int) -> tuple[list[PlaceExposure], list[PlaceExposure]]:
    zones, sensors = [], []
    for _, held in groupby(records, key=lambda record: (record.zone, record.quantity)):
        together = list(held)
        for one in together:
            told = exposure(one.quarters(since_us, until_us), since_us, until_us)
            sensors.append(_place(one, one.device, told))
        told = exposure(zone_quarters(together, since_us, until_us), since_us, until_us)
        zones.append(_place(together[0], None, told))
    return zones, sensors


def _place(record: Record, device: str | None, told: Exposure) -> PlaceExposure:
    place = {"zone": record.zone, "quantity": record.quantity, "device": device}
    return PlaceExposure.model_validate({**place, **figures(told)})


def figures(told: Exposure) -> dict[str, float | None]:
    """The figures of an `ExposureView`, rounded as far as a sensor is true."""
    found = {name: getattr(told, name) for name in told.__struct_fields__}
    return {name: None if value is None else round(value, 2) for name, value in found.items()}
