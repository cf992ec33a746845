"""Conditions: the latest reading of each sensor, whether it is within its zone's limits, and since when it is not.

What is said of the present excursion is a function of the readings that came, in whatever order: it begins after the
newest reading inside the limits, in the first minute that has one outside (`climate.run_start`).
"""

from bisect import insort

from contract import events
from contract.coldchain import implausible
from gateway.coldchain.cells import MINUTE_US, QUARTER_US
from gateway.errors import Misfit
from gateway.ledger.goods import inventory
from gateway.ledger.rows import Alarm, Condition, Param, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.ledger.watching import climate, sensors
from gateway.records import LogRow
from gateway.records.coldrecords import DoorLeftOpen
from gateway.records.stockrecords import ZoneOf

TRACE = 120
"""Readings that are kept for the page's trace."""
MAX_SENSORS = 1000
"""Sensors that the state holds: their names come from the agents."""


def read(state: State, row: LogRow, event: events.Condition) -> None:
    """A sensor was read. The newest reading by event time is the present one; every one counts where it belongs."""
    zone = state.house.zones.get(event.zone)
    if zone is None:
        raise Misfit(f"zone {event.zone!r} is not in the site file")
    why = implausible(event.quantity, event.value)
    if why is not None:
        sensors.impossible(state, row, event, why)
        return
    by = inventory.stamp(row)
    outside = _outside(zone, event.quantity, event.value)
    condition = _of(state, event, by, row.recorded_us)
    if condition.stamp == by:
        condition.value, condition.outside = event.value, outside
    sensors.heard(state, event.device, condition, by, row.recorded_us)
    state.conditions.touch(event.device)
    climate.add(state, event, by[0], outside=outside)
    if (condition.zone, condition.quantity) == (event.zone, event.quantity):
        insort(condition.trace, (by[0], event.value))
        del condition.trace[:-TRACE]
        _follow(state, event, condition, by[0], outside=outside)
        _judge(state, event.device, condition, row.recorded_us)


def left_open(state: State, row: LogRow, record: DoorLeftOpen) -> None:
    """A door has stood open for longer than it may. One that was closed meanwhile is no exception."""
    condition = state.conditions.get(record.device)
    if condition is None or condition.since_us != record.since_us or condition.alarm:
        return
    condition.alarm = "door_open"
    state.conditions.touch(record.device)
    figures: dict[str, Param] = {"zone": record.zone, "since_us": record.since_us, "limit_minutes": record.limit_s / 60}
    figures["minutes"] = max(0, row.recorded_us - record.since_us) // MINUTE_US
    exceptions.begin(state, "door_open", record.device, row.recorded_us, 1, figures)


def limits(zone: ZoneOf | None, quantity: str) -> tuple[float, float] | None:
    """The range that a quantity must stay in; None where there is none."""
    if zone is None:
        return None
    if quantity == "temperature_c" and zone.min_c is not None and zone.max_c is not None:
        return zone.min_c, zone.max_c
    if quantity == "humidity_pct" and zone.min_pct is not None and zone.max_pct is not None:
        return zone.min_pct, zone.max_pct
    return None


def _outside(zone: ZoneOf, quantity: str, value: float) -> bool:
    """Beyond the limits; of a door: open."""
    if quantity == "door_open":
        return value >= 0.5
    span = limits(zone, quantity)
    return span is not None and not span[0] <= value <= span[1]


def _of(state: State, event: events.Condition, by: Stamp, now_us: int) -> Condition:
    """The sensor's row, with the stamp of its newest reading; one that measures elsewhere now begins anew."""
    condition = state.conditions.get(event.device)
    if condition is None:
        if len(state.conditions.rows) >= MAX_SENSORS:
            raise Misfit(f"sensor {event.device!r} is one more than {MAX_SENSORS}")
        return state.conditions.put(event.device, Condition(event.zone, event.quantity, event.value, by))
    if by <= condition.stamp:
        return condition
    if (condition.zone, condition.quantity) != (event.zone, event.quantity):
        _change_alarm(state, condition, "", event.device, now_us, "its sensor is elsewhere")
        condition = state.conditions.put(event.device, Condition(event.zone, event.quantity, event.value, by))
    condition.stamp = by
    return condition


