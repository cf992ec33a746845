"""The ledger's past: any moment can be told, the log can be cut, and whoever changes it is found out."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from ledgerhouse import LEMONS, UNREPLENISHED, House, cases_of
from ledgersite import Clock, door_pass, dump

from gateway import records
from gateway.errors import NoPast
from gateway.keeping import DAY_US, Keeper
from gateway.ledger.ledger import Ledger
from gateway.ledger.state import State
from gateway.ledger.storage.reader import Reader
from gateway.ledger.storage.snapshots import Snapshots
from gateway.ledger.storage.verify import Verdict, verify
from gateway.records.stockrecords import MovedLine, StockMoved

DAY_S = 86_400


def live(folder: Path, *days: Callable[[House], Awaitable[None]]) -> None:
    """Each story in a gateway of its own, one after the other."""
    clock = Clock()

    async def run(story: Callable[[House], Awaitable[None]]) -> None:
        with Ledger.open(folder / "ledger.db", UNREPLENISHED, clock) as ledger:
            house = House(ledger, clock)
            told = ledger._state.agents.get("dock-edge")
            house.edge.made = told.through["first"] if told else 0
            await story(house)

    for story in days:
        asyncio.run(run(story))


def checked(folder: Path) -> Verdict:
    path = folder / "ledger.db"
    with Reader.open(path) as reader:
        tables = [name for (name,) in reader.read("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return verify(reader, Snapshots(path, tables), UNREPLENISHED, lambda done, of: None)


def rows_of(state: State) -> dict[str, dict[str, bytes]]:
    return {
        table.name: {key: msgspec.json.encode(row) for key, row in sorted(table.rows.items())} for table in state.tables
    }


async def a_busy_day(house: House) -> None:
    n = house.ledger.last_id
    await house.announce(f"S{n}", cases=cases_of(*LEMONS[:4]))
    await house.passes(*LEMONS[:3])
    await house.settle()
    units = MovedLine(sku="tomato-tray", units=5, target="receiving", lot="T1")
    await house.ledger.record(StockMoved(at_us=house.clock(), who="Ana", reason="receipt", lines=(units,)))
    await house.passes(LEMONS[0], direction="outbound")


def test_the_state_of_every_moment_is_the_one_that_was(tmp_path: Path) -> None:
    seen: list[tuple[int, dict[str, dict[str, bytes]]]] = []

    async def story(house: House) -> None:
        for n in range(6):
            await house.passes(LEMONS[n], direction="inbound" if n % 3 else "outbound")
            if n == 3:
                house.ledger.snapshots.take()
            seen.append((house.clock(), dump(house.ledger)))
            house.clock.turn(60)

    async def later(house: House) -> None:
        for at_us, was in [*seen, *reversed(seen)]:
            with house.ledger.past.at(at_us) as (_, state):
                assert rows_of(state) == was
        with pytest.raises(NoPast), house.ledger.past.at(seen[0][0] - DAY_US):
            pass

    live(tmp_path, story, later)


def test_a_cut_log_is_whole_from_its_snapshot_on(tmp_path: Path) -> None:
    async def years(house: House) -> None:
        keeper = Keeper(UNREPLENISHED, house.ledger, house.clock)
        for _ in range(30):
            await a_busy_day(house)
            await keeper.look()
            house.clock.turn(50 * DAY_S)
        assert 0 < house.ledger.cut_at() < house.ledger.last_id
        assert house.ledger.rows(0, 1)[0].id == house.ledger.cut_at() + 1
        books = house.ledger._state
        assert len(books.shipments.rows) <= 4, "what ended a hundred days ago has left the books"
        kept = house.ledger.snapshots.all()
        assert kept[0].through == house.ledger.cut_at()
        assert len(kept) <= 7 + 8 + 13 + 1
        with house.ledger.past.at(house.clock() - 300 * DAY_US) as (row, _):
            assert row > house.ledger.cut_at()
        with pytest.raises(NoPast), house.ledger.past.at(house.clock() - 600 * DAY_US):
            pass

    async def after(house: House) -> None:
        await a_busy_day(house)

    live(tmp_path, years, after)
    verdict = checked(tmp_path)
    assert not verdict.faults
    assert verdict.first > 1


def test_nothing_is_cut_that_somebody_has_still_to_read(tmp_path: Path) -> None:
    async def years(house: House) -> None:
        house.ledger.move_cursor("history", 3)
        keeper = Keeper(UNREPLENISHED, house.ledger, house.clock)
        for _ in range(20):
            await a_busy_day(house)
            await keeper.look()
            house.clock.turn(50 * DAY_S)
        assert house.ledger.cut_at() == 0

    live(tmp_path, years)


def test_what_is_told_of_a_trimmed_time_is_refused_and_said(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        long_ago = house.clock()
        await house.passes(LEMONS[0])
        await house.passes(LEMONS[0], direction="outbound")
        house.clock.turn(200 * DAY_S)
        await Keeper(UNREPLENISHED, house.ledger, house.clock).look()
        assert house.ledger.item(LEMONS[0]) is None
        await house.edge.tell(door_pass(LEMONS[0], long_ago), door_pass(LEMONS[1], house.clock()))
        assert house.stock().units == 1, "nobody can say any more whether it left before or after"
        assert house.open()["bad_message", "dock-edge"].count == 1

    live(tmp_path, story)


def test_what_was_resolved_and_is_still_so_stays_when_the_books_are_trimmed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.device("reader-dock-1", "lost")
        for view in house.open().values():
            gone = records.ExceptionResolved(at_us=house.clock(), id=view.id, who="Ana", why="looked")
            await house.ledger.record(gone)
        house.clock.turn(200 * DAY_S)
        await Keeper(UNREPLENISHED, house.ledger, house.clock).look()
        assert not house.open()

    live(tmp_path, story)
    assert not checked(tmp_path).faults


@contextlib.contextmanager
def tampering(folder: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as db, db:
        yield db


@pytest.mark.parametrize(
    ("deed", "what"),
    [
        (
            "UPDATE log SET body = CAST(replace(body, 'inbound', 'outbound') AS BLOB) WHERE id = 5",
            "hash",
        ),
        ("DELETE FROM log WHERE id = 6", "log"),
        ("UPDATE stock SET body = replace(body, '\"units\":2', '\"units\":3') WHERE key = 'lemon-4kg'", "stock"),
        ("UPDATE postings SET change = 7 WHERE row = (SELECT max(row) FROM postings)", "posting"),
        ("UPDATE seals SET hash = zeroblob(32) WHERE through = (SELECT max(through) FROM seals)", "hash"),
        ("DELETE FROM items WHERE key IN (SELECT key FROM items LIMIT 1)", "items"),
    ],
)
def test_whoever_changes_the_books_is_found_out(tmp_path: Path, deed: str, what: str) -> None:
    live(tmp_path, a_busy_day)
    assert not checked(tmp_path).faults
    with tampering(tmp_path) as db:
        assert db.execute(deed).rowcount == 1
    assert what in {fault.what for fault in checked(tmp_path).faults}


def test_a_log_of_the_first_schema_is_brought_forward(tmp_path: Path) -> None:
    """It has neither seals nor postings, and its first row does not say what the site file says."""
    live(tmp_path, a_busy_day)
    with tampering(tmp_path) as db:
        db.execute("DELETE FROM log WHERE id = 1")
        db.execute("UPDATE log SET id = id - 1")
        for table in ("seals", "postings", "premises", "bins", "containers", "items"):
            db.execute(f"DROP TABLE {table}")
        db.execute("UPDATE meta SET value = '1' WHERE name = 'schema'")

    async def after(house: House) -> None:
        assert house.stock().zones == {"receiving": 2}
        assert house.stock("tomato-tray").units == 5
        await house.ledger.record(records.ItemsImported(at_us=house.clock(), who="Ana"))

    live(tmp_path, after, a_busy_day)
    assert not checked(tmp_path).faults
