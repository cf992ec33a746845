"""One camera, kept: its process started, watched, started again, ended; its newest pictures at hand.

    camera -> | camera process: source, decoding | --pipe--> | thread: Sight, the newest pictures | -> next()

A driver that hangs inside FFmpeg or V4L2 cannot be interrupted, only killed: therefore the process.
"""

import os
import random
import select
import threading
import time
from collections import Counter, deque
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np
import structlog

from contract.sortingline import AnyCamera
from edge.backoff import Backoff
from edge.steadyclock import steady_us
from edge.vision.camera.cameraprocess import CameraProcess, Gone
from edge.vision.camera.framepipe import Beat, End, Note, Shot, Trouble
from edge.vision.camera.sight import Sight
from edge.vision.camera.source import LIVE
from edge.vision.messages import CameraTold
from edge.vision.views import Image

STEADY_S: Final = 30.0
"""A camera process that ran for so long is started again at once."""
NAMES: Final = ("frames", "torn", "repeated", "dropped", "reconnects", "stalls", "bytes", "bad", "restarts")
"""What is counted: `frames` are those that came whole, `repeated` those of a live camera that were as the one before,
`dropped` whole ones that newer ones displaced, `torn` damaged ones, `bad` images of a folder that were passed over,
`stalls` connections that fell silent, `reconnects` new tries, `restarts` new camera processes."""
_TICK_S: Final = 0.1
MAX_TOLD: Final = 64
"""States that nobody fetches; the oldest go first."""

log = structlog.get_logger(__name__)


class Frame(NamedTuple):
    """One picture of the camera."""

    at_us: int
    """When it was taken, by the steady clock: when its first octet came, less the camera's delay."""
    seq: int
    """Counts from 1; a gap is a picture that was dropped or torn. Begins anew with each camera process."""
    image: Image


class Capture:
    """The camera as a context manager. Use `next` from one thread, the rest from any."""

    def __init__(self, camera: AnyCamera, *, room: int = 2) -> None:
        """At most `room` pictures wait; when there are more the oldest are dropped, and counted."""
        self._camera = camera
        self._waiting: deque[Frame | CameraTold] = deque()
        self._room = room
        self._news = threading.Condition()
        self._past: Counter[str] = Counter()
        self._present: dict[str, int] = {}
        self._ended = False
        self._stop_out, self._stop_in = -1, -1
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.name}", daemon=True)
        self.pid: int | None = None
        """Of the camera process, while there is one."""

    def __enter__(self) -> Self:
        self._stop_out, self._stop_in = os.pipe()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._stop_in)
        self._thread.join()
        os.close(self._stop_out)

    def next(self, timeout_s: float) -> Frame | CameraTold | None:
        """The oldest picture that waits, or a state that came before it; None: nothing in that time, or at the end."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._ended, timeout_s)
            if self._waiting:
                return self._waiting.popleft()
            assert self._ended or self._thread.is_alive(), "the thread of the camera failed, see its traceback"
            return None

    @property
    def ended(self) -> bool:
        """The folder or video is at its end, and everything in it was handed out."""
        with self._news:
            return self._ended and not self._waiting

    def counts(self) -> dict[str, int]:
        """Since the start, by the names in `NAMES`; safe to call after the end, too."""
        with self._news:
            return {
                name: self._past[name] + self._present.get(name, 0) for name in {*NAMES, *self._past, *self._present}
            }

    # The thread: one camera process after the other

    def _run(self) -> None:
        sight = Sight(self._camera.stall_s, isinstance(self._camera, LIVE))
        backoff = Backoff(0.2, 10.0, random.Random())
        while True:
            began_s = time.monotonic()
            reason = self._one_process(sight)
            if reason is None:
                return
            self._bury()
            log.warning("camera process ended, starting it again", camera=self._camera.name, reason=reason)
            sight.failed(steady_us(), f"its driver failed ({reason}) and is started again: check the camera")
            if time.monotonic() - began_s > STEADY_S:
                backoff.reset()
            if not self._waited(backoff.next_s(), sight):
                return

    def _one_process(self, sight: Sight) -> str | None:
        """Heed one until it has to be ended: why; None when no other shall follow."""
        try:
            with CameraProcess(self._camera) as process:
                self.pid = process.pid
                self._heed(process, sight)
                return None
        except Gone as gone:
            return str(gone)
        finally:
            self.pid = None

    def _heed(self, process: CameraProcess, sight: Sight) -> None:
        """Until we are told to stop, or nothing more will come. Raises `Gone`."""
        while not self._stopped(0):
            said = process.says(_TICK_S, self._stop_out)
            now_us = steady_us()
            if said is not None:
                sight.began(now_us)
            match said:
                case Shot():
                    self._take(said, sight)
                case Beat(_, counts):
                    self._present = counts
                case Trouble(detail):
                    sight.failed(now_us, detail)
                case Note(detail):
                    log.warning("camera", camera=self._camera.name, detail=detail)
                case End():
                    self._finish(sight)
                    return
            self._tell(sight.tick(now_us))

    def _take(self, shot: Shot, sight: Sight) -> None:
        repeated = not shot.pixels
        self._tell(sight.shown(steady_us(), shot.light, (shot.width, shot.height), repeated))
        if repeated:
            return  # it shows what was, not what is
        image = np.frombuffer(shot.pixels, np.uint8).reshape(shot.height, shot.width, 3)
        self._put(Frame(shot.at_us, shot.seq, image), self._room)

    def _tell(self, told: CameraTold | None) -> None:
        if told is not None:
            self._put(told, MAX_TOLD)

    def _put(self, news: Frame | CameraTold, most: int) -> None:
        """Let it wait, and the oldest of its kind go if there are more than `most`."""
        with self._news:
            self._waiting.append(news)
            alike = [one for one in self._waiting if type(one) is type(news)]
            if len(alike) > most:
                self._waiting.remove(alike[0])
                self._past["dropped"] += isinstance(news, Frame)
            self._news.notify()

    def _finish(self, sight: Sight) -> None:
        self._tell(sight.ended(steady_us()))
        with self._news:
            self._ended = True
            self._news.notify()

    def _bury(self) -> None:
        """A process is gone; its counts stay."""
        with self._news:
            self._past.update(self._present)
            self._past["restarts"] += 1
            self._present = {}

    def _waited(self, delay_s: float, sight: Sight) -> bool:
        """Wait until the next start; False: we were told to stop."""
        until_s = time.monotonic() + delay_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self._stopped(min(left_s, _TICK_S)):
                return False
            self._tell(sight.tick(steady_us()))
        return True

    def _stopped(self, timeout_s: float) -> bool:
        return bool(select.select([self._stop_out], [], [], timeout_s)[0])
