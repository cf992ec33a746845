"""The properties of section 5 of the design, on random histories.

The rules are driven as the gateway drives them: batches judged by `streams.judge`, folded by `Group`; only the disk is
left out.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgersite import LEMON, QUICK, SECOND, START_US, STRAY, TOMATO, batch, case, door_pass, pallet

from contract import events, wire
from gateway import records
from gateway.ledger import fold
from gateway.ledger.goods import stock
from gateway.ledger.group import Group, Recorded, Taken
from gateway.ledger.house import House
from gateway.ledger.receiving import loads
from gateway.ledger.state import State
from gateway.ledger.streams import judge
from gateway.records import LogRow

AGENTS = ("dock-edge", "gate-edge", "shelf-edge")
TAGS = [case(LEMON, 1), case(LEMON, 2), case(TOMATO, 1), pallet(1), STRAY]
HOUSE = House(QUICK)

doors = st.sampled_from(["dock-1", "dock-2", "cold-gate"])
zones = st.sampled_from(["receiving", "cold-room"])
tags = st.lists(st.sampled_from(TAGS), min_size=1, max_size=3)
times = st.integers(0, 40).map(lambda second: START_US - 60 * SECOND + second * SECOND)


@st.composite
def passes(draw: st.DrawFn) -> events.Event:
    direction = draw(st.sampled_from(["inbound", "outbound", "unknown"]))
    return door_pass(draw(tags), draw(times), draw(doors), direction)  # type: ignore[arg-type]


@st.composite
def sightings(draw: st.DrawFn) -> events.Event:
    kind = draw(st.sampled_from([events.ZoneSeen, events.ZoneLeft]))
    at_us = draw(times)
    return kind(at_us=at_us, decided_us=at_us, zone=draw(zones), epcs=tuple(draw(tags)))


histories = st.lists(st.lists(st.one_of(passes(), sightings()), max_size=6), min_size=3, max_size=3)
"""What each of the three agents tells, in its own order."""


@dataclass
class Gateway:
    """Intake and fold without a disk. Its clock goes on with every batch."""

    state: State = field(default_factory=lambda: State(HOUSE))
    rows: list[LogRow] = field(default_factory=list)
    now_us: int = START_US

    def take(self, agent: str, first: int, told: Sequence[events.Event], epoch: str = "first") -> None:
        known = self.state.agents.get(agent)
        through = None if known is None else known.through.get(epoch)
        bodies = [wire.encode(event) for event in told]
        each = batch(agent, first, bodies, epoch)
        verdict = judge(each, through, had_epochs=known is not None)
        if verdict.act == "take":
            new = each.events[verdict.known :]
            self._commit(
                Taken(
                    agent,
                    epoch,
                    first + verdict.known,
                    first + len(bodies) - 1,
                    new,
                    _loop.create_future(),
                    verdict.lost,
                )
            )

    def record(self, *news: records.Record) -> None:
        self._commit(Recorded(news, _loop.create_future()))

    def _commit(self, entry: Taken | Recorded) -> None:
        self.now_us += SECOND
        group = Group(self.state, len(self.rows), "gateways-own", self.now_us)
        group.add(entry)
        self.rows += group.rows


_loop = asyncio.new_event_loop()


def balances(state: State) -> object:
    """What must not depend on how the events came in."""
    return (
        {sku: row.zones for sku, row in sorted(state.stock.rows.items()) if row.zones},
        {epc: (row.zone, row.placed, row.seen, row.seen_at, row.missed, row.entered_us) for epc, row in _items(state)},
    )


def _items(state: State) -> list[tuple[str, object]]:
    return sorted(state.items.rows.items())  # type: ignore[arg-type]


def deliveries(
    history: Sequence[Sequence[events.Event]], draw: Callable[..., int]
) -> Iterator[tuple[str, int, list[events.Event]]]:
    """Batches of all agents, mixed at random, some of them told again; each agent's in order."""
    left = [list(enumerate(told, 1)) for told in history]
    while any(left):
        who = draw(st.sampled_from([i for i, rest in enumerate(left) if rest]))
        count = draw(st.integers(1, len(left[who])))
        back = draw(st.integers(0, left[who][0][0] - 1))
        first = left[who][0][0] - back
        yield AGENTS[who], first, list(history[who][first - 1 : first - 1 + back + count])
        del left[who][:count]


@settings(max_examples=100, deadline=None)
@given(histories, st.data())
def test_balances_do_not_depend_on_order_or_repetition_across_agents(
    history: list[list[events.Event]], data: st.DataObject
) -> None:
    found = []
    for _ in range(2):
        gateway = Gateway()
        for delivery in deliveries(history, data.draw):
            gateway.take(*delivery)
        assert Counter(row.agent for row in gateway.rows) == +Counter(
            {agent: len(told) for agent, told in zip(AGENTS, history, strict=True)}
        )
        found.append(balances(gateway.state))
    assert found[0] == found[1]


