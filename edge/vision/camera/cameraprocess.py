"""One camera process from its start to its end, as its parent sees it."""

import fcntl
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from contract.sortingline import AnyCamera
from edge.vision.camera.framepipe import PIPE_OCTETS, Assembly, BadPipe, Beat, Said
from edge.vision.camera.source import patience_s

START_S: Final = 60.0
"""A process that has not said a word after this long hangs; a busy machine loads OpenCV slowly."""
SILENT_S: Final = 8.0
"""The same for one that has spoken before: it beats twice a second."""
STOP_S: Final = 0.8
"""How long it may take to end when asked, before it is killed."""


class Gone(Exception):
    """The process has died or hangs; the text says which. Leave it: what is left of it is killed then."""


class CameraProcess:
    """`captured.py` at work, as a context manager that leaves nothing of it."""

    def __init__(self, camera: AnyCamera) -> None:
        self._camera = camera
        self._patience_s = START_S
        self._heard_s = time.monotonic()

    def __enter__(self) -> Self:
        """Start it. Raises `Gone` when it cannot be."""
        try:
            self._out, into = os.pipe()
            try:
                self._child = self._start(into)
            except OSError:
                os.close(self._out)
                raise
            finally:
                os.close(into)
        except OSError as error:
            raise Gone(f"it cannot be started: {error}") from error
        os.set_blocking(self._out, False)
        self._assembly = Assembly(self._out)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.terminate()
        try:
            self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        os.close(self._out)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    def says(self, timeout_s: float, stop: int) -> Said | None:
        """The next message, if it is complete in that time and before `stop` can be read. Raises `Gone`."""
        ready, _, _ = select.select([self._out, stop], [], [], timeout_s)
        if stop in ready:
            return None
        if not ready:
            if time.monotonic() - self._heard_s > self._patience_s:
                raise Gone(f"no sign of life for {self._patience_s:g} s")
            return None
        try:
            said = self._assembly.read()
        except EOFError as error:
            raise Gone("it died") from error
        except BadPipe as error:
            raise Gone(str(error)) from error
        self._heard_s = time.monotonic()
        if said is not None:
            self._patience_s = SILENT_S
        if isinstance(said, Beat) and said.quiet_s > patience_s(self._camera):
            raise Gone(f"its driver has hung for {said.quiet_s:.0f} s")
        return said

    def _start(self, into: int) -> "subprocess.Popen[bytes]":
        if sys.platform == "linux":
            with suppress(OSError):  # there is a limit for each user, but it goes with less, too
                fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, PIPE_OCTETS)
        child = subprocess.Popen(
            [sys.executable, "-m", "edge.vision.camera.captured", str(os.getpid()), str(into)],
            stdin=subprocess.PIPE,
            pass_fds=[into],
            start_new_session=True,  # Ctrl-C is for us alone
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
        )
        assert child.stdin is not None
        with suppress(BrokenPipeError), child.stdin as settings:  # it died at once: the pipe tells
            settings.write(self._camera.model_dump_json().encode())  # not in argv: it may hold a password
        return child