def _follow(state: State, event: events.Condition, condition: Condition, at_us: int, *, outside: bool) -> None:
    """The present excursion, with a reading more."""
    if not outside and (condition.inside_us is None or at_us > condition.inside_us):
        condition.inside_us = at_us
    if not condition.outside:
        condition.since_us = condition.low = condition.high = None
        return
    place = (event.device, event.zone, event.quantity)
    newest_us = condition.stamp[0]
    since_us = climate.run_start(state, *place, condition.inside_us, newest_us)
    quarter, before = since_us // QUARTER_US, condition.since_us
    if before is None or before // QUARTER_US != quarter or condition.low is None or condition.high is None:
        condition.low, condition.high = climate.extremes(state, *place, since_us, newest_us)
    elif at_us // QUARTER_US >= quarter:
        value = round(event.value * 100) / 100
        condition.low, condition.high = min(condition.low, value), max(condition.high, value)
    condition.since_us = since_us


def _judge(state: State, device: str, condition: Condition, now_us: int) -> None:
    """One exception of a kind for a zone: it begins when a sensor is outside for longer than the zone bears, and ends
    when none is."""
    if condition.quantity == "door_open":
        _judge_door(state, device, condition, now_us)
        return
    zone = state.house.zones.get(condition.zone)
    span = limits(zone, condition.quantity)
    if zone is None or span is None:
        _change_alarm(state, condition, "", device, now_us, "it has no limits any more")
        return
    alarm = _alarm(zone, condition)
    began = alarm != condition.alarm
    _change_alarm(state, condition, alarm, device, now_us, "back within its limits")
    if alarm:
        change = exceptions.begin if began else exceptions.update
        change(state, alarm, condition.zone, now_us, 1, _figures(device, condition, span))


def _alarm(zone: ZoneOf, condition: Condition) -> Alarm:
    """What a sensor's present excursion is: `temperature` where none is borne, or one that outlasted what is."""
    if not condition.outside or condition.since_us is None:
        return ""
    warm = condition.quantity == "temperature_c"
    borne_s = zone.warm_s if warm else zone.humid_s
    if condition.stamp[0] - condition.since_us < borne_s * 1e6:
        return ""
    return "temperature" if warm and not borne_s else "excursion"


def _figures(device: str, condition: Condition, span: tuple[float, float]) -> dict[str, Param]:
    """Of the sensor that told last."""
    assert condition.since_us is not None
    assert condition.low is not None
    assert condition.high is not None
    below, above = span[0] - condition.low, condition.high - span[1]
    return {
        "sensor": device,
        "quantity": condition.quantity,
        "value": condition.value,
        "min": span[0],
        "max": span[1],
        "since_us": condition.since_us,
        "worst": condition.high if above >= below else condition.low,
        "minutes": (condition.stamp[0] - condition.since_us) // MINUTE_US,
    }


def _judge_door(state: State, device: str, condition: Condition, now_us: int) -> None:
    incident = exceptions.current(state, "door_open", device)
    if condition.since_us is None:
        _change_alarm(state, condition, "", device, now_us, "closed")
    elif incident is not None and condition.since_us > int(incident.params["since_us"]):
        _change_alarm(state, condition, "", device, now_us, "it was closed in between")


def _change_alarm(state: State, condition: Condition, alarm: Alarm, device: str, now_us: int, why: str) -> None:
    """A sensor's alarm is this now; what it was ends if no other sensor of the zone says the same."""
    was, condition.alarm = condition.alarm, alarm
    if was == "door_open" and alarm != was:
        exceptions.end(state, was, device, now_us, why)
    elif was and was != alarm and not _any(state, condition.zone, was):
        exceptions.end(state, was, condition.zone, now_us, why)


def _any(state: State, zone: str, alarm: Alarm) -> bool:
    return any(other.alarm == alarm and other.zone == zone for other in state.conditions.rows.values())
