"""What an agent knows of its devices and its broker: the source of the stack light."""

from contract.events import Device, DeviceState
from edge.stack_light import Lamps, lamps


class Board:
    """The present state of everything that this agent depends on."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceState] = {}
        self._broker_up = False

    def note_device(self, event: Device) -> None:
        """Something happened to a device."""
        if event.state in ("connected", "lost", "blind"):
            self._devices[event.device] = event.state

    def note_broker(self, up: bool) -> None:
        """The broker is there, or lost."""
        self._broker_up = up

    def lamps(self) -> Lamps:
        """What the stack light shows now."""
        return lamps(self._broker_up, self._devices)
