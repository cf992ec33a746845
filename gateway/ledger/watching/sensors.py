"""Sensors that cannot be believed: one `sensor_fault` while one is blind (what it reads cannot be) or silent.

What a sensor reads in the meantime is no reading. A reading that is newer than the fault ends it: agents tell none
while they doubt a sensor.
"""

from contract import events
from gateway.errors import Misfit
from gateway.ledger.goods import inventory
from gateway.ledger.rows import Condition, Device, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow
from gateway.records.coldrecords import SensorSilent


def known(state: State, name: str) -> bool:
    """Whether this is a sensor: one that the site file names, or one that has told something and is no other device."""
    if name in state.house.devices:
        return False
    return name in state.house.sensors or name in state.conditions.rows


def told(state: State, row: LogRow, event: events.Device) -> None:
    """Its agent doubts it, or does so no longer."""
    by = inventory.stamp(row)
    if event.state in ("blind", "lost"):
        _doubt(state, event.device, by, row, event.detail)
    elif event.state == "connected":
        _believe(state, event.device, by, row.recorded_us)


def impossible(state: State, row: LogRow, event: events.Condition, why: str) -> None:
    """A reading that cannot be is no reading: its agent is an old one, or did not look."""
    if not known(state, event.device):
        raise Misfit(f"sensor {event.device!r} {why}")
    condition = state.conditions.get(event.device)
    by = inventory.stamp(row)
    if condition is None or by > condition.stamp:
        _doubt(state, event.device, by, row, f"{event.device} {why}")


def heard(state: State, name: str, condition: Condition, by: Stamp, now_us: int) -> None:
    """It told a reading."""
    condition.recorded_us = now_us
    condition.silent = False
    _believe(state, name, by, now_us)


def silent(state: State, row: LogRow, record: SensorSilent) -> None:
    """It tells nothing any more."""
    condition = state.conditions.get(record.device)
    if condition is None or condition.silent:
        return
    condition.silent = True
    state.conditions.touch(record.device)
    exceptions.begin(state, "sensor_fault", record.device, row.recorded_us, 1, {"state": "silent"})


def blind(state: State, name: str) -> bool:
    """It is doubted."""
    device = state.devices.get(name)
    return device is not None and device.state == "blind" and known(state, name)


def _doubt(state: State, name: str, by: Stamp, row: LogRow, detail: str) -> None:
    device = state.devices.get(name) or state.devices.put(name, Device(agent=row.agent))
    if by <= device.stamp:
        return
    was_blind = device.state == "blind"
    device.state, device.stamp, device.detail = "blind", by, detail
    device.since_us = device.since_us if was_blind else by[0]
    _show(state, name)
    change = exceptions.update if was_blind else exceptions.begin
    change(state, "sensor_fault", name, row.recorded_us, 1, {"state": "blind", "detail": detail})


def _believe(state: State, name: str, by: Stamp, now_us: int) -> None:
    device = state.devices.get(name)
    if device is not None and blind(state, name):
        if by <= device.stamp:
            return
        device.state, device.stamp, device.since_us, device.detail = "connected", by, by[0], ""
        _show(state, name)
    condition = state.conditions.get(name)
    if condition is None or not condition.silent:
        exceptions.end(state, "sensor_fault", name, now_us, "it can be believed again")


def _show(state: State, name: str) -> None:
    state.devices.touch(name)
    if name in state.conditions.rows:
        state.shown.add(("conditions", name))
