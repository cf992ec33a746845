"""The real cloud service on a free port of the loopback interface: in a process to be killed, or in a thread."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from influx import free_port

from cloud import app
from contract.site import Cloud

START_S = 30.0
_MAIN = "import asyncio, sys; from cloud import app; from contract.site import Cloud;"
_MAIN += "asyncio.run(app.run(Cloud.model_validate_json(sys.argv[1])))"


class CloudProcess:
    """One process over a database file. Its port stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = Cloud(url=self.url, port=self.port, database=f"sqlite:///{folder}/cloud.db")
        self._log = folder / "cloud.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "CloudProcess":
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-c", _MAIN, self.settings.model_dump_json()]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        ends = time.monotonic() + START_S
        while not self._answers():
            dead = self._process.poll() is not None or time.monotonic() > ends
            assert not dead, self._log.read_text()[-3000:]
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """End it with SIGINT, as Ctrl-C does."""
        if self._process is not None:
            self._process.send_signal(2)
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)
        self._process = None

    def _answers(self) -> bool:
        return answers(self.url)


@contextmanager
def cloud_thread(folder: Path) -> Iterator[str]:
    """The service in a thread of this process, which starts at once; its address."""
    port = free_port()
    loop = asyncio.new_event_loop()
    task = loop.create_task(app.run(Cloud(port=port, database=f"sqlite:///{folder}/cloud.db")))

    def serve() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    ends = time.monotonic() + START_S
    while not answers(url):
        assert thread.is_alive(), "the cloud ended"
        assert time.monotonic() < ends, "the cloud does not answer"
        time.sleep(0.02)
    yield url
    loop.call_soon_threadsafe(task.cancel)
    thread.join(20)
    loop.close()


def answers(url: str) -> bool:
    """Whether a service is well."""
    try:
        return httpx.get(f"{url}/healthz", timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False
