"""The cable between a browser and a gateway, which a test can pull, block or make slow.

Chromium's own offline emulation does not serve here: it leaves a stream that is already open untouched.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

CHUNK = 64 * 1024


class Cable:
    """Forwards TCP from a port of its own to another one on this machine, in a thread of its own."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._ends: set[asyncio.StreamWriter] = set()
        self._plugged = True
        self._delay_s = 0.0
        self.carried = 0
        """Bytes that came through."""
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._stop = asyncio.Event()
        ready: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve(ready)))
        self._thread.start()
        self.port = ready.result(10)

    def pull(self) -> None:
        """Every connection is closed, and new ones are too."""
        self._do(self._pull)

    def block(self) -> None:
        """A black hole: connections stay and are still accepted, and nothing comes through."""
        self._do(self._flowing.clear)

    def slow(self, delay_s: float) -> None:
        """Everything that comes through is this late."""
        self._do(lambda: setattr(self, "_delay_s", delay_s))

    def mend(self) -> None:
        """As new; what a block held back is lost with its connections."""
        self._do(self._mend)

    def close(self) -> None:
        self._do(self._pull)
        self._do(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def _do(self, change: Callable[[], object]) -> None:
        done: Future[None] = Future()

        def act() -> None:
            change()
            done.set_result(None)

        self._loop.call_soon_threadsafe(act)
        done.result(10)

    def _pull(self) -> None:
        self._plugged = False
        for end in self._ends:
            end.transport.abort()

    def _mend(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._plugged, self._delay_s = True, 0.0
        self._flowing.set()

    async def _serve(self, ready: "Future[int]") -> None:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        async with server:
            ready.set_result(server.sockets[0].getsockname()[1])
            await self._stop.wait()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._plugged:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, far_writer))
                group.create_task(self._carry(far_reader, writer))
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                await asyncio.sleep(self._delay_s)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
                self.carried += len(data)
        except OSError:
            pass  # one end is gone: so is the other
        writer.transport.abort()
