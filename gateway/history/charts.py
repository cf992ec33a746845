"""What people look at of a log entry: the tags and fields of its point beside `log`, one row of a table a kind.

Names that are without number (EPCs, lots, documents, people) are fields, never tags. Pure; docs/influx.md tells the
same for people.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from contract import events
from gateway import records
from gateway.history.words import Field
from gateway.records import LogEntry, coldrecords, countrecords, stockrecords

MaybeField = Field | None
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Chart(NamedTuple):
    """The second point of a row, but for what all of them have: site, agent and time. None is left out."""

    tags: Mapping[str, str | None]
    fields: Mapping[str, MaybeField]


def chart_of(entry: LogEntry) -> Chart:
    """The chart of an entry; a kind that has none in the table is counted."""
    chart = CHARTS.get(type(entry))
    return _COUNTED if chart is None else chart(entry)


_COUNTED = Chart({}, {"n": 1})


def _door_pass(event: events.DoorPass) -> Chart:
    evidence = event.evidence
    fields: dict[str, MaybeField] = {
        "tags": len(event.epcs),
        "stragglers": sum(tag.straggler for tag in event.tags),
        "container": event.container,
        "confidence": event.confidence,
        "margin_s": evidence.margin_s,
        "reads_inside": evidence.inside.reads,
        "reads_outside": evidence.outside.reads,
        "peak_inside_dbm": evidence.inside.peak_rssi_dbm,
        "peak_outside_dbm": evidence.outside.peak_rssi_dbm,
        "decided_us": event.decided_us,
    }
    return Chart({"door": event.door, "direction": event.direction, "rule": evidence.rule}, fields)


def _empty_pass(event: events.EmptyPass) -> Chart:
    fields = {"reads": event.reads, "open_s": (event.closed_us - event.opened_us) / 1e6, "decided_us": event.decided_us}
    return Chart({"door": event.door, "direction": event.direction}, fields)


def _presence(event: events.ZoneSeen | events.ZoneLeft) -> Chart:
    return Chart({"zone": event.zone}, {"tags": len(event.epcs), "decided_us": event.decided_us})


def _tag_count(event: events.TagCount) -> Chart:
    return Chart({"zone": event.zone}, {"tags": len(event.epcs), "count": event.count})


def _inspection(event: events.Inspection) -> Chart:
    second = event.second
    fields: dict[str, MaybeField] = {
        "subject": event.subject,
        "score": event.score,
        "lot": event.lot,
        "crop": event.crop,
        "views": event.views,
        "sampled": event.sampled,
        "evidence": event.evidence,
        "second_model": second.model if second else None,
        "second_verdict": second.verdict if second else None,
        "second_score": second.score if second else None,
        "decided_us": event.decided_us,
    }
    tags = {"line": event.line, "verdict": event.verdict, "model": event.model, "gate": event.gate}
    return Chart(tags, fields)


def _condition(event: events.Condition) -> Chart:
    return Chart({"device": event.device, "zone": event.zone, "quantity": event.quantity}, {"value": event.value})


def _device(event: events.Device) -> Chart:
    counts = {f"n_{name}": n for name, n in event.counts.items() if _FIELD_NAME.fullmatch(name)}
    return Chart({"device": event.device, "state": event.state}, {"detail": event.detail, **counts})


def _asn(record: records.AsnReceived) -> Chart:
    units = sum(line.units for line in record.lines)
    fields = {"id": record.id, "partner": record.partner, "order": record.order}
    tags = {"direction": record.direction, "door": record.door, "purpose": record.purpose}
    return Chart(tags, {**fields, "cases": len(record.cases), "units": units})


def _items(record: records.ItemsImported) -> Chart:
    return Chart({}, {"who": record.who, "items": len(record.items), "units": sum(one.units for one in record.units)})


def _resolved(record: records.ExceptionResolved) -> Chart:
    return Chart({}, {"id": record.id, "who": record.who, "why": record.why, "decision": record.decision})


def _requested(record: records.ReplenishmentRequested) -> Chart:
    return Chart({"sku": record.sku}, {"key": record.key, "units": record.units, "on_hand": record.on_hand})


def _reported(record: records.OrderReported) -> Chart:
    tags = {"state": record.state, "supplier": record.supplier}
    return Chart(tags, {"key": record.key, "number": record.number, "units": record.units})


def _lot_begun(record: records.LotBegun) -> Chart:
    lot = {"lot": record.lot, "sku": record.sku, "customer": record.customer}
    return Chart({"line": record.line}, {**lot, "who": record.who})


def _site(record: stockrecords.SiteDescribed) -> Chart:
    parts = {"zones": record.zones, "doors": record.doors, "devices": record.devices, "products": record.products}
    return Chart({}, {name: len(part) for name, part in parts.items()})


def _moved(record: stockrecords.StockMoved) -> Chart:
    fields = {
        "who": record.who,
        "note": record.note or None,
        "shipment": record.shipment,
        "lines": len(record.lines),
        "tags": sum(len(line.epcs) for line in record.lines),
        "units": sum(line.units for line in record.lines),
    }
    return Chart({"reason": record.reason}, fields)


def _disposition(record: stockrecords.DispositionSet) -> Chart:
    said = {"who": record.who, "why": record.why, "was": record.was, "lot": record.lot}
    tags = {"disposition": record.disposition, "sku": record.sku, "zone": record.zone}
    return Chart(tags, {**said, "tags": len(record.epcs), "units": record.units})


def _count_completed(record: countrecords.CountCompleted) -> Chart:
    fields: dict[str, MaybeField] = {
        "id": record.id,
        "as_of_us": record.as_of_us,
        "lines": len(record.lines),
        "exact": sum(line.counted == line.expected for line in record.lines),
        "counted": sum(line.counted for line in record.lines),
        "expected": sum(line.expected for line in record.lines),
        "off": sum(abs(line.counted - line.expected) for line in record.lines),
    }
    return Chart({}, fields)


def _plain(
    *fields: str, tags: Sequence[str] = (), lengths: Sequence[str] = (), about: str = ""
) -> Callable[[Any], Chart]:
    """A chart of fields and tags that are named as in the entry; `lengths` are how many there are of something.
    `about` is a tag for the agent that a record is about: `agent` is the one that wrote the row."""

    def chart(entry: object) -> Chart:
        labels: dict[str, str | None] = {name: getattr(entry, name) for name in tags}
        if about:
            labels["about"] = getattr(entry, about)
        told = {name: getattr(entry, name) for name in fields}
        told |= {name: len(getattr(entry, name)) for name in lengths}
        return Chart(labels, told or _COUNTED.fields)

    return chart


CHARTS: dict[type, Callable[[Any], Chart]] = {
    events.DoorPass: _door_pass,
    events.EmptyPass: _empty_pass,
    events.ZoneSeen: _presence,
    events.ZoneLeft: _presence,
    events.TagCount: _tag_count,
    events.Inspection: _inspection,
    events.Condition: _condition,
    events.Device: _device,
    records.AsnReceived: _asn,
    records.ItemsImported: _items,
    records.ExceptionResolved: _resolved,
    records.ExceptionClaimed: _plain("id", "who", "let_go"),
    records.ExceptionSnoozed: _plain("id", "who", "why", "until_us"),
    records.SnoozeEnded: _plain("id"),
    records.ExceptionReopened: _plain("id", "who", "why"),
    records.Noticed: _plain("subject", "count", tags=["what"]),
    records.Ceased: _plain("subject", "why", tags=["what"]),
    records.ShipmentClosed: _plain("id", "who", "why", "reopened"),
    records.ShipmentSettled: _plain("id"),
    records.ReplenishmentRequested: _requested,
    records.OrderReported: _reported,
    records.LotBegun: _lot_begun,
    records.LotFound: _plain("lot", "limit", tags=["line"]),
    records.UnknownLine: _plain("line", "count", about="agent"),
    records.LineFound: _plain(tags=["line"]),
    records.LotReleased: _plain("lot", "who", "why"),
    records.ReviewAnswered: _plain("id", "who", tags=["label"]),
    records.ReviewsClosed: lambda record: Chart({"why": record.why}, {"reviews": len(record.ids)}),
    records.AgentSilent: _plain(about="agent"),
    records.AgentHeard: _plain(about="agent"),
    records.ClockJudged: _plain("epoch", "began", "ahead_us", about="agent"),
    records.DataLost: _plain("epoch", "detail", about="agent"),
    records.BadMessages: _plain("count", "reason", about="agent"),
    coldrecords.SensorSilent: _plain("quiet_s", tags=["device"]),
    coldrecords.DoorLeftOpen: _plain("since_us", "limit_s", tags=["device", "zone"]),
    stockrecords.SiteDescribed: _site,
    stockrecords.ProductsImported: _plain("who", lengths=["products"]),
    stockrecords.ZonesImported: _plain("who", lengths=["zones"]),
    stockrecords.LotDescribed: _plain("who", "lot", "expires", tags=["sku"]),
    stockrecords.LotExpired: _plain("lot", "expires", tags=["sku"]),
    stockrecords.StockMoved: _moved,
    stockrecords.DispositionSet: _disposition,
    stockrecords.BooksTrimmed: _plain("before_us"),
    countrecords.CountRequested: _plain("id", "who", "plan", tags=["zone"], lengths=["skus"]),
    countrecords.CountBegun: lambda record: Chart({}, {"id": record.id, "who": record.counter, "round": record.round}),
    countrecords.CountEntered: lambda record: Chart(
        {}, {"id": record.id, "who": record.counter, "lines": len(record.lines), "tags": len(record.epcs)}
    ),
    countrecords.CountSubmitted: lambda record: Chart(
        {}, {"id": record.id, "who": record.counter, "round": record.round}
    ),
    countrecords.CountInvestigated: _plain("id", "who", "note", lengths=["reasons"]),
    countrecords.CountReviewed: lambda record: Chart(
        {"verdict": record.verdict}, {"id": record.id, "who": record.approver, "note": record.note}
    ),
    countrecords.CountCompleted: _count_completed,
    countrecords.CountCancelled: _plain("id", "who", "why"),
}
