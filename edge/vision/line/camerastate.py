"""What staff are told of a line's camera: each change once."""

import logging
from collections.abc import Callable
from typing import Final

import structlog

from contract.events import Device, DeviceState
from edge.vision.messages import CameraTold, Drift

_LEVELS: Final = {True: logging.INFO, False: logging.WARNING}

log = structlog.get_logger(__name__)


class CameraState:
    """The device events of one camera."""

    def __init__(self, name: str, on_device: Callable[[Device], None], clock: Callable[[], int]) -> None:
        self._name, self._on_device, self._clock = name, on_device, clock
        self._state: tuple[DeviceState, str] | None = None
        self._drifted = ""

    def begin(self) -> None:
        """Nothing is known of it, whatever was told before."""
        self._state, self._drifted = None, ""

    def told(self, told: CameraTold) -> None:
        """It is there, lost or blind; one that is there again may still see what its model did not learn from."""
        if self._changes(told.state, told.detail):
            self._tell(told.state, told.at_us, told.detail)
            if told.state == "connected" and self._drifted:
                self._tell("drifted", told.at_us, self._drifted)

    def lost(self, detail: str) -> None:
        """Nobody looks through it any more; a new inspector has seen no drift yet."""
        self._drifted = ""
        if self._changes("lost", detail):
            self._tell("lost", self._clock(), detail)

    def drift(self, told: Drift) -> None:
        """What it sees has moved away from what the model knows, or (no detail) is as it was."""
        if told.detail == self._drifted:
            return
        self._drifted = told.detail
        if self._state is not None and self._state[0] == "connected":
            self._tell("drifted" if told.detail else "connected", told.at_us, told.detail)

    def _changes(self, state: DeviceState, detail: str) -> bool:
        """Whether this is news: another state, or blind for another reason; a lost one is lost, whatever is tried."""
        before, self._state = self._state, (state, detail)
        return before is None or before[0] != state or (state == "blind" and before[1] != detail)

    def _tell(self, state: DeviceState, at_us: int, detail: str) -> None:
        log.log(_LEVELS[state == "connected"], "camera", device=self._name, state=state, detail=detail)
        event = Device(at_us=at_us, decided_us=self._clock(), device=self._name, state=state, detail=detail[:1000])
        self._on_device(event)
