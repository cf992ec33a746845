"""What the stack light shows."""

from collections.abc import Mapping
from typing import NamedTuple

from contract.events import DeviceState


class Lamps(NamedTuple):
    """The three lamps, on or off."""

    green: bool
    amber: bool
    red: bool


def lamps(broker_up: bool, devices: Mapping[str, DeviceState]) -> Lamps:
    """Green: all is well. Amber: the broker is away, or a device is lost or blind: not everything is seen, or told.

    Red is kept for goods that must not leave, which nothing decides yet.
    """
    well = broker_up and not any(state in ("lost", "blind") for state in devices.values())
    return Lamps(green=well, amber=not well, red=False)
