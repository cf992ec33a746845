"""A person's errand at a reader: a conversation of some seconds, in which one thing is done after the other."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from struct import pack
from typing import Final

from edge.errors import BadFrame, Blinded, Unreachable
from edge.llrp import impinj
from edge.llrp.accessspec import ACCESSSPEC_ID, ROSPEC_ID, Op, accessspec
from edge.llrp.answers import Abilities, abilities, below, check_greeting, refusal
from edge.llrp.calls import Call
from edge.llrp.frames import Frame, Frames
from edge.llrp.request import message
from edge.llrp.sighting import Sighting, sightings

MAX_UNREAD: Final = 1000
"""Sightings that wait to be heard; beyond, the oldest are forgotten: a tag in the field is heard again."""
MAX_NONSENSE: Final = 20
MAX_OPS: Final = 8
"""Operations of one AccessSpec."""
_ID_AT: Final = 4
"""Of an ROSpec parameter: behind its header."""
OURS: Final = pack(">I", ACCESSSPEC_ID)
"""Body of a request that is about our AccessSpec."""
_ADVICE: Final = "stop the agent that reads with it, or use another reader"


class Errand:
    """One conversation with a reader that is ours for the moment. Every method raises `LlrpError`."""

    able: Abilities
    """Of the reader, once it was met."""
    extended = False
    """It takes its vendor's parameters."""

    def __init__(self, call: Call, answer_s: float) -> None:
        self._stream, self._writer, self._answer_s = call.stream, call.writer, answer_s
        self._frames = Frames()
        self._frames.feed(call.heard)
        self._unread: deque[Sighting] = deque(maxlen=MAX_UNREAD)
        self._last_id = 0
        self._nonsense = 0
        self._first = 0
        """Number of the present AccessSpec's first operation; no two AccessSpecs of an errand have one in common."""

    async def meet(self, *, vendor_extensions: bool) -> None:
        """Be greeted, learn what the reader is able to, and enable the extensions of a vendor that we know."""
        await self._greeted()
        self.able = abilities((await self.ask("GET_READER_CAPABILITIES", b"\0")).fields())
        if vendor_extensions and self.able.vendor == impinj.VENDOR:
            answer = await self.tell("CUSTOM_MESSAGE", impinj.ENABLE_EXTENSIONS)
            self.extended = impinj.extensions_enabled(answer.fields())

    async def _greeted(self) -> None:
        """Wait for the ConnectionAttemptEvent (LLRP 1.0.1 section 13.2.6.11)."""
        async with _within(self._answer_s, "the reader does not greet"):
            while True:
                frame = await self._next()
                data = below(frame.fields(), "ReaderEventNotificationData")
                if "ConnectionAttemptEvent" in data:
                    return check_greeting(below(data, "ConnectionAttemptEvent"), _ADVICE)

    async def ask(self, name: str, body: bytes = b"") -> Frame:
        """The answer to a request; raises `Blinded` if it is a refusal."""
        answer = await self.tell(name, body)
        if why := refusal(answer.fields()):
            raise Blinded(f"the reader refuses {name}: {why}")
        return answer

    async def tell(self, name: str, body: bytes = b"") -> Frame:
        """The answer to a request, whatever it says."""
        self._last_id += 1
        self._writer.write(message(name, self._last_id, body))
        async with _within(self._answer_s, f"the reader does not answer {name}"):
            while True:
                frame = await self._next()
                if frame.id == self._last_id and frame.name in (f"{name}_RESPONSE", "ERROR_MESSAGE", "CUSTOM_MESSAGE"):
                    return frame

    async def set_to(self, ops: Sequence[Op], tid: bytes = b"", *, runs: int) -> None:
        """Do this from now on to the tags whose TID begins so, instead of what was to be done before.

        Sightings then have the results of these operations, by their place from 0 on, and of no others.
        """
        await self.tell("DELETE_ACCESSSPEC", OURS)
        self._unread.clear()
        self._first += MAX_OPS
        await self.ask("ADD_ACCESSSPEC", accessspec(ops, tid, first=self._first, runs=runs))
        await self.ask("ENABLE_ACCESSSPEC", OURS)

    async def hear(self, seconds: float, enough: Callable[[Sighting], bool]) -> list[Sighting]:
        """Sightings until one is `enough`, or until the time is over.

        Where there were none, the reader is asked something: a field may be silent, a reader may not.
        """
        heard: list[Sighting] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not heard or not enough(heard[-1]):
                    while not self._unread:
                        await self._next()
                    heard.append(self._unread.popleft())
        if not heard:
            await self.ask("GET_ROSPECS")
        return heard

    async def read_by(self, add_rospec: bytes) -> None:
        """Read by another ROSpec from now on, given as the body of its ADD_ROSPEC; it gets our own id."""
        ours = pack(">I", ROSPEC_ID)
        await self.ask("DELETE_ROSPEC", ours)
        await self.ask("ADD_ROSPEC", add_rospec[:_ID_AT] + ours + add_rospec[_ID_AT + len(ours) :])
        for request in ("ENABLE_ROSPEC", "START_ROSPEC"):
            await self.ask(request, ours)

    async def listen(self, seconds: float, take: Callable[[Frame], None]) -> None:
        """Hand on every message of so many seconds as it comes; at the end, see that the reader is still there.

        `take` raises `BadFrame` for one that it cannot read, and nothing else.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    frame = await self._next()
                    try:
                        take(frame)
                    except BadFrame as error:
                        self._endure(error)
        await self.ask("GET_ROSPECS")

    def start(self, name: str, body: bytes = b"") -> None:
        """A message without an answer."""
        self._last_id += 1
        self._writer.write(message(name, self._last_id, body))

    async def _next(self) -> Frame:
        """The next message, after what every message asks for: keepalives acknowledged, sightings kept."""
        while True:
            try:
                frame = self._frames.take()
                if frame is not None:
                    self._mind(frame)
                    return frame
            except BadFrame as error:
                self._endure(error)
                continue
            data = await self._stream.read(65536)
            if not data:
                raise Unreachable("the reader hung up")
            self._frames.feed(data)

    def _endure(self, error: BadFrame) -> None:
        self._frames.reject(error)
        self._nonsense += 1
        if self._nonsense > MAX_NONSENSE:
            raise Unreachable("what answers does not speak LLRP") from error

    def _mind(self, frame: Frame) -> None:
        match frame.name:
            case "KEEPALIVE":
                self._writer.write(message("KEEPALIVE_ACK", frame.id))
            case "RO_ACCESS_REPORT" if self._first:
                self._unread.extend(sightings(frame.fields(), self._first))
            case "READER_EVENT_NOTIFICATION":
                if "ConnectionCloseEvent" in below(frame.fields(), "ReaderEventNotificationData"):
                    raise Unreachable("the reader closed the connection")


@asynccontextmanager
async def _within(seconds: float, what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unreachable(f"{what} within {seconds:g} s") from error
