"""The images of a folder as if a camera took them: in the order of their names, so many a second."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contract.site import FolderCamera
from edge.errors import BadImage, CameraTrouble
from edge.vision import images
from edge.vision.camera.source import Host, Taken
from edge.vision.views import Image

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def pictures(camera: FolderCamera, host: Host) -> Iterator[Taken]:
    """Once through the folder, or for ever. Bad images are noted, counted as `bad` and passed over.

    Raises `CameraTrouble` when the folder cannot be read, or holds no good image.
    """
    due_s = time.monotonic()
    while True:
        good = False
        for path in _paths(camera.path):
            try:
                image = _whole(path, host)
            except BadImage as error:
                host.count("bad")
                host.note(f"passed over: {error}")
                continue
            due_s = max(due_s + 1 / camera.fps, time.monotonic() - 1 / camera.fps)
            host.pause(max(0.0, due_s - time.monotonic()))
            good = True
            yield Taken(time.time_ns() // 1000, image)
        if not good:
            raise CameraTrouble(f"{camera.path} holds no image that can be read: put some there")
        if not camera.repeat:
            return


def _whole(path: Path, host: Host) -> Image:
    """A picture that libjpeg did not complain of. Raises BadImage."""
    host.complaint()
    image = images.read(path)
    if images.means_damage(said := host.complaint()):
        raise BadImage(f"{path}: torn or damaged: {said}")
    return image


def _paths(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise CameraTrouble(f"{folder} cannot be read ({error.strerror}): correct the camera's path") from error