@settings(max_examples=50, deadline=None)
@given(histories, st.data())
def test_the_same_events_under_a_new_epoch_move_nothing(history: list[list[events.Event]], data: st.DataObject) -> None:
    gateway = Gateway()
    for delivery in deliveries(history, data.draw):
        gateway.take(*delivery)
    before = {sku: row.zones for sku, row in gateway.state.stock.rows.items()}
    for agent, told in zip(AGENTS, history, strict=True):
        if told:
            gateway.take(agent, 1, told, epoch="zz-later")
    # Two sightings of one tag by one agent at the same microsecond are told apart by number alone.
    ties = Counter((epc, told.at_us) for events_ in history for told in events_ for epc in set(told.epcs))  # type: ignore[union-attr]
    if max(ties.values(), default=0) <= 1:
        assert {sku: row.zones for sku, row in gateway.state.stock.rows.items()} == before


watchers = st.sampled_from(["silent", "lost", "blind", "heard", "connected"])


@settings(max_examples=50, deadline=None)
@given(histories, st.lists(watchers, max_size=6), st.data())
def test_silence_and_blindness_move_nothing(
    history: list[list[events.Event]], troubles: list[str], data: st.DataObject
) -> None:
    calm, troubled = Gateway(), Gateway()
    for delivery in deliveries(history, data.draw):
        calm.take(*delivery)
        troubled.take(*delivery)
        for trouble in troubles:
            _trouble(troubled, trouble)
    assert balances(calm.state) == balances(troubled.state)


def _trouble(gateway: Gateway, trouble: str) -> None:
    now_us = gateway.now_us
    if trouble == "silent":
        gateway.record(records.AgentSilent(at_us=now_us, agent="dock-edge"))
    elif trouble == "heard":
        gateway.record(records.AgentHeard(at_us=now_us, agent="dock-edge"))
    else:
        device = events.Device(at_us=now_us, decided_us=now_us, device="reader-dock-1", state=trouble)  # type: ignore[arg-type]
        through = gateway.state.agents.get("watcher")
        gateway.take("watcher", (through.through["first"] if through else 0) + 1, [device])


@settings(max_examples=50, deadline=None)
@given(histories, st.data())
def test_all_three_times_are_kept(history: list[list[events.Event]], data: st.DataObject) -> None:
    gateway = Gateway()
    for delivery in deliveries(history, data.draw):
        gateway.take(*delivery)
    told = {
        (agent, seq): event
        for agent, of_agent in zip(AGENTS, history, strict=True)
        for seq, event in enumerate(of_agent, 1)
    }
    for row in gateway.rows:
        event = told[row.agent, row.seq]
        assert (row.at_us, row.decided_us) == (event.at_us, event.decided_us)
        assert row.recorded_us > START_US, "the gateway's own time, whatever the agent says"
        assert records.decode(row.body) == event


@settings(max_examples=50, deadline=None)
@given(histories, st.data())
def test_nothing_is_created_or_destroyed(history: list[list[events.Event]], data: st.DataObject) -> None:
    gateway = Gateway()
    for delivery in deliveries(history, data.draw):
        gateway.take(*delivery)
        standing = Counter(
            (item.sku, item.zone) for item in gateway.state.items.rows.values() if item.sku and item.zone
        )
        booked = {(sku, zone): n for sku, row in gateway.state.stock.rows.items() for zone, n in row.zones.items()}
        assert booked == dict(standing)
        assert all(row.units == sum(row.zones.values()) for row in gateway.state.stock.rows.values())


def told(row: int, at_us: int) -> LogRow:
    """A row of the log about nothing."""
    return LogRow(
        id=row, agent="a", epoch="e", seq=row, kind="k", at_us=at_us, decided_us=at_us, recorded_us=at_us, body=b""
    )


moves = st.tuples(st.sampled_from(["receiving", "cold-room", None]), st.sampled_from(["receiving", "cold-room", None]))


@given(st.lists(moves, max_size=20))
def test_negative_stock_is_shown_and_never_clamped(history: list[tuple[str | None, str | None]]) -> None:
    state = State(HOUSE)
    truth: Counter[str] = Counter()
    for number, (origin, target) in enumerate(history):
        state.row = told(number + 1, START_US + number)
        places = [stock.Place(zone) if zone else None for zone in (origin, target)]
        stock.move(state, "lemon-4kg", *places, case(LEMON, 1))
        truth.subtract([origin] if origin else [])
        truth.update([target] if target else [])
        row = state.stock.rows.get("lemon-4kg")
        zones = row.zones if row else {}
        assert zones == {zone: n for zone, n in truth.items() if n}
        assert (("negative_stock", "lemon-4kg") in state.index.open_exceptions) == (min(zones.values(), default=0) < 0)


