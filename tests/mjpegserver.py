"""A camera's HTTP server for tests: real sockets, and a script for what goes wrong."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
BOUNDARY = b"line"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=line\r\n\r\n"
EVERY_S = 0.03


class Call:
    """One client's request, and the way back to it."""

    def __init__(self, head: str, writer: asyncio.StreamWriter, number: int) -> None:
        self.path = head.split(" ")[1]
        self.headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in head.split("\r\n"))}
        self.number = number
        """Counts from 1 over all requests."""
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, status: str, headers: str = "", body: bytes = b"") -> None:
        await self.send(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def show(self, jpeg: bytes, every_s: float = EVERY_S) -> None:
        await self.send(part(jpeg))
        await asyncio.sleep(every_s)

    async def stream(self, images: Iterator[bytes]) -> None:
        await self.send(STREAM)
        for jpeg in images:
            await self.show(jpeg)


Script = Callable[[Call], Awaitable[None]]


class CameraServer:
    """Answers every request by the script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._calls = 0
        self.port = 0

    def url(self, path: str = "/video", user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}{path}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._calls += 1
        with suppress(OSError, EOFError, asyncio.CancelledError):  # the client is free to go, and so are we
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await self._script(Call(head, writer, self._calls))
        writer.close()


@contextmanager
def served(script: Script, port: int = 0) -> Iterator[CameraServer]:
    """The server, on a free port if none is said."""
    camera = CameraServer(script)
    with listening(camera.answer, port) as camera.port:
        yield camera


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def listening(answer: Answer, port: int = 0) -> Iterator[int]:
    """A TCP server of any kind in a thread of its own; the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(answer, "127.0.0.1", port), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def part(jpeg: bytes) -> bytes:
    return b"--line\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)


def scene(number: int, size: tuple[int, int] = (160, 96)) -> Image:
    """What a live camera shows: a lit belt, a red fruit that moves, the sensor's noise. RGB."""
    width, height = size
    rows, columns = np.mgrid[:height, :width]
    light = (60 + 60 * columns / width).astype(np.float32)
    image = np.repeat(light[..., None], 3, axis=2)
    image[(rows - height / 2) ** 2 + (columns - number * 3 % width) ** 2 < (height / 4) ** 2] = (200, 30, 30)
    noise = np.random.default_rng(number).normal(0, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def jpeg(image: Image, quality: int = 95) -> bytes:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def belt(first: int = 0, size: tuple[int, int] = (160, 96)) -> Iterator[bytes]:
    """JPEGs of a belt without end."""
    number = first
    while True:
        yield jpeg(scene(number, size))
        number += 1
