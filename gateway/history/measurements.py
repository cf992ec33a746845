"""From rows of the log to points (docs/influx.md says which measurements there are, with which tags and fields).

Pure. Every row becomes one point of `log`, which holds all of it (the log can be rebuilt from these alone), and one
more under the name of its kind, for people and their charts. Exceptions are no rows but follow from rows; each change
of one is a point of `exception`.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec

from gateway.history.charts import chart_of
from gateway.history.words import Field, Point, Tags
from gateway.ledger.storage.exceptionlog import ExceptionChange
from gateway.records import LogEntry, LogRow

LOG = "log"
EXCEPTION = "exception"
SHARDS = 100
"""Series of `log`. Rows with one record time differ in their id modulo 1000 (the nanoseconds) or in their shard: that
is unique among 100,000 consecutive rows."""
CHUNK = 15_000
"""Characters of a body in one field, at most 60,000 bytes: InfluxDB promises to keep 64 KiB of UTF-8."""
MAX_KNOWN = 100_000
"""Sets of tags that are remembered."""


def points_of(site: str, row: LogRow, entry: LogEntry) -> list[Point]:
    """The points of one row; `entry` is its body."""
    chart = chart_of(entry)
    fields: dict[str, Field] = {"log_id": row.id}
    for name, value in chart.fields.items():
        if value is not None:
            fields[name] = value
    tags = _tags((("site", site), ("agent", row.agent), *chart.tags.items()))
    return [log_point(site, row), Point(row.kind, tags, fields, row.at_us * 1000 + row.seq % 1000)]


def log_point(site: str, row: LogRow) -> Point:
    """The whole row. Its record time is the point's time without the nanoseconds."""
    fields: dict[str, Field] = {
        "id": row.id,
        "agent": row.agent,
        "epoch": row.epoch,
        "seq": row.seq,
        "kind": row.kind,
        "at_us": row.at_us,
        "decided_us": row.decided_us,
    }
    body = row.body.decode()
    if len(body) <= CHUNK:
        fields["body"] = body
    else:
        fields |= split_body(body)
    tags = _tags((("site", site), ("shard", _SHARD_NAMES[row.id // 1000 % SHARDS])))
    return Point(LOG, tags, fields, row.recorded_us * 1000 + row.id % 1000)


def row_of(point: Point) -> LogRow:
    """The row that `log_point` was given."""
    return log_row(point.at_ns, point.fields)


def log_row(at_ns: int, fields: Mapping[str, object]) -> LogRow:
    """The row of a point of `log`, by its time and fields; raises `msgspec.ValidationError` where it is none."""
    numbers = {name: value for name, value in fields.items() if not name.startswith("body")}
    return msgspec.convert({**numbers, "recorded_us": at_ns // 1000, "body": join_body(fields).encode()}, LogRow)


def split_body(body: str) -> dict[str, Field]:
    """A body as the fields `body`, `body_2`, `body_3`, ..., none longer than a field may be."""
    return {_body_name(i): body[i * CHUNK : (i + 1) * CHUNK] for i in range(max(1, -(-len(body) // CHUNK)))}


def join_body(fields: Mapping[str, object]) -> str:
    """What `split_body` was given; fields that are None are not there."""
    parts = (fields.get(_body_name(i)) for i in itertools.count())
    return "".join(str(part) for part in itertools.takewhile(lambda part: part is not None, parts))


def exception_points(site: str, changes: Iterable[ExceptionChange]) -> Iterator[Point]:
    """A point for each exception that a commit changed. `changes`: all of whole commits, in order; what one commit
    changed has one `recorded_us`."""
    for _, of_one_time in itertools.groupby(changes, key=lambda change: change.recorded_us):
        for n, change in enumerate(of_one_time):
            yield exception_point(site, change, n)


def exception_point(site: str, change: ExceptionChange, n: int) -> Point:
    """The n-th change of one commit, from 0: what two changes of one moment are told apart by."""
    shard = f"{n // 1000:02}" if n >= 1000 else None
    tags = _tags(
        (
            ("site", site),
            ("kind", change.kind),
            ("severity", change.severity),
            ("state", change.state),
            ("shard", shard),
        )
    )
    fields: dict[str, Field | None] = {
        "key": change.key,
        "subject": change.subject,
        "count": change.count,
        "open": change.state != "resolved",
        "opened_us": change.opened_us,
        "open_s": (change.recorded_us - change.opened_us) / 1e6,
        "claimed_by": change.claimed_by,
        "resolved_by": change.resolved_by,
        "reason": change.reason,
        "decision": change.decision,
    }
    present = {name: value for name, value in fields.items() if value is not None}
    return Point(EXCEPTION, tags, present, change.recorded_us * 1000 + n % 1000)


_SHARD_NAMES = tuple(f"{n:02}" for n in range(SHARDS))


def _body_name(i: int) -> str:
    return f"body_{i + 1}" if i else "body"


@lru_cache(MAX_KNOWN)
def _tags(tags: tuple[tuple[str, str | None], ...]) -> Tags:
    """In order of the keys; what is empty is left out. A site has few of them, so that they are remembered."""
    return tuple((name, value) for name, value in sorted(tags) if value)
