"""Devices: readers, cameras and Modbus servers as their agents last told of them.

Lost and blind mean that what a device watches is unknown, never that it is absent: no item moves because of them.
"""

from typing import Literal

from contract import events
from gateway.ledger import doors, exceptions, inventory
from gateway.ledger.rows import Device
from gateway.ledger.state import State
from gateway.records import LogRow

Reached = Literal["connected", "lost", "blind"]
_STRAY = "stray_"


def told(state: State, row: LogRow, event: events.Device) -> None:
    """Something happened to a device, or to what it should have told."""
    match event.state:
        case "connected" | "lost" | "blind":
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
    return device is not None and device.state in ("lost", "blind")


def _reached(state: State, row: LogRow, event: events.Device, reached: Reached) -> None:
    device = _of(state, row, event)
    by = inventory.stamp(row)
    if device is None or by <= device.stamp:
        return
    was = device.state
    device.stamp, device.detail = by, event.detail
    if was != reached:
        device.state = reached
        device.since_us = by[0]
    if event.counts:
        device.counts = dict(event.counts)
    _show(state, event.device)
    why = {"state": reached, "detail": event.detail}
    if reached == "connected":
        exceptions.end(state, "device_lost", event.device, row.recorded_us, "connected")
    elif was not in ("lost", "blind"):
        exceptions.begin(state, "device_lost", event.device, row.recorded_us, 1, why)
    else:
        exceptions.update(state, "device_lost", event.device, row.recorded_us, 1, why)


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
