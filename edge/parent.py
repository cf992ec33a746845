"""What a child process of the agent does so that it does not outlive the process that started it."""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def end_with(parent: int) -> None:
    """The kernel kills this process when the thread ends that started it, even by SIGKILL (prctl(2)).

    `parent` is the process id of who started it; where that has ended already this process ends at once, with status 1.
    Elsewhere than on Linux it is for the child to notice that nobody reads what it writes.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
