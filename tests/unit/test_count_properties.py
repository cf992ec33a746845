"""A count is an observation at its own time: property 2 of the design, on random histories.

A model of the truth moves cases and units about, some of it unrecorded; what is recorded reaches the books early, late,
mixed and doubled. Whatever the order, once everything is told, the books say what is there since it was counted.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledgersite import LEMON, QUICK, SECOND, START_US, batch, case, door_pass

from contract import events, wire
from gateway import records
from gateway.ledger.counting.countrows import Count
from gateway.ledger.counting.countturns import Step, person
from gateway.ledger.group import Group, Recorded, Taken
from gateway.ledger.house import House
from gateway.ledger.showing.shown_counts import Counts
from gateway.ledger.state import State
from gateway.ledger.streams import judge
from gateway.records import countrecords, stockrecords

HOUSE = House(QUICK)
SKU = "lemon-4kg"
TAGS = [case(LEMON, serial) for serial in range(1, 6)]
ZONES = ["receiving", "cold-room"]
AGENTS = ["dock-edge", "shelf-edge", "handheld-7"]
HANDHELD = "handheld-7"
_loop = asyncio.new_event_loop()


@dataclass
class Books:
    """Intake, fold and booking without a disk."""

    state: State = field(default_factory=lambda: State(HOUSE))
    now_us: int = START_US
    rows: int = 0

    def take(self, agent: str, first: int, told: Sequence[events.Event]) -> None:
        known = self.state.agents.get(agent)
        through = None if known is None else known.through.get("first")
        each = batch(agent, first, [wire.encode(event) for event in told])
        verdict = judge(each, through, had_epochs=known is not None)
        if verdict.act == "take":
            new = each.events[verdict.known :]
            last = first + len(told) - 1
            self._commit(Taken(agent, "first", first + verdict.known, last, new, _loop.create_future(), verdict.lost))

    def record(self, *news: records.Record) -> None:
        self._commit(Recorded(news, _loop.create_future()))

    def _commit(self, entry: Taken | Recorded) -> None:
        group = Group(self.state, self.rows, "gateways-own", self.now_us)
        group.add(entry)
        group.close(())
        self.rows += len(group.rows)

    def levels(self) -> dict[str, int]:
        stock = self.state.stock.get(SKU)
        return dict(stock.zones) if stock else {}

    def places(self) -> dict[str, str | None]:
        return {epc: item.zone for epc, item in self.state.items.rows.items()}


def count_of(key: str, zone: str, at_us: int, units: int, counter: str = "Bo") -> list[records.Record]:
    """From the request to the review of a count whose differences all have a reason; the sweep comes from an agent."""
    return [
        countrecords.CountRequested(at_us=at_us, id=key, who="Mei", zone=zone, methods=("hand", "handheld")),
        countrecords.CountBegun(at_us=at_us, id=key, counter=counter),
        countrecords.CountEntered(
            at_us=at_us + SECOND, id=key, counter=counter, lines=(countrecords.CountedLine(sku=SKU, units=units),)
        ),
        countrecords.CountSubmitted(at_us=at_us + 2 * SECOND, id=key, counter=counter, empty=True),
        countrecords.CountInvestigated(at_us=at_us + 3 * SECOND, id=key, who="Mei", reasons={SKU: "unknown"}),
        countrecords.CountReviewed(at_us=at_us + 4 * SECOND, id=key, approver="Ana", verdict="accept"),
    ]


seconds = st.integers(-40, 40).filter(bool).map(lambda n: n * 70)
"""Before or after the count, and farther from it than clocks may differ."""
sightings = st.tuples(st.sampled_from(TAGS), st.sampled_from([*ZONES, None]), seconds)
shifts = st.tuples(st.integers(-5, 5).filter(bool), seconds)


def event_of(epc: str, zone: str | None, second: int) -> events.Event:
    at_us = START_US + second * SECOND
    if zone is None:
        return door_pass(epc, at_us, direction="outbound")
    return events.ZoneSeen(at_us=at_us, decided_us=at_us, zone=zone, epcs=(epc,))


@settings(max_examples=150)
@given(st.lists(sightings, max_size=8), st.lists(shifts, max_size=4), st.sets(st.sampled_from(TAGS)), st.data())
def test_the_balance_after_a_count_does_not_depend_on_when_anything_is_told(
    seen: list[tuple[str, str | None, int]], moved: list[tuple[int, int]], found: set[str], data: st.DataObject
) -> None:
    step = events.TagCount(
        at_us=START_US + SECOND, decided_us=START_US + SECOND, count="C", zone="receiving", epcs=tuple(sorted(found))
    )
    results = []
    for _ in range(2):
        books = Books(now_us=START_US + 3600 * SECOND)
        left = {agent: deque[tuple[int, events.Event]]() for agent in AGENTS}
        for n, (epc, zone, second) in enumerate(seen):
            agent = AGENTS[n % 2]
            left[agent].append((len(left[agent]) + 1, event_of(epc, zone, second)))
        if found:
            left[HANDHELD].append((1, step))
        news = deque(count_of("C", "receiving", START_US, 7))
        hands = deque(data.draw(st.permutations(moved)))
        while hands or news or any(left.values()):
            source = data.draw(
                st.sampled_from([*(name for name in left if left[name]), *("h" * bool(hands)), *("n" * bool(news))])
            )
            if source == "n":
                books.record(news.popleft())
            elif source == "h":
                books.record(_shift(*hands.popleft()))
            else:
                first, event = left[source].popleft()
                books.take(source, first, [event])
                if data.draw(st.booleans()):
                    books.take(source, first, [event])
        assert books.state.counts.rows["C"].state == "completed"
        results.append((books.levels(), books.places()))
    assert results[0] == results[1]
    levels, places = results[0]
    assert places == _truth(seen, found)
    loose = 7 - sum(units for units, second in moved if second > 0)
    assert levels.get("receiving", 0) == loose + sum(zone == "receiving" for zone in places.values())


def _truth(seen: list[tuple[str, str | None, int]], found: set[str]) -> dict[str, str | None]:
    """The newest sighting says where a case is, unless it was there before the sweep, which did not find it."""
    told = [(second, AGENTS[n % 2], n, epc, zone) for n, (epc, zone, second) in enumerate(seen)]
    told += [(1, HANDHELD, 0, epc, "receiving") for epc in found]
    newest = {epc: (second, zone) for second, _, _, epc, zone in sorted(told, key=lambda one: one[:3])}
    return {epc: None if zone == "receiving" and second < 0 else zone for epc, (second, zone) in newest.items()}


def _shift(units: int, second: int) -> records.Record:
    line = stockrecords.MovedLine(origin="receiving", target="cold-room", sku=SKU, units=units)
    return stockrecords.StockMoved(at_us=START_US + second * SECOND, who="Li", reason="transfer", lines=(line,))


class Warehouse(RuleBasedStateMachine):
    """The truth, and the books that hear of it late."""

    @initialize()
    def open(self) -> None:
        self.books = Books()
        self.tags: dict[str, str | None] = {}
        self.units = Counter(dict.fromkeys(ZONES, 20))
        self.told = {agent: list[events.Event]() for agent in AGENTS}
        self.delivered = dict.fromkeys(AGENTS, 0)
        self.hands: list[records.Record] = []
        self.counts = 0
        self.sure: set[str] = set()
        """Zones of which nothing went unrecorded since they were counted."""

    def _turn(self, by: int = 100) -> int:
        self.books.now_us += by * SECOND
        return self.books.now_us

    @rule(epc=st.sampled_from(TAGS), zone=st.sampled_from([*ZONES, None]), agent=st.sampled_from(AGENTS[:2]))
    def a_case_moves(self, epc: str, zone: str | None, agent: str) -> None:
        if self.tags.get(epc) == zone:
            return
        at_us = self._turn()
        self.tags[epc] = zone
        event = (
            door_pass(epc, at_us, direction="outbound")
            if zone is None
            else events.ZoneSeen(at_us=at_us, decided_us=at_us, zone=zone, epcs=(epc,))
        )
        self.told[agent].append(event)

    @rule(units=st.integers(1, 5), there=st.booleans())
    def units_move(self, units: int, there: bool) -> None:
        origin, target = ZONES if there else reversed(ZONES)
        line = stockrecords.MovedLine(origin=origin, target=target, sku=SKU, units=units)
        self.units.subtract({origin: units})
        self.units.update({target: units})
        self.hands.append(stockrecords.StockMoved(at_us=self._turn(), who="Li", reason="transfer", lines=(line,)))

    @rule(epc=st.sampled_from(TAGS))
    def a_case_is_stolen(self, epc: str) -> None:
        self._turn()
        zone = self.tags.get(epc)
        if zone is not None:
            self.tags[epc] = None
            self.sure.discard(zone)

    @rule(zone=st.sampled_from(ZONES), units=st.integers(-3, 3))
    def units_are_not_recorded(self, zone: str, units: int) -> None:
        self._turn()
        self.units[zone] += units
        self.sure.discard(zone)

    @rule(agent=st.sampled_from(AGENTS), many=st.integers(1, 4), again=st.integers(0, 3))
    def an_agent_is_heard(self, agent: str, many: int, again: int) -> None:
        done = self.delivered[agent]
        first = max(done - again, 0)
        part = self.told[agent][first : done + many]
        if part:
            self.books.take(agent, first + 1, part)
            self.delivered[agent] = max(done, first + len(part))

    @precondition(lambda self: bool(self.hands))
    @rule(data=st.data())
    def a_move_is_written_down(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(0, len(self.hands) - 1))
        self.books.record(self.hands.pop(n))

    @precondition(lambda self: min(self.units.values()) >= 0)
    @rule(zone=st.sampled_from(ZONES), late=st.booleans())
    def a_zone_is_counted(self, zone: str, late: bool) -> None:
        self.counts += 1
        key, at_us = f"C{self.counts}", self._turn()
        asked, begun, *rest = count_of(key, zone, at_us, self.units[zone])
        self.books.record(asked, begun)
        there = tuple(sorted(epc for epc, place in self.tags.items() if place == zone))
        if there:
            step = events.TagCount(at_us=at_us + SECOND, decided_us=at_us + SECOND, count=key, zone=zone, epcs=there)
            self.told[HANDHELD].append(step)
            if not late:
                self.an_agent_is_heard(HANDHELD, len(self.told[HANDHELD]), 0)
        self._turn(10)
        self.books.record(*rest)
        assert self.books.state.counts.rows[key].state == "completed"
        self.sure.add(zone)

    @invariant()
    def the_books_add_up(self) -> None:
        if not hasattr(self, "books"):
            return
        standing = Counter(item.zone for item in self.books.state.items.rows.values() if item.sku and item.zone)
        loose = Counter[str]()
        for found in self.books.state.bins.rows.values():
            loose[found.zone] += found.untagged
        levels = self.books.levels()
        assert all(levels.get(zone, 0) == standing[zone] + loose[zone] for zone in ZONES)

    def teardown(self) -> None:
        if not hasattr(self, "books"):
            return
        for agent in AGENTS:
            self.an_agent_is_heard(agent, len(self.told[agent]), 2)
        self.books.record(*self.hands)
        levels = self.books.levels()
        for zone in self.sure:
            truth = self.units[zone] + sum(place == zone for place in self.tags.values())
            assert levels.get(zone, 0) == truth, zone


TestWarehouse = Warehouse.TestCase
TestWarehouse.settings = settings(max_examples=60, stateful_step_count=25)


VERBS = ("begin", "enter", "submit", "investigate", "accept", "recount", "cancel")
USUAL = {"requested": "begin", "counting": "enter submit", "counted": "investigate", "ready_for_review": "accept"}


def attempt(draw: Callable[..., Any], count: Count) -> Step:
    """What somebody tries: often what would be in turn, by anybody."""
    verb = draw(st.sampled_from([*USUAL.get(count.state, "investigate").split() * 5, *VERBS]))
    who = draw(st.sampled_from([count.counter or "Bo", count.counter.upper() or "Bo", "Ana", "Mei", " li "]))
    what: dict[str, Any] = {"at_us": START_US, "id": "C"}
    number = count.round + draw(st.sampled_from([0, 0, 0, 1]))
    match verb:
        case "begin":
            return countrecords.CountBegun(counter=who, round=max(count.round + 1, number), **what)
        case "enter":
            lines = (countrecords.CountedLine(sku=SKU, units=draw(st.integers(0, 4))),)
            return countrecords.CountEntered(counter=who, round=number, lines=lines, **what)
        case "submit":
            return countrecords.CountSubmitted(counter=who, round=number, **what)
        case "investigate":
            reasons: dict[str, countrecords.ReasonCode] = draw(st.sampled_from([{}, {SKU: "unknown"}]))
            return countrecords.CountInvestigated(who=who, reasons=reasons, **what)
        case "cancel":
            return countrecords.CountCancelled(who=who, why="late", **what)
        case _:
            return countrecords.CountReviewed(approver=who, verdict=verb, **what)


@settings(max_examples=100)
@given(st.data())
def test_whatever_people_try_counters_are_blind_and_approvers_others(data: st.DataObject) -> None:
    """Property 7. The rules are asked first, as the API does; what they refuse changes nothing in the log either."""
    books = Books()
    line = records.ImportedUnits(sku=SKU, zone="receiving", units=3)
    books.record(records.ItemsImported(at_us=START_US - 3600 * SECOND, who="Ana", units=(line,)))
    books.record(countrecords.CountRequested(at_us=START_US, id="C", who="Mei", zone="receiving"))
    counts, count = Counts(books.state), books.state.counts.rows["C"]
    saw: set[str] = set()
    """Who could have seen what the books say: everybody who had to do with the count when it was shown."""
    for _ in range(data.draw(st.integers(5, 25))):
        step = attempt(data.draw, count)
        before = (count.state, count.round, len(count.turns), dict(count.entries))
        refused = counts.refused(step)
        books.record(step)
        if refused is not None:
            assert (count.state, count.round, len(count.turns), dict(count.entries)) == before
        elif isinstance(step, countrecords.CountBegun):
            assert person(step.counter) not in saw
        if counts.lines(count):
            assert count.state in ("investigating", "ready_for_review", "completed")
            saw |= {person(turn.who) for turn in count.turns if turn.state not in ("requested", "completed")}
        assert count.state != "reviewed", "it is booked in the same commit"
    if count.state == "completed":
        approver = next(turn.who for turn in reversed(count.turns) if turn.state == "reviewed")
        assert person(approver) not in {person(turn.who) for turn in count.turns if turn.state == "counting"}
        assert books.levels().get("receiving", 0) == sum(entry.counted for entry in count.lines)
