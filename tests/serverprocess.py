"""A server in a process of its own, as the tests need one: started, awaited, frozen, stopped and killed."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from firmware_sim import processes

START_S = 30.0
STOP_S = 20.0


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now, and that no outgoing connection will take."""
    return processes.free_port(0)


class ServerProcess:
    """One program with its log file; it may be started again after it was stopped or killed."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        answers: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = list(command)
        self._log = log
        self._answers = answers
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started, and neither stopped nor killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start it and wait until it answers; one that ends instead, or never answers, fails with its log."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        ends = time.monotonic() + START_S
        while not self._answers():
            dead = self._process.poll() is not None or time.monotonic() > ends
            assert not dead, self._log.read_text(errors="replace")[-3000:]
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ask it to end, as Ctrl-C does, and the hard way if it does not listen."""
        if self._process is not None:
            process, self._process = self._process, None
            process.send_signal(how)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process is not None
        process, self._process = self._process, None
        process.kill()
        process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still while its connections stay: a black hole."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)
