"""Cycle counts: stories from the request to what is booked, and what a counter may never learn."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from ledgerhouse import House, play
from ledgersite import LEMON, SECOND, Edge, case, pallet

from contract import events
from gateway import records
from gateway.ledger.counting import countjudge
from gateway.ledger.counting.countjudge import Judgement
from gateway.ledger.counting.countrows import Count
from gateway.ledger.goods import stock
from gateway.records import countrecords, stockrecords
from gateway.records.countrecords import CountedLine, Method

SHELF = [case(LEMON, serial) for serial in range(1, 21)]
SKU, OTHER = "lemon-4kg", "tomato-tray"


class Counting:
    """What people do about one count."""

    def __init__(self, house: House, key: str = "C1") -> None:
        self.house = house
        self.key = key

    @property
    def row(self) -> Count:
        return self.house.ledger._state.counts.rows[self.key]

    @property
    def judged(self) -> Judgement:
        return countjudge.judge(self.house.ledger._state, self.row)

    def lines(self) -> dict[tuple[str, str | None], tuple[int, int, str]]:
        return {(line.sku, line.lot): (line.counted, line.expected, line.verdict) for line in self.judged.lines}

    async def say(self, kind: type, **said: object) -> None:
        await self.house.ledger.record(kind(at_us=self.house.clock.turn(1), id=self.key, **said))

    async def request(self, *methods: Method, skus: Iterable[str] = ()) -> None:
        await self.say(
            countrecords.CountRequested, who="Mei", zone="receiving", methods=methods or ("hand",), skus=tuple(skus)
        )

    async def begin(self, counter: str = "Bo", number: int = 1, skus: Iterable[str] = ()) -> None:
        await self.say(countrecords.CountBegun, counter=counter, round=number, skus=tuple(skus))

    async def enter(self, *lines: CountedLine, counter: str = "Bo", number: int = 1) -> None:
        await self.say(countrecords.CountEntered, counter=counter, lines=lines, round=number)

    async def sweep(self, epcs: Iterable[str], agent: str = "dock-edge", at_us: int | None = None) -> None:
        now_us = self.house.clock.turn(1)
        step = events.TagCount(
            at_us=at_us or now_us, decided_us=now_us, count=self.key, zone="receiving", epcs=tuple(epcs)
        )
        await (self.house.edge if agent == "dock-edge" else Edge(self.house.ledger, agent)).tell(step)

    async def sweep_again(self, epcs: Iterable[str]) -> None:
        self.house.clock.turn(120)
        await self.sweep(epcs)

    async def submit(self, counter: str = "Bo", number: int = 1, *, empty: bool = False) -> None:
        await self.say(countrecords.CountSubmitted, counter=counter, round=number, empty=empty)

    async def investigate(self, *epcs: str, who: str = "Mei", **reasons: countrecords.ReasonCode) -> None:
        named = {sku.replace("_", "-"): reason for sku, reason in reasons.items()}
        await self.say(countrecords.CountInvestigated, who=who, reasons=named, epcs=epcs)

    async def accept(self, approver: str = "Ana") -> None:
        await self.say(countrecords.CountReviewed, approver=approver, verdict="accept")


async def standing(house: House, units: int, sku: str = SKU, lot: str | None = None) -> None:
    """Untagged units stand in receiving since long."""
    one = records.ImportedUnits(sku=sku, zone="receiving", units=units, lot=lot)
    await house.ledger.record(records.ItemsImported(at_us=house.clock(), who="Ana", units=(one,)))
    house.clock.turn(3600)


async def shift(house: House, units: int, at_us: int | None = None) -> None:
    """Untagged units go from receiving to the cold room."""
    line = stockrecords.MovedLine(origin="receiving", target="cold-room", sku=SKU, units=units)
    moved = stockrecords.StockMoved(at_us=at_us or house.clock.turn(1), who="Li", reason="putaway", lines=(line,))
    await house.ledger.record(moved)


def zone(house: House, name: str = "receiving", sku: str = SKU) -> int:
    return house.stock(sku).zones.get(name, 0)


def misfits(house: House) -> list[str]:
    return [str(view.params["reason"]) for view in house.open().values() if view.kind == "bad_message"]


def test_a_count_that_agrees_is_reviewed_and_completed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 40)
        count = Counting(house)
        await count.request()
        await count.begin()
        await count.enter(CountedLine(sku=SKU, units=40))
        await count.submit()
        assert count.row.state == "ready_for_review"
        assert not house.open()
        await count.accept()
        assert count.row.state == "completed"
        assert [(turn.state, turn.who) for turn in count.row.turns] == [
            ("requested", "Mei"),
            ("counting", "Bo"),
            ("ready_for_review", "Bo"),
            ("reviewed", "Ana"),
            ("completed", "gateway"),
        ]
        assert zone(house) == 40

    play(tmp_path, story)


def test_a_difference_is_looked_into_before_it_is_booked(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 40)
        count = Counting(house)
        await count.request()
        await count.begin()
        await count.enter(CountedLine(sku=SKU, units=4))
        await count.enter(CountedLine(sku=SKU, units=35))
        await count.submit()
        assert (count.row.state, count.row.needs) == ("counted", ["reasons"])
        view = house.open()["count_variance", "C1"]
        assert (view.count, view.params) == (1, {"zone": "receiving", "round": 1})
        await count.investigate()
        assert count.row.state == "investigating"
        await count.investigate(lemon_4kg="theft")
        assert count.row.state == "ready_for_review"
        assert zone(house) == 40
        await count.accept()
        assert zone(house) == 35
        assert not house.open()
        assert [(line.counted, line.expected, line.reason) for line in count.row.lines] == [(35, 40, "theft")]

    play(tmp_path, story)


def test_inside_the_tolerance_of_its_class_nobody_need_look(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 100)
        for n, (units, state) in enumerate([(98, "ready_for_review"), (97, "counted"), (102, "ready_for_review")]):
            count = Counting(house, f"C{n}")
            await count.request()
            await count.begin()
            await count.enter(CountedLine(sku=SKU, units=units))
            await count.submit()
            assert count.row.state == state
            await count.say(countrecords.CountCancelled, who="Mei", why="next")
        assert not house.open()

    play(tmp_path, story)


def test_counter_and_approver_differ_however_they_write_their_names(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 5)
        count = Counting(house)
        await count.request()
        await count.begin("Bo")
        await count.enter(CountedLine(sku=SKU, units=5))
        await count.submit()
        for name in ("Bo", " bo ", "BO", "Ｂｏ"):
            await count.accept(name)
            assert count.row.state == "ready_for_review"
        await count.accept("Ana")
        assert count.row.state == "completed"

    play(tmp_path, story)


def test_what_moved_before_or_after_is_rebased_and_what_moved_under_it_fails_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 40)
        count = Counting(house)
        await count.request()
        await count.begin()
        entered_us = house.clock() + SECOND
        await count.enter(CountedLine(sku=SKU, units=38))
        await shift(house, 10)
        await shift(house, 2, at_us=house.clock() - 600 * SECOND)
        await count.submit()
        assert count.lines() == {(SKU, None): (38, 38, "exact")}
        assert count.judged.lines[0].moved, "it says that it was re-based"
        await shift(house, 1, at_us=entered_us - SECOND // 2)
        await count.accept()
        assert count.row.state == "ready_for_review", "late word of a move under it"
        await count.begin("Bo", 2)
        assert count.row.state == "ready_for_review", "the figures could be seen: Bo is not blind any more"
        await count.begin("Li", 2)
        await count.enter(CountedLine(sku=SKU, units=27), counter="Li", number=2)
        await count.submit("Li", number=2)
        await count.accept()
        assert count.row.state == "completed"
        assert zone(house) == 27

    play(tmp_path, story)


def test_of_a_recount_only_what_failed_need_be_counted_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 40)
        await standing(house, 7, OTHER)
        count = Counting(house)
        await count.request()
        await count.begin()
        await shift(house, 1)
        await count.enter(CountedLine(sku=SKU, units=39), CountedLine(sku=OTHER, units=7))
        await count.submit()
        assert count.row.needs == ["recount"]
        await count.begin("Bo", 2, skus=[OTHER])
        assert count.row.state == "counting", "nobody was shown a figure yet: the same counter may count again"
        await count.enter(CountedLine(sku=OTHER, units=7), number=2)
        await count.submit(number=2)
        assert {line.sku: line.verdict for line in count.judged.lines} == {SKU: "failed", OTHER: "exact"}
        await count.begin("Li", 3, skus=[SKU])
        await count.enter(CountedLine(sku=SKU, units=39), counter="Li", number=3)
        await count.submit("Li", 3)
        assert count.row.state == "ready_for_review"
        await count.accept("Bo")
        assert count.row.state == "ready_for_review", "who counted the first round may not approve the second"

    play(tmp_path, story)


def test_who_has_seen_the_figures_does_not_count_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 40)
        count = Counting(house)
        await count.request()
        await count.begin()
        await count.enter(CountedLine(sku=SKU, units=3))
        await count.submit()
        await count.investigate(who="Mei", lemon_4kg="miscount")
        await count.say(countrecords.CountReviewed, approver="Ana", verdict="recount")
        assert count.row.state == "requested"
        for name in ("Mei", "ana", "BO"):
            await count.begin(name, 2)
            assert count.row.state == "requested"
        await count.begin("Li", 2)
        assert (count.row.state, count.row.entries) == ("counting", {})
        assert len(misfits(house)) == 1, "one exception of the gateway, which counts"

    play(tmp_path, story)


def test_units_without_a_lot_stand_for_all_lots_and_those_that_expire_first_are_lacking_first(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for lot, units, expires in (("L1", 10, "2026-12-01"), ("L2", 10, "2026-11-25")):
            await standing(house, units, lot=lot)
            told = stockrecords.LotDescribed(at_us=house.clock(), who="Ana", sku=SKU, lot=lot, expires=expires)
            await house.ledger.record(told)
        count = Counting(house)
        await count.request()
        await count.begin()
        await count.enter(CountedLine(sku=SKU, units=17))
        await count.submit()
        assert count.lines() == {(SKU, None): (17, 20, "beyond")}
        await count.investigate(lemon_4kg="damaged")
        await count.accept()
        bins = house.ledger._state.bins.rows.values()
        assert {one.lot: one.units for one in bins if one.zone == "receiving" and one.units} == {"L1": 10, "L2": 7}
        again = Counting(house, "C2")
        await again.request()
        await again.begin()
        await again.enter(CountedLine(sku=SKU, units=10, lot="L1"), CountedLine(sku=SKU, units=9, lot="L2"))
        await again.submit()
        assert again.lines() == {(SKU, "L1"): (10, 10, "exact"), (SKU, "L2"): (9, 7, "beyond")}

    play(tmp_path, story)


def test_two_passes_make_a_sweep_sure_enough_to_write_cases_off(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF)
        house.clock.turn(3600)
        count = Counting(house)
        await count.request("handheld")
        await count.begin()
        await count.sweep(SHELF[:19])
        await count.submit()
        assert (count.row.state, count.row.needs) == ("counted", ["sweep"]), "one pass finds 95 of 100"
        await count.sweep_again(SHELF[:19])
        await count.submit()
        assert count.row.needs == ["reasons"]
        (line,) = count.judged.lines
        assert (line.counted, line.expected, line.missing) == (19, 20, (SHELF[19],))
        assert 0.98 < line.confidence < 1
        await count.investigate(lemon_4kg="theft")
        await count.accept()
        assert zone(house) == 19
        item = house.ledger.item(SHELF[19])
        assert item is not None
        assert item.zone is None
        house.clock.turn(600)
        await house.passes(SHELF[19])
        assert zone(house) == 20, "it was seen later"

    play(tmp_path, story)


def test_who_finds_a_missing_case_by_looking_ends_the_matter(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF)
        house.clock.turn(3600)
        count = Counting(house)
        await count.request("handheld")
        await count.begin()
        await count.sweep(SHELF[:18])
        await count.submit()
        await count.investigate(*SHELF[18:])
        assert count.row.state == "ready_for_review"
        assert count.lines() == {(SKU, None): (20, 20, "exact")}
        await count.accept()
        assert zone(house) == 20

    play(tmp_path, story)


def test_a_case_that_the_books_have_elsewhere_is_moved_by_the_sweep_itself(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF[:5])
        await house.holds(SHELF[5], zone="cold-room")
        house.clock.turn(3600)
        count = Counting(house)
        await count.request("handheld")
        await count.begin()
        await count.sweep([*SHELF[:6], SHELF[7]])
        assert (zone(house), zone(house, "cold-room")) == (7, 0)
        await count.submit()
        (line,) = count.judged.lines
        assert (line.counted, line.expected, line.misplaced) == (7, 5, (SHELF[5], SHELF[7]))
        late_us = house.clock() - 1800 * SECOND
        zone_seen = events.ZoneSeen(at_us=late_us, decided_us=late_us, zone="receiving", epcs=(SHELF[5],))
        await house.edge.tell(zone_seen)
        (line,) = count.judged.lines
        assert (line.counted, line.expected, line.misplaced) == (7, 6, (SHELF[7],)), "the books are re-based"

    play(tmp_path, story)


def test_tagged_cases_may_come_and_go_under_a_sweep(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF[:5])
        house.clock.turn(3600)
        count = Counting(house)
        await count.request("handheld")
        await count.begin()
        await house.passes(SHELF[0], direction="outbound")
        await count.sweep(SHELF[1:5])
        await house.passes(SHELF[9])
        await count.submit()
        assert count.lines() == {(SKU, None): (4, 4, "exact")}
        await count.accept()
        assert zone(house) == 5

    play(tmp_path, story)


def test_a_sweep_and_hand_entries_together(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF[:4])
        await standing(house, 6)
        count = Counting(house)
        await count.request("hand", "handheld")
        await count.begin()
        await count.sweep(SHELF[:4])
        await count.enter(CountedLine(sku=SKU, units=5))
        await count.submit()
        assert count.lines() == {(SKU, None): (9, 10, "beyond")}
        await count.investigate(lemon_4kg="not_recorded")
        await count.accept()
        assert zone(house) == 9

    play(tmp_path, story)


def test_a_count_by_number_is_of_tagged_and_untagged_units_and_a_sweep_then_finds_which(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF[:10])
        house.clock.turn(3600)
        count = Counting(house)
        await count.request()
        await count.begin()
        await count.enter(CountedLine(sku=SKU, units=9))
        await count.submit()
        assert count.lines() == {(SKU, None): (9, 10, "beyond")}
        await count.investigate(lemon_4kg="theft")
        await count.accept()
        assert zone(house) == 9
        late_us = house.clock() - 1800 * SECOND
        zone_seen = events.ZoneSeen(at_us=late_us, decided_us=late_us, zone="receiving", epcs=(SHELF[15],))
        await house.edge.tell(zone_seen)
        assert zone(house) == 9, "it was in that number, whatever its tag tells late"
        sweep = Counting(house, "C2")
        house.clock.turn(600)
        await sweep.request("handheld")
        await sweep.begin()
        await sweep.sweep([*SHELF[:9]])
        await sweep.sweep_again([*SHELF[:9]])
        await sweep.submit()
        await sweep.investigate(lemon_4kg="theft")
        await sweep.accept()
        assert zone(house) == 9

    play(tmp_path, story)


def test_a_case_that_its_pallet_vouched_for_and_no_sweep_finds_is_off_the_pallet(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(pallet(1), *SHELF[:3])
        await house.announce(cases=tuple(records.AsnCase(epc=epc, sscc=pallet(1)) for epc in SHELF[:3]))
        house.clock.turn(3600)
        count = Counting(house)
        await count.request("handheld")
        await count.begin()
        await count.sweep([pallet(1), *SHELF[:2]])
        await count.sweep_again([pallet(1), *SHELF[:2]])
        await count.submit()
        await count.investigate(lemon_4kg="theft")
        await count.accept()
        assert zone(house) == 2
        house.clock.turn(60)
        await house.passes(pallet(1), door="cold-gate")
        assert sum(house.stock().zones.values()) == 2, "where the pallet goes it is not"

    play(tmp_path, story)


def test_nothing_found_is_a_finding_only_if_somebody_says_so(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF[:2])
        house.clock.turn(3600)
        count = Counting(house)
        await count.request("handheld")
        await count.begin()
        await count.submit()
        assert count.row.state == "counting"
        await count.submit(empty=True)
        assert (count.row.state, count.row.needs) == ("counted", ["sweep"])

    play(tmp_path, story)


@pytest.mark.parametrize("verb", ["enter", "submit", "accept", "investigate"])
def test_steps_out_of_turn_are_misfits_and_change_nothing(tmp_path: Path, verb: str) -> None:
    async def story(house: House) -> None:
        count = Counting(house)
        await count.request()
        await getattr(count, verb)()
        assert count.row.state == "requested"
        assert misfits(house)

    play(tmp_path, story)


def test_two_open_counts_are_never_about_the_same_stock(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await Counting(house, "C1").request(skus=[SKU])
        await Counting(house, "C2").request(skus=[OTHER])
        await Counting(house, "C3").request()
        assert sorted(house.ledger._state.counts.rows) == ["C1", "C2"]

    play(tmp_path, story)


def test_sold_units_are_no_loss_of_what_was_counted_before(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await standing(house, 10)
        count = Counting(house)
        await count.request()
        await count.begin()
        await count.enter(CountedLine(sku=SKU, units=8))
        await shift(house, 3)
        await count.submit()
        await count.investigate(lemon_4kg="theft")
        await count.accept()
        assert (zone(house), zone(house, "cold-room")) == (5, 3)
        found = house.ledger._state.bins.rows[stock.key_of(SKU, stock.Place("receiving"))]
        assert found.counted_us is not None

    play(tmp_path, story)


def test_a_blind_count_shows_the_same_whatever_the_books_say(tmp_path: Path) -> None:
    shown: list[list[tuple[object, ...]]] = []

    async def story(house: House) -> None:
        await house.holds(*SHELF[: 3 * len(shown)])
        await standing(house, 40 + len(shown))
        count, seen = Counting(house), list[tuple[object, ...]]()

        def look() -> None:
            seen.append((house.ledger.views("counts")["C1"], house.ledger.counts.lines(count.row)))

        await count.request("hand", "handheld")
        look()
        await count.begin()
        look()
        await count.enter(CountedLine(sku=SKU, units=40))
        await count.sweep(SHELF[10:12])
        look()
        shown.append(seen)

    for n in range(3):
        play(tmp_path / str(n), story)
    assert shown[0] == shown[1] == shown[2]


def test_what_one_pass_finds_of_the_other_is_remembered_for_the_next_count(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*SHELF)
        house.clock.turn(3600)
        for n in range(12):
            count = Counting(house, f"C{n}")
            await count.request("handheld")
            await count.begin()
            await count.sweep(SHELF)
            await count.sweep_again(SHELF)
            await count.submit()
            await count.accept()
        house.clock.turn(600)
        last = Counting(house, "last")
        await last.request("handheld")
        await last.begin()
        await last.sweep(SHELF[:19])
        await last.submit()
        assert last.row.needs == ["reasons"], "one pass of a reader that has missed nothing in 240 looks is enough"

    play(tmp_path, story)
