"""What the C libraries under OpenCV say on stderr: the only place where libjpeg and FFmpeg say what is wrong.

libjpeg decodes a picture whose middle is missing, fills it with grey, and writes "Corrupt JPEG data". OpenCV does not
pass that on. So in the camera's process, where nothing else decodes, stderr is a file that is looked at.
"""

import os
import re
import sys
import tempfile
from typing import Final

_PREFIX: Final = re.compile(r"^\[[^\]]* @ [^\]]*\] *")
"""What FFmpeg puts before each line: a part of it, and an address that is another each time."""
_OPENCV: Final = re.compile(r"\[ *(WARN|ERROR|INFO|DEBUG):(?!.*timeout)")
"""What OpenCV itself says is about its own backends and helps nobody, but for its time limits."""
MOST: Final = 4_000
"""Characters that are kept; a library in trouble writes without end."""


class Complaints:
    """Takes descriptor 2 of this process for good; Python's own errors still go where it led before."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (for the life of the process)
        sys.stderr = os.fdopen(os.dup(2), "w", errors="backslashreplace")  # as Python does it
        os.dup2(self._file.fileno(), 2)

    def fetch(self) -> str:
        """What was written since the last time, in one line; empty nearly always."""
        descriptor = self._file.fileno()
        written = os.lseek(descriptor, 0, os.SEEK_CUR)
        if not written:
            return ""
        text = os.pread(descriptor, MOST, max(0, written - MOST)).decode(errors="replace")
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        lines = [_PREFIX.sub("", line).strip() for line in text.split("\n")]
        return " | ".join(dict.fromkeys(line for line in lines if line and not _OPENCV.match(line)))
