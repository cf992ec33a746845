"""Given an announcement, when its truck, its pallets and its surprises come, then the shipment says what came of it."""

from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from ledgerhouse import LEMONS, House, cases_of, play
from ledgersite import TOMATO, case, door_pass, load_pass, pallet

from contract import events
from gateway import records
from gateway.ledger.goods import fefo
from gateway.ledger.receiving import readrate
from gateway.records import AsnCase, AsnLine
from gateway.records.stockrecords import DispositionSet, LotDescribed, LotExpired, MovedLine, MoveReason, StockMoved

TOMATOES = [case(TOMATO, serial) for serial in range(1, 41)]


async def load(house: House, unit: str, *epcs: str, door: str = "dock-1") -> None:
    """A pallet comes in, and these cases of it are read."""
    await house.edge.tell(load_pass(unit, epcs, at_us=house.clock.turn(1), door=door))


async def bare(house: House, unit: str) -> None:
    """A pallet comes in, of which only its own tag is read."""
    await house.passes(unit)


async def looks(house: House, *epcs: str, zone: str = "receiving") -> None:
    """A handheld reader finds tags in a zone."""
    now_us = house.clock.turn(1)
    await house.edge.tell(events.ZoneSeen(at_us=now_us, decided_us=now_us, zone=zone, epcs=epcs))


async def close(house: House, why: str = "accepted", *, reopened: bool = False) -> None:
    await house.ledger.record(
        records.ShipmentClosed(at_us=house.clock(), id="S1", who="Ana", why=why, reopened=reopened)
    )


async def by_hand(house: House, *lines: MovedLine, reason: MoveReason = "receipt", shipment: str = "S1") -> None:
    now_us = house.clock.turn(1)
    await house.ledger.record(StockMoved(at_us=now_us, who="Ana", reason=reason, shipment=shipment, lines=lines))


def test_a_case_on_another_pallet_than_announced_counts_and_is_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=(*cases_of(*LEMONS[:3], sscc=pallet(1)), *cases_of(*LEMONS[3:5], sscc=pallet(2))))
        await load(house, pallet(1), *LEMONS[:4])
        found = house.open()["wrong_pallet", "S1"]
        assert (found.count, found.params["epc"], found.params["pallet"]) == (1, LEMONS[3], pallet(1))
        assert (house.shipment().seen, house.shipment().wrong_pallet, house.shipment().missing) == (4, 1, 1)
        (one,) = [one for one in house.ledger.cases("S1") if one.wrong_pallet]
        assert (one.epc, one.state, one.sscc, one.seen_on, one.door) == (
            LEMONS[3], "seen", pallet(2), pallet(1), "dock-1",
        )  # fmt: skip

    play(tmp_path, story)


