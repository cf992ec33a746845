"""Conditions: the latest reading of each sensor, and whether its zone is within its limits."""

from bisect import insort

from contract import events
from gateway.errors import Misfit
from gateway.ledger import exceptions, inventory
from gateway.ledger.rows import Condition, Param, Stamp
from gateway.ledger.state import State
from gateway.records import LogRow

TRACE = 120
"""Readings that are kept for the page's trace."""
MAX_SENSORS = 1000
"""Sensors that the state holds: their names come from the agents."""


def read(state: State, row: LogRow, event: events.Condition) -> None:
    """A sensor was read. The newest reading by event time counts; a late one only joins the trace."""
    if event.zone not in state.house.zones:
        raise Misfit(f"zone {event.zone!r} is not in the site file")
    by = inventory.stamp(row)
    condition = state.conditions.get(event.device)
    if condition is None:
        if len(state.conditions.rows) >= MAX_SENSORS:
            raise Misfit(f"sensor {event.device!r} is one more than {MAX_SENSORS}")
        condition = state.conditions.put(event.device, Condition(event.zone, event.quantity, event.value, by))
    elif by > condition.stamp:
        condition.zone, condition.quantity = event.zone, event.quantity
        condition.value, condition.stamp = event.value, by
    insort(condition.trace, (by[0], event.value))
    del condition.trace[:-TRACE]
    state.conditions.touch(event.device)
    if condition.stamp == by and event.quantity == "temperature_c":
        _judge(state, condition, by, row.recorded_us)


def _judge(state: State, condition: Condition, by: Stamp, now_us: int) -> None:
    """One exception a zone: it begins when a sensor leaves the limits, and ends when all are back."""
    limits = state.house.limits.get(condition.zone)
    if limits is None:
        return
    was_outside = condition.outside
    condition.outside = not limits.min_c <= condition.value <= limits.max_c
    figures: dict[str, Param] = {"value": condition.value, "min": limits.min_c, "max": limits.max_c, "since_us": by[0]}
    if condition.outside and not was_outside:
        exceptions.begin(state, "temperature", condition.zone, now_us, 1, figures)
    elif condition.outside:
        del figures["since_us"]
        exceptions.update(state, "temperature", condition.zone, now_us, 1, figures)
    elif was_outside and not _any_outside(state, condition.zone):
        exceptions.end(state, "temperature", condition.zone, now_us, "back within its limits")


def _any_outside(state: State, zone: str) -> bool:
    return any(other.outside and other.zone == zone for other in state.conditions.rows.values())
