"""Cameras and videos that OpenCV reads: RTSP, USB, files. A driver may hang in any of these calls."""

import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import cv2
import numpy as np

from contract.sortingline import RtspCamera, UsbCamera, VideoCamera
from edge.errors import CameraTrouble
from edge.steadyclock import steady_us
from edge.vision.camera.source import OPEN_S, TORN, Host, Taken

_ADVICE: Final = {
    "401": "it asks for a name and a password: write them into the url, rtsp://NAME:PASSWORD@...",
    "503": "it is busy: let fewer programs watch it",
    "403": "it refuses this name: give it the right to see the picture",
    "404": "there is no such stream: look the path up in its manual",
    "refused": "nothing listens there: check the camera's power, and that RTSP is switched on in it",
    "resolve": "its name is not known: check the address",
    "No route": "there is no way to it: check its cable and its address",
    "timeout": "it does not answer: check the camera's power, its cable and its address",
}

_PASSWORD: Final = re.compile(r"//[^/@\s]*@")
_DAMAGE: Final = re.compile("error while decoding|concealing|corrupt|premature end|missing reference", re.IGNORECASE)
"""What decoders say of a picture that they have patched up."""


def rtsp(camera: RtspCamera, host: Host) -> Iterator[Taken]:
    """What the camera sends over TCP, until it ends: then `CameraTrouble` says why."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = (
        "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|analyzeduration;1000000"
    )
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(OPEN_S * 1e3)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, max(1, round(camera.stall_s * 1e3))),
        *(cv2.CAP_PROP_N_THREADS, 1),  # each further thread would hold back one picture
    ]
    with _opened(camera.url, cv2.CAP_FFMPEG, limits, host) as capture:
        yield from _grabbed(capture, host, camera.stall_s)
        raise CameraTrouble(_why(host, "it sends nothing more: check the camera's power and its cable"))


def usb(camera: UsbCamera, host: Host) -> Iterator[Taken]:
    """What the camera of this machine gives, until it is pulled out."""
    os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] = str(max(1, round(camera.stall_s)))
    wishes = [
        *(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        *(cv2.CAP_PROP_FRAME_WIDTH, camera.width),
        *(cv2.CAP_PROP_FRAME_HEIGHT, camera.height),
        *(cv2.CAP_PROP_FPS, round(camera.fps)),
    ]
    with _opened(camera.device, cv2.CAP_ANY, wishes, host) as capture:
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        yield from _grabbed(capture, host, camera.stall_s)
        raise CameraTrouble(_why(host, "it gives nothing more: check its plug"))


def video(camera: VideoCamera, host: Host) -> Iterator[Taken]:
    """A file at its own pace, once or for ever."""
    if not camera.path.is_file():
        raise CameraTrouble(f"there is no file {camera.path}: correct the camera's path")
    while True:
        shown = False
        with _opened(str(camera.path), cv2.CAP_FFMPEG, [], host) as capture:
            began_s = time.monotonic()
            for taken in _grabbed(capture, host, math.inf):
                due_s = began_s + capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
                host.pause(max(0.0, due_s - time.monotonic()))
                shown = True
                yield taken._replace(at_us=steady_us())
        if not shown:
            raise CameraTrouble(_why(host, f"{camera.path} holds no picture that can be read"))
        if not camera.repeat:
            return


@contextmanager
def _opened(place: str | int, backend: int, settings: list[int], host: Host) -> Iterator[cv2.VideoCapture]:
    capture = cv2.VideoCapture(place, backend, settings)
    try:
        if not capture.isOpened():
            raise CameraTrouble(_why(host, "it cannot be opened: check that it is there, and of the kind that is said"))
        yield capture
    finally:
        capture.release()


def _grabbed(capture: cv2.VideoCapture, host: Host, stall_s: float) -> Iterator[Taken]:
    asked_s = time.monotonic()
    while capture.grab():
        at_us = steady_us()
        there, image = capture.retrieve()
        if there and not _DAMAGE.search(host.complaint()):
            yield Taken(at_us, np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8))
        else:
            host.count("torn")
            host.trouble(TORN)
        asked_s = time.monotonic()
    host.count("stalls", time.monotonic() - asked_s > 0.9 * stall_s)


def _why(host: Host, otherwise: str) -> str:
    """What the driver complained of, in words for the staff."""
    complaint = _PASSWORD.sub("//", host.complaint())
    known = next((words for sign, words in _ADVICE.items() if sign in complaint), "")
    return known or (f"{otherwise} ({complaint})" if complaint else otherwise)
