"""Given a site, when a truck unloads, then the house knows: the ledger's rules as stories, on a real file."""

from pathlib import Path

import msgspec
import pytest
from ledgerhouse import LEMONS, UNREPLENISHED, House, cases_of, play
from ledgersite import (
    LEMON,
    QUICK,
    SECOND,
    SITE,
    STRAY,
    TOMATO,
    Clock,
    batch,
    case,
    door_pass,
    load_pass,
    pallet,
    pass_bytes,
    sgtin,
)

from contract import events, wire
from gateway import records
from gateway.errors import BadRecord
from gateway.feed import Feed
from gateway.ledger.ledger import Commit, Ledger


def test_a_truck_unloads_and_everything_is_there(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(door="dock-1", cases=cases_of(*LEMONS, sscc=pallet(1)))
        assert house.shipment().state == "expected"
        await house.passes(*LEMONS[:6], pallet(1))
        assert (house.shipment().state, house.shipment().seen, house.shipment().missing) == ("receiving", 6, 0)
        await house.passes(*LEMONS[6:])
        shipment = house.shipment()
        assert (shipment.state, shipment.expected, shipment.seen, shipment.unexpected) == ("complete", 12, 12, 0)
        assert (house.stock().units, house.stock().zones) == (12, {"receiving": 12})
        assert house.ledger.views("doors")["dock-1"].inbound == 12, "the pallet itself is not counted"
        assert house.ledger.views("doors")["dock-1"].shipment == "S1"
        item = house.ledger.item(pallet(1))
        assert item is not None
        assert (item.sku, item.zone) == (None, "receiving")
        await house.settle()
        assert house.ledger.views("doors")["dock-1"].shipment is None, "the truck has left"
        assert not house.open()

    play(tmp_path, story)


def test_two_are_missing_and_one_was_not_announced(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS))
        await house.passes(*LEMONS[:5], case(TOMATO, 77), *LEMONS[5:10])
        assert house.open().keys() == {("unexpected", "S1")}
        await house.settle()
        assert house.shipment().state == "short"
        missing = house.open()["missing", "S1"]
        assert (missing.count, missing.params, missing.severity) == (
            2,
            {"expected": 12, "seen": 10, "inferred": 0},
            "wrong",
        )
        assert house.open()["unexpected", "S1"].count == 1
        assert sorted(house.cases().values()) == ["missing"] * 2 + ["seen"] * 10 + ["unexpected"]
        assert (house.stock().units, house.stock("tomato-tray").units) == (10, 1)

    play(tmp_path, story)


def test_a_late_case_closes_the_exception(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS))
        await house.passes(*LEMONS[:10])
        await house.settle()
        await house.passes(LEMONS[10])
        assert house.open()["missing", "S1"].count == 1
        await house.passes(LEMONS[11], door="cold-gate")
        assert not house.open(), "seen anywhere in the house, it has come"
        assert house.shipment().state == "complete"
        closed = house.ledger.views("exceptions")["missing-S1-1"]
        assert (closed.state, closed.resolved_by, closed.reason) == ("resolved", None, "seen")

    play(tmp_path, story)


def test_the_same_announcement_again_changes_nothing_and_a_changed_one_replaces_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(door="dock-1", cases=cases_of(*LEMONS[:4]))
        await house.passes(*LEMONS[:3], case(LEMON, 99))
        before = (house.shipment(), house.cases())
        await house.announce(door="dock-1", cases=cases_of(*LEMONS[:4]))
        assert (house.shipment(), house.cases()) == before
        await house.announce(door="dock-1", cases=cases_of(*LEMONS[:3], case(LEMON, 99)))
        shipment = house.shipment()
        assert (shipment.state, shipment.expected, shipment.seen, shipment.unexpected) == ("complete", 4, 4, 0)
        assert not house.open(), "what was unexpected is announced now"

    play(tmp_path, story)


