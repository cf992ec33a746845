"""Files that are replaced as a whole: who reads one sees the old or the new, never half of it."""

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
    except OSError:
        draft.unlink(missing_ok=True)
        raise
