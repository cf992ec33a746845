"""Points: their lines, what of a log row they hold, and how they are cut into writes."""

import itertools

import everykind
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxwords import documented
from linesite import Belt

from contract import events
from gateway import records
from gateway.history import feed
from gateway.history.charts import CHARTS, chart_of
from gateway.history.line import Lines, tag_text, tag_value
from gateway.history.measurements import (
    CHUNK,
    exception_points,
    join_body,
    log_point,
    points_of,
    row_of,
    split_body,
)
from gateway.history.words import Field, Point
from gateway.ledger.storage.exceptionlog import ExceptionChange
from gateway.records import LogRow

texts = st.text(st.characters(codec="utf-8"))


def row(n: int, recorded_us: int = 1_790_000_000_000_000, body: bytes = b"{}", **changes: object) -> LogRow:
    times = {"at_us": 1_789_999_999_000_000, "decided_us": 1_789_999_999_500_000, "recorded_us": recorded_us}
    fields = {"id": n, "agent": "dock-edge", "epoch": "e", "seq": n, "kind": "condition", "body": body, **times}
    return msgspec.convert({**fields, **changes}, LogRow)


GOLDEN = [
    (Point("m", (), {"f": 1.5}, 7), "m f=1.5 7"),
    (Point("m", (("a", "b c"), ("d", "e,f=g")), {"f": 1}, 7), "m,a=b\\ c,d=e\\,f\\=g f=1i 7"),
    (Point("m", (), {"i": -3, "b": True, "c": False}, -7), "m i=-3i,b=True,c=False -7"),
    (Point("m", (("t", "a\\\n%"),), {"s": 'say "\\"\n'}, 1), 'm,t=a%5C%0A%25 s="say \\"\\\\\\"\n" 1'),
    (Point("#a b,c", (("温", "冷 库"),), {"x y": 1e300}, 2), "%23a\\ b\\,c,温=冷\\ 库 x\\ y=1e+300 2"),
    (Point("m", (), {"50%": -0.0}, 2), "m 50%25=-0.0 2"),
]


@pytest.mark.parametrize(("point", "line"), GOLDEN)
def test_golden_lines(point: Point, line: str) -> None:
    assert Lines().encode([point]).decode() == line


def test_lines_of_one_series_and_shape_do_not_mix() -> None:
    """The serialiser remembers series and shapes: a name with an int here and a text there are two shapes."""
    series = [(), (("a", "1"),), (("a", "2"),)]
    fields: list[dict[str, Field]] = [{"f": 1}, {"f": 1.0}, {"f": "1"}, {"f": True}, {"g": 1}, {"f": 1, "g": "x"}]
    points = [Point(m, tags, f, n) for n, (m, tags, f) in enumerate(itertools.product("mn", series, fields))]
    lines = Lines()
    together = lines.encode(points).decode().split("\n")
    assert together == [Lines().encode([point]).decode() for point in points]
    assert lines.encode(points).decode().split("\n") == together
    assert len(set(together)) == len(points)


@given(texts)
def test_a_tag_comes_back_as_it_went_and_holds_nothing_that_ends_a_line(text: str) -> None:
    stored = tag_text(text)
    assert tag_value(stored) == text
    assert not set("\n\r\t\\\x00") & set(stored)


@given(st.builds(lambda unit, n, rest: unit * n + rest, texts, st.integers(0, 3000), texts))
def test_a_body_of_any_length_comes_back_and_no_field_is_too_long(body: str) -> None:
    fields = split_body(body)
    assert join_body(fields) == body
    assert all(len(str(part)) <= CHUNK for part in fields.values())


@given(st.integers(1, 2**40), st.integers(1, 2**50), texts)
def test_the_point_of_the_log_is_the_whole_row(n: int, recorded_us: int, body: str) -> None:
    told = row(n, recorded_us, body.encode())
    assert row_of(log_point("north", told)) == told


