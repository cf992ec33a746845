"""What comes of a camera, waited for."""

import time
from collections.abc import Callable

import numpy as np

from edge.vision.camera.capture import Capture, Frame
from edge.vision.messages import CameraTold
from edge.vision.views import Image

LONG_S = 240.0
"""What takes longer than this does not happen."""


class Watch:
    """What came of a camera so far."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.frames: list[Frame] = []
        self.told: list[CameraTold] = []

    def until(self, enough: Callable[["Watch"], object]) -> "Watch":
        end_s = time.monotonic() + LONG_S
        while not enough(self):
            assert time.monotonic() < end_s, f"{self.states} {self.capture.counts()}"
            match self.capture.next(0.2):
                case Frame() as frame:
                    self.frames = [*self.frames[-100:], frame]
                case CameraTold() as told:
                    self.told.append(told)
        return self

    def state(self, state: str) -> "Watch":
        """Until it is told, from now on."""
        before = len(self.told)
        return self.until(lambda watch: state in [told.state for told in watch.told[before:]])

    def lost(self, words: str) -> "Watch":
        """Until it is told to be lost for this reason."""
        return self.until(lambda watch: watch.told and watch.states[-1] == "lost" and words in watch.detail)

    def pictures(self, count: int) -> "Watch":
        """So many more."""
        self.frames.clear()
        return self.until(lambda watch: len(watch.frames) >= count)

    @property
    def states(self) -> list[str]:
        return [told.state for told in self.told]

    @property
    def detail(self) -> str:
        return self.told[-1].detail


def alike(image: Image, other: Image) -> bool:
    """But for what JPEG does to it."""
    return image.shape == other.shape and float(np.abs(image.astype(int) - other).mean()) < 4