asns = st.builds(
    lambda id_, direction, door, epcs, sscc, units, at_us: records.AsnReceived(
        at_us=at_us,
        id=id_,
        direction=direction,
        partner="Hongda Fruit",
        door=door,
        order="PO-1",
        lines=(records.AsnLine(sku="tomato-tray", units=units),) if units else (),
        cases=tuple(records.AsnCase(epc=epc, sscc=sscc if epc != sscc else None) for epc in dict.fromkeys(epcs)),
    ),
    st.sampled_from(["A", "B"]),
    st.sampled_from(["inbound", "outbound"]),
    st.sampled_from(["dock-1", None]),
    tags,
    st.sampled_from([pallet(1), None]),
    st.integers(0, 3),
    st.just(START_US),
)
documents = st.one_of(
    asns,
    st.builds(lambda id_: records.ShipmentSettled(at_us=START_US, id=id_), st.sampled_from(["A", "B", "C"])),
    st.builds(
        lambda id_, again: records.ShipmentClosed(at_us=START_US, id=id_, who="Ana", why="so it is", reopened=again),
        st.sampled_from(["A", "B"]),
        st.booleans(),
    ),
    st.builds(
        lambda state: records.OrderReported(
            at_us=START_US, key="north:lemon-4kg:3", number="PO-1", supplier="S", units=12, state=state
        ),
        st.sampled_from(["placed", "shipped", "cancelled"]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(histories, st.lists(documents, max_size=8), st.data())
def test_figures_of_shipments_always_add_up(
    history: list[list[events.Event]], papers: list[records.Record], data: st.DataObject
) -> None:
    gateway = Gateway()
    left = list(papers)
    for delivery in deliveries(history, data.draw):
        gateway.take(*delivery)
        if left:
            gateway.record(left.pop(0))
        _shipments_add_up(gateway.state)
    again = State(HOUSE)
    for row in gateway.rows:
        fold.fold(again, row, records.decode(row.body))
    assert _dumped(again) == _dumped(gateway.state), "the log explains the state"
    _indexes_hold(gateway.state)


def _shipments_add_up(state: State) -> None:
    for key, shipment in state.shipments.rows.items():
        cases = state.index.cases[key].values()
        seen = [one for one in cases if one.seen_us is not None]
        assert shipment.expected == sum(line.expected for line in shipment.lines.values())
        assert shipment.seen == sum(line.seen for line in shipment.lines.values())
        assert shipment.seen == sum(not one.unexpected for one in seen) <= shipment.expected
        assert shipment.over == sum(one.over for one in seen) == sum(line.over for line in shipment.lines.values())
        assert shipment.unexpected + shipment.over == sum(one.unexpected for one in seen)
        assert all(line.room >= 0 and line.seen <= line.expected for line in shipment.lines.values())
        assert shipment.inferred == sum(one.inferred_us is not None for one in cases)
        closed = shipment.closed_us is not None
        short = shipment.settled_us is not None and not closed
        doubtful = loads.doubted(state, key, shipment)
        figures = {
            "missing": short and shipment.missing - shipment.lacking + doubtful,
            "short": short and shipment.lacking,
            "wrong_door": shipment.wrong_door,
            "wrong_pallet": shipment.wrong_pallet,
        }
        for kind, count in figures.items():
            open_one = state.exceptions.get(state.index.open_exceptions.get((kind, key), ""))
            assert (open_one.count if open_one is not None else 0) == count, kind
        for kind, count in (("unexpected", shipment.late if closed else shipment.unexpected), ("over", shipment.over)):
            open_one = state.exceptions.get(state.index.open_exceptions.get((kind, key), ""))
            accepted = state.exceptions.get(f"{kind}-{key}-1")
            if accepted is None or accepted.resolved_by is None:
                wanted = 0 if closed and kind == "over" else count
                assert (open_one.count if open_one is not None else 0) == wanted, kind


def _indexes_hold(state: State) -> None:
    """What is derived step by step is what would be derived from the tables."""
    loaded = State(HOUSE)
    for table, into in zip(state.tables, loaded.tables, strict=True):
        encoded = ((key, msgspec.json.encode(row).decode()) for key, row in table.rows.items())
        into.load(encoded)
    fold.reindex(loaded)
    for name, held in vars(state.index).items():
        assert _plain(held) == _plain(getattr(loaded.index, name)), name


def _plain(index: object) -> object:
    """An index without the empty places that lookups leave behind."""
    if isinstance(index, dict):
        return {key: plain for key, value in index.items() if (plain := _plain(value))}
    return index


def _dumped(state: State) -> dict[str, dict[str, bytes]]:
    return {
        table.name: _sorted((key, msgspec.json.encode(row)) for key, row in table.rows.items())
        for table in state.tables
    }


def _sorted(rows: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    return dict(sorted(rows))