def test_rows_of_one_commit_never_share_series_and_time() -> None:
    first = row(1)
    points = (log_point("north", msgspec.structs.replace(first, id=n)) for n in range(1, 100_001))
    assert len({(point.tags, point.at_ns) for point in points}) == 100_000


def test_events_of_one_moment_differ_by_their_sequence_number() -> None:
    reading = events.Condition(
        at_us=5, decided_us=5, device="t-1", zone="cold-room", quantity="temperature_c", value=4.0
    )
    body = msgspec.json.encode(reading)
    points = [points_of("north", row(n, body=body, at_us=5), reading)[1] for n in range(1, 1001)]
    assert len({point.at_ns for point in points}) == 1000
    assert [name for name, _ in points[0].tags] == ["agent", "device", "quantity", "site", "zone"]
    assert points[0].fields == {"log_id": 1, "value": 4.0}
    assert points[0].at_ns == 5_001


def test_a_field_has_one_type_whatever_the_entry() -> None:
    """InfluxDB refuses a field whose type changes."""
    examples: list[records.LogEntry] = [
        events.Device(at_us=1, decided_us=1, device="d", state="health", counts={"reads": 1, "x y": 2, "UP": 3}),
        records.BadMessages(at_us=1, agent="a", count=1, reason="r"),
        records.AsnReceived(at_us=1, id="S", direction="inbound", partner="p", door=None, order=None),
    ]
    assert chart_of(examples[0]).fields == {"detail": "", "n_reads": 1}
    assert chart_of(examples[1]).tags == {"about": "a"}
    tags = points_of("north", row(1, kind="asn_received"), examples[2])[1].tags
    assert dict(tags) == {"agent": "dock-edge", "direction": "inbound", "purpose": "supply", "site": "north"}


def test_a_verdict_is_a_point_of_its_line_and_lots_are_no_series() -> None:
    belt = Belt()
    belt.begin("L1")
    seen, unseen = belt.fruit("defective", second="lemon-2"), belt.fruit("unseen", gate=None)
    assert chart_of(seen).tags == {"line": "line-a", "verdict": "defective", "model": seen.model, "gate": "pushed"}
    fields = points_of("north", row(1, kind="inspection"), seen)[1].fields
    assert (fields["lot"], fields["views"], fields["score"], fields["sampled"]) == ("L1", 4, 0.9, False)
    assert (fields["second_model"], fields["second_verdict"], fields["second_score"]) == ("lemon-2", "good", 0.2)
    point = points_of("north", row(2, kind="inspection"), unseen)[1]
    assert "score" not in point.fields, "nobody knows it"
    assert "gate" not in dict(point.tags)


def test_every_kind_of_entry_has_a_chart() -> None:
    assert set(CHARTS) == {kind for union in (events.Event, records.Record) for kind in union.__args__}


def test_the_documentation_tells_every_measurement_tag_and_field() -> None:
    told = documented()
    written = everykind.points()
    assert {point.measurement for point in written} == set(told)
    for name, known in told.items():
        ours = [point for point in written if point.measurement == name]
        tags = {key for point in ours for key, _ in point.tags}
        fields = {key: type(value) for point in ours for key, value in point.fields.items()}
        assert tags == known.tags, name
        assert all(known.knows(field) for field in fields), (name, fields)
        unseen = known.fields.keys() - fields - {"body_2", "n_NAME"}
        assert not unseen, (name, unseen)
        assert all(kind is known.fields.get(field, kind) for field, kind in fields.items()), (name, fields)


FEW = {
    *("site", "agent", "shard", "sku", "zone", "door", "device", "line", "supplier", "about", "model"),
    *("kind", "severity", "state", "direction", "rule", "verdict", "gate", "quantity", "purpose", "disposition"),
    *("reason", "what", "label", "why"),
}


def test_only_what_there_are_few_of_is_a_tag() -> None:
    """The budget of series: no EPC, lot, shipment, count, order, exception or person. `why` and `reason` are codes."""
    assert set().union(*(known.tags for known in documented().values())) == FEW


