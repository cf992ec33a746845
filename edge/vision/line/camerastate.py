"""What staff are told of a line's camera: each change once. Pure."""

import logging
from collections.abc import Callable
from typing import Final

import structlog

from contract.events import Device, DeviceState
from edge.vision.messages import CameraTold, Drift

REASON_EVERY_US: Final = 30_000_000
"""Another state is told at once, and so is another reason for it; then the newest reason, so long after the last: what
is tried again and again fails in several ways, by turns."""
_LEVELS: Final = {True: logging.INFO, False: logging.WARNING}

log = structlog.get_logger(__name__)


class CameraState:
    """The device events of one camera; their times are those that were given."""

    def __init__(self, name: str, on_device: Callable[[Device], None]) -> None:
        self._name, self._on_device = name, on_device
        self._told: CameraTold | None = None
        self._said = self._drifted = ""
        self._reason_us: int | None = None

    def begin(self) -> None:
        """Nothing is known of it, whatever was told before."""
        self._told, self._drifted = None, ""

    def told(self, told: CameraTold, now_us: int) -> None:
        """It is there, lost or blind; one that is there again may still see what its model did not learn from."""
        before, self._told = self._told, told
        if before is not None and before.state == told.state:
            self.due(now_us)
            return
        self._reason_us = None
        self._say(told, now_us)

    def lost(self, detail: str, now_us: int) -> None:
        """Nobody looks through it any more; a new inspector has seen no drift yet."""
        self._drifted = ""
        self.told(CameraTold("lost", now_us, detail), now_us)

    def due(self, now_us: int) -> None:
        """Tell another reason, if there is one and it is time."""
        if self._told is None or self._told.detail == self._said:
            return
        if self._reason_us is None or now_us - self._reason_us >= REASON_EVERY_US:
            self._reason_us = now_us
            self._say(self._told, now_us)

    def drift(self, told: Drift, now_us: int) -> None:
        """What it sees has moved away from what the model knows, or (no detail) is as it was."""
        if told.detail == self._drifted:
            return
        self._drifted = told.detail
        if self._told is not None and self._told.state == "connected":
            self._tell("drifted" if told.detail else "connected", told.at_us, told.detail, now_us)

    def _say(self, told: CameraTold, now_us: int) -> None:
        self._said = told.detail
        self._tell(told.state, told.at_us, told.detail, now_us)
        if told.state == "connected" and self._drifted:
            self._tell("drifted", told.at_us, self._drifted, now_us)

    def _tell(self, state: DeviceState, at_us: int, detail: str, now_us: int) -> None:
        log.log(_LEVELS[state == "connected"], "camera", device=self._name, state=state, detail=detail)
        event = Device(at_us=at_us, decided_us=now_us, device=self._name, state=state, detail=detail[:1000])
        self._on_device(event)
