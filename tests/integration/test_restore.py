"""The gateway's disk is gone: a ledger equal to the lost one from InfluxDB alone, and everybody goes on."""

import asyncio
import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from influx import Influxd
from ledgersite import SITE, START_US, Clock, Edge, batch, case, door_pass, dump
from patience import until
from typer.testing import CliRunner

import truecount
from contract import site, wire
from contract.site import InfluxHistory as InfluxConfig
from contract.site import Site
from gateway import records
from gateway.errors import HistoryDown, RestoreFailed
from gateway.history import logpages
from gateway.history.feed import HistoryFeed
from gateway.history.influx import InfluxHistory
from gateway.history.influxlink import InfluxLink
from gateway.history.line import Lines
from gateway.history.logpages import pages
from gateway.history.measurements import log_point
from gateway.history.restore import Restored, Stage, restore
from gateway.ledger.ledger import Ledger
from gateway.records import LogRow


class House:
    """A gateway's ledger with its InfluxDB, without the rest of the gateway."""

    def __init__(self, server: Influxd, folder: Path) -> None:
        self.config = InfluxConfig(kind="influx", url=server.url, database=f"house-{secrets.token_hex(4)}")
        gateway = SITE.gateway.model_copy(update={"data": folder, "history": self.config, "group_commit_s": 0.001})
        self.site: Site = SITE.model_copy(update={"gateway": gateway})
        self.clock = Clock()
        self.path = folder / "ledger.db"
        self.told: list[tuple[Stage, int, int]] = []

    def live(self, story: Callable[[Ledger], object], *, fed: bool = True) -> None:
        """The story of a running gateway; at its end InfluxDB has everything, if it is `fed`."""

        async def run() -> None:
            history = InfluxHistory(self.config)
            with Ledger.open(self.path, self.site, self.clock) as ledger:
                feed = HistoryFeed(self.site, ledger, history)
                task = asyncio.create_task(feed.run()) if fed else None
                await story(ledger)  # type: ignore[misc]  # a coroutine
                if task is not None:
                    await until(lambda: feed.link.waiting == 0)
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            await history.close()

        asyncio.run(run())

    def state(self) -> tuple[dict[str, dict[str, bytes]], list[LogRow], str, bytes]:
        """All that there is to compare: the folded state, the log, the epoch, the hash of the log."""

        async def read() -> tuple[dict[str, dict[str, bytes]], list[LogRow], str, bytes]:
            with Ledger.open(self.path, self.site, self.clock) as ledger:
                return dump(ledger), ledger.rows(0, 100_000), ledger._store.epoch, ledger._store._head

        return asyncio.run(read())

    def lose_the_disk(self) -> None:
        """All files of the ledger are gone."""
        for path in self.path.parent.glob("ledger.db*"):
            path.unlink()

    def restored(self, *, cut: bool = False, pauses_s: Sequence[float] = ()) -> Restored:
        """What `truecount restore --from-influx` does."""
        told = self.told
        return restore(self.site, self.config, self.path, lambda *step: told.append(step), cut=cut, pauses_s=pauses_s)

    def ask(self, statement: str) -> None:
        """Somebody meddles with InfluxDB."""
        link = InfluxLink(self.config)
        assert link.order(statement) is None
        link.close()


@pytest.fixture
def house(influxd: Influxd, tmp_path: Path) -> House:
    return House(influxd, tmp_path / "disk")


async def some_days(ledger: Ledger, edge: Edge, clock: Clock, days: int = 3) -> None:
    """Trucks, an ASN of 1,500 cases, a large commit."""
    cases = tuple(records.AsnCase(epc=case(1, n)) for n in range(1500))
    line = records.AsnLine(sku="lemon-4kg", units=12)
    for day in range(days):
        clock.turn(86_400)
        now = clock.now_us
        await edge.tell(*(door_pass(case(0, 100 * day + n), now - 5_000_000 + n, "dock-1") for n in range(40)))
        await ledger.record(
            records.AsnReceived(
                at_us=now, id=f"S{day}", direction="inbound", partner="Hongda Fruit", lines=(line,), cases=cases
            )
        )
        await edge.tell(*(door_pass(case(1, n), now + n, "dock-2") for n in range(20)), b'{"kind": "nonsense"}')
        await ledger.tick(clock.turn(60))


