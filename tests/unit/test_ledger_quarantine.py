"""Quarantine: the tagged stock of a lot that is over its limit, whatever came first: the document, the case, the fruit.

Stories on a real ledger, then random histories on the rules as the gateway drives them, without a disk.
"""

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgerhouse import House, cases_of, play
from ledgersite import LEMON, SECOND, SITE, START_US, TOMATO, Clock, Edge, batch, case, door_pass, pallet
from linesite import LINE, LINED, OTHER_LINE, OTHER_SORTER, SORTER, Belt, begun, with_lines

from contract import events, wire
from contract.site import Site
from gateway import records
from gateway.ledger import fold
from gateway.ledger import house as houses
from gateway.ledger.fruit.lots import LEAST_DEFECTIVE
from gateway.ledger.group import Group, Recorded, Taken
from gateway.ledger.ledger import Ledger
from gateway.ledger.state import State
from gateway.records import LogRow

REPLENISHED = with_lines(SITE.model_copy(update={"gateway": LINED.gateway}))
"""The same site, whose lemons are ordered: below 20 up to 48, in packs of 12."""
LEMONS = [case(LEMON, serial) for serial in range(1, 31)]


def of_lot(lot: str, *epcs: str) -> tuple[records.AsnCase, ...]:
    return tuple(msgspec.structs.replace(one, lot=lot) for one in cases_of(*epcs))


async def spoil(house: House, lot: str, line: str = LINE, agent: str = SORTER, epoch: str = "first") -> None:
    """Half of the lot's fruit is bad."""
    belt = Belt(line)
    belt.begin(lot)
    await Edge(house.ledger, agent, epoch).tell(*belt.run(good=20, defective=20))


async def free(house: House, lot: str) -> None:
    await house.ledger.record(records.LotReleased(at_us=house.clock(), lot=lot, who="Ana", why="looked at"))


def figures(house: House) -> tuple[int, int]:
    return house.stock().units, house.stock().quarantined


def test_a_lot_can_be_freed_though_its_line_left_the_site_file(tmp_path: Path) -> None:
    async def story(site: Site, what: Callable[[House], Awaitable[None]]) -> None:
        with Ledger.open(tmp_path / "ledger.db", site, Clock()) as ledger:
            await what(House(ledger, Clock()))

    async def spoiled(house: House) -> None:
        await house.announce(cases=of_lot("L1", *LEMONS[:4]))
        await house.passes(*LEMONS[:4])
        await spoil(house, "L1")
        assert figures(house) == (4, 4)

    async def freed(house: House) -> None:
        assert [view.state for _, view in house.ledger.sorting.lots("L1")] == ["over"]
        await free(house, "L1")
        assert figures(house) == (4, 0)
        assert house.ledger.sorting.released("L1") == ("Ana", "looked at")
        assert ("quality", "L1") not in house.open()

    asyncio.run(story(LINED, spoiled))
    asyncio.run(story(LINED.model_copy(update={"lines": LINED.lines[1:]}), freed))


def test_what_stands_here_of_a_bad_lot_may_not_be_sold(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=(*of_lot("L1", *LEMONS[:8]), *of_lot("L2", *LEMONS[8:12])))
        await house.passes(*LEMONS[:6], LEMONS[8])
        assert figures(house) == (7, 0)
        await spoil(house, "L1")
        assert figures(house) == (7, 6)
        await house.passes(*LEMONS[6:8], *LEMONS[9:11])
        assert figures(house) == (11, 8), "what comes in later is held at once"
        await house.passes(LEMONS[0], direction="outbound")
        assert figures(house) == (10, 7)
        await free(house, "L1")
        assert figures(house) == (10, 0)
        assert house.open().keys() == {("quarantine_shipped", "L1")}, "it left before it was freed"

    play(tmp_path, story, LINED)


