"""A line's inspector as a child process of the agent, and the talk with it.

    agent                                   inspector (edge/vision/inspector/process.py)
      |-- Begin, WantCrop, UseModels, ... ------>|
      |<-------- FrameSeen, Crop, Figures, ... --|    over one socket; each message:

     0               4
     +---------------+----------------------+
     | length, int32 | MessagePack, a union |         as multiprocessing.connection.Connection frames it
     +---------------+----------------------+

The end of the socket is the end of the other side: an agent that is killed leaves no inspector behind.
"""

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import structlog

from edge.errors import InspectorGone
from edge.vision.messages import Begin, Told, WantCrop, Wanted

COMMAND: Final = (sys.executable, "-m", "edge.vision.inspector.process")
START_S: Final = 60.0
"""It loads OpenCV, onnxruntime and its models before it tells anything, on a machine that may be busy."""
SILENT_S: Final = 20.0
"""It tells its figures every few seconds: silent for so long, it hangs."""
_END_S: Final = 1.0
_MAX_MESSAGE: Final = 1 << 20
_MAX_UNREAD: Final = 1 << 18
"""Bytes that may wait for an inspector which does not listen; then no more pictures are asked of it, and of what it
shall use the newest is told when it has read."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def inspector(begin: Begin, command: Sequence[str] = COMMAND) -> "AsyncIterator[InspectorProcess]":
    """Start one, and end it in the end: by closing the socket, with SIGTERM, and a second later with SIGKILL."""
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_MAX_MESSAGE)
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the agent alone: it ends its children in order
            )
        except BaseException:
            writer.close()
            raise
    try:
        process = InspectorProcess(child, reader, writer)
        process.tell(begin)
        yield process
    finally:
        writer.close()
        await _end(child)


class InspectorProcess:
    """One that runs."""

    def __init__(
        self, child: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = child.pid
        self._child, self._reader, self._writer = child, reader, writer
        self._patience_s = START_S
        self._owed: dict[type[Wanted], Wanted] = {}
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Told] = msgspec.msgpack.Decoder(Told)

    @property
    def unheard(self) -> int:
        """Bytes that it has not come to read yet."""
        return self._writer.transport.get_write_buffer_size()

    def tell(self, wanted: Wanted) -> None:
        """Ask something of it. While it does not listen a `WantCrop` is dropped, and of all else each kind's newest
        waits: it goes with the next `told` that finds it listening again.
        """
        if not isinstance(wanted, WantCrop):
            self._owed.pop(type(wanted), None)
            self._owed[type(wanted)] = wanted
            self._pay()
        elif self._listens:
            self._write(wanted)

    async def told(self) -> Told:
        """The next thing it tells. Raises `InspectorGone` when it has ended, hangs or tells what is no message."""
        self._pay()
        try:
            async with asyncio.timeout(self._patience_s):
                (length,) = struct.unpack("!i", await self._reader.readexactly(4))
                if not 0 < length <= _MAX_MESSAGE:
                    raise InspectorGone(f"told a message of {length} bytes")
                body = await self._reader.readexactly(length)
            self._patience_s = SILENT_S
            return self._decoder.decode(body)
        except TimeoutError:
            raise InspectorGone(f"has told nothing for {self._patience_s:g} s") from None
        except msgspec.MsgspecError as error:
            raise InspectorGone(f"told what is no message: {error}") from error
        except (asyncio.IncompleteReadError, OSError):
            raise InspectorGone(f"ended with status {await self._status()}") from None

    @property
    def _listens(self) -> bool:
        return self.unheard < _MAX_UNREAD

    def _pay(self) -> None:
        while self._owed and self._listens:
            self._write(self._owed.pop(next(iter(self._owed))))

    def _write(self, wanted: Wanted) -> None:
        body = self._encoder.encode(wanted)
        self._writer.write(struct.pack("!i", len(body)) + body)

    async def _status(self) -> int | str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                return await self._child.wait()
        return "unknown: it closed its socket and runs on"


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await child.wait()
    except TimeoutError:
        log.warning("inspector did not end in time, killing it", pid=child.pid)
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