def change(n: int, **more: object) -> ExceptionChange:
    opened_us = 1_790_000_000_000_000
    known = {"key": f"missing-S{n}-1", "kind": "missing", "subject": f"S{n}", "severity": "wrong", "count": n + 1}
    times = {"opened_us": opened_us, "recorded_us": opened_us + 90_000_000}
    return msgspec.convert({**known, "state": "changed", **times, **more}, ExceptionChange)


def test_an_exception_is_a_point_whenever_it_changes() -> None:
    changes = [change(0), change(1, state="resolved", resolved_by="ann", reason="found", decision=None)]
    first, last = exception_points("north", changes)
    assert dict(first.tags) == {"kind": "missing", "severity": "wrong", "site": "north", "state": "changed"}
    assert first.fields == {
        "key": "missing-S0-1",
        "subject": "S0",
        "count": 1,
        "open": True,
        "opened_us": 1_790_000_000_000_000,
        "open_s": 90.0,
    }
    assert (last.fields["open"], last.fields["resolved_by"], last.fields["reason"]) == (False, "ann", "found")
    assert first.at_ns // 1000 == last.at_ns // 1000 == 1_790_000_090_000_000


def test_exceptions_that_one_commit_changed_never_share_series_and_time() -> None:
    changes = [change(n, recorded_us=1_790_000_000_000_000 + n // 2_500) for n in range(5_000)]
    points = list(exception_points("north", changes))
    assert len({(point.tags, point.at_ns) for point in points}) == 5_000
    assert points[2_500:] == list(exception_points("north", changes[2_500:])), "however they are cut into batches"


@given(st.lists(st.integers(0, 3_000_000), max_size=30))
def test_a_batch_is_cut_into_writes_that_are_not_too_large(sizes: list[int]) -> None:
    points = [Point("m", (), {"body": "x" * size}, n) for n, size in enumerate(sizes)]
    pieces = list(feed.cut(points))
    assert [point for piece in pieces for point in piece] == points
    for piece in pieces:
        assert len(piece) == 1 or sum(len(str(point.fields["body"])) for point in piece) <= feed.MAX_BYTES


def test_a_batch_is_cut_by_its_points_too() -> None:
    points = [Point("m", (), {"f": 1}, n) for n in range(12_001)]
    assert [len(piece) for piece in feed.cut(points)] == [5000, 5000, 2001]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 8), st.integers(0, 40))
def test_a_batch_holds_whole_commits(commits: list[int], limit: int, max_bytes: int) -> None:
    rows = [row(0, t, b"x" * (t % 5)) for t, size in enumerate(commits) for _ in range(size)]
    log = [msgspec.structs.replace(r, id=n) for n, r in enumerate(rows, 1)]
    taken: list[LogRow] = []
    while len(taken) < len(log):
        batch = feed.whole_commits(lambda after, count: log[after : after + count], len(taken), limit, max_bytes)
        assert batch
        taken += batch
        assert len(taken) == len(log) or log[len(taken)].recorded_us != taken[-1].recorded_us
    assert taken == log


def test_a_log_that_was_cut_is_read_from_where_it_begins() -> None:
    log = [row(n, n) for n in range(301, 501)]
    batch = feed.whole_commits(lambda after, count: [r for r in log if r.id > after][:count], 0, 120)
    assert [r.id for r in batch] == list(range(301, 301 + len(batch)))
    assert len(batch) > 100


def test_a_backlog_of_large_documents_is_read_in_bounds() -> None:
    """An outage in which 1,000 documents of a megabyte came: 60 of them are in memory at once, not 1,000."""
    body = b"x" * 1_000_000
    log = [row(n, n, body) for n in range(1, 1_001)]
    asked: list[int] = []

    def read(after: int, count: int) -> list[LogRow]:
        asked.append(count)
        return log[after : after + count]

    batch = feed.whole_commits(read, 0, feed.ROWS)
    assert sum(asked) <= 60
    assert len(batch) >= 8
