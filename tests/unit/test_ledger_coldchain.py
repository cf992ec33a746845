"""The cold chain in the ledger: excursions that outlast what is borne, doors left open, sensors not to be believed."""

import random
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgerhouse import UNREPLENISHED, House, play
from ledgersite import SECOND, START_US

from contract import events
from contract.coldchain import HumidityLimits, TemperatureLimits
from contract.events import Quantity
from contract.site import Site
from gateway.coldchain.cells import DAY_US
from gateway.ledger import fold
from gateway.ledger import house as premises
from gateway.ledger.rows import Condition
from gateway.ledger.state import State
from gateway.ledger.watching import climate
from gateway.records import LogRow

MINUTE = 60 * SECOND
THERMOMETER, DOOR, HYGROMETER = "cold-room-temperature", "cold-door", "cold-room-humidity"


def tolerant() -> Site:
    """A cold room that bears three minutes of warmth, whose door may stand open for two."""
    plc = UNREPLENISHED.modbus[0]
    contact = plc.registers[0].model_copy(
        update={"name": DOOR, "address": 40, "meaning": "door_open", "zone": "cold-room", "every_s": 10.0}
    )
    rooms = [
        zone.model_copy(
            update={
                "temperature": TemperatureLimits(min_c=1, max_c=5, for_minutes=3),
                "humidity": HumidityLimits(min_pct=80, max_pct=98, for_minutes=5),
                "door_open_minutes": 2.0,
            }
        )
        if zone.name == "cold-room"
        else zone
        for zone in UNREPLENISHED.zones
    ]
    plcs = [plc.model_copy(update={"registers": [*plc.registers, contact]}), *UNREPLENISHED.modbus[1:]]
    return UNREPLENISHED.model_copy(update={"zones": rooms, "modbus": plcs})


SITE = tolerant()


def reading(
    value: float, at_us: int, device: str = THERMOMETER, quantity: Quantity = "temperature_c"
) -> events.Condition:
    return events.Condition(
        at_us=at_us, decided_us=at_us, device=device, zone="cold-room", quantity=quantity, value=value
    )


async def minutes(
    house: House, *values: float, device: str = THERMOMETER, quantity: Quantity = "temperature_c"
) -> None:
    """A reading a minute."""
    for value in values:
        await house.edge.tell(reading(value, house.clock.turn(60), device, quantity))
        await house.beat()


def test_a_door_that_opens_for_three_minutes_is_no_excursion(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 4, 7, 7, 6.5, 4)
        assert not house.open()
        await minutes(house, 7, 8.4, 7, 7)
        found = house.open()["excursion", "cold-room"]
        figures = {key: found.params[key] for key in ("sensor", "worst", "minutes", "value", "max")}
        assert figures == {"sensor": THERMOMETER, "worst": 8.4, "minutes": 3, "value": 7, "max": 5}
        await minutes(house, 4.5)
        assert not house.open()
        view = house.ledger.views("conditions")[THERMOMETER]
        assert (view.low, view.high, view.out_minutes, view.since_us) == (4, 8.4, 7, None)

    play(tmp_path, story, SITE)


def test_a_late_reading_inside_the_limits_begins_the_excursion_anew(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 4, 7, 7, 7, 7)
        assert ("excursion", "cold-room") in house.open()
        await house.edge.tell(reading(4.8, house.clock() - 90 * SECOND))
        assert not house.open(), "it was closed a minute and a half ago"
        since_us = house.ledger.views("conditions")[THERMOMETER].since_us
        assert since_us is not None
        assert 0 <= house.clock() - since_us <= 90 * SECOND

    play(tmp_path, story, SITE)


def test_a_late_reading_outside_the_limits_makes_it_longer(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 4)
        house.clock.turn(600)
        await minutes(house, 7, 7)
        assert not house.open()
        await house.edge.tell(reading(9, house.clock() - 5 * MINUTE))
        assert house.open()["excursion", "cold-room"].params["worst"] == 9

    play(tmp_path, story, SITE)


def test_dry_air_is_an_excursion_too(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 90, *[71] * 7, device=HYGROMETER, quantity="humidity_pct")
        found = house.open()["excursion", "cold-room"]
        assert (found.params["quantity"], found.params["worst"], found.params["min"]) == ("humidity_pct", 71, 80)

    play(tmp_path, story, SITE)


def test_a_door_left_open_is_told_by_time_alone_and_ends_when_it_is_closed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 0, 1, 1, device=DOOR, quantity="door_open")
        await house.ledger.tick(house.clock())
        assert not house.open()
        await minutes(house, 1, 1, device=DOOR, quantity="door_open")
        await house.ledger.tick(house.clock())
        await house.ledger.tick(house.clock.turn(1))
        found = house.open()["door_open", DOOR]
        assert (found.params["zone"], found.params["limit_minutes"], found.count) == ("cold-room", 2, 1)
        await minutes(house, 0, device=DOOR, quantity="door_open")
        assert not house.open()
        assert house.ledger.views("conditions")[DOOR].out_minutes == 4, (
            "from the minute that found it open to the one before the last"
        )

    play(tmp_path, story, SITE)


def test_a_sensor_that_tells_nothing_while_its_agent_is_heard_is_at_fault(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 4)
        house.clock.turn(50)
        await house.beat()
        await house.ledger.tick(house.clock())
        assert not house.open()
        house.clock.turn(11)
        await house.beat()
        await house.ledger.tick(house.clock())
        assert house.open()["sensor_fault", THERMOMETER].params == {"state": "silent"}
        assert house.ledger.views("conditions")[THERMOMETER].faulty
        await minutes(house, 4.2)
        assert not house.open()
        assert not house.ledger.views("conditions")[THERMOMETER].faulty

    play(tmp_path, story, SITE)


