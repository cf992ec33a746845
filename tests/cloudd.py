"""The real cloud service on a free port of the loopback interface: in a process to be killed, or in a thread."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from serverprocess import START_S, ServerProcess, free_port

from cloud import app
from contract.site import Cloud

_MAIN = "import asyncio, sys; from cloud import app; from contract.site import Cloud;"
_MAIN += "asyncio.run(app.run(Cloud.model_validate_json(sys.argv[1])))"


class CloudProcess:
    """One process over a database file. Its port stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = Cloud(url=self.url, port=self.port, database=f"sqlite:///{folder}/cloud.db")
        command = [sys.executable, "-c", _MAIN, self.settings.model_dump_json()]
        self._process = ServerProcess(command, folder / "cloud.log", lambda: answers(self.url))

    def start(self) -> "CloudProcess":
        """Start it and wait until it answers."""
        self._process.start()
        return self

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self._process.stop()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()


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
    try:
        url = f"http://127.0.0.1:{port}"
        ends = time.monotonic() + START_S
        while not answers(url):
            assert thread.is_alive(), "the cloud ended"
            assert time.monotonic() < ends, "the cloud does not answer"
            time.sleep(0.02)
        yield url
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(task.cancel)
        thread.join(20)
        loop.close()


def answers(url: str) -> bool:
    """Whether a service is well."""
    try:
        return httpx.get(f"{url}/healthz", timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False
