"""Files that are replaced as a whole: who reads one sees the old or the new, never half of it."""

import contextlib
import os
from pathlib import Path
from typing import Final

SUFFIX: Final = ".new"
"""Of a draft beside its file; one that is left over is of a process that was killed."""


def replace_file(path: Path, data: bytes, *, durable: bool) -> None:
    """Write a draft and put it in place by one rename; `durable`: wait until it is on the disk.

    The folder is made where there is none. Raises OSError; then the file is as it was, and no draft is left. Two that
    write one file at the same time must be two processes.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}{SUFFIX}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.replace(path)
        if durable:
            _force(path.parent)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _force(folder: Path) -> None:
    """To the disk: until then a rename in it may be lost. Some file systems cannot do that to a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
