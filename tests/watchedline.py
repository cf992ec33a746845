"""An inspector process as its agent sees it, and a folder of pictures of a belt whose fruit is known."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import cv2
import msgspec

from contract.sitepart import Title
from contract.sortingline import SortingLine
from edge.vision.messages import Begin, FrameSeen, Told, TrackSeen, Wanted
from firmware_sim.belt import Belt, Piece, Track
from firmware_sim.footage import Footage
from firmware_sim.fruit import Fruit

PATIENCE_S = 60.0
SEEN = b"a frame was seen\n"
T = TypeVar("T", bound=msgspec.Struct)


def film(folder: Path, *, fruit: int, fps: float, seed: int, defective: float = 0.3) -> list[Piece]:
    """Pictures of a belt from before the first fruit to after the last, as numbered files; the fruit, first to last."""
    folder.mkdir(parents=True)
    belt = Belt(Track(fruit_per_s=1.5), seed, 0)
    belt.begin("lot", defective, fruit, 0)
    footage = Footage(belt, lambda spoiled, number: Fruit("lemon", spoiled, number), seed)
    for number in range(round((belt.pieces[-1].gate_us / 1e6 + 1) * fps)):
        picture = footage.frame(round(number / fps * 1e6))
        cv2.imwrite(str(folder / f"{number:05}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return belt.pieces


def line(pictures: Path, fps: float, *, repeat: bool = False, models: Path | None = None) -> SortingLine:
    """A line whose camera is a folder."""
    camera = {"kind": "folder", "name": "camera-a", "path": pictures, "fps": fps, "repeat": repeat}
    title = Title(en="Line A", zh="甲线")
    return SortingLine.model_validate(
        {"name": "line-a", "title": title, "agent": "sorting-edge", "crop": "lemon", "camera": camera, "models": models}
    )


class Watched:
    """The agent's end of the socket, and everything that came over it."""

    def __init__(self, process: subprocess.Popen[bytes], link: Connection) -> None:
        self.process = process
        self.told: list[Told] = []
        self._link = link
        self._decoder: msgspec.msgpack.Decoder[Told] = msgspec.msgpack.Decoder(Told)

    def want(self, wanted: Wanted) -> None:
        """Tell the inspector something."""
        self._link.send_bytes(msgspec.msgpack.encode(wanted))

    def next(self, patience_s: float = PATIENCE_S) -> Told:
        """The next message; fails when none comes."""
        assert self._link.poll(patience_s), f"silent for {patience_s} s after {self.told[-3:]}"
        self.told.append(self._decoder.decode(self._link.recv_bytes()))
        return self.told[-1]

    def until(self, kind: type[T], count: int = 1) -> T:
        """The `count`-th message of a kind from now on."""
        ends_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_s:
            told = self.next()
            if isinstance(told, kind):
                count -= 1
                if not count:
                    return told
        raise AssertionError(f"no {kind.__name__} within {PATIENCE_S} s")

    def until_gone(self, fruit: int) -> None:
        """Read on until so many fruit were told of and the belt is empty again."""
        most = 0
        while most < fruit or self.frames()[-1].tracks:
            most = max(most, *(one.track for one in self.until(FrameSeen).tracks), 0)

    def frames(self) -> list[FrameSeen]:
        """All that were told so far."""
        return [told for told in self.told if isinstance(told, FrameSeen)]

    def last_of_each(self) -> dict[int, TrackSeen]:
        """Each fruit as it was told last."""
        return {one.track: one for frame in self.frames() for one in frame.tracks}

    def close(self) -> None:
        """The agent's end is gone."""
        self._link.close()


@contextmanager
def watched(of: SortingLine, data: Path, active: int | None = None, shadow: int | None = None) -> Iterator[Watched]:
    """An inspector in a process of its own, begun as the agent begins it."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "edge.vision.inspector.process", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    crew = Watched(process, Connection(ours.detach()))
    try:
        crew.want(Begin(os.getpid(), of.model_dump_json(), str(data), active, shadow))
        yield crew
    finally:
        crew.close()
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":  # an agent, for a test that kills it: PICTURES DATA
    with watched(line(Path(sys.argv[1]), fps=8, repeat=True), Path(sys.argv[2])) as begun:
        begun.until(FrameSeen)
        sys.stdout.buffer.write(SEEN)
        sys.stdout.buffer.flush()
        time.sleep(600)