def test_a_case_in_quarantine_does_not_leave_unremarked(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce("S1", cases=(*of_lot("L1", *LEMONS[:4]), *of_lot("L2", *LEMONS[4:8])))
        await house.passes(*LEMONS[:8])
        await spoil(house, "L1")
        await house.announce("S2", cases=cases_of(LEMONS[0], LEMONS[4]), direction="outbound", door="dock-2")
        await house.passes(LEMONS[4], door="dock-2", direction="outbound")
        assert ("quarantine_shipped", "L2") not in house.open(), "that lot may be sold"
        await house.passes(LEMONS[0], door="dock-2", direction="outbound")
        told = house.open()["quarantine_shipped", "L1"]
        assert (told.severity, told.count) == ("wrong", 1)
        assert told.params == {"door": "dock-2", "epc": LEMONS[0], "shipment": "S2"}
        await house.passes(LEMONS[0], door="dock-2", direction="outbound")
        assert house.open()["quarantine_shipped", "L1"].count == 1, "it was outside, and is read again"
        await house.passes(LEMONS[1], direction="outbound")
        told = house.open()["quarantine_shipped", "L1"]
        assert (told.count, told.params["door"], told.params["epc"]) == (2, "dock-1", LEMONS[1])
        seen = records.ExceptionResolved(
            at_us=house.clock(), id="quarantine_shipped-L1-1", who="Ana", why="called back"
        )
        await house.ledger.record(seen)
        await house.passes(LEMONS[2], direction="unknown")
        await house.passes(LEMONS[1], direction="inbound")
        assert ("quarantine_shipped", "L1") not in house.open()

    play(tmp_path, story, LINED)


def test_cases_that_left_before_their_lot_turned_bad_are_counted(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce("S1", cases=(*of_lot("L1", *LEMONS[:6]), *of_lot("L2", *LEMONS[6:8])))
        await house.passes(*LEMONS[:4], *LEMONS[6:8])
        await house.passes(LEMONS[0], LEMONS[1], LEMONS[6], direction="outbound")
        await spoil(house, "L1")
        assert house.open()["quality", "L1"].params["shipped"] == 2
        await house.passes(LEMONS[2], direction="outbound")
        await spoil(house, "L1", epoch="second")
        assert house.open()["quality", "L1"].params["shipped"] == 2, "what leaves now is an exception of its own"
        assert house.open()["quarantine_shipped", "L1"].count == 1
        await house.passes(LEMONS[7], LEMONS[8], direction="outbound")
        await house.announce("S2", cases=of_lot("L1", LEMONS[8], LEMONS[9]), direction="outbound")
        assert house.open()["quality", "L1"].params["shipped"] == 3, "nobody had said before of which lot it is"

    play(tmp_path, story, LINED)


def test_of_a_lot_that_is_all_here_nothing_was_shipped(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=of_lot("L1", *LEMONS[:4]))
        await house.passes(*LEMONS[:2])
        await house.passes(LEMONS[0], direction="outbound")
        await house.passes(LEMONS[0])
        await spoil(house, "L1")
        assert "shipped" not in house.open()["quality", "L1"].params, "one came back, two have never come"

    play(tmp_path, story, LINED)


def test_a_freed_lot_that_goes_on_badly_is_held_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=of_lot("L1", *LEMONS[:4]))
        await house.passes(*LEMONS[:4])
        await spoil(house, "L1")
        await free(house, "L1")
        await house.passes(LEMONS[0], direction="outbound")
        assert figures(house) == (3, 0)
        await spoil(house, "L1", epoch="second")
        assert figures(house) == (3, 3)
        assert house.open()["quality", "L1"].params["shipped"] == 1
        await free(house, "L1")
        assert figures(house) == (3, 0)

    play(tmp_path, story, LINED)


def test_what_was_freed_by_an_older_version_stays_free(tmp_path: Path) -> None:
    """It did not note how much fruit there was then."""

    async def story(what: Callable[[House], Awaitable[None]]) -> None:
        with Ledger.open(tmp_path / "ledger.db", LINED, Clock()) as ledger:
            await what(House(ledger, Clock()))

    async def before(house: House) -> None:
        await spoil(house, "L1")
        await free(house, "L1")

    async def after(house: House) -> None:
        belt = Belt()
        belt.begin("L1")
        edge = Edge(house.ledger, SORTER, "second")
        await edge.tell(*belt.run(good=20))
        assert [view.state for _, view in house.ledger.sorting.lots("L1")] == ["released"]
        await edge.tell(*belt.run(defective=20))
        assert [view.state for _, view in house.ledger.sorting.lots("L1")] == ["over"]

    asyncio.run(story(before))
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as db, db:
        db.execute("UPDATE lots SET body = json_remove(body, '$.freed')")
    asyncio.run(story(after))


def test_a_pass_told_late_of_a_case_that_is_back_ships_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce("S1", cases=of_lot("L1", LEMONS[0]))
        await house.passes(LEMONS[0])
        await spoil(house, "L1")
        out_us = house.clock.turn(1)
        await house.passes(LEMONS[0])
        await house.edge.tell(door_pass(LEMONS[0], out_us, "dock-1", "outbound"))
        assert figures(house) == (1, 1)
        assert ("quarantine_shipped", "L1") not in house.open()

    play(tmp_path, story, LINED)


def test_a_case_whose_lot_is_told_after_it_came_is_held_too(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.passes(*LEMONS[:5])
        await spoil(house, "L1")
        assert figures(house) == (5, 0)
        await house.announce(cases=of_lot("L1", *LEMONS[:3]))
        assert figures(house) == (5, 3)

    play(tmp_path, story, LINED)


def test_an_opening_balance_names_lots(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        items = [records.ImportedItem(epc=epc, zone="receiving", lot="L1") for epc in LEMONS[:4]]
        items.append(records.ImportedItem(epc=pallet(1), zone="receiving", lot="L1"))
        items.append(records.ImportedItem(epc=case(TOMATO, 1), zone="receiving"))
        await house.ledger.record(records.ItemsImported(at_us=house.clock(), who="Ana", items=tuple(items)))
        await spoil(house, "L1")
        assert figures(house) == (4, 4), "a pallet is no unit"
        assert house.stock("tomato-tray").quarantined == 0

    play(tmp_path, story, LINED)


def test_a_lot_that_is_said_to_be_another_moves_and_silence_changes_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=of_lot("L1", *LEMONS[:4]))
        await house.passes(*LEMONS[:4])
        await spoil(house, "L1")
        await house.announce("S2", cases=cases_of(*LEMONS[:4]), direction="outbound")
        assert figures(house) == (4, 4), "a document without lots says nothing of them"
        await house.announce("S3", cases=of_lot("L2", *LEMONS[:1]), direction="outbound")
        assert figures(house) == (4, 3), "somebody had written the wrong lot"

    play(tmp_path, story, LINED)


def test_a_lot_on_two_lines_is_held_by_either_and_freed_on_both(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:4])
        await house.announce(cases=of_lot("L1", *LEMONS[:4]))
        other = Belt(OTHER_LINE)
        other.begin("L1")
        second = Edge(house.ledger, OTHER_SORTER)
        await second.tell(*other.run(good=50))
        assert figures(house) == (4, 0)
        await spoil(house, "L1")
        assert figures(house) == (4, 4)
        await second.tell(*other.run(defective=60))
        assert figures(house) == (4, 4)
        await free(house, "L1")
        assert figures(house) == (4, 0)
        assert [view.state for _, view in house.ledger.sorting.lots("L1")] == ["released", "released"]
        assert ("quality", "L1") not in house.open()

    play(tmp_path, story, LINED)


def test_a_lot_that_is_freed_on_one_line_may_turn_out_bad_on_the_other(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:4])
        await house.announce(cases=of_lot("L1", *LEMONS[:4]))
        await spoil(house, "L1")
        await free(house, "L1")
        await spoil(house, "L1", OTHER_LINE, OTHER_SORTER)
        assert figures(house) == (4, 4)
        assert house.open()["quality", "L1"].id == "quality-L1-2"

    play(tmp_path, story, LINED)