def test_an_announcement_after_the_truck_finds_what_has_come(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.passes(*LEMONS[:3])
        await house.announce(cases=cases_of(*LEMONS[:4]))
        assert (house.shipment().state, house.shipment().seen) == ("receiving", 3)
        await house.passes(LEMONS[3])
        assert house.shipment().state == "complete"

    play(tmp_path, story)


def test_a_case_that_came_unexpected_with_one_truck_belongs_to_the_next_announcement(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce("A", cases=cases_of(*LEMONS[:2]))
        await house.passes(LEMONS[0], LEMONS[5], LEMONS[1])
        assert house.shipment("A").unexpected == 1
        await house.announce("B", cases=cases_of(LEMONS[5], LEMONS[6]))
        assert (house.shipment("A").unexpected, house.shipment("B").seen) == (0, 1)
        assert not house.open()

    play(tmp_path, story)


def test_what_is_announced_only_by_number_is_filled_by_what_comes(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(door="dock-2", lines=(records.AsnLine(sku="lemon-4kg", units=3),))
        await house.passes(*LEMONS[:3], door="dock-2")
        assert (house.shipment().state, house.shipment().seen) == ("complete", 3)
        await house.passes(LEMONS[3], door="dock-2")
        assert (house.shipment().seen, house.shipment().over, house.shipment().unexpected) == (3, 1, 0)

    play(tmp_path, story)


def test_a_case_read_just_before_the_first_announced_one_came_with_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:2]))
        await house.passes(case(TOMATO, 5), LEMONS[0])
        assert house.cases()[case(TOMATO, 5)] == "unexpected"

    play(tmp_path, story)


def test_what_the_house_held_is_not_unexpected_when_it_comes_in_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(case(TOMATO, 1))
        await house.announce(door="dock-1", cases=cases_of(*LEMONS[:2]))
        house.clock.turn(1)
        await house.passes(LEMONS[0], case(TOMATO, 1))
        assert house.shipment().unexpected == 0

    play(tmp_path, story)


def test_an_outbound_shipment_is_checked_as_it_leaves(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:4])
        await house.announce("OUT", direction="outbound", door="dock-1", cases=cases_of(*LEMONS[:2]))
        await house.passes(LEMONS[0], LEMONS[3], direction="outbound")
        assert house.cases("OUT") == {LEMONS[0]: "seen", LEMONS[1]: "expected", LEMONS[3]: "unexpected"}
        assert house.stock().units == 2

    play(tmp_path, story)


def test_putaway_and_sale(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:3])
        await house.passes(LEMONS[0], LEMONS[1], door="cold-gate")
        assert house.stock().zones == {"receiving": 1, "cold-room": 2}
        await house.passes(LEMONS[1], door="cold-gate", direction="outbound")
        await house.passes(LEMONS[1], direction="outbound")
        stock = house.stock()
        assert (stock.units, stock.zones) == (2, {"receiving": 1, "cold-room": 1})
        assert [units for _, units in stock.trace] == [3, 2]
        item = house.ledger.item(LEMONS[1])
        assert item is not None
        assert (item.zone, item.seen_at) == (None, "dock-1")

    play(tmp_path, story)


