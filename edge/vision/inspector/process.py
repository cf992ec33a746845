"""The inspector process of a line: parent of the camera's process, child of the agent.

    python -m edge.vision.inspector.process DESCRIPTOR

    Capture --newest frame--> Scene --> FrameSeen, Drift, ... --> the agent, over the socket DESCRIPTOR
                                ^-- WantCrop, UseModels, ... -----'   (framed by multiprocessing's Connection)

The first message from the agent is `Begin`. The inspector ends with the agent, even when that is killed; its camera
process ends with it. Writing to the agent waits for the agent; meanwhile frames are dropped, and counted.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import cv2
import msgspec
import structlog
from msgspec import structs

from contract.sortingline import SortingLine
from edge import parent
from edge.errors import EdgeError
from edge.steadyclock import steady_us
from edge.vision import choice
from edge.vision.camera.capture import Capture, Frame
from edge.vision.choice import Running
from edge.vision.inspector.inbox import Inbox
from edge.vision.inspector.scene import Scene
from edge.vision.messages import Begin, CameraTold, Figures, Told, UseModels, UseThresholds, Using, WantCrop
from edge.vision.models import package
from edge.vision.models.judges import Judges, loaders
from edge.vision.verdict import Thresholds

WAIT_S: Final = 0.05
"""An order of the agent waits at most so long for the next frame."""
FIGURES_S: Final = 5.0
BELT_S: Final = 1.0
MAX_WORDS: Final = 1_000
"""Of a device event."""

log = structlog.get_logger(__name__)


class Inspector:
    """One line: its camera's pictures, and what they show."""

    def __init__(self, line: SortingLine, data: Path, link: Connection, inbox: Inbox) -> None:
        """`data`: the agent's data folder. `link`: to the agent, on which `inbox` listens."""
        self._line = line
        self._link = link
        self._inbox = inbox
        self._encoder = msgspec.msgpack.Encoder()
        self._judges = Judges(loaders(line.models or package.SHIPPED, line.crop, line.backend))
        self._running = choice.running_file(data, line.name)
        self._grade = UseThresholds(None, None)
        self._camera: CameraTold | None = None
        """As it told last."""

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
                        self._tell_camera(told, told.at_us)
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
        self._judges.begin(begin.active, begin.shadow, steady_us())
        self._tell_models()
        if self._judges.helpless:
            self._tell_camera(None, steady_us())
        return Scene(self._line, self._judges)

    def _obey(self, scene: Scene) -> None:
        """What the agent wants."""
        while (wanted := self._inbox.take()) is not None:
            match wanted:
                case WantCrop(track):
                    crop = scene.crop(track)
                    if crop is not None:
                        self._send(crop)
                case UseModels():
                    self._judges.use(wanted, steady_us())
                case UseThresholds():
                    self._grade = wanted
                case Begin():
                    log.warning("the agent began a second time", line=self._line.name)

    def _settle(self, scene: Scene) -> None:
        """Models that are ready take over between two frames."""
        before = self._judges.helpless, self._judges.refused
        changed, drift_over = scene.settle(steady_us())
        if changed:
            self._tell_models()
        if drift_over is not None:
            self._send(drift_over)
        if before != (self._judges.helpless, self._judges.refused):
            self._tell_camera(self._camera, steady_us())

    def _tell_camera(self, told: CameraTold | None, at_us: int) -> None:
        """What the camera told now, or before, to which the models have something to add; None: it told nothing yet."""
        self._camera = told
        if told is None or told.state == "connected":
            told = self._seeing(told, at_us)
        if told is not None:
            self._send(told)

    def _seeing(self, told: CameraTold | None, at_us: int) -> CameraTold | None:
        """A camera that sees is of no use to a line that cannot judge: that is told instead, and else what it lacks."""
        if self._judges.helpless:
            words = f"no fruit can be judged, every one is pushed off: {self._judges.helpless}"
            return CameraTold("blind", at_us, words[:MAX_WORDS])
        if told is None or not self._judges.refused:
            return told and structs.replace(told, at_us=at_us)
        words = f"not every model that was asked for is used: {self._judges.refused}"
        return CameraTold("connected", at_us, "; ".join(filter(None, (told.detail, words)))[:MAX_WORDS])

    def _tell_models(self) -> None:
        _, active, shadow = self._judges.bench
        refused = self._judges.refused
        log.info(
            "models",
            line=self._line.name,
            active=active.model if active else None,
            shadow=shadow.model if shadow else None,
            refused=refused or None,
        )
        good, bad = active.thresholds if active else (0.0, 0.0)
        beside, beside_good, beside_bad = (shadow.model, *shadow.thresholds) if shadow else (None, None, None)
        name = active.model if active else ""
        self._send(Using(name, good, bad, beside, beside_good, beside_bad, refused))
        try:
            choice.write(self._running, Running(model=name, shadow=beside, refused=refused), durable=False)
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the agent, which ends us in order
    parent.end_with(begin.parent)
    cv2.setNumThreads(1)
    inbox = Inbox(link)
    signal.signal(signal.SIGTERM, lambda *_: inbox.ended.set())
    inbox.start()
    line = SortingLine.model_validate_json(begin.line)
    with suppress(BrokenPipeError, ConnectionResetError):  # the agent is gone
        Inspector(line, Path(begin.data), link, inbox).run(begin)


if __name__ == "__main__":
    run(int(sys.argv[1]))