def test_resolving_the_exception_frees_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:4])
        await house.announce(cases=of_lot("L1", *LEMONS[:4]))
        await spoil(house, "L1")
        seen = records.ExceptionResolved(at_us=house.clock(), id="quality-L1-1", who="Ana", why="waits for the lab")
        await house.ledger.record(seen)
        assert ("quality", "L1") not in house.open()
        assert figures(house) == (4, 4)
        await spoil(house, "L1", epoch="second")
        assert ("quality", "L1") not in house.open(), "no news"

    play(tmp_path, story, LINED)


def test_what_may_not_be_sold_is_ordered_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        items = [records.ImportedItem(epc=epc, zone="receiving", lot="L1") for epc in LEMONS]
        await house.ledger.record(records.ItemsImported(at_us=house.clock(), who="Ana", items=tuple(items)))
        assert (house.stock().units, house.stock().on_order) == (30, 0)
        await spoil(house, "L1")
        assert (house.stock().units, house.stock().quarantined, house.stock().on_order) == (30, 30, 48)
        await free(house, "L1")
        assert house.stock().on_order == 48, "what was ordered is ordered"

    play(tmp_path, story, REPLENISHED)


# random histories

TAGS = [*LEMONS[:4], case(TOMATO, 1), pallet(1)]
HOUSE = houses.House(LINED)
_loop = asyncio.new_event_loop()


