"""A camera on the network: Motion JPEG over HTTP, with every trouble that such a camera makes.

client -- GET /belt.mjpg ------------------------------> camera
       <- 200 multipart/x-mixed-replace; boundary=frame
       <- --frame, Content-Type, Content-Length,         for ever; a slow client misses pictures, never lags behind
          X-Timestamp (seconds since 1970), JPEG
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_sim.errors import SimError
from firmware_sim.flaws import Look, Part, looked, torn

CameraTrouble = Literal["freeze", "black", "cap", "blur", "swapped", "dim", "torn", "dropping", "cut", "stall"]
"""`freeze`: the same picture again and again; `cut`: no connection lasts; `stall`: connections stay, and nothing comes;
`dropping`: most pictures are missing; `torn`: every second one is damaged; the others: see flaws.Look."""
TROUBLES: tuple[CameraTrouble, ...] = (
    "freeze",
    "black",
    "cap",
    "blur",
    "swapped",
    "dim",
    "torn",
    "dropping",
    "cut",
    "stall",
)
QUALITY = 85
MAX_CLIENTS = 16
_LOOKS: dict[CameraTrouble, Look] = {
    "black": "black",
    "cap": "cap",
    "blur": "blur",
    "swapped": "swapped",
    "dim": "dim",
}
_LOST_SHARE, _TORN_SHARE = {"dropping": 0.8}, {"torn": 0.5}
_REQUEST_S = 5.0
_MAX_REQUEST = 8192
_SEND_BUFFER = 64 * 1024
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    b"Cache-Control: no-store\r\nConnection: close\r\n\r\n"
)

Shoot = Callable[[int], NDArray[np.uint8]]
"""Takes the picture of a moment: RGB."""


class CameraPlan(NamedTuple):
    """Where a camera is found, and what it takes."""

    host: str
    port: int
    path: str
    width_px: int
    height_px: int
    fps: float


def plan_of(url: str) -> CameraPlan:
    """The camera behind a URL such as http://127.0.0.1:8560/belt.mjpg?width=640&height=360&fps=12.

    What the query leaves out is as in this example. Raises `SimError`.
    """
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        width, height, fps = (
            float(query.get(key, [usual])[-1]) for key, usual in (("width", "640"), ("height", "360"), ("fps", "12"))
        )
        if parts.scheme != "http" or not (64 <= width <= 4096 and 64 <= height <= 4096 and 0.2 <= fps <= 120):
            raise ValueError("http, 64 to 4096 pixels a side and 0.2 to 120 fps are wanted")
        port = 80 if parts.port is None else parts.port
        return CameraPlan(parts.hostname or "", port, parts.path or "/", int(width), int(height), fps)
    except ValueError as error:
        raise SimError(f"camera {url}: {error}") from error


class Camera:
    """A camera: `async with Camera(plan, shoot, clock) as camera: ...`, with `camera.run()` as a task.

    `shoot` runs in a thread; so does `between`, after each picture, for what can be made ready then.
    """

    def __init__(
        self,
        plan: CameraPlan,
        shoot: Shoot,
        clock_us: Callable[[], int],
        *,
        between: Callable[[int], object] = lambda _: None,
        seed: int = 0,
        lost_share: float = 0.0,
        torn_share: float = 0.0,
    ) -> None:
        self.sent = 0
        """Pictures taken and offered to whoever was connected."""
        self._plan = plan
        self._shoot = shoot
        self._between = between
        self._clock_us = clock_us
        self._random = Random(f"camera {seed}")
        self._shares = lost_share, torn_share
        self._trouble: CameraTrouble | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._closed = False
        self._server: asyncio.Server | None = None
        self._next: asyncio.Future[bytes] | None = None
        self._watched = asyncio.Event()
        self._frozen: NDArray[np.uint8] | None = None

    async def __aenter__(self) -> "Camera":
        try:
            self._server = await asyncio.start_server(self._serve, self._plan.host, self._plan.port, limit=_MAX_REQUEST)
        except OSError as error:
            raise SimError(f"camera: cannot listen on {self._plan.host}:{self._plan.port}: {error}") from error
        self._plan = self._plan._replace(port=self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self._closed = True
        if self._next is not None:
            self._next.cancel()
        for writer in self._connections.values():
            writer.transport.abort()
        if self._connections:
            await asyncio.wait(self._connections)

    @property
    def url(self) -> str:
        """Where it is found."""
        return f"http://{self._plan.host}:{self._plan.port}{self._plan.path}"

    @property
    def clients(self) -> int:
        """Connections that get pictures."""
        return len(self._clients)

    async def until_watched(self) -> None:
        """Wait until somebody gets pictures."""
        await self._watched.wait()

    # Faults

    def suffer(self, trouble: CameraTrouble) -> None:
        """From now on, until `recover`."""
        self._trouble, self._frozen = trouble, None
        if trouble == "cut":
            self._hang_up()

    def recover(self) -> None:
        """All is well again."""
        self._trouble, self._frozen = None, None

    async def run(self) -> None:
        """Take pictures while anybody watches, until cancelled. A picture that takes too long delays the next."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            await self._watched.wait()
            due_s = max(due_s + 1 / self._plan.fps, loop.time())
            await asyncio.sleep(due_s - loop.time())
            lost, damaged = self._chances()
            if self._trouble != "stall" and self._random.random() >= lost:
                now_us = self._clock_us()
                jpeg = await asyncio.to_thread(self._take, now_us)
                part = torn(jpeg, self._random) if self._random.random() < damaged else Part(len(jpeg), jpeg)
                self._offer(part, now_us)
                await asyncio.to_thread(self._between, now_us)

    def _chances(self) -> tuple[float, float]:
        """Shares of pictures that are lost, and that are damaged."""
        trouble = self._trouble or ""
        return _LOST_SHARE.get(trouble, self._shares[0]), _TORN_SHARE.get(trouble, self._shares[1])

    def _take(self, now_us: int) -> bytes:
        """One JPEG. Runs in a thread."""
        trouble = self._trouble
        if trouble == "freeze" and self._frozen is not None:
            picture = self._frozen
        else:
            picture = looked(self._shoot(now_us), _LOOKS.get(trouble, "clear") if trouble else "clear", now_us)
        if trouble == "freeze":
            self._frozen = picture
        flags = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), flags)[1].tobytes()

    def _offer(self, part: Part, now_us: int) -> None:
        """To every client that has taken the one before."""
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {part.claimed}\r\n"
        head += f"X-Timestamp: {now_us / 1e6:.6f}\r\n\r\n"
        self.sent += 1
        if self._next is not None and not self._next.done():
            self._next.set_result(head.encode() + part.data + b"\r\n")
        self._next = None

    def _hang_up(self) -> None:
        for writer in self._clients:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            status = await self._asked(reader)
            if status is None:
                await self._stream(reader, writer)
            else:
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that goes away or talks nonsense is no trouble of the camera's
        finally:
            del self._connections[task]
            writer.close()

    async def _asked(self, reader: asyncio.StreamReader) -> str | None:
        """None if somebody wants the pictures, else what to answer."""
        async with asyncio.timeout(_REQUEST_S):
            request = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = request.partition(b" ")
        target = rest.partition(b" ")[0].decode("latin-1")
        if self._trouble == "cut":
            raise ConnectionAbortedError
        if method != b"GET":
            return "405 Method Not Allowed"
        if urlsplit(target).path != self._plan.path:
            return "404 Not Found"
        return "503 Service Unavailable" if len(self._clients) >= MAX_CLIENTS else None

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send the newest picture whenever the one before has gone out, until the client goes."""
        writer.transport.set_write_buffer_limits(high=0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._clients.add(writer)
        self._watched.set()
        leaving = asyncio.create_task(_left(reader))
        try:
            writer.write(_HEAD)
            while True:
                await writer.drain()
                writer.write(await self._newest(leaving))
        finally:
            leaving.cancel()
            self._clients.discard(writer)
            if not self._clients:
                self._watched.clear()

    async def _newest(self, leaving: asyncio.Task[None]) -> bytes:
        """The next picture; raises ConnectionAbortedError where the client leaves first, or the camera closes."""
        if self._closed:
            raise ConnectionAbortedError
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        coming = self._next
        first: set[asyncio.Future[Any]] = {coming, leaving}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done() or coming.cancelled():
            raise ConnectionAbortedError
        return coming.result()


async def _left(reader: asyncio.StreamReader) -> None:
    """Wait until the client hangs up; what it says meanwhile is nothing to us."""
    with suppress(ConnectionError):
        while await reader.read(_MAX_REQUEST):
            pass
