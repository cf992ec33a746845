"""What every History promises, asked of both: the local tables and a real InfluxDB."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from influx import Influxd

from contract import site
from gateway.history.influx import InfluxHistory
from gateway.history.local import LocalHistory
from gateway.history.words import Field, History, Point, Tags

T0 = 1_790_000_000_000_000_000
END = T0 + 10**15

Run = Callable[[Callable[[History], Awaitable[None]]], None]


@pytest.fixture(params=["local", "influx"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs a story with a history that is new, and ready."""
    names = itertools.count()

    def make() -> History:
        if request.param == "local":
            return LocalHistory(tmp_path / f"history-{next(names)}.db")
        server: Influxd = request.getfixturevalue("influxd")
        name = f"story-{secrets.token_hex(4)}"
        return InfluxHistory(site.InfluxHistory(kind="influx", url=server.url, database=name))

    async def live(story: Callable[[History], Awaitable[None]]) -> None:
        history = make()
        try:
            await history.ready()
            await story(history)
        finally:
            await history.close()

    return lambda story: asyncio.run(live(story))


def condition(n: int, value: float, zone: str = "cold-room", **more: Field) -> Point:
    return Point("condition", (("site", "north"), ("zone", zone)), {"value": value, **more}, T0 + n)


async def everything(history: History, measurement: str = "condition", **tags: str) -> list[Point]:
    return await history.query(measurement, 0, END, 10_000, tags)


def test_points_come_back_as_they_went_oldest_first(run: Run) -> None:
    kinds: dict[str, Field] = {"value": 21.0, "count": 2**62 + 1, "text": "a", "open": True, "small": 1e-300}
    first = Point("condition", (("zone", "a"),), kinds, T0)
    second = Point("condition", (("zone", "b"),), {"value": -0.5, "count": -7, "open": False}, T0 + 1)

    async def story(history: History) -> None:
        assert await history.write([second, first]) == []
        points = await everything(history)
        assert points == [first, second]
        assert {name: type(value) for name, value in points[0].fields.items()} == {
            name: type(value) for name, value in kinds.items()
        }

    run(story)


def test_a_query_has_a_span_a_limit_and_tags(run: Run) -> None:
    points = [condition(n, float(n), zone="ab"[n % 2]) for n in range(10)]

    async def story(history: History) -> None:
        await history.write(points)
        assert await history.query("condition", T0 + 2, T0 + 5, 100, {}) == points[2:5]
        assert await history.query("condition", T0, END, 3, {}) == points[:3]
        assert await everything(history, zone="b", site="north") == points[1::2]
        assert await everything(history, zone="c") == []
        assert await everything(history, measurement="never_written") == []

    run(story)


def test_writing_twice_is_the_same_as_once(run: Run) -> None:
    points = [condition(n, float(n)) for n in range(50)]

    async def story(history: History) -> None:
        await history.write(points)
        await history.write(points[10:40])
        assert await everything(history) == points

    run(story)


def test_the_same_series_and_time_overwrites_shared_fields_and_keeps_the_others(run: Run) -> None:
    async def story(history: History) -> None:
        await history.write([condition(0, 1.0, detail="old", big=2**62 + 3), condition(0, 3.0, zone="other")])
        await history.write([condition(0, 2.0, note="new")])
        ours = await everything(history, zone="cold-room")
        assert [point.fields for point in ours] == [{"value": 2.0, "detail": "old", "big": 2**62 + 3, "note": "new"}]
        assert len(await everything(history)) == 2

    run(story)


@pytest.mark.parametrize("bad_at", [[0], [99], [17, 18, 60], list(range(100))], ids=["first", "last", "some", "all"])
def test_bad_points_are_named_and_the_others_are_kept(run: Run, bad_at: list[int]) -> None:
    good = {n: condition(n, float(n)) for n in range(100) if n not in bad_at}
    flaws = itertools.cycle([{"value": "a text"}, {"value": float("nan")}, {"value": 1.0, "count": 2**63}, {}])
    bad = {n: Point("condition", condition(n, 0).tags, next(flaws), T0 + n) for n in bad_at}

    async def story(history: History) -> None:
        before = condition(-1, 0.5)
        await history.write([before])
        refused = await history.write([{**good, **bad}[n] for n in range(100)])
        assert sorted(r.point.at_ns for r in refused) == sorted(point.at_ns for point in bad.values())
        assert all(r.reason for r in refused)
        assert await everything(history) == [before, *good.values()]

    run(story)


texts = st.text(st.characters(codec="utf-8"), max_size=30)
hostile = st.one_of(texts, st.text(alphabet="\\\"', =\n\r\t%#$;\x00nt0Aé冷🍋", max_size=12))


def tags_of(values: list[str]) -> Tags:
    return tuple((name, value) for name, value in zip("abc", values, strict=False) if value)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.lists(hostile, max_size=3), hostile), min_size=20, max_size=40))
def test_hostile_text_comes_back_as_it_went(run: Run, rows: list[tuple[list[str], str]]) -> None:
    points = [Point("text", tags_of(tags), {"body": body}, T0 + n) for n, (tags, body) in enumerate(rows)]

    async def story(history: History) -> None:
        assert await history.write(points) == []
        assert await everything(history, measurement="text") == points
        for point in points[:3]:
            assert point in await everything(history, measurement="text", **dict(point.tags))

    run(story)


def test_a_long_text_and_many_points_at_once(run: Run) -> None:
    points = [condition(n, float(n), body="x" * 60_000 if n == 7 else "y") for n in range(5_000)]

    async def story(history: History) -> None:
        assert await history.write(points) == []
        assert await everything(history) == points

    run(story)


def test_the_local_tables_keep_what_is_new_enough_and_what_has_room(tmp_path: Path) -> None:
    """400 days of readings and long texts in at most 16 MB; InfluxDB has retention policies for this."""
    day_ns = 86_400 * 10**9
    now_ns = [T0]
    config = site.LocalHistory(days=10.0, megabytes=16)

    async def story() -> None:
        history = LocalHistory(tmp_path / "history.db", config, lambda: now_ns[0])
        for day in range(60):
            now_ns[0] = T0 + day * day_ns
            readings = [Point("condition", (), {"value": 1.0}, now_ns[0] + n) for n in range(50)]
            late = Point("device", (), {"detail": "from another century"}, 10**9)
            assert await history.write([*readings, late]) == []
        kept = await history.query("condition", 0, END * 2, 10_000, {})
        assert kept[0].at_ns // day_ns == (now_ns[0] - 10 * day_ns) // day_ns
        assert len(kept) == 50 * 11
        for n in range(60):
            points = [Point("text", (), {"body": "x" * 10_000}, now_ns[0] + 100 * n + m) for m in range(40)]
            assert await history.write(points) == []
        texts = await history.query("text", 0, END * 2, 10_000, {})
        await history.close()
        assert texts[-1].at_ns == now_ns[0] + 5939
        assert 0 < len(texts) < 2_400
        assert (tmp_path / "history.db").stat().st_size < 24_000_000

    asyncio.run(story())
