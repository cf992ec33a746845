"""A wire in memory and in a time of its own: our conversation at one end, the simulated reader's firmware at the other.

No socket, no waiting: `story` runs on a loop whose clock jumps to the next timer, so that a minute of silence takes
no time and always comes out the same.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

from contract.portals import LlrpReader, Reader
from edge.errors import LlrpError, Unreachable
from edge.llrp.clock import ReaderClock
from edge.llrp.conversation import Conversation
from edge.llrp.frames import Frame as OurFrame
from edge.llrp.frames import Frames
from edge.llrp.read import Read
from edge.llrp.session import Input, Notice, State
from firmware_sim.errors import BadFrame
from firmware_sim.llrp.facts import Facts
from firmware_sim.llrp.firmware import Firmware
from firmware_sim.llrp.frames import Frame, decode, encode
from firmware_sim.radio import TagRead

EPC = "303435fc8803d056d15b963f"
READER = LlrpReader(name="reader-1", inside=[1, 4], outside=[2, 3])
ORDINARY = Facts()
BEGAN_US = 1_800_000_000_000_000
"""The world's time when a story begins."""


def story(play: Coroutine[Any, Any, None]) -> None:
    """Run one in virtual time."""
    with asyncio.Runner(loop_factory=_Leaping) as runner:
        runner.run(play)


class Wire:
    """One reader, the connections to it one after the other, and what can happen between the two ends."""

    def __init__(
        self, reader: Reader = READER, facts: Facts = ORDINARY, *, offset_us: int = 0, gpi: bool = False
    ) -> None:
        self.reader, self.facts, self.gpi = reader, facts, gpi
        self.offset_us = offset_us
        """The reader's clock less the world's."""
        self.reads: list[Read] = []
        self.inputs: list[Input] = []
        self.notices: list[Notice] = []
        self.sent: list[str] = []
        """Names of our messages on this connection."""
        self.over: LlrpError | None = None
        """How this connection ended."""
        self.to_us = bytearray()
        """On the way."""
        self.frozen = False
        """The reader's firmware hangs: it hears and says nothing."""
        self.cut = False
        """The wire is cut, and neither end knows: what is said is lost."""
        self.deaf_to: set[str] = set()
        """Names of our messages that the reader swallows without an answer."""
        self.hung_up_on = False
        """The reader gave the connection up."""
        self._loop = asyncio.get_running_loop()
        self._unheard: list[bytes] = []
        self._news = asyncio.Event()
        self._clock: ReaderClock | None = None
        self.power_on()

    @property
    def now_us(self) -> int:
        """The world's time, and the agent's."""
        return BEGAN_US + round(self._loop.time() * 1e6)

    @property
    def state(self) -> State:
        """How far our end is."""
        return self.conversation.session.state

    @property
    def trouble(self) -> str:
        """Why our end does not rely on the reads."""
        return self.conversation.session.trouble(self.now_us)

    @property
    def counts(self) -> dict[str, int]:
        """Figures of this connection, without noughts."""
        return {name: count for name, count in self.conversation.session.counts.items() if count}

    def power_on(self) -> None:
        """A reader that remembers nothing."""
        self.firmware = Firmware(
            self.facts, lambda: self._own_us(self.now_us), self._transmit, hang_up=self._hang_up, buffer_tags=100
        )
        self._connected = False

    def connect(self) -> None:
        """A new connection; the one before, if any, is dropped at the reader's end, too."""
        self.drop()
        self.over, self.hung_up_on, self.cut = None, False, False
        self.sent.clear()
        self.to_us.clear()
        now_s = self._loop.time()
        self.conversation = Conversation(self.reader, now_s, gpi=self.gpi, before=self._clock)
        self._clock = self.conversation.session.clock
        self._connected = True
        self.firmware.connected()

    def drop(self) -> None:
        """Both ends learn that the connection is gone."""
        if self._connected:
            self._connected = False
            self.firmware.disconnected()
        self.over = self.over or Unreachable("dropped")

    def thaw(self) -> None:
        """The firmware goes on where it stood."""
        self.frozen = False
        unheard, self._unheard = self._unheard, []
        for message in unheard:
            self._to_reader(message)
        self.firmware.drain()

    def hear(self, antenna: int = 1, *, age_us: int = 0) -> int:
        """The reader hears the tag; gives when, by the world's time."""
        at_us = self.now_us - age_us
        self.firmware.hear([TagRead(at_us, EPC, antenna, -55, 100, 7, 0)], self._own_us)
        return at_us

    def order(self, message: int, body: bytes) -> None:
        """Somebody else gives the reader an order: its web page, say. The answer goes to nobody."""
        transmit, self._connected = self._connected, False
        self.firmware.handle(Frame(1, message, 7, body))
        self._connected = transmit

    async def sleep(self, seconds: float) -> None:
        """Time passes while nobody is connected."""
        await asyncio.sleep(seconds)

    async def run(self, seconds: float) -> None:
        """Let time pass, or until the connection is over."""
        end_s = self._loop.time() + seconds
        while self.over is None:
            self._news.clear()
            self._pump()
            if self.over is not None or self._loop.time() >= end_s:
                return
            due_s = min(end_s, self.conversation.due_s)
            try:
                async with asyncio.timeout_at(due_s):
                    await self._news.wait()
            except TimeoutError:
                self._tick()

    async def read_one(self) -> None:
        """Armed, and a read came through."""
        await self.run(1)
        self.hear()
        await self.run(0.1)
        assert self.state is State.READING
        assert self.reads

    def _own_us(self, world_us: int) -> int:
        return max(0, world_us + self.offset_us)

    def _transmit(self, message: bytes) -> bool:
        if not self._connected or self.frozen:
            return False
        if not self.cut:
            self.to_us += message
            self._news.set()
        return True

    def _hang_up(self) -> None:
        self.hung_up_on = True
        self._connected = False
        self.firmware.disconnected()

    def _pump(self) -> None:
        """Our end hears what has come."""
        data = bytes(self.to_us)
        self.to_us.clear()
        try:
            for outcome in self.conversation.hear(data, self._loop.time(), self.now_us):
                self.reads += outcome.reads
                self.notices += outcome.notices
                self.inputs += outcome.inputs
                self._say(outcome.send)
        except LlrpError as error:
            self.over = error

    def _tick(self) -> None:
        try:
            self._say(self.conversation.tick(self._loop.time()))
        except LlrpError as error:
            self.over = error

    def _say(self, data: bytes) -> None:
        for message in _cut(data):
            self.sent.append(message.name)
            if message.name not in self.deaf_to:
                self._to_reader(encode(message.number, message.id, message.body, message.version))

    def _to_reader(self, message: bytes) -> None:
        if self.cut or not self._connected:
            return
        if self.frozen:
            self._unheard.append(message)
            return
        try:
            self.firmware.handle(decode(message))
        except BadFrame as error:
            self.firmware.garbled(error)


def _cut(data: bytes) -> list[OurFrame]:
    """What we send, cut into messages: it must be whole ones."""
    frames = Frames()
    frames.feed(data)
    whole = []
    while (frame := frames.take()) is not None:
        whole.append(frame)
    assert not frames.waiting
    return whole


class _Leaping(asyncio.SelectorEventLoop):
    """A loop that never waits: where nothing is to be done, its clock leaps to the next timer."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self._now_s

    def leap(self, seconds: float) -> None:
        self._now_s += seconds


class _Impatient(selectors.DefaultSelector):
    def __init__(self, loop: _Leaping) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen again"
            self._loop.leap(max(timeout, 0))
        return ready
