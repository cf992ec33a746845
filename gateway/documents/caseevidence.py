"""Why a case counts as come: the row of the log that says so, and what that says of this very tag."""

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contract.events import DoorPass, TagCount, ZoneSeen
from gateway.records import ItemsImported, LogRow, decode
from gateway.records.stockrecords import StockMoved
from gateway.views import EventTime, GatewayTime


class SideView(BaseModel):
    """The reads of one side of a door."""

    reads: int
    peak_rssi_dbm: float | None


class CaseEvidence(BaseModel):
    """One row of the log, and what it says of one tag."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    row: int
    """Id in the log."""
    kind: str
    agent: str
    at_us: EventTime
    decided_us: EventTime
    recorded_us: GatewayTime
    place: str
    """Door or zone; empty where a person told of it."""
    tag: str
    """EPC that was seen: the case's own, or its pallet's, by which it was inferred."""
    inferred: bool
    pallet: str | None = None
    """EPC of the logistic unit that moved with it, as the door decided."""
    direction: Literal["inbound", "outbound", "unknown"] | None = None
    confidence: float | None = None
    rule: str | None = None
    """What decided the direction: centroid, phase, photo_eye, group or margin."""
    inside: SideView | None = None
    outside: SideView | None = None
    """Of this tag alone, if several went together."""
    tags: int = 1
    """How many tags the row is about."""
    straggler: bool = False
    """It came late, or its own reads do not show that it went with the rest."""
    who: str | None = None
    """Of what a person told."""
    reason: str | None = None


def of(row: LogRow, epc: str, pallet: str | None) -> CaseEvidence:
    """What a row says of a case, by its own tag or, where it does not name that, by its pallet's."""
    entry = decode(row.body)
    match entry:
        case DoorPass():
            return _passed(row, entry, epc, pallet)
        case ZoneSeen() | TagCount():
            return _base(row, entry.zone, entry.epcs, epc, pallet)
        case StockMoved():
            named = tuple(one for line in entry.lines for one in line.epcs)
            return _base(row, "", named, epc, pallet).model_copy(update={"who": entry.who, "reason": entry.reason})
        case ItemsImported():
            return _base(row, "", (epc,), epc, pallet).model_copy(update={"who": entry.who})
        case _:
            return _base(row, "", (epc,), epc, pallet)


def _passed(row: LogRow, event: DoorPass, epc: str, pallet: str | None) -> CaseEvidence:
    base = _base(row, event.door, event.epcs, epc, pallet)
    found = dict(zip(event.epcs, event.tags, strict=False)).get(base.tag)
    sides = event.evidence.inside, event.evidence.outside
    inside, outside = (SideView(reads=side.reads, peak_rssi_dbm=side.peak_rssi_dbm) for side in sides)
    if found is not None:
        inside = SideView(reads=found.inside_reads, peak_rssi_dbm=found.inside_peak_rssi_dbm)
        outside = SideView(reads=found.outside_reads, peak_rssi_dbm=found.outside_peak_rssi_dbm)
    return base.model_copy(
        update={
            "pallet": event.container if event.container != base.tag else None,
            "direction": event.direction,
            "confidence": event.confidence,
            "rule": event.evidence.rule,
            "inside": inside,
            "outside": outside,
            "straggler": found is not None and found.straggler,
        }
    )


def _base(row: LogRow, place: str, named: Collection[str], epc: str, pallet: str | None) -> CaseEvidence:
    own = epc in named
    return CaseEvidence(
        row=row.id,
        kind=row.kind,
        agent=row.agent,
        at_us=row.at_us,
        decided_us=row.decided_us,
        recorded_us=row.recorded_us,
        place=place,
        tag=epc if own else pallet or "",
        inferred=not own,
        tags=len(named),
    )