def test_an_unknown_direction_moves_nothing_and_is_one_exception(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(LEMONS[0])
        await house.passes(LEMONS[0], LEMONS[1], direction="unknown")
        await house.passes(LEMONS[0], direction="unknown")
        found = house.open()["unknown_direction", "dock-1"]
        assert (found.count, found.severity) == (3, "attention")
        assert house.stock().units == 1
        item = house.ledger.item(LEMONS[0])
        assert item is not None
        assert (item.zone, item.seen_at) == ("receiving", "dock-1")

    play(tmp_path, story)


def test_what_is_no_case_is_no_stock(tmp_path: Path) -> None:
    foreign = sgtin("09506000999999", 3)

    async def story(house: House) -> None:
        await house.passes(STRAY, pallet(7), foreign)
        assert {sku: view.units for sku, view in house.ledger.views("stock").items() if view.units} == {
            "09506000999999": 1
        }, "an unknown GTIN counts under its GTIN"
        item = house.ledger.item(STRAY)
        assert item is not None
        assert (item.sku, item.zone) == (None, "receiving")

    play(tmp_path, story)


def test_not_seen_is_not_gone(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*LEMONS[:2])
        now_us = house.clock.turn(5)
        left = events.ZoneLeft(at_us=now_us, decided_us=now_us, zone="receiving", epcs=(LEMONS[0],))
        seen = events.ZoneSeen(at_us=now_us, decided_us=now_us, zone="cold-room", epcs=(LEMONS[1], LEMONS[1]))
        await house.edge.tell(left, seen)
        assert house.stock().zones == {"receiving": 1, "cold-room": 1}
        item = house.ledger.item(LEMONS[0])
        assert item is not None
        assert item.missed is not None

    play(tmp_path, story)


def test_a_clock_set_to_next_year_does_not_win_for_a_year(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        next_year_us = house.clock() + 365 * 86_400 * SECOND
        await house.edge.tell(door_pass(LEMONS[0], next_year_us, "dock-1"))
        assert ("clock_stepped", "dock-edge") in house.open()
        await house.passes(LEMONS[0], door="cold-gate")
        assert house.stock().zones == {"cold-room": 1}

    play(tmp_path, story)


def test_lemons_are_ordered_once_and_the_order_is_received(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.ledger.tick(house.clock())
        assert not house.ledger.views("orders"), "a house that knows nothing orders nothing"
        await house.holds(*(case(LEMON, serial) for serial in range(100, 121)))
        assert not house.ledger.views("orders")
        await house.passes(case(LEMON, 100), direction="outbound")
        [order] = house.ledger.views("orders").values()
        assert (order.key, order.units, order.state) == ("north:lemon-4kg:1", 36, "requested")
        assert house.stock().on_order == 36
        await house.passes(case(LEMON, 101), direction="outbound")
        await house.ledger.tick(house.clock())
        assert len(house.ledger.views("orders")) == 1, "the need is known"

        await house.announce(order="PO-1", cases=cases_of(*(case(LEMON, serial) for serial in range(200, 236))))
        await house.ledger.record(
            report(house.clock(), order.key, "placed"), report(house.clock(), order.key, "shipped")
        )
        assert house.stock().on_order == 36, "the announcement answers the order and does not add to it"
        await house.passes(*(case(LEMON, serial) for serial in range(200, 230)))
        [order] = house.ledger.views("orders").values()
        assert (order.received, order.state, house.stock().on_order) == (30, "shipped", 6)
        await house.passes(*(case(LEMON, serial) for serial in range(230, 236)))
        await house.ledger.record(report(house.clock(), order.key, "shipped"))
        [order] = house.ledger.views("orders").values()
        assert (order.received, order.state, order.number) == (36, "received", "PO-1")
        assert (house.stock().units, house.stock().on_order) == (55, 0)

    play(tmp_path, story, QUICK)


def report(now_us: int, key: str, state: str) -> records.OrderReported:
    return records.OrderReported(
        at_us=now_us,
        key=key,
        number="PO-1",
        supplier="Hongda Fruit",
        units=36,
        state=state,  # type: ignore[arg-type]
    )


def test_a_short_delivery_is_asked_for_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(*(case(LEMON, serial) for serial in range(100, 120)))
        [first] = house.ledger.views("orders").values()
        await house.ledger.record(report(house.clock(), first.key, "shipped"))
        await house.announce(order="PO-1", cases=cases_of(*(case(LEMON, serial) for serial in range(200, 236))))
        await house.passes(case(LEMON, 200))
        await house.settle()
        assert (house.ledger.views("orders")[first.key].state, house.stock().on_order) == ("received", 0)
        await house.passes(case(LEMON, 100), direction="outbound")
        assert house.ledger.views("orders")["north:lemon-4kg:2"].units == 36

    play(tmp_path, story, QUICK)


def test_what_was_announced_without_an_order_is_not_ordered_as_well(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*(case(LEMON, serial) for serial in range(48))))
        await house.passes(*(case(LEMON, serial) for serial in range(12)))
        assert not house.ledger.views("orders")
        assert (house.stock().units, house.stock().on_order) == (12, 36)

    play(tmp_path, story, QUICK)


def test_the_first_case_that_leaves_an_unknown_house_orders_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.passes(LEMONS[0], direction="outbound")
        assert not house.ledger.views("orders")
        assert house.stock().units == 0

    play(tmp_path, story, QUICK)


def test_an_order_of_an_older_log_counts_and_its_number_is_not_used_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.ledger.record(report(house.clock(), "north:lemon-4kg:7", "placed"))
        await house.holds(LEMONS[0])
        assert house.stock().on_order == 36
        await house.ledger.record(report(house.clock(), "north:lemon-4kg:7", "cancelled"))
        assert "north:lemon-4kg:8" in house.ledger.views("orders")
        await house.ledger.record(report(house.clock(), "south:lemon-4kg:7", "placed"))
        assert ("bad_message", "gateway") in house.open(), "another site's order is none of ours"

    play(tmp_path, story, QUICK)


def test_a_silent_agent_is_unknown_and_never_absent(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:3]))
        await house.passes(*LEMONS[:2])
        await house.device("reader-dock-1", "connected")
        assert house.ledger.views("devices")["reader-dock-1"].state == "connected"
        house.clock.turn(16)
        await house.ledger.tick(house.clock())
        assert house.open().keys() == {("agent_silent", "dock-edge")}
        assert house.ledger.views("devices")["dock-edge"].state == "silent"
        assert house.ledger.views("devices")["reader-dock-1"].state == "unknown"
        assert house.ledger.views("doors")["dock-1"].readers[0].state == "unknown"
        house.clock.turn(300)
        await house.ledger.tick(house.clock())
        assert house.stock().units == 2
        assert house.shipment().state == "receiving", "what nobody could see is not missing"
        await house.beat(made=house.edge.made + 1)
        assert not house.open()
        await house.ledger.tick(house.clock())
        assert house.shipment().state == "receiving", "the agent has more to tell"
        await house.passes(LEMONS[2])
        assert house.shipment().state == "complete"

    play(tmp_path, story)


