"""The inspector process of a line: parent of the camera's process, child of the agent.

    python -m edge.vision.inspector.process DESCRIPTOR

    Capture --newest frame--> Scene --> FrameSeen, Drift, ... --> the agent, over the socket DESCRIPTOR
                                ^-- WantCrop, UseModels, ... -----'   (framed by multiprocessing's Connection)

The first message from the agent is `Begin`. The inspector ends with the agent, even when that is killed; its camera
process ends with it. Writing to the agent waits for the agent; meanwhile frames are dropped, and counted.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import cv2
import msgspec
import structlog

from contract.site import SortingLine
from edge.errors import BadModel, EdgeError
from edge.vision import choice
from edge.vision.camera.capture import Capture, Frame
from edge.vision.choice import Running
from edge.vision.inspector.inbox import Inbox
from edge.vision.inspector.scene import Scene
from edge.vision.messages import Begin, CameraTold, Figures, Told, UseModels, UseThresholds, Using, WantCrop
from edge.vision.models import judges, package
from edge.vision.models.finder import Finder
from edge.vision.models.judges import Judges
from edge.vision.verdict import Thresholds

WAIT_S: Final = 0.05
"""An order of the agent waits at most so long for the next frame."""
FIGURES_S: Final = 5.0
BELT_S: Final = 1.0
_PR_SET_PDEATHSIG = 1

log = structlog.get_logger(__name__)


class Inspector:
    """One line: its camera's pictures, and what they show."""

    def __init__(self, line: SortingLine, data: Path, link: Connection, inbox: Inbox) -> None:
        """`data`: the agent's data folder. `link`: to the agent, on which `inbox` listens."""
        self._line = line
        self._link = link
        self._inbox = inbox
        self._encoder = msgspec.msgpack.Encoder()
        self._root = line.models or package.SHIPPED
        self._judges = Judges(partial(judges.load, self._root, line.crop, line.backend))
        self._running = choice.running_file(data, line.name)
        self._grade = UseThresholds(None, None)
        self._refused = ""
        self._no_finder = ""
        """Why nothing can be found, whatever the camera sees."""
        self._camera: CameraTold | None = None

    def run(self, begin: Begin) -> None:
        """Until the agent is gone or wants it. Raises OSError when the agent cannot be told any more."""
        scene = self._begin(begin)
        belt_s = figures_s = time.monotonic()
        with Capture(self._line.camera) as capture:
            while not self._inbox.ended.is_set():
                self._obey(scene)
                self._settle(scene)
                match capture.next(WAIT_S):
                    case CameraTold() as told:
                        self._tell_camera(told)
                    case Frame(at_us, _, image):
                        self._send(scene.frame(at_us, image))
                        for drift in scene.gone(at_us):
                            self._send(drift)
                    case None if capture.ended:
                        self._inbox.ended.wait(WAIT_S)
                now_s = time.monotonic()
                if now_s - belt_s >= BELT_S and (belt := scene.belt(self._thresholds())) is not None:
                    belt_s = now_s
                    self._send(belt)
                if now_s - figures_s >= FIGURES_S:
                    figures_s = now_s
                    self._send(Figures(capture.counts() | scene.counts()))
                    self._touch_running()

    def _begin(self, begin: Begin) -> Scene:
        """The first models. Without a finder or a model the line runs on, and no fruit is judged."""
        self._refused = self._judges.begin(begin.active, begin.shadow)
        finder = None
        own = package.FINDER in package.packages(self._root)
        try:
            folder = package.folder_of(self._root if own else package.SHIPPED, package.FINDER)
            finder = Finder(package.load(folder, self._line.backend))
        except BadModel as error:
            self._no_finder = str(error)
        scene = Scene(self._line, finder, self._judges)
        self._tell_models()
        if self._helpless():
            self._tell_camera(CameraTold("connected", time.time_ns() // 1000, ""))
        return scene

    def _obey(self, scene: Scene) -> None:
        """What the agent wants."""
        while (wanted := self._inbox.take()) is not None:
            match wanted:
                case WantCrop(track):
                    crop = scene.crop(track)
                    if crop is not None:
                        self._send(crop)
                case UseModels():
                    self._judges.use(wanted)
                case UseThresholds():
                    self._grade = wanted
                case Begin():
                    log.warning("the agent began a second time", line=self._line.name)

    def _settle(self, scene: Scene) -> None:
        """Models that are ready take over between two frames."""
        helpless = self._helpless()
        changed, drift_over = scene.settle(time.time_ns() // 1000)
        if changed is not None:
            self._refused = changed.refused
            self._tell_models()
        if drift_over is not None:
            self._send(drift_over)
        if helpless and not self._helpless() and self._camera is not None:
            self._send(self._camera)

    def _helpless(self) -> str:
        """Why no fruit can be judged, whatever the camera sees; empty when it can."""
        return self._no_finder or (self._refused if self._judges.bench.active is None else "")

    def _tell_camera(self, told: CameraTold) -> None:
        """A camera that sees is of no use to a line that cannot judge: that is told instead."""
        self._camera = told
        why = self._helpless()
        if why and told.state == "connected":
            told = CameraTold("blind", told.at_us, f"no fruit can be judged, every one is pushed off: {why}"[:1000])
        self._send(told)

    def _tell_models(self) -> None:
        active, shadow = self._judges.bench
        log.info(
            "models",
            line=self._line.name,
            active=active.model if active else None,
            shadow=shadow.model if shadow else None,
            refused=self._refused or None,
        )
        good, bad = active.thresholds if active else (0.0, 0.0)
        beside, beside_good, beside_bad = (shadow.model, *shadow.thresholds) if shadow else (None, None, None)
        name = active.model if active else ""
        self._send(Using(name, good, bad, beside, beside_good, beside_bad, self._refused))
        try:
            choice.write(self._running, Running(model=name, shadow=beside, refused=self._refused), durable=False)
        except EdgeError as error:
            log.warning("what runs is not noted for `truecount model show`", error=str(error))

    def _touch_running(self) -> None:
        """So that one sees that the line runs. Nothing of it waits for the disk."""
        with suppress(OSError):  # it was told when it could not be written
            os.utime(self._running)

    def _thresholds(self) -> Thresholds:
        """Those of the lot's customer, else those of the manifest; without a model nothing is good."""
        active = self._judges.bench.active
        good, bad = active.thresholds if active else (0.0, 0.0)
        wanted = self._grade
        return Thresholds(
            good if wanted.good_below is None else wanted.good_below,
            bad if wanted.defective_from is None else wanted.defective_from,
        )

    def _send(self, told: Told) -> None:
        self._link.send_bytes(self._encoder.encode(told))


def run(descriptor: int) -> None:
    """The whole process. `descriptor`: the socket to the agent."""
    link = Connection(descriptor)
    begin = msgspec.msgpack.decode(link.recv_bytes(), type=Begin)
    _heed(begin.parent)
    cv2.setNumThreads(1)
    inbox = Inbox(link)
    signal.signal(signal.SIGTERM, lambda *_: inbox.ended.set())
    inbox.start()
    line = SortingLine.model_validate_json(begin.line)
    with suppress(BrokenPipeError, ConnectionResetError):  # the agent is gone
        Inspector(line, Path(begin.data), link, inbox).run(begin)


def _heed(parent: int) -> None:
    """The kernel ends us when the thread ends that started us, even by SIGKILL (prctl(2)); else its socket does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the agent, which ends us in order
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    run(int(sys.argv[1]))