def test_a_sensor_behind_a_plc_that_is_away_is_not_at_fault_itself(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 4)
        await house.device("plc-1", "lost", "no answer")
        house.clock.turn(300)
        await house.beat()
        await house.ledger.tick(house.clock())
        assert list(house.open()) == [("device_lost", "plc-1")]

    play(tmp_path, story, SITE)


def test_what_cannot_be_is_a_fault_of_the_sensor_and_never_a_reading(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 4, 850.0)
        assert list(house.open()) == [("sensor_fault", THERMOMETER)]
        view = house.ledger.views("conditions")[THERMOMETER]
        assert (view.value, view.high, view.faulty) == (4, 4, True)
        await house.edge.tell(reading(-99, house.clock() - 5 * MINUTE, "no-such-sensor"))
        assert house.open()["bad_message", "dock-edge"].params["reason"].startswith("sensor 'no-such-sensor' reads -99")  # type: ignore[union-attr]
        await minutes(house, 4.1)
        assert ("sensor_fault", THERMOMETER) not in house.open()

    play(tmp_path, story, SITE)


def test_an_agent_that_doubts_a_sensor_is_heard_and_no_device_is_lost(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.device(THERMOMETER, "blind", "has read 4.2 for 6.0 h without any change")
        found = house.open()["sensor_fault", THERMOMETER]
        assert found.params["detail"] == "has read 4.2 for 6.0 h without any change"
        assert THERMOMETER not in house.ledger.views("devices")
        await house.device(THERMOMETER, "connected")
        assert not house.open()

    play(tmp_path, story, SITE)


def test_a_sensor_that_is_moved_begins_anew_and_takes_its_alarm_along(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, *[7] * 5)
        assert ("excursion", "cold-room") in house.open()
        await house.reads(7, zone="receiving")
        assert not house.open()
        assert house.ledger.views("conditions")[THERMOMETER].trace == [(house.clock(), 7)]

    play(tmp_path, story, SITE)


def test_days_that_are_too_long_ago_leave_and_do_not_come_back(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await minutes(house, 4)
        house.clock.turn(climate.KEPT_DAYS * 86_400)
        await minutes(house, 5)
        await house.edge.tell(reading(3, house.clock() - climate.KEPT_DAYS * DAY_US))
        whole = house.ledger.cold.records(0, house.clock() + 1)
        assert [len(record.days) for record in whole] == [1]

    play(tmp_path, story, SITE)


# order

EVERY = st.tuples(st.integers(0, 90), st.sampled_from([2.0, 4.5, 5.01, 7.25, 9.0]))
"""Half minutes, and degrees."""


def folded(rows: list[tuple[LogRow, events.Condition]]) -> State:
    state = State(premises.House(SITE))
    for row, event in rows:
        fold.fold(state, row, event)
    return state


def row_of(n: int, event: events.Condition) -> LogRow:
    return LogRow(
        id=n,
        agent="dock-edge",
        epoch="e",
        seq=n,
        kind="condition",
        at_us=event.at_us,
        decided_us=event.at_us,
        recorded_us=START_US + DAY_US,
        body=b"",
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(EVERY, min_size=1, max_size=25), st.integers(0, 2**32))
def test_the_order_in_which_readings_come_in_changes_nothing(told: list[tuple[int, float]], seed: int) -> None:
    rows = [
        (row_of(n, event), event)
        for n, event in enumerate((reading(value, START_US + at * 30 * SECOND) for at, value in told), 1)
    ]
    shuffled = random.Random(seed).sample(rows, len(rows))
    one, other = folded(rows), folded(shuffled)
    assert _told(one) == _told(other)
    condition = one.conditions.rows[THERMOMETER]
    _check_by_hand(condition, sorted((row.at_us, row.seq, event.value) for row, event in rows))


def _told(state: State) -> object:
    tables = (state.conditions, state.climate)
    kept = [{key: msgspec.json.encode(row) for key, row in table.rows.items()} for table in tables]
    return kept, set(state.index.open_exceptions)


def _check_by_hand(condition: Condition, told: list[tuple[int, int, float]]) -> None:
    """The excursion begins after the last reading inside, to the minute; with it, where that minute had one outside."""
    inside = [at_us for at_us, _, value in told if value <= 5]
    after = [at_us for at_us, _, value in told if value > 5 and (not inside or at_us >= max(inside))]
    if told[-1][2] <= 5:
        assert condition.since_us is None
        return
    assert condition.since_us is not None
    shared = inside and any(
        value > 5 and at_us // MINUTE == max(inside) // MINUTE and at_us <= max(inside) for at_us, _, value in told
    )
    if shared:
        assert condition.since_us == max(inside)
    else:
        assert min(after) - MINUTE < condition.since_us <= min(after)
        assert not inside or condition.since_us >= max(inside)


def test_a_reading_costs_the_same_in_the_fourth_hundredth_day() -> None:
    """Rows that a reading touches: one of its sensor, one of its day."""
    state = State(premises.House(SITE))
    for n in range(500):
        event = reading(7.0, START_US + n * DAY_US)
        fold.fold(state, msgspec.structs.replace(row_of(n + 1, event), recorded_us=event.at_us), event)
        if n == 450:
            state.climate.changed.clear()
            state.climate.gone.clear()
    assert len(state.climate.rows) == climate.KEPT_DAYS
    assert len(state.climate.changed) == len(state.climate.gone) == 49
    assert sum(len(row.cells) for row in state.climate.rows.values()) < 1_000_000