class Books:
    """Intake and fold without a disk. The clock goes on with every batch."""

    def __init__(self) -> None:
        self.state = State(HOUSE)
        self.rows: list[LogRow] = []
        self.now_us = START_US + 3600 * SECOND

    def tell(self, agent: str, *told: events.Event) -> None:
        known = self.state.agents.get(agent)
        first = known.through["first"] + 1 if known is not None else 1
        last = first + len(told) - 1
        bodies = batch(agent, first, [wire.encode(event) for event in told]).events
        self._commit(Taken(agent, "first", first, last, bodies, _loop.create_future()))

    def record(self, *news: records.Record) -> None:
        self._commit(Recorded(news, _loop.create_future()))

    def _commit(self, entry: Taken | Recorded) -> None:
        self.now_us += SECOND
        group = Group(self.state, len(self.rows), "gateways-own", self.now_us)
        group.add(entry)
        self.rows += group.rows


lots = st.sampled_from(["L1", "L2", None])
moves = st.builds(
    lambda tags, second, direction: door_pass(tags, START_US + second * SECOND, "dock-1", direction),
    st.lists(st.sampled_from(TAGS), min_size=1, max_size=3, unique=True),
    st.integers(0, 60),
    st.sampled_from(["inbound", "outbound"]),
)
mixed = st.lists(st.tuples(st.sampled_from(["good", "defective", "unsure", "unseen"]), lots), min_size=1, max_size=15)
rotten = lots.map(lambda lot: [("defective", lot)] * LEAST_DEFECTIVE)
fruit = st.one_of(mixed, rotten)
documents = st.one_of(
    st.builds(
        lambda tags, lot: records.ItemsImported(
            at_us=START_US,
            who="Ana",
            items=tuple(records.ImportedItem(epc=epc, zone="receiving", lot=lot) for epc in tags),
        ),
        st.lists(st.sampled_from(TAGS), max_size=3, unique=True),
        lots,
    ),
    st.builds(
        lambda id_, direction, tags, lot: records.AsnReceived(
            at_us=START_US,
            id=id_,
            direction=direction,
            partner="P",
            cases=tuple(records.AsnCase(epc=epc, lot=lot) for epc in tags),
        ),
        st.sampled_from(["A", "B"]),
        st.sampled_from(["inbound", "outbound"]),
        st.lists(st.sampled_from(TAGS), max_size=3, unique=True),
        lots,
    ),
    st.builds(
        lambda line, lot: begun(line, lot), st.sampled_from([LINE, OTHER_LINE]), st.sampled_from(["L1", "L2", "L3"])
    ),
    st.builds(
        lambda lot: records.LotReleased(at_us=START_US, lot=lot, who="Ana", why="w"), st.sampled_from(["L1", "L2"])
    ),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("dock-edge"), st.lists(moves, min_size=1, max_size=3)),
        st.tuples(st.sampled_from([LINE, OTHER_LINE]), fruit),
        st.tuples(st.just("gateway"), documents),
    ),
    max_size=20,
)


Judged = Sequence[tuple[events.Verdict, str | None]]
"""Verdicts, and the lots of the fruit."""


def told_by(belts: dict[str, Belt], line: str, verdicts: Judged) -> list[events.Event]:
    """As a line tells it. Its tally is left out: it counts by the order of its lots, not of these."""
    told: list[events.Event] = []
    for verdict, lot in verdicts:
        belts[line].lot = lot
        told.append(msgspec.structs.replace(belts[line].fruit(verdict), tally=None))
    return told


def play_steps(history: list[tuple[str, object]]) -> Books:
    books = Books()
    belts = {name: Belt(name) for name in (LINE, OTHER_LINE)}
    for who, what in history:
        if who == "gateway":
            books.record(what)  # type: ignore[arg-type]
        elif who in belts:
            books.tell(who, *told_by(belts, who, what))  # type: ignore[arg-type]
        else:
            books.tell(who, *what)  # type: ignore[misc]
        add_up(books.state)
    return books


