"""Climate: the readings of each sensor as sums by quarter of an hour, a row a day, for `KEPT_DAYS`.

A row is the same whatever order its readings came in. What is older than `KEPT_DAYS` before the newest day of its
sensor is let go, and a reading that comes so late is not added.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from contract import events
from gateway.coldchain import cells
from gateway.coldchain.cells import DAY_US, QUARTER_US, Quarter
from gateway.errors import Misfit
from gateway.ledger.rows import ClimateDay
from gateway.ledger.state import State

KEPT_DAYS = 400
TRACKED = ("temperature_c", "humidity_pct", "door_open")


def add(state: State, event: events.Condition, at_us: int, *, outside: bool) -> None:
    """A reading, at the event time that is believed of it. Raises `Misfit` beyond `cells.MAX_READINGS`."""
    if event.quantity not in TRACKED:
        return
    row = _row(state, event, at_us // DAY_US)
    if row is None:
        return
    kinetic = event.quantity == "temperature_c"
    if not cells.add(row.cells, at_us, event.value, outside=outside, kinetic=kinetic):
        raise Misfit(f"sensor {event.device!r} told more than {cells.MAX_READINGS} readings in a quarter of an hour")


def quarters(state: State, device: str, zone: str, quantity: str, since_us: int, until_us: int) -> Iterator[Quarter]:
    """The quarters of a sensor in a zone that overlap [since, until), oldest first."""
    held = state.index.climate.get(device, [])
    for i in range(bisect_left(held, (since_us // DAY_US, "")), len(held)):
        day, key = held[i]
        if day * DAY_US >= until_us:
            return
        row = state.climate.rows[key]
        if row.zone == zone and row.quantity == quantity:
            yield from cells.quarters(row.cells, day, since_us, until_us)


def run_start(state: State, device: str, zone: str, quantity: str, inside_us: int | None, newest_us: int) -> int:
    """When a sensor that is outside by its newest reading left its limits: after the last reading inside, in the
    first minute that has one outside."""
    since_us = inside_us or 0
    for quarter in quarters(state, device, zone, quantity, since_us, newest_us + 1):
        first_us = cells.first_outside(quarter, since_us)
        if first_us is not None:
            return max(since_us, first_us)
    return newest_us


def extremes(state: State, device: str, zone: str, quantity: str, since_us: int, until_us: int) -> tuple[float, float]:
    """The lowest and the highest reading from the quarter of `since_us` to that of `until_us`, both with readings."""
    first_us = since_us // QUARTER_US * QUARTER_US
    found = list(quarters(state, device, zone, quantity, first_us, until_us + 1))
    return min(one.low for one in found), max(one.high for one in found)


def reindex(state: State) -> None:
    """Derive the index from the table."""
    state.index.climate.clear()
    for key, row in state.climate.rows.items():
        state.index.climate[row.device].append((row.day, key))
    for held in state.index.climate.values():
        held.sort()


def _row(state: State, event: events.Condition, day: int) -> ClimateDay | None:
    """The row of a day; None for one that is too long ago."""
    key = _key(day, event.zone, event.quantity, event.device)
    row = state.climate.get(key)
    if row is None:
        held = state.index.climate[event.device]
        newest = max(day, held[-1][0]) if held else day
        if day <= newest - KEPT_DAYS:
            return None
        row = ClimateDay(event.zone, event.device, event.quantity, day, cells.empty_day())
        state.climate.put(key, row)
        insort(held, (day, key))
        while held[0][0] <= newest - KEPT_DAYS:
            state.climate.drop(held.pop(0)[1])
    state.climate.touch(key)
    return row


def _key(day: int, zone: str, quantity: str, device: str) -> str:
    return f"{day} {zone} {quantity} {device}"
