"""The processes of a house on one machine: started, watched, started again when they die, stopped in order."""

import asyncio
import ctypes
import os
import random
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

log = structlog.get_logger()

STOP_S = 8.0
"""How long a process may take to end after SIGTERM before it is killed."""
RESTART_S = 1.0
_PR_SET_PDEATHSIG = 1


class Process:
    """One child process with its log file. `run` starts it again whenever it ends, until it is cancelled."""

    def __init__(self, name: str, argv: Sequence[str], log_file: Path) -> None:
        self.name = name
        self.restarts = 0
        self.pid: int | None = None
        self._argv = tuple(argv)
        self._log_file = log_file

    async def run(self) -> None:
        """Keep the process running until cancelled; then end it with SIGTERM, or with SIGKILL if it will not."""
        while True:
            with self._log_file.open("ab") as output:
                child = await asyncio.create_subprocess_exec(
                    *self._argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C goes to us alone: we end the children in order
                    preexec_fn=partial(_die_with, os.getpid()) if sys.platform == "linux" else None,
                )
            self.pid = child.pid
            try:
                status = await child.wait()
            except asyncio.CancelledError:
                await _end(child)
                raise
            finally:
                self.pid = None
            self.restarts += 1
            log.warning("process ended, starting it again", process=self.name, status=status, log=str(self._log_file))
            await asyncio.sleep(RESTART_S)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that the process wrote, for an error message."""
        try:
            return "\n".join(self._log_file.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def free_port(wanted: int, host: str = "127.0.0.1") -> int:
    """`wanted` if it is one and nothing listens there, else a free port: none of those that the system gives to
    connections that go out (32768 and above on Linux), or one of them might take it before its server does."""
    others = (random.randrange(12_000, 32_000) for _ in range(100))
    for port in (wanted, *others) if wanted else others:
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    raise OSError(f"no free port on {host}")


async def _end(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await child.wait()
    except TimeoutError:
        log.warning("process did not end in time, killing it", pid=child.pid)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


def _die_with(parent: int) -> None:
    """In the child, before it becomes what it shall be."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)  # the parent died before we asked to be told
