"""Starts a process of the house; an edge agent gets a clock of its own, set by the file `clock` beside the site file.

python ownclock.py PROGRAM ARGUMENT...      the file says by how many seconds it is ahead, as libfaketime reads it
"""

import os
import sys
from pathlib import Path

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


def main(argv: list[str]) -> None:
    """Become the program."""
    if "edge" in argv:
        assert LIBRARY is not None, "libfaketime is not installed: apt-get install faketime"
        config = Path(argv[argv.index("--config") + 1])
        os.environ |= {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(config.parent / "clock"),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1:])
