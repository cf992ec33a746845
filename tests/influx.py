"""The real influxd, on free ports of the loopback interface."""

import shutil
import signal
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from serverprocess import ServerProcess, free_port


class Influxd:
    """One server process with its data in a folder. Its port stays the same over restarts.

    Skips the test where influxd is not installed.
    """

    def __init__(self, folder: Path, *, asks_for_a_password: bool = False) -> None:
        program = shutil.which("influxd")
        if program is None:
            pytest.skip("influxd is not installed: apt-get install influxdb")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        environment = {
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
            "INFLUXDB_HTTP_AUTH_ENABLED": str(asks_for_a_password).lower(),
            "INFLUXDB_HTTP_LOG_ENABLED": "false",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            "INFLUXDB_META_DIR": str(folder / "meta"),
            "INFLUXDB_DATA_DIR": str(folder / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(folder / "wal"),
            "HOME": str(folder),
        }
        self._process = ServerProcess([program], folder / "log", self._answers, environment)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process.start()

    def stop(self) -> None:
        """End it with SIGTERM."""
        self._process.stop(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()

    def frozen(self) -> AbstractContextManager[None]:
        """While the block lasts it takes connections and answers nothing."""
        return self._process.frozen()

    def wipe(self) -> None:
        """Throw its data away; it must not be running."""
        assert not self._process.running
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=1) as answer:
                return bool(answer.status == 204)
        except OSError:
            return False
