"""The thread of a camera process that reads: one picture after the other, for ever."""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

from contract.sortingline import AnyCamera, FolderCamera, MjpegCamera, RtspCamera, UsbCamera, VideoCamera
from edge.backoff import Backoff
from edge.errors import CameraTrouble
from edge.vision.camera import folder, mjpeglink, stream
from edge.vision.camera.complaints import Complaints
from edge.vision.camera.framepipe import Beat, End, Note, Trouble
from edge.vision.camera.source import LIVE, Host, Taken

ROOM: Final = 2
"""Pictures that wait to be decoded; older ones of a live camera are dropped, and counted."""


class Reading:
    """Opens the camera again and again, until a folder or video is at its end."""

    def __init__(self, camera: AnyCamera, complaints: Complaints) -> None:
        """Begins at once."""
        self._camera = camera
        self._complaints = complaints
        self._news = threading.Condition()
        self._taken: deque[Taken] = deque()
        self._said: deque[Trouble | Note | End] = deque(maxlen=32)
        self._counts: Counter[str] = Counter()
        self._live = isinstance(camera, LIVE)
        self._seq = 0
        self._alive_s = time.monotonic()
        threading.Thread(target=self._run, name="source", daemon=True).start()

    def next(self, timeout_s: float) -> Taken | Trouble | Note | End | None:
        """The oldest picture that waits, or else what is to be said; None when there is neither in that time."""
        with self._news:
            self._news.wait_for(lambda: self._taken or self._said, timeout_s)
            if self._taken:
                self._news.notify()
                return self._taken.popleft()
            return self._said.popleft() if self._said else None

    def beat(self) -> Beat:
        """How it goes now."""
        with self._news:
            return Beat(max(0.0, time.monotonic() - self._alive_s), dict(self._counts))

    def count(self, name: str, by: int = 1) -> None:
        """Something else that happened."""
        with self._news:
            self._counts[name] += by
            self._alive_s = time.monotonic()

    def pause(self, wait_s: float) -> None:
        """Sleep: no sign of a driver that hangs."""
        self._alive_s = time.monotonic() + wait_s
        time.sleep(wait_s)

    def note(self, detail: str) -> None:
        """For the log of the process that keeps this one."""
        self._say(Note(detail))

    def trouble(self, detail: str) -> None:
        """Why pictures may be missing."""
        self._say(Trouble(detail))

    def complaint(self) -> str:
        """What the C libraries have said on stderr since the last time."""
        return self._complaints.fetch()

    def _run(self) -> None:
        backoff = Backoff(0.2, 10.0, random.Random())
        while True:
            try:
                for taken in _pictures(self._camera, self):
                    backoff.reset()
                    self._put(taken)
                return self._say(End())
            except CameraTrouble as error:
                self.trouble(str(error))
            self.count("reconnects")
            self.pause(backoff.next_s())

    def _put(self, taken: Taken) -> None:
        """A live camera's pictures go on coming: the oldest give way. A file waits."""
        with self._news:
            self._news.wait_for(lambda: self._live or len(self._taken) < ROOM)
            self._alive_s = time.monotonic()
            self._seq += 1
            self._taken.append(taken._replace(seq=self._seq))
            if len(self._taken) > ROOM:
                self._taken.popleft()
                self._counts["dropped"] += 1
            self._news.notify()

    def _say(self, said: Trouble | Note | End) -> None:
        with self._news:
            self._alive_s = time.monotonic()
            self._said.append(said)
            self._news.notify()


def _pictures(camera: AnyCamera, host: Host) -> Iterator[Taken]:
    """Connect, then what comes, until it ends. Raises `CameraTrouble` when there is nothing (more) to be had."""
    match camera:
        case MjpegCamera():
            return mjpeglink.pictures(camera, host)
        case RtspCamera():
            return stream.rtsp(camera, host)
        case UsbCamera():
            return stream.usb(camera, host)
        case FolderCamera():
            return folder.pictures(camera, host)
        case VideoCamera():
            return stream.video(camera, host)