def test_a_truck_at_another_door_than_announced_is_one_exception_with_its_count(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(door="dock-1", cases=cases_of(*LEMONS[:6], sscc=pallet(1)))
        await load(house, pallet(1), *LEMONS[:4], door="dock-2")
        found = house.open()["wrong_door", "S1"]
        assert (found.count, found.severity) == (6, "attention")
        assert found.params == {"door": "dock-1", "came": "dock-2"}
        assert (house.shipment().seen, house.shipment().inferred, house.shipment().wrong_door) == (4, 2, 6)
        await house.announce(door="dock-2", cases=cases_of(*LEMONS[:6], sscc=pallet(1)))
        assert ("wrong_door", "S1") not in house.open()
        assert (house.shipment().seen, house.shipment().inferred, house.shipment().wrong_door) == (4, 2, 0)

    play(tmp_path, story)


def test_the_document_comes_after_the_truck_and_names_another_pallet(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await load(house, pallet(1), *LEMONS[:2])
        await house.announce(cases=cases_of(*LEMONS[:2], sscc=pallet(2)))
        assert (house.shipment().state, house.shipment().wrong_pallet) == ("complete", 2)
        item = house.ledger.item(LEMONS[0])
        assert item is not None
        assert item.container == pallet(1), "what was seen is not overruled by what was planned before it"

    play(tmp_path, story)


def test_inference_is_not_blind(tmp_path: Path) -> None:
    """A door that reads nearly everything, and one pallet of which it read three of twelve."""

    async def story(house: House) -> None:
        await house.announce("BEFORE", cases=cases_of(*TOMATOES, sscc=pallet(9)))
        await load(house, pallet(9), *TOMATOES[:39])
        await house.settle()
        door = house.ledger._state.doors.rows["dock-1"]
        assert (door.read, door.unread_cases) == (39, 1), "a load that is believed teaches its door"
        assert house.shipment("BEFORE").doubtful == 0
        await house.announce(cases=cases_of(*LEMONS, sscc=pallet(1)))
        await load(house, pallet(1), *LEMONS[:3])
        assert not house.open()
        await house.settle()
        found = house.open()["missing", "S1"]
        assert (found.count, found.severity, found.fix) == (9, "attention", "count-pallet")
        assert (found.params["doubtful"], found.params["pallet"]) == (9, pallet(1))
        assert (house.stock().units, house.shipment().state) == (12, "complete"), "the books keep them"
        await looks(house, *LEMONS[3:8])
        assert house.open()["missing", "S1"].count == 4
        await looks(house, *LEMONS[8:])
        assert not house.open()
        assert (door.read, door.unread_cases) == (39 + 3, 1 + 9), "what was seen at last teaches as well"

    play(tmp_path, story)


def test_a_pallet_that_came_when_its_shipment_had_settled_is_judged_as_well(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        late = (*cases_of(*TOMATOES[:2], sscc=pallet(9)), *cases_of(*LEMONS, sscc=pallet(1)))
        await house.announce(cases=late)
        await load(house, pallet(9), *TOMATOES[:2])
        await house.settle()
        assert house.open()["missing", "S1"].count == 12
        await house.ledger.record(
            records.ExceptionResolved(at_us=house.clock(), id="missing-S1-1", who="Ana", why="on the next truck")
        )
        await bare(house, pallet(1))
        assert not house.open(), "what of it is read may still be told"
        await house.settle()
        found = house.open()["missing", "S1"]
        assert (found.count, found.params["doubtful"]) == (12, 12)
        rows = house.ledger.last_id
        await house.settle()
        assert house.ledger.last_id == rows, "once"

    play(tmp_path, story)


def test_a_whole_shipment_teaches_its_door_without_being_settled(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS, sscc=pallet(1)))
        await load(house, pallet(1), *LEMONS)
        await house.passes(case(TOMATO, 99))
        door = house.ledger._state.doors.rows["dock-1"]
        assert (house.shipment().state, door.read, door.unread_cases) == ("complete", 12, 0)

    play(tmp_path, story)


def test_a_door_that_nobody_knows_may_be_a_bad_one(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS, sscc=pallet(1)))
        await load(house, pallet(1), *LEMONS[:6])
        await house.settle()
        assert not house.open()
        assert (house.shipment().inferred, house.shipment().doubtful) == (6, 0)

    play(tmp_path, story)


def test_doubtful_and_missing_are_one_exception(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        gone = cases_of(*TOMATOES[:2], sscc=pallet(2))
        await house.announce(cases=(*cases_of(*LEMONS, sscc=pallet(1)), *gone))
        await bare(house, pallet(1))
        await house.settle()
        found = house.open()["missing", "S1"]
        assert (found.count, found.params["doubtful"], found.severity) == (14, 12, "wrong")

    play(tmp_path, story)


@given(st.integers(1, 300), st.integers(0, 2000), st.integers(0, 2000), st.data())
def test_the_tail_is_a_distribution(n: int, read: int, unread: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    a, b = 3.0 + read, 1.0 + unread
    assert 0 <= readrate.tail(k, n, a, b) <= readrate.tail(min(k + 1, n), n, a, b) + 1e-9
    assert abs(readrate.tail(n, n, a, b) - 1) < 1e-6
    # What is read of n is what is not unread: the other tail, with the roles exchanged.
    if k < n:
        assert abs(readrate.tail(k, n, a, b) + readrate.tail(n - k - 1, n, b, a) - 1) < 1e-6


def test_a_line_by_number_is_short_or_over_and_never_missing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(
            door="dock-1",
            lines=(AsnLine(sku="lemon-4kg", units=3, lot="L7", expires="2027-01-31"),),
            cases=cases_of(*TOMATOES[:2]),
        )
        await house.passes(*TOMATOES[:1], *LEMONS[:2])
        assert [house.ledger.item(epc).lot for epc in LEMONS[:2]] == ["L7", "L7"]  # type: ignore[union-attr]
        await house.settle()
        assert {key: one.count for key, one in house.open().items()} == {("missing", "S1"): 1, ("short", "S1"): 1}
        await house.passes(*TOMATOES[1:3], *LEMONS[2:5])
        assert {key: one.count for key, one in house.open().items()} == {("unexpected", "S1"): 1, ("over", "S1"): 2}
        states = house.cases()
        assert [states[epc] for epc in (TOMATOES[2], *LEMONS[2:5])] == ["unexpected", "seen", "over", "over"]
        shipment = house.shipment()
        assert (shipment.seen, shipment.over, shipment.unexpected, shipment.missing) == (5, 2, 1, 0)

    play(tmp_path, story)


def test_untagged_receipts_by_hand_count_for_their_line(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        lines = (AsnLine(sku="lemon-4kg", units=10), AsnLine(sku="tomato-tray", units=4))
        await house.announce(lines=lines, order="PO-1")
        await by_hand(house, MovedLine(target="receiving", sku="lemon-4kg", units=6, lot="L1"))
        assert (house.shipment().state, house.shipment().seen, house.stock().units) == ("receiving", 6, 6)
        await by_hand(house, MovedLine(target="receiving", sku="lemon-4kg", units=5))
        assert (house.shipment().seen, house.shipment().over) == (10, 1)
        assert house.open()["over", "S1"].count == 1
        await house.announce(lines=(AsnLine(sku="lemon-4kg", units=11), lines[1]), order="PO-1")
        assert (house.shipment().seen, house.shipment().over) == (11, 0), "announced anew, what came is counted anew"
        assert not house.open()
        await house.settle()
        assert house.open()["short", "S1"].count == 4

    play(tmp_path, story)


def test_tags_told_by_hand_are_as_good_as_read(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:2], sscc=pallet(1)))
        await by_hand(house, MovedLine(target="receiving", epcs=(LEMONS[0], TOMATOES[0])))
        assert house.cases() == {LEMONS[0]: "seen", LEMONS[1]: "expected", TOMATOES[0]: "unexpected"}
        await by_hand(house, MovedLine(target="receiving", epcs=(pallet(1),)))
        assert house.cases()[LEMONS[1]] == "inferred"
        await house.announce("OUT", direction="outbound", lines=(AsnLine(sku="lemon-4kg", units=1),))
        await by_hand(house, MovedLine(target=None, epcs=(LEMONS[0],)), reason="shipment", shipment="OUT")
        assert (house.shipment("OUT").state, house.stock().units) == ("complete", 1)
        await by_hand(house, MovedLine(target="receiving", epcs=(LEMONS[2],)), shipment="NONE")
        assert house.ledger.item(LEMONS[2]) is None, "a shipment that nobody announced is a mistake"

    play(tmp_path, story)


def test_closed_short_nothing_is_waited_for_and_what_still_comes_is_news(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(order="PO-1", cases=cases_of(*LEMONS[:4]))
        await house.passes(*LEMONS[:2], case(TOMATO, 1))
        await house.settle()
        assert house.open().keys() == {("missing", "S1"), ("unexpected", "S1")}
        await close(house, "the driver signed for two")
        shipment = house.shipment()
        said = ("short", "Ana", "the driver signed for two")
        assert (shipment.state, shipment.closed_by, shipment.closed_why) == said
        assert not house.open()
        resolved = house.ledger.views("exceptions")["missing-S1-1"]
        assert (resolved.resolved_by, resolved.reason) == ("Ana", "the driver signed for two")
        assert house.stock().on_order == 0
        await house.passes(LEMONS[2])
        late = house.open()["unexpected", "S1"]
        assert (late.count, late.params) == (1, {"late": 1})
        assert (house.shipment().seen, house.shipment().late, house.stock().units) == (3, 1, 3)
        assert [one.epc for one in house.ledger.cases("S1") if one.late] == [LEMONS[2]]
        await close(house, "not yet", reopened=True)
        assert house.shipment().state == "receiving"
        assert not house.open()
        await house.settle()
        assert house.open()["missing", "S1"].count == 1

    play(tmp_path, story)


def test_closed_before_it_was_settled_and_announced_anew_it_stays_closed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:4]))
        await house.passes(LEMONS[0])
        await close(house)
        await house.settle()
        assert not house.open()
        await house.announce(cases=cases_of(*LEMONS[:5]))
        assert (house.shipment().state, house.shipment().closed_by) == ("short", "Ana")
        await house.settle()
        assert not house.open()

    play(tmp_path, story)