def test_a_blind_reader_settles_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:3]))
        await house.passes(*LEMONS[:2])
        await house.device("reader-dock-1", "blind", "no reads for 60 s: look at the antenna cable")
        lost = house.open()["device_lost", "reader-dock-1"]
        assert lost.params == {"state": "blind", "detail": "no reads for 60 s: look at the antenna cable"}
        await house.settle()
        assert house.shipment().state == "receiving"
        await house.device("reader-dock-1", "connected")
        assert not house.open()
        await house.settle()
        assert house.shipment().state == "short"

    play(tmp_path, story)


def test_the_last_will_makes_an_agent_silent_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.beat()
        assert house.ledger.views("devices")["dock-edge"].state == "connected"
        await house.beat(state="offline")
        assert ("agent_silent", "dock-edge") in house.open()
        await house.beat()
        assert not house.open()
        kinds = [row.kind for row in house.ledger.rows(1, 10)]
        assert kinds == ["agent_heard", "agent_silent", "agent_heard"]

    play(tmp_path, story)


def test_temperature_beyond_its_limits_is_one_exception_until_all_is_back(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.reads(4)
        await house.reads(6.5)
        await house.reads(7, device="second-sensor")
        await house.reads(6.8)
        found = house.open()["temperature", "cold-room"]
        assert {key: found.params[key] for key in ("value", "min", "max")} == {"value": 6.8, "min": 1, "max": 5}
        await house.reads(4)
        assert ("temperature", "cold-room") in house.open(), "the other sensor is still warm"
        await house.reads(4, device="second-sensor")
        assert not house.open()
        condition = house.ledger.views("conditions")["cold-room-temperature"]
        assert ([value for _, value in condition.trace], condition.max) == ([4, 6.5, 6.8, 4], 5)

    play(tmp_path, story)


def test_a_late_reading_joins_the_trace_and_changes_nothing_else(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.reads(4)
        early_us = house.clock() - 10 * SECOND
        late = events.Condition(
            at_us=early_us,
            decided_us=early_us,
            device="cold-room-temperature",
            zone="cold-room",
            quantity="temperature_c",
            value=9,
        )
        await house.edge.tell(late)
        condition = house.ledger.views("conditions")["cold-room-temperature"]
        assert (condition.value, [value for _, value in condition.trace]) == (4, [9, 4])
        assert not house.open()

    play(tmp_path, story)


def test_staff_resolve_an_exception_and_it_does_not_come_back_by_itself(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:4]))
        await house.passes(LEMONS[0], case(TOMATO, 1), LEMONS[1])
        deed = records.ExceptionResolved(at_us=house.clock(), id="unexpected-S1-1", who="Ana", why="a gift")
        await house.ledger.record(deed, deed)
        view = house.ledger.views("exceptions")["unexpected-S1-1"]
        assert (view.state, view.resolved_by, view.reason) == ("resolved", "Ana", "a gift")
        await house.passes(LEMONS[2])
        assert not house.open(), "another announced case is no news about the unexpected one"
        await house.passes(case(TOMATO, 2))
        assert house.open()["unexpected", "S1"].id == "unexpected-S1-2"

    play(tmp_path, story)


