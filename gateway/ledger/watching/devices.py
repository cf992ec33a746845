"""Devices: readers, cameras and Modbus servers as their agents last told of them.

Lost and blind mean that what a device watches is unknown, never that it is absent: no item moves because of them. A
camera that has drifted sees, but not what its model learned from: somebody should look at its light and its lens.
"""

from typing import Literal

from contract import events
from gateway.ledger.goods import doors, inventory, looks
from gateway.ledger.rows import Device, Param
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.ledger.watching import sensors
from gateway.records import LogRow

Reached = Literal["connected", "lost", "blind", "drifted"]
_AWAY = ("lost", "blind")
_STRAY = "stray_"


def told(state: State, row: LogRow, event: events.Device) -> None:
    """Something happened to a device, or to what it should have told."""
    if event.state in ("connected", *_AWAY) and sensors.known(state, event.device):
        sensors.told(state, row, event)
        return
    match event.state:
        case "connected" | "lost" | "blind" | "drifted":
            _reached(state, row, event, event.state)
        case "health":
            _counted(state, row, event)
        case "data_lost":
            exceptions.add(
                state, "data_lost", _subject(state, row, event), row.recorded_us, 1, {"detail": event.detail}
            )
        case "clock_stepped":
            exceptions.add(
                state, "clock_stepped", _subject(state, row, event), row.recorded_us, 1, {"detail": event.detail}
            )


def unreachable(state: State, name: str) -> bool:
    """What the device watches is unknown at the moment."""
    device = state.devices.get(name)
    return device is not None and device.state in _AWAY


def _reached(state: State, row: LogRow, event: events.Device, reached: Reached) -> None:
    device = _of(state, row, event)
    by = inventory.stamp(row)
    if device is None or by <= device.stamp:
        return
    was_away = device.state in _AWAY
    looks.reader(state, event.device, by[0], sees=reached not in _AWAY)
    device.stamp, device.detail = by, event.detail
    if device.state != reached:
        device.state = reached
        device.since_us = by[0]
    if event.counts:
        device.counts = dict(event.counts)
    _show(state, event.device)
    _judge(state, row, event, reached, was_away=was_away)


def _judge(state: State, row: LogRow, event: events.Device, reached: Reached, *, was_away: bool) -> None:
    """One exception while it is away, and one while it has drifted."""
    why: dict[str, Param] = {"state": reached, "detail": event.detail}
    if reached in _AWAY:
        change = exceptions.update if was_away else exceptions.begin
        change(state, "device_lost", event.device, row.recorded_us, 1, why)
        return
    exceptions.end(state, "device_lost", event.device, row.recorded_us, "connected")
    if reached == "drifted":
        exceptions.begin(state, "drift", event.device, row.recorded_us, 1, {"detail": event.detail})
    else:
        exceptions.end(state, "drift", event.device, row.recorded_us, "as it was")


def _counted(state: State, row: LogRow, event: events.Device) -> None:
    """Health figures; strays at a door are shown with the door."""
    if event.device in state.house.doors:
        strays = {name.removeprefix(_STRAY): n for name, n in event.counts.items() if name.startswith(_STRAY)}
        doors.of(state, event.device).strays = strays
        state.doors.touch(event.device)
        return
    device = _of(state, row, event)
    if device is not None:
        device.counts = dict(event.counts)
        if event.detail:
            device.detail = event.detail
        _show(state, event.device)


def _of(state: State, row: LogRow, event: events.Device) -> Device | None:
    """The device's row; None for one that is not in the site file (the log keeps its events)."""
    if event.device not in state.house.devices:
        return None
    return state.devices.get(event.device) or state.devices.put(event.device, Device(agent=row.agent))


def _subject(state: State, row: LogRow, event: events.Device) -> str:
    return event.device if event.device in state.house.devices else row.agent


def _show(state: State, name: str) -> None:
    state.devices.touch(name)
    known = state.house.devices[name]
    if known.door is not None:
        state.shown.add(("doors", known.door))
