"""The images of a folder as if a camera took them: in the order of their names, so many a second."""

import time
from collections.abc import Iterator
from pathlib import Path

from contract.sortingline import FolderCamera
from edge.errors import BadImage, CameraTrouble
from edge.steadyclock import steady_us
from edge.vision import images
from edge.vision.camera.source import Host, Taken


def pictures(camera: FolderCamera, host: Host) -> Iterator[Taken]:
    """Once through the folder, or for ever. Bad images are noted, counted as `bad` and passed over.

    Raises `CameraTrouble` when the folder cannot be read, or holds no good image.
    """
    due_s = time.monotonic()
    while True:
        good = False
        for path in _paths(camera.path):
            try:
                image = images.read(path, complaint=host.complaint)
            except BadImage as error:
                host.count("bad")
                host.note(f"passed over: {error}")
                continue
            due_s = max(due_s + 1 / camera.fps, time.monotonic() - 1 / camera.fps)
            host.pause(max(0.0, due_s - time.monotonic()))
            good = True
            yield Taken(steady_us(), image)
        if not good:
            raise CameraTrouble(f"{camera.path} holds no image that can be read: put some there")
        if not camera.repeat:
            return


def _paths(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in images.SUFFIXES)
    except OSError as error:
        raise CameraTrouble(f"{folder} cannot be read ({error.strerror}): correct the camera's path") from error
