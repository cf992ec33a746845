"""The real influxd, on free ports of the loopback interface."""

import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_S = 30.0


def installed() -> bool:
    """Whether this machine has influxd."""
    return shutil.which("influxd") is not None


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Influxd:
    """One server process with its data in a folder. Its port stays the same over restarts."""

    def __init__(self, folder: Path, *, asks_for_a_password: bool = False) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
            "INFLUXDB_HTTP_AUTH_ENABLED": str(asks_for_a_password).lower(),
            "INFLUXDB_HTTP_LOG_ENABLED": "false",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            "INFLUXDB_META_DIR": str(folder / "meta"),
            "INFLUXDB_DATA_DIR": str(folder / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(folder / "wal"),
            "HOME": str(folder),
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(["influxd"], env=self._environment, stdout=log, stderr=log)
        ends = time.monotonic() + START_S
        while not self._answers():
            dead = self._process.poll() is not None or time.monotonic() > ends
            assert not dead, (self._folder / "log").read_text()[-2000:]
            time.sleep(0.05)

    def stop(self) -> None:
        """End it with SIGTERM."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        yield
        self._process.send_signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Throw its data away; it must not be running."""
        assert self._process is None
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=1) as answer:
                return bool(answer.status == 204)
        except (urllib.error.URLError, OSError):
            return False
