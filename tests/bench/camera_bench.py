"""The camera process: from Motion JPEG on a socket to RGB in the process that inspects.

A server in a process of its own sends 60 pictures of 640 x 360 a second. Beside it, on the same stream in the same run:
OpenCV's own reader (FFmpeg), in one process, which neither notices a torn picture nor a camera that hangs.
"""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import psutil
from figures import Figure, show
from memory import rss_mib
from mjpegserver import STREAM, Call, jpeg, part, scene, served

from contract.sortingline import MjpegCamera
from edge.vision.camera.capture import Capture, Frame

SIZE = 640, 360
FPS = 60.0
SECONDS = 15.0
KILLS = 5


def measure() -> list[Figure]:
    """Pictures a core, memory, and how soon pictures come again after the camera process was killed."""
    with _camera() as url:
        theirs = _opencv(url)
        with Capture(MjpegCamera(name="camera-a", kind="mjpeg", url=url)) as capture:
            _frames(capture, 2.0)
            assert capture.pid is not None
            before = rss_mib(capture.pid)
            shown, camera_s, ours_s = _cost(capture)
            after = rss_mib(capture.pid)
            counts = capture.counts()
            back_s = sorted(_back_after_kill(capture) for _ in range(KILLS))
    whole = shown / (camera_s + ours_s)
    return [
        Figure(
            "pictures a core, both ends of the pipe", whole, "/s", "OpenCV's reader in one process", theirs, ">= 100"
        ),
        Figure("pictures a core, camera process alone", shown / camera_s, "/s", "OpenCV's reader", theirs),
        Figure("pictures shown a second", shown / SECONDS, "/s", "sent", FPS),
        Figure("dropped, torn, restarts", counts["dropped"] + counts["torn"] + counts["restarts"], "in all"),
        Figure("memory of the camera process", after, "MiB", f"{SECONDS:g} s before", before),
        Figure("camera process killed: next picture after", back_s[KILLS // 2], "s", "the worst", back_s[-1]),
    ]


def _cost(capture: Capture) -> tuple[int, float, float]:
    """Pictures, and the processor seconds that they took in the camera process and in this one."""
    child, own = psutil.Process(capture.pid), psutil.Process()
    before = _cpu_s(child), _cpu_s(own)
    shown = _frames(capture, SECONDS)
    return shown, _cpu_s(child) - before[0], _cpu_s(own) - before[1]


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _frames(capture: Capture, seconds: float) -> int:
    """How many came in that time, which begins with the first."""
    shown, end_s = 0, float("inf")
    while time.monotonic() < end_s:
        if isinstance(capture.next(1.0), Frame):
            shown += 1
            end_s = min(end_s, time.monotonic() + seconds)
    return shown


def _back_after_kill(capture: Capture) -> float:
    _frames(capture, 0.5)
    assert capture.pid is not None
    os.kill(capture.pid, signal.SIGKILL)
    killed_s, restarts = time.monotonic(), capture.counts()["restarts"]
    while capture.counts()["restarts"] == restarts:
        capture.next(0.1)
    while capture.next(0.0) is not None:
        pass  # what was already here
    _frames(capture, 0.0)
    return time.monotonic() - killed_s


def _opencv(url: str) -> float:
    """Pictures that `cv2.VideoCapture` gives in a second of processor time."""
    output = subprocess.run([sys.executable, __file__, "opencv", url], check=True, capture_output=True, text=True)
    return float(output.stdout)


def _read_with_opencv(url: str) -> float:
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    assert capture.read()[0]
    own, shown, end_s = psutil.Process(), 0, time.monotonic() + SECONDS
    before = _cpu_s(own)
    while time.monotonic() < end_s:
        shown += capture.read()[0]
    return shown / (_cpu_s(own) - before)


@contextmanager
def _camera() -> Iterator[str]:
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def _serve() -> None:
    parts = [part(jpeg(scene(number, SIZE), 85)) for number in range(60)]

    async def script(call: Call) -> None:
        await call.send(STREAM)
        due_s = time.monotonic()
        for data in itertools.cycle(parts):
            await call.send(data)
            due_s += 1 / FPS
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    with served(script) as camera:
        print(camera.url(), flush=True)
        signal.pause()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            _serve()
        case ["opencv", address]:
            print(_read_with_opencv(address))
        case _:
            show("Camera: 640 x 360, Motion JPEG over HTTP", measure())
