"""From rows of the log to points: which measurements there are, with which tags and fields (docs/influx.md).

Pure. Every row becomes one point of `log`, which holds all of it (the log can be rebuilt from these alone), and most
become one more, under the name of their kind, for people and their charts.
"""

import itertools
import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from contract import events
from gateway import records
from gateway.history.words import Field, Point, Tags
from gateway.records import LogEntry, LogRow

SHARDS = 100
"""Series of `log`. Rows with one record time differ in their id modulo 1000 (the nanoseconds) or in their shard: that
is unique among 100,000 consecutive rows."""
CHUNK = 15_000
"""Characters of a body in one field, at most 60,000 bytes: InfluxDB promises to keep 64 KiB of UTF-8."""

_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Chart(NamedTuple):
    """The second point of a row, but for what all of them have: site, agent and time."""

    tags: Mapping[str, str | None]
    fields: Mapping[str, Field | None]


def points_of(site: str, row: LogRow, entry: LogEntry) -> list[Point]:
    """The points of one row; `entry` is its body."""
    chart = chart_of(entry)
    tags = _tags({"site": site, "agent": row.agent, **chart.tags})
    fields: dict[str, Field] = {"log_id": row.id}
    fields |= {name: value for name, value in chart.fields.items() if value is not None}
    return [log_point(site, row), Point(row.kind, tags, fields, row.at_us * 1000 + row.seq % 1000)]


def log_point(site: str, row: LogRow) -> Point:
    """The whole row. Its record time is the point's time without the nanoseconds."""
    tags = _tags({"site": site, "shard": f"{row.id // 1000 % SHARDS:02}"})
    fields: dict[str, Field] = {
        "id": row.id,
        "agent": row.agent,
        "epoch": row.epoch,
        "seq": row.seq,
        "kind": row.kind,
        "at_us": row.at_us,
        "decided_us": row.decided_us,
    }
    fields |= split_body(row.body.decode())
    return Point("log", tags, fields, row.recorded_us * 1000 + row.id % 1000)


def row_of(point: Point) -> LogRow:
    """The row that `log_point` was given."""
    numbers = {name: value for name, value in point.fields.items() if not name.startswith("body")}
    row = {**numbers, "recorded_us": point.at_ns // 1000, "body": join_body(point.fields).encode()}
    return msgspec.convert(row, LogRow)


def split_body(body: str) -> dict[str, Field]:
    """A body as the fields `body`, `body_2`, `body_3`, ..., none longer than a field may be."""
    return {_body_name(i): body[i * CHUNK : (i + 1) * CHUNK] for i in range(max(1, -(-len(body) // CHUNK)))}


def join_body(fields: dict[str, Field]) -> str:
    """What `split_body` was given."""
    names = itertools.takewhile(fields.__contains__, map(_body_name, itertools.count()))
    return "".join(str(fields[name]) for name in names)


def _body_name(i: int) -> str:
    return f"body_{i + 1}" if i else "body"


def _tags(tags: dict[str, str | None]) -> Tags:
    """In order of the keys; what is empty is left out."""
    return tuple((name, value) for name, value in sorted(tags.items()) if value)


def chart_of(entry: LogEntry) -> Chart:
    """What people look at of an entry. Names that are without number (EPCs, lots, documents) are fields, never tags."""
    match entry:
        case events.DoorPass():
            return _door_pass(entry)
        case events.EmptyPass():
            fields: dict[str, Field | None] = {
                "reads": entry.reads,
                "open_s": (entry.closed_us - entry.opened_us) / 1e6,
            }
            return Chart({"door": entry.door, "direction": entry.direction}, {**fields, "decided_us": entry.decided_us})
        case events.ZoneSeen() | events.ZoneLeft():
            return Chart({"zone": entry.zone}, {"tags": len(entry.epcs), "decided_us": entry.decided_us})
        case events.TagCount():
            return Chart({"zone": entry.zone}, {"tags": len(entry.epcs), "count": entry.count})
        case events.Inspection():
            return _inspection(entry)
        case events.Condition():
            tags = {"device": entry.device, "zone": entry.zone, "quantity": entry.quantity}
            return Chart(tags, {"value": entry.value})
        case events.Device():
            counts = {f"n_{name}": n for name, n in entry.counts.items() if _FIELD_NAME.fullmatch(name)}
            return Chart({"device": entry.device, "state": entry.state}, {"detail": entry.detail, **counts})
        case _:
            return _record(entry)


def _door_pass(event: events.DoorPass) -> Chart:
    evidence = event.evidence
    fields: dict[str, Field | None] = {
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


def _inspection(event: events.Inspection) -> Chart:
    second = event.second
    fields: dict[str, Field | None] = {
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


def _record(record: records.Record) -> Chart:
    match record:
        case records.AsnReceived():
            units = sum(line.units for line in record.lines)
            fields = {"id": record.id, "partner": record.partner, "order": record.order}
            tags = {"direction": record.direction, "door": record.door}
            return Chart(tags, {**fields, "cases": len(record.cases), "units": units})
        case records.ItemsImported():
            return Chart({}, {"who": record.who, "items": len(record.items)})
        case records.ExceptionResolved():
            said = {"who": record.who, "why": record.why, "decision": record.decision}
            return Chart({}, {"id": record.id, **said})
        case records.ShipmentSettled():
            return Chart({}, {"id": record.id})
        case records.ReplenishmentRequested():
            return Chart({"sku": record.sku}, {"key": record.key, "units": record.units, "on_hand": record.on_hand})
        case records.OrderReported():
            tags = {"state": record.state, "supplier": record.supplier}
            return Chart(tags, {"key": record.key, "number": record.number, "units": record.units})
        case records.LotBegun():
            lot = {"lot": record.lot, "sku": record.sku, "customer": record.customer}
            return Chart({"line": record.line}, {**lot, "who": record.who})
        case records.LotFound():
            return Chart({"line": record.line}, {"lot": record.lot, "limit": record.limit})
        case records.UnknownLine():
            return Chart({"about": record.agent}, {"line": record.line, "count": record.count})
        case records.LineFound():
            return Chart({"line": record.line}, {"n": 1})
        case records.LotReleased():
            return Chart({}, {"lot": record.lot, "who": record.who, "why": record.why})
        case records.ReviewAnswered():
            return Chart({"label": record.label}, {"id": record.id, "who": record.who})
        case records.ReviewsClosed():
            return Chart({"why": record.why}, {"reviews": len(record.ids)})
        case records.AgentSilent() | records.AgentHeard():
            return Chart({"about": record.agent}, {"n": 1})
        case records.DataLost():
            return Chart({"about": record.agent}, {"epoch": record.epoch, "detail": record.detail})
        case records.BadMessages():
            return Chart({"about": record.agent}, {"count": record.count, "reason": record.reason})