def add_up(state: State) -> None:
    """The units in quarantine are those in the house whose lot is held."""
    held = {run.lot for run in state.lots.rows.values() if run.over and run.released_by is None}
    assert state.index.held_lots == held
    standing = Counter(
        item.sku for item in state.items.rows.values() if item.sku and item.zone is not None and item.lot in held
    )
    assert {sku: row.held["quarantined"] for sku, row in state.stock.rows.items() if row.held} == dict(standing)
    for (line, lot), count in Counter((run.line, run.lot) for run in state.lots.rows.values()).items():
        assert count == 1, (line, lot)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_units_in_quarantine_are_always_those_of_held_lots(history: list[tuple[str, object]]) -> None:
    books = play_steps(history)
    again = State(HOUSE)
    for row in books.rows:
        fold.fold(again, row, records.decode(row.body))
    loaded = State(HOUSE)
    for table, into, anew in zip(books.state.tables, loaded.tables, again.tables, strict=True):
        encoded = {key: msgspec.json.encode(row).decode() for key, row in table.rows.items()}
        assert encoded == {key: msgspec.json.encode(row).decode() for key, row in anew.rows.items()}
        into.load(iter(encoded.items()))
    fold.reindex(loaded)
    for name in ("held_lots", "bins_of_lot", "bins_of_sku", "lots_of_line", "open_reviews"):
        held, derived = getattr(books.state.index, name), getattr(loaded.index, name)
        if isinstance(held, dict):
            held = {key: value for key, value in held.items() if value}
        assert held == derived, name


@settings(max_examples=150, deadline=None)
@given(
    st.lists(moves, max_size=6),
    fruit,
    fruit,
    st.dictionaries(st.sampled_from(TAGS), st.sampled_from(["L1", "L2"])),
    st.data(),
)
def test_quarantine_does_not_depend_on_what_came_first(
    passes: list[events.Event],
    first: Judged,
    second: Judged,
    lot_of: dict[str, str],
    data: st.DataObject,
) -> None:
    belts = {name: Belt(name) for name in (LINE, OTHER_LINE)}
    story: dict[str, list[events.Event]] = {
        "dock-edge": passes,
        LINE: told_by(belts, LINE, first),
        OTHER_LINE: told_by(belts, OTHER_LINE, second),
    }
    papers = [
        records.AsnReceived(
            at_us=START_US,
            id=lot,
            direction="inbound",
            partner="P",
            cases=tuple(records.AsnCase(epc=epc, lot=lot) for epc, its in sorted(lot_of.items()) if its == lot),
        )
        for lot in ("L1", "L2")
    ]
    found = []
    for _ in range(2):
        books = Books()
        left: dict[str, list[object]] = {who: list(told) for who, told in story.items()} | {"gateway": list(papers)}
        while any(left.values()):
            who = data.draw(st.sampled_from(sorted(who for who, rest in left.items() if rest)))
            count = data.draw(st.integers(1, len(left[who])))
            news = left[who][:count]
            del left[who][:count]
            if who == "gateway":
                books.record(*news)  # type: ignore[arg-type]
            else:
                books.tell(who, *news)  # type: ignore[arg-type]
        add_up(books.state)
        found.append(lines_and_stock(books.state))
    assert found[0] == found[1]


def lines_and_stock(state: State) -> object:
    return (
        {key: msgspec.json.encode(row) for key, row in sorted(state.lines.rows.items())},
        {key: msgspec.json.encode(row) for key, row in sorted(state.lots.rows.items())},
        {sku: (row.units, row.held, row.zones) for sku, row in sorted(state.stock.rows.items())},
        {epc: item.lot for epc, item in sorted(state.items.rows.items())},
        sorted(about for kind, about in state.index.open_exceptions if kind == "quality"),
    )


@pytest.mark.parametrize("lot", ["L/1", "批次 7", "a" * 100, "quality-L1"])
def test_lots_of_any_name(tmp_path: Path, lot: str) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:2])
        await house.announce(cases=of_lot(lot, *LEMONS[:2]))
        await spoil(house, lot)
        assert figures(house) == (2, 2)
        await free(house, lot)
        assert figures(house) == (2, 0)

    play(tmp_path, story, LINED)
