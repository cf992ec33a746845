"""What goods bore: those that stood in a zone, and those of a lot wherever they stood (docs/coldchain.md)."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from contract.coldchain import ShelfLife
from gateway.api.conditions import MAX_US, ExposureView, Since, Until, figures, window
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.coldchain.cells import DAY_US, Quarter
from gateway.coldchain.exposure import Exposure, Keeping, Stay, borne, exposure, presence
from gateway.errors import BodyMistake
from gateway.ledger.showing.shown_cold import Record, zone_quarters
from gateway.ledger.watching.climate import KEPT_DAYS
from gateway.views import EventTime

router = APIRouter(prefix="/api/v1", tags=["conditions"])

MAX_POSTINGS = 20_000
"""Of a lot: the newest are looked at."""
ROWS = 2**62
"""More than the log will ever have."""


class KeepingView(BaseModel):
    """How much of their life goods have left that were new when this time began."""

    used: float
    """Share of it: 1 is all."""
    remaining_days: float
    """At the temperature for which their life is told."""
    life_days: float
    life_at_c: float
    chilled_minutes: float
    """Below the temperature at which the cold hurts them."""


class ZoneExposure(BaseModel):
    """What goods bore that stood in a zone."""

    zone: str
    since_us: EventTime
    until_us: EventTime
    temperature: ExposureView
    humidity: ExposureView
    keeping: KeepingView | None
    """Only where a SKU was asked for."""


class StayView(BaseModel):
    """Some of a lot stood in a zone."""

    zone: str
    since_us: EventTime
    until_us: EventTime


class LotExposure(BaseModel):
    """What a lot bore in the house. While it stood in several zones, it is the worst that any of it can have borne."""

    lot: str
    sku: str
    until_us: EventTime
    stays: list[StayView]
    """Oldest first."""
    complete: bool
    """False: it moved so often that only its last moves were looked at."""
    temperature: ExposureView
    keeping: KeepingView | None
    """None for a SKU of which the site file does not say how long it keeps."""


@router.get(
    "/conditions/{zone}/exposure",
    operation_id="getZoneExposure",
    responses=documented("unknown-zone", "invalid-request"),
)
async def get_zone_exposure(
    parts: GatewayParts,
    zone: Annotated[str, Path(min_length=1, max_length=100)],
    since_us: Since = None,
    until_us: Until = None,
    sku: Annotated[str | None, Query(max_length=100, description="How much of the life of this SKU it took.")] = None,
) -> ZoneExposure:
    """What goods bore that stood in a zone from `since_us` to `until_us`."""
    if not parts.ledger.cold.knows(zone):
        raise ApiProblem("unknown-zone", f"no zone is called {zone!r}")
    since, until = window(parts, since_us, until_us)
    life = None if sku is None else _life(parts, sku)
    if sku is not None and life is None:
        text = "is no SKU of the site file that says how long it keeps"
        raise ApiProblem("invalid-request", f"{sku!r} {text}", [BodyMistake("query.sku", text)])
    records = parts.ledger.cold.records(since, until, zone)
    warm, kept = await asyncio.to_thread(_warm, records, [Stay(zone, since, until)], life)
    humid = await asyncio.to_thread(_humid, records, since, until)
    return ZoneExposure(
        zone=zone,
        since_us=since,
        until_us=until,
        temperature=ExposureView.model_validate(figures(warm)),
        humidity=ExposureView.model_validate(figures(humid)),
        keeping=_keeping(life, kept),
    )


@router.get(
    "/lots/{lot:path}/exposure",
    operation_id="getLotExposure",
    responses=documented("unknown-lot", "invalid-request"),
)
async def get_lot_exposure(
    parts: GatewayParts,
    lot: Annotated[str, Path(min_length=1, max_length=100)],
    sku: Annotated[str, Query(min_length=1, max_length=100)],
    until_us: Annotated[int | None, Query(ge=0, le=MAX_US, description="Event time; now if left out.")] = None,
) -> LotExposure:
    """What a lot of a SKU bore since it came into the house, as far as its readings are kept."""
    until = parts.clock() if until_us is None else until_us
    moves = await asyncio.to_thread(parts.ledger.postings_of, sku, lot=lot, before=ROWS, limit=MAX_POSTINGS)
    if not moves:
        raise ApiProblem("unknown-lot", f"no unit of lot {lot!r} of {sku!r} was ever in the house")
    stays = presence(((move.at_us, move.zone, move.change) for move in moves), until)
    since = max(0, until - KEPT_DAYS * DAY_US, min((stay.since_us for stay in stays), default=until))
    life = _life(parts, sku)
    warm, kept = await asyncio.to_thread(_warm, parts.ledger.cold.records(since, until), stays, life)
    return LotExposure(
        lot=lot,
        sku=sku,
        until_us=until,
        stays=[StayView(zone=stay.zone, since_us=stay.since_us, until_us=stay.until_us) for stay in stays],
        complete=len(moves) < MAX_POSTINGS,
        temperature=ExposureView.model_validate(figures(warm)),
        keeping=_keeping(life, kept),
    )


def _life(parts: Parts, sku: str) -> ShelfLife | None:
    return {item.sku: item.keeps for item in parts.site.items}.get(sku)


def _warm(records: Sequence[Record], stays: Iterable[Stay], life: ShelfLife | None) -> tuple[Exposure, Keeping | None]:
    rooms: dict[str, list[Record]] = {}
    for record in records:
        if record.quantity == "temperature_c":
            rooms.setdefault(record.zone, []).append(record)

    def quarters(zone: str, since_us: int, until_us: int) -> list[Quarter]:
        return zone_quarters(rooms.get(zone, ()), since_us, until_us)

    return borne(stays, quarters, life)


def _humid(records: Sequence[Record], since_us: int, until_us: int) -> Exposure:
    found = [record for record in records if record.quantity == "humidity_pct"]
    return exposure(zone_quarters(found, since_us, until_us), since_us, until_us)


def _keeping(life: ShelfLife | None, kept: Keeping | None) -> KeepingView | None:
    if life is None or kept is None:
        return None
    return KeepingView(
        used=round(kept.used, 4),
        remaining_days=round(kept.remaining_days, 2),
        life_days=life.days,
        life_at_c=life.at_c,
        chilled_minutes=round(kept.chilled_minutes, 1),
    )
