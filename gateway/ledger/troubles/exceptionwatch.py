"""What only time tells of exceptions: snoozes that are over, and resolutions of what is still so.

One that lasts (`exceptionkinds`) and was closed by somebody opens again when its end did not come within
`STILL_AFTER_US`: whoever closed it thought that it was dealt with, and it was not.
"""

from collections.abc import Iterator
from typing import Final

from gateway.ledger.goods import masterdata
from gateway.ledger.rows import Incident
from gateway.ledger.state import State
from gateway.records import GATEWAY, Ceased, ExceptionReopened, SnoozeEnded

STILL_AFTER_US: Final = 15 * 60 * 1_000_000
STILL_SO: Final = "it is still so"


def due(state: State, now_us: int) -> Iterator[SnoozeEnded | ExceptionReopened | Ceased]:
    """What is to be recorded now."""
    for (kind, subject), key in state.index.open_exceptions.items():
        incident = state.exceptions.rows[key]
        if incident.snoozed_until_us is not None and incident.snoozed_until_us <= now_us:
            yield SnoozeEnded(at_us=now_us, id=key)
        if kind == "expired" and not _left(state, incident):
            yield Ceased(at_us=now_us, what="expired", subject=subject, why="none of it is left")
    for key in state.index.lasting.values():
        incident = state.exceptions.rows[key]
        if now_us - incident.updated_us > STILL_AFTER_US and _may_be(state, incident):
            yield ExceptionReopened(at_us=now_us, id=key, who=GATEWAY, why=STILL_SO)


def _may_be(state: State, incident: Incident) -> bool:
    """What it is about is there still: nobody tells the end of a device that was taken down."""
    house, subject = state.house, incident.subject
    match incident.kind:
        case "expired":
            return _left(state, incident)
        case "device_lost" | "agent_silent" | "drift":
            return subject in house.devices
        case "sensor_fault" | "door_open":
            return subject in house.sensors
        case "temperature" | "excursion" | "probably_gone":
            return subject in house.zones
        case _:
            return True


def _left(state: State, incident: Incident) -> bool:
    """Some of the expired lot is in the house."""
    return masterdata.expired_units(state, str(incident.params["sku"]), str(incident.params["lot"])) > 0
