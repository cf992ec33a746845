"""The camera process: one thread reads (reading.py), this one decodes the newest picture and hands it on.

    python -m edge.vision.camera.captured PARENT DESCRIPTOR < camera.json

It ends with its parent, even when that is killed, and keeps nothing.
"""

import os
import sys
import time
from contextlib import suppress
from typing import Final

import cv2
import numpy as np
from pydantic import TypeAdapter

from contract.sortingline import AnyCamera
from edge import parent
from edge.errors import BadImage
from edge.vision import images
from edge.vision.camera import framepipe
from edge.vision.camera.complaints import Complaints
from edge.vision.camera.framepipe import End, Note, Trouble
from edge.vision.camera.light import light_of
from edge.vision.camera.reading import Reading
from edge.vision.camera.source import LIVE, TORN, Taken
from edge.vision.views import Image

BEAT_S: Final = 0.5


class Sender:
    """Decodes, and writes to the pipe."""

    def __init__(self, camera: AnyCamera, descriptor: int, complaints: Complaints) -> None:
        self._reading = Reading(camera, complaints)
        self._delay_us = round(camera.delay_s * 1e6)
        self._live = isinstance(camera, LIVE)
        self._descriptor = descriptor
        self._complaints = complaints
        self._last: Image | None = None

    def run(self) -> None:
        """Until the source ends. Raises OSError when nobody reads the pipe any more."""
        due_s = time.monotonic()
        while True:
            if time.monotonic() >= due_s:
                self._write(framepipe.pack(self._reading.beat()))
                due_s = time.monotonic() + BEAT_S
            said = self._reading.next(max(0.0, due_s - time.monotonic()))
            match said:
                case Taken():
                    self._show(said)
                case Trouble() | Note():
                    self._write(framepipe.pack(said))
                case End():
                    self._write(framepipe.pack(self._reading.beat()))
                    self._write(framepipe.pack(said))
                    return

    def _show(self, taken: Taken) -> None:
        try:
            image = self._decoded(taken.picture)
        except BadImage as error:
            self._reading.count("torn")
            self._write(framepipe.pack(Trouble(f"{TORN} ({error})")))
            return
        repeated = self._live and _same(image, self._last)
        self._reading.count("repeated" if repeated else "frames")
        self._last = image
        at_us = taken.at_us - self._delay_us
        self._write(framepipe.shot_head(at_us, taken.seq, image, light_of(image), repeated))
        if not repeated:
            self._write(image.data.cast("B"))

    def _decoded(self, picture: bytes | Image) -> Image:
        if not isinstance(picture, bytes):
            return picture
        return images.decode(picture, "the stream", complaint=self._complaints.fetch)

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


def _same(image: Image, last: Image | None) -> bool:
    """To the last pixel. Live pictures differ in their first rows."""
    if last is None or image.shape != last.shape:
        return False
    return np.array_equal(image[:8], last[:8]) and np.array_equal(image, last)


def run(descriptor: int, settings: bytes) -> None:
    """The whole process: `settings` is the camera as JSON, `descriptor` where to write what framepipe.py says."""
    camera: AnyCamera = TypeAdapter(AnyCamera).validate_json(settings)
    cv2.setNumThreads(1)
    with suppress(OSError):  # nobody listens: the parent is gone, or has had enough
        Sender(camera, descriptor, Complaints()).run()


if __name__ == "__main__":
    parent.end_with(int(sys.argv[1]))
    run(int(sys.argv[2]), sys.stdin.buffer.read())
    os._exit(0)  # the other thread may hang in a driver