def test_only_the_last_resolved_exceptions_are_shown_and_all_stay_on_disk(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for _ in range(25):
            await house.device("reader-dock-1", "lost")
            await house.device("reader-dock-1", "connected")
        views = house.ledger.views("exceptions")
        assert set(views) == {f"device_lost-reader-dock-1-{n}" for n in range(6, 26)}
        assert len(house.ledger._store.stored("exceptions")) == 25

    play(tmp_path, story)


def test_strays_are_shown_at_their_door(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.device("dock-1", "health", stray_flat=3, stray_weak=2, passes=9)
        assert house.ledger.views("doors")["dock-1"].strays == {"flat": 3, "weak": 2}
        await house.device("reader-dock-1", "health", reads=700)
        assert house.ledger.views("devices")["reader-dock-1"].counts == {"reads": 700}
        await house.device("no-such-device", "lost")
        assert not house.open()

    play(tmp_path, story)


def test_a_load_that_nobody_could_read_is_somebodys_task(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for _ in range(2):
            at_us = house.clock.turn(1)
            await house.edge.tell(
                events.EmptyPass(
                    at_us=at_us,
                    decided_us=at_us,
                    door="dock-1",
                    direction="inbound",
                    opened_us=at_us,
                    closed_us=at_us,
                )
            )
        (task,) = house.open().values()
        assert (task.kind, task.subject, task.count, task.severity) == ("empty_pass", "dock-1", 2, "attention")
        assert house.ledger.views("doors")["dock-1"].unread == 2

    play(tmp_path, story)


def test_a_pallet_moves_as_one_and_its_label_is_no_stock(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        at_us = house.clock.turn(1)
        alone = door_pass(LEMONS[0], at_us, "dock-1")
        together = msgspec.structs.replace(alone, epcs=(*LEMONS[:3], pallet(1)), container=pallet(1))
        await house.edge.tell(together)
        door = house.ledger.views("doors")["dock-1"]
        assert door.inbound == 3
        assert house.ledger.views("stock")["lemon-4kg"].units == 3
        (entry,) = [
            one for one in Feed(house.ledger.house).entries(house.ledger.rows(0, 10)) if one.kind == "door_pass"
        ]
        assert (entry.epc, entry.tags) == (pallet(1), 4)

    play(tmp_path, story)


def test_a_load_in_several_events_counts_each_case_once_and_fills_its_shipment(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS, sscc=pallet(1)))
        whole = load_pass(pallet(1), LEMONS, at_us=house.clock.turn(1))
        parts = [
            msgspec.structs.replace(whole, epcs=whole.epcs[part], tags=whole.tags[part])
            for part in (slice(7), slice(7, None))
        ]
        await house.edge.tell(*parts)
        await house.edge.tell(load_pass(pallet(1), LEMONS[:3], at_us=house.clock.turn(1)))
        shipment = house.shipment()
        assert (shipment.state, shipment.seen, shipment.unexpected) == ("complete", 12, 0)
        assert house.stock().units == 12
        entries = [one for one in Feed(house.ledger.house).entries(house.ledger.rows(0, 20)) if one.kind == "door_pass"]
        assert [(one.epc, one.tags) for one in entries] == [(pallet(1), 7), (LEMONS[6], 6), (pallet(1), 4)]

    play(tmp_path, story)


def test_an_unknown_load_is_as_many_cases_to_look_for_as_it_has_and_a_bare_pallet_is_none(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        load = load_pass(pallet(1), LEMONS[:3], at_us=house.clock.turn(1))
        await house.edge.tell(msgspec.structs.replace(load, direction="unknown"))
        await house.passes(pallet(2), door="dock-2", direction="unknown")
        assert {key: found.count for key, found in house.open().items()} == {("unknown_direction", "dock-1"): 3}
        assert [door.unknown for door in house.ledger.views("doors").values()] == [3, 0, 0]

    play(tmp_path, story)


def test_a_bad_event_takes_its_number_and_stops_nobody(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        good = wire.encode(door_pass(LEMONS[0], house.clock(), "dock-1"))
        elsewhere = wire.encode(door_pass(LEMONS[1], house.clock(), "dock-9"))
        forged = msgspec.json.encode(records.ItemsImported(at_us=1, who="me", items=()))
        ack = await house.edge.tell(b'{"kind":"door_pass"}', b"[1]", good, elsewhere, forged)
        assert ack.through == 5
        kinds = [row.kind for row in house.ledger.rows(1, 10)]
        assert kinds == ["agent_heard", "bad_messages", "bad_messages", "door_pass", "door_pass", "bad_messages"]
        assert house.stock().units == 1
        found = house.open()["bad_message", "dock-edge"]
        assert found.count == 4
        letters = house.ledger.dead_letters(10)
        assert [letter.data for letter in letters] == [forged, b"[1]", b'{"kind":"door_pass"}']
        assert all(records.decode(row.body) for row in house.ledger.rows(0, 10))

    play(tmp_path, story)


def test_bad_messages_are_counted_together_and_kept_cut(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for n in range(1500):
            house.ledger.bury("dock-edge", "tc/v1/north/dock-edge/events", b"x" * 5000, f"reason {n}")
        await house.ledger.tick(house.clock())
        assert house.open()["bad_message", "dock-edge"].count == 1500
        letters = house.ledger.dead_letters(2000)
        assert (len(letters), letters[0].size, len(letters[0].data)) == (1000, 5000, 4096)

    play(tmp_path, story)


def test_a_record_that_could_not_be_read_back_is_refused(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        with pytest.raises(BadRecord):
            await house.announce("x" * 101)
        with pytest.raises(BadRecord):
            await house.ledger.take("gateway", batch("gateway", 1, [pass_bytes(LEMONS[0], house.clock())]))
        assert [row.kind for row in house.ledger.rows(0, 10)] == ["site_described"]

    play(tmp_path, story)


def test_subscribers_hear_of_rows_only_when_they_are_on_disk(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        heard: list[Commit] = []

        def hear(commit: Commit) -> None:
            heard.append(commit)
            assert [row.id for row in house.ledger.rows(0, 100)] == list(range(1, house.ledger.last_id + 1))

        unsubscribe = house.ledger.subscribe(hear)
        await house.passes(*LEMONS[:2])
        assert [row.kind for commit in heard for row in commit.rows] == ["agent_heard", "door_pass", "door_pass"]
        changed = frozenset().union(*(commit.changed for commit in heard))
        assert {("doors", "dock-1"), ("stock", "lemon-4kg"), ("devices", "dock-edge")} <= changed
        unsubscribe()
        count = len(heard)
        await house.passes(LEMONS[2])
        assert len(heard) == count

    play(tmp_path, story)


def test_another_item_master_folds_the_log_again(tmp_path: Path) -> None:
    foreign = sgtin("09506000999999", 3)
    fresh = SITE.items[0].model_copy(update={"sku": "pear-3kg", "gtin": "09506000999999"})

    async def story(house: House) -> None:
        await house.passes(foreign, LEMONS[0])

    play(tmp_path, story)
    known = UNREPLENISHED.model_copy(update={"items": [*UNREPLENISHED.items, fresh]})
    with Ledger.open(tmp_path / "ledger.db", known, Clock()) as ledger:
        assert ledger.views("stock")["pear-3kg"].units == 1
        assert "09506000999999" not in ledger.views("stock")
        assert ledger.views("stock")["lemon-4kg"].units == 1


def test_a_clock_that_was_set_is_corrected_from_the_event_on_that_it_was_set_at(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.beat(began=0)
        await house.passes(LEMONS[0])
        ahead = 3600 * 1_000_000
        began = house.edge.made
        late = door_pass(LEMONS[1], house.clock.turn(1))
        house.edge.made += 1  # it was made before the clock was set, and comes after
        await house.beat(began=began + 1, at_us=house.clock() - ahead, made=house.edge.made)
        assert house.open()["clock_stepped", "dock-edge"].params == {"ahead_s": -3600.0}
        house.edge.made -= 1
        await house.edge.tell(late)
        out = door_pass(LEMONS[0], house.clock.turn(5) - ahead, direction="outbound")
        await house.edge.tell(out, door_pass(LEMONS[1], house.clock() - ahead, direction="outbound"))
        assert house.stock().units == 0, "by its own clock it would have left an hour before it came"
        await house.beat(began=house.edge.made)
        assert ("clock_stepped", "dock-edge") not in house.open()
        await house.passes(LEMONS[2])
        assert house.stock().units == 1

    play(tmp_path, story)


def test_a_heartbeat_that_is_late_does_not_say_that_the_clock_is_behind(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for delay_s in (0, 7, 0, 30, 3):
            sent_us = house.clock()
            house.clock.turn(delay_s)
            await house.beat(at_us=sent_us)
        assert not [row for row in house.ledger.rows(0, 100) if row.kind == "clock_judged"]
        for _ in range(6):  # but a clock that loses time does
            house.clock.turn(5)
            await house.beat(at_us=house.clock() - 9_000_000)
        told = [records.decode(row.body) for row in house.ledger.rows(0, 100) if row.kind == "clock_judged"]
        assert [one.ahead_us for one in told if isinstance(one, records.ClockJudged)][-1] == -9_000_000

    play(tmp_path, story)