def test_the_lost_ledger_is_restored_and_everybody_goes_on(house: House) -> None:
    agents: list[Edge] = []

    async def before(ledger: Ledger) -> None:
        agents.append(Edge(ledger))
        await some_days(ledger, agents[0], house.clock)

    house.live(before)
    lost = house.state()
    house.lose_the_disk()
    done = house.restored()
    assert house.state() == lost
    assert (done.rows, done.epoch) == (len(lost[1]), lost[2])
    assert [step for step in house.told if step[1] == step[2]][-1] == ("folding", done.rows, done.rows)
    assert {path.name for path in house.path.parent.iterdir()} <= {"ledger.db", "ledger.db.lock"}

    async def after(ledger: Ledger) -> None:
        edge = Edge(ledger)
        edge.made = agents[0].made
        await some_days(ledger, edge, house.clock, days=1)

    house.live(after)
    rows = house.state()[1]
    assert rows[: len(lost[1])] == lost[1]
    assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    assert {row.epoch for row in rows if row.agent == "gateway"} == {lost[2]}
    assert "data_lost" not in {row.kind for row in rows}
    house.lose_the_disk()
    assert house.restored().rows == len(rows), "and once more"


def test_what_had_not_reached_influx_the_agents_send_again(house: House) -> None:
    async def fed(ledger: Ledger) -> None:
        await Edge(ledger).tell(*(door_pass(case(0, n), house.clock.turn(1), "dock-1") for n in range(30)))

    async def unfed(ledger: Ledger) -> None:
        edge = Edge(ledger)
        edge.made = 30
        await edge.tell(*(door_pass(case(0, 50 + n), house.clock.turn(1), "dock-1") for n in range(10)))

    house.live(fed)
    house.live(unfed, fed=False)
    house.lose_the_disk()
    house.restored()

    async def again(ledger: Ledger) -> None:
        assert ledger.streams()["dock-edge"].through == 30
        assert ledger.streams()["dock-edge"].resend
        await unfed(ledger)  # what it retains
        one = wire.encode(door_pass(case(0, 99), house.clock.turn(1), "dock-1"))
        ack = await ledger.take("dock-edge", batch("dock-edge", 46, [one]))
        assert ack.resend, "41 to 45 may still come"
        ack = await ledger.take("dock-edge", batch("dock-edge", 46, [one], floor=46))
        assert ack.through == 46, "they are gone from its outbox"
        lost = [one.body for one in ledger.rows(0, 100) if one.kind == "data_lost"]
        assert len(lost) == 1
        assert b"events 41 to 45" in lost[0]

    house.live(again)