def test_what_comes_back_is_not_sold_until_somebody_looked_at_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        returned = records.AsnReceived(
            at_us=house.clock(), id="R1", direction="inbound", partner="Corner shop", purpose="return",
            cases=cases_of(*LEMONS[:3], sscc=pallet(1)),
        )  # fmt: skip
        await house.ledger.record(returned)
        await load(house, pallet(1), *LEMONS[:2])
        assert (house.stock().units, house.stock().quarantined) == (3, 3), "also what is only inferred"
        word = DispositionSet(
            at_us=house.clock.turn(1), who="Ana", why="looked", disposition="sellable", epcs=(LEMONS[0],)
        )
        await house.ledger.record(word)
        await house.ledger.record(msgspec.structs.replace(word, epcs=(LEMONS[1],), disposition="damaged"))
        await house.ledger.record(msgspec.structs.replace(word, epcs=(LEMONS[2],)))
        assert house.stock().quarantined == 0
        await looks(house, *LEMONS[:2], pallet(1))
        await house.ledger.record(msgspec.structs.replace(returned, partner="Corner shop, Main Street"))
        stock = house.stock()
        assert (stock.units, stock.quarantined, stock.damaged) == (3, 0, 1), "what was said of it stands"

    play(tmp_path, story)


def test_an_outbound_order_is_picked_from_what_expires_first(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for lot, expires in (("late", "2027-03-01"), ("soon", "2027-01-01"), ("over", "2026-11-01")):
            await house.ledger.record(
                LotDescribed(at_us=house.clock(), who="Ana", sku="lemon-4kg", lot=lot, expires=expires)
            )
        receipts = [
            MovedLine(target=zone, sku="lemon-4kg", units=units, lot=lot)
            for zone, units, lot in (
                ("cold-room", 5, "late"), ("receiving", 3, "soon"), ("cold-room", 2, "over"), ("receiving", 4, None)
            )
        ]  # fmt: skip
        await house.ledger.record(
            StockMoved(at_us=house.clock(), who="Ana", reason="found", lines=tuple(receipts)),
            LotExpired(at_us=house.clock(), sku="lemon-4kg", lot="over", expires="2026-11-01"),
        )
        lines = (AsnLine(sku="lemon-4kg", units=2, lot="late"), AsnLine(sku="lemon-4kg", units=9))
        await house.announce("OUT", direction="outbound", lines=lines)
        picks = [(pick.units, pick.zone, pick.lot) for pick in house.ledger.picks("OUT")]
        assert picks == [(2, "cold-room", "late"), (3, "receiving", "soon"), (3, "cold-room", "late"),
                         (3, "receiving", None)]  # fmt: skip
        await house.announce("MORE", direction="outbound", lines=(AsnLine(sku="lemon-4kg", units=1, lot="over"),))
        assert house.ledger.picks("MORE") == [fefo.Pick("lemon-4kg", 1, None, "over")]
        out = MovedLine(target=None, origin="receiving", sku="lemon-4kg", units=3, lot="soon")
        await by_hand(house, out, reason="shipment", shipment="OUT")
        assert sum(pick.units for pick in house.ledger.picks("OUT")) == 8
        assert house.open().keys() == {("expired", "lemon-4kg over")}

    play(tmp_path, story)


def test_a_case_seen_inside_before_its_door_told_of_it_has_its_door_still(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(door="dock-1", cases=(AsnCase(epc=LEMONS[0], sscc=pallet(2)),))
        at_us = house.clock.turn(1)
        await looks(house, LEMONS[0])
        told_late = door_pass((LEMONS[0], pallet(1)), at_us, "dock-2")
        await house.edge.tell(msgspec.structs.replace(told_late, container=pallet(1)))
        (one,) = house.ledger.cases("S1")
        assert (one.door, one.seen_on, one.wrong_door, one.wrong_pallet) == ("dock-2", pallet(1), True, True)
        assert house.open().keys() == {("wrong_door", "S1"), ("wrong_pallet", "S1")}

    play(tmp_path, story)


def test_a_case_that_a_reader_sees_elsewhere_than_somebody_put_it_is_misplaced(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:3])
        house.clock.turn(7200)
        await looks(house, LEMONS[2], zone="cold-room")
        assert not house.open(), "what was said long ago may have been carried since"
        put = MovedLine(target="cold-room", epcs=tuple(LEMONS[:2]))
        await house.ledger.record(StockMoved(at_us=house.clock.turn(1), who="Ana", reason="putaway", lines=(put,)))
        await looks(house, LEMONS[0], zone="cold-room")
        await looks(house, *LEMONS[:2], zone="receiving")
        await looks(house, *LEMONS[:2], zone="receiving")
        found = house.open()["misplaced", "receiving"]
        assert (found.count, found.params, found.severity) == (1, {"epc": LEMONS[1], "said": "cold-room"}, "attention")
        assert house.stock().zones == {"receiving": 2, "cold-room": 1}, "the books follow the reader"

    play(tmp_path, story)