@given(
    st.lists(st.tuples(st.integers(1, 2_600), st.sampled_from([0, 1, 999, 10**6, 10**10])), min_size=1, max_size=3),
    st.integers(6, 700),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_have_every_row_however_many_have_one_time(
    influxd: Influxd, commits: list[tuple[int, int]], limit: int
) -> None:
    """Of 2,600 rows in one microsecond three have the same time."""
    database = f"pages-{secrets.token_hex(4)}"
    link = InfluxLink(InfluxConfig(kind="influx", url=influxd.url, database=database))
    assert link.order(f'CREATE DATABASE "{database}"') is None
    rows: list[LogRow] = []
    now_us = START_US
    for size, later_us in commits:
        now_us += later_us
        rows += [row(len(rows) + n, now_us) for n in range(1, size + 1)]
    link.write(Lines().encode([log_point("north", one) for one in rows]))
    link.write(Lines().encode([log_point("south", one) for one in rows[:9]]))
    found = [one for page in pages(link, '"log"', "north", limit) for one in page]
    link.close()
    assert sorted({one.id: one for one in found}.values(), key=lambda one: one.id) == rows


def row(n: int, recorded_us: int) -> LogRow:
    times = {"at_us": START_US, "decided_us": START_US, "recorded_us": recorded_us}
    return LogRow(id=n, agent="a", epoch="e", seq=n, kind="condition", body=b"{}", **times)


def test_a_clock_that_was_set_back_changes_nothing(house: House) -> None:
    async def tell(ledger: Ledger) -> None:
        edge = Edge(ledger)
        for step_s in (0, 3600, -7200, 10, 3600):
            house.clock.turn(step_s)
            await edge.tell(*(door_pass(case(0, edge.made + n), START_US, "dock-1") for n in range(20)))

    house.live(tell)
    lost = house.state()
    house.lose_the_disk()
    house.restored()
    assert house.state() == lost


def test_missing_rows_are_named_and_nothing_is_made(house: House) -> None:
    async def tell(ledger: Ledger) -> None:
        edge = Edge(ledger)
        for n in range(30):
            house.clock.turn(1)
            await edge.tell(door_pass(case(0, n), START_US, "dock-1"))

    house.live(tell)
    rows = house.state()[1]
    house.lose_the_disk()
    times = [row.recorded_us * 1000 + row.id % 1000 for row in rows]
    house.ask(f"DELETE FROM log WHERE time >= {times[9]} AND time <= {times[11]}")
    house.ask(f"DELETE FROM log WHERE time = {times[20]}")
    with pytest.raises(RestoreFailed, match=rf"4 of {len(rows)} rows .* 10 to 12, 21\..*before row 10 with --cut"):
        house.restored()
    assert not [path for path in house.path.parent.iterdir() if path.name != "ledger.db.lock"]

    assert house.restored(cut=True).rows == 9
    assert house.state()[1] == rows[:9]
    with pytest.raises(RestoreFailed, match="is there already"):
        house.restored()


def test_an_influx_that_is_away_for_a_moment_is_waited_for(own_influxd: Influxd, tmp_path: Path) -> None:
    house = House(own_influxd, tmp_path / "disk")

    async def tell(ledger: Ledger) -> None:
        await Edge(ledger).tell(door_pass(case(0, 1), house.clock.turn(5), "dock-1"))

    own_influxd.start()
    house.live(tell)
    lost = house.state()
    house.lose_the_disk()
    own_influxd.kill()
    with pytest.raises(HistoryDown, match=own_influxd.url):
        house.restored(pauses_s=[0.01])
    assert not [path for path in house.path.parent.iterdir() if path.name != "ledger.db.lock"]
    back = threading.Timer(0.3, own_influxd.start)
    back.start()
    house.restored(pauses_s=[0.1] * 100)
    back.join()
    assert house.state() == lost


def test_two_ledgers_in_one_database_are_told(house: House) -> None:
    async def tell(ledger: Ledger) -> None:
        await Edge(ledger).tell(door_pass(case(0, 1), house.clock.turn(5), "dock-1"))

    for _ in range(2):
        house.live(tell)
        house.lose_the_disk()
    with pytest.raises(RestoreFailed, match=r"twice with different contents, the first is row 1,"):
        house.restored()


def test_the_log_is_found_in_every_retention_policy(house: House) -> None:
    made = 0

    async def tell(ledger: Ledger) -> None:
        edge = Edge(ledger)
        edge.made = made
        await edge.tell(door_pass(case(0, made), house.clock.turn(5), "dock-1"))

    house.live(tell)
    house.config, made = house.config.model_copy(update={"retention_days": 3650}), 1
    house.live(tell)
    lost = house.state()
    link = InfluxLink(house.config)
    assert len(logpages.sources(link, "north")) == 2
    link.close()
    house.lose_the_disk()
    house.restored()
    assert house.state() == lost


def test_on_the_command_line(house: House, tmp_path: Path) -> None:
    async def tell(ledger: Ledger) -> None:
        await Edge(ledger).tell(door_pass(case(0, 1), house.clock.turn(5), "dock-1"))

    house.live(tell)
    file = tmp_path / "site.json"
    file.write_text(house.site.model_dump_json())
    order = ["restore", "--config", str(file)]
    run = CliRunner().invoke
    assert run(truecount.app, order).exit_code == 2
    there = run(truecount.app, [*order, "--from-influx"])
    assert (there.exit_code, "is there already" in there.output) == (1, True)
    made = run(truecount.app, [*order, "--from-influx", "--out", str(tmp_path / "new.db")])
    assert (made.exit_code, f"{tmp_path / 'new.db'}: " in made.output) == (0, True)
    local = SITE.model_copy(update={"gateway": SITE.gateway.model_copy(update={"history": site.LocalHistory()})})
    file.write_text(local.model_dump_json())
    assert "names no InfluxDB" in run(truecount.app, [*order, "--from-influx"]).output
