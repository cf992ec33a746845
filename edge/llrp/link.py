"""The connection to one reader, kept up for ever.

Connect, let the `Session` arm the reader, hand on its reads, and notice when it is gone: by a reset, by three missed
keepalives, by nonsense, or by much talk that leads nowhere. Then begin again on a new connection with nothing kept but
the figures. People are told when trouble begins and when it is over, not at every try.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Literal

import structlog

from contract.events import Device
from contract.site import LlrpReader
from edge.backoff import Backoff
from edge.errors import BadFrame, Blinded, Unreachable
from edge.llrp.frames import Frames
from edge.llrp.read import Read
from edge.llrp.session import Notice, Session, State

__all__ = ["Read", "ReaderLink"]

log = structlog.get_logger(__name__)

CONNECT_S: Final = 2.0
ANSWER_S: Final = 5.0
"""A reader that answers nothing for so long while it is being armed will not answer any more."""
ARMING_S: Final = 30.0
"""A reader that talks for so long without getting armed never will be."""
MISSED_KEEPALIVES: Final = 3
CLOSE_S: Final = 1.0
MAX_NONSENSE: Final = 20
"""Unreadable messages on one connection: a reader that sends more has lost its framing, or is none."""
NOTICE_EVERY_S: Final = 10.0
"""The same notice comes at most this often: a reader whose clock steps with every report must not fill the outbox."""
LEAST_WAIT_S: Final = 0.2
MOST_WAIT_S: Final = {"lost": 2.0, "blind": 10.0}
"""A try to connect costs nothing, and a reader that comes back should read within 3 s. A reader that refuses us is
asked less often: each try disturbs whoever holds it."""


def wall_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


class ReaderLink:
    """Reads of one reader as they come, for ever.

    `on_reads` and `on_device` are called on the event loop and must not block; `clock` gives the agent's microseconds.
    `device` events of this reader: `connected` when it reads, `lost` when it does not answer, `blind` when it answers
    but will not let us read; each once when it begins. `data_lost` and `clock_stepped` as the reader tells.
    """

    def __init__(
        self,
        reader: LlrpReader,
        on_reads: Callable[[Sequence[Read]], None],
        on_device: Callable[[Device], None],
        clock: Callable[[], int] = wall_us,
        chance: random.Random | None = None,
    ) -> None:
        self.state: Literal["connected", "lost", "blind", "unknown"] = "unknown"
        self.counts = dict.fromkeys(("connections", "reads", "reports_skipped", "bad_messages", "notices_held_back"), 0)
        self._reader = reader
        self._on_reads = on_reads
        self._on_device = on_device
        self._clock = clock
        self._noticed_s: dict[str, float] = {}
        chance = chance or random.Random()
        self._waits = {state: Backoff(LEAST_WAIT_S, most_s, chance) for state, most_s in MOST_WAIT_S.items()}

    async def run(self) -> None:
        """Until cancelled; then takes leave of the reader."""
        while True:
            state: Literal["lost", "blind"] = "lost"
            try:
                await self._connect()
            except Blinded as trouble:
                state = "blind"
                self._tell(state, str(trouble))
            except Unreachable as trouble:
                self._tell(state, str(trouble))
            await asyncio.sleep(self._waits[state].next_s())

    async def _connect(self) -> None:
        """One connection from beginning to end. Raises `Unreachable` or `Blinded`."""
        place = f"{self._reader.host}:{self._reader.port}"
        try:
            async with asyncio.timeout(CONNECT_S):
                stream, writer = await asyncio.open_connection(self._reader.host, self._reader.port)
        except OSError as error:  # TimeoutError, too
            reason = error.strerror or f"no answer within {CONNECT_S:g} s"
            raise Unreachable(f"no connection to {place}: {reason}; check its power and network") from error
        session = Session(self._reader)
        self.counts["connections"] += 1
        try:
            await self._converse(session, stream, writer)
        except asyncio.CancelledError:
            await _take_leave(session, stream, writer)
            raise
        except OSError as error:
            raise Unreachable(f"the connection to {place} broke: {error.strerror or error}") from error
        finally:
            self.counts["reports_skipped"] += session.skipped
            writer.transport.abort()

    async def _converse(self, session: Session, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        bad_before = self.counts["bad_messages"]
        begun_s = heard_s = time.monotonic()
        while True:
            arming = session.state is not State.READING
            patience_s = ANSWER_S if arming else MISSED_KEEPALIVES * self._reader.keepalive_s
            try:
                async with asyncio.timeout(heard_s + patience_s - time.monotonic()):
                    await writer.drain()
                    data = await stream.read(65536)
            except TimeoutError as error:
                words = f"the reader fell silent: nothing came for {patience_s:g} s that is a whole message"
                raise Unreachable(words) from error
            if not data:
                raise Unreachable("the reader hung up")
            frames.feed(data)
            if self._take(frames, session, writer, bad_before + MAX_NONSENSE):
                heard_s = time.monotonic()
            if session.state is not State.READING and heard_s - begun_s > ARMING_S:
                raise Unreachable(f"the reader talks but could not be armed within {ARMING_S:g} s")

    def _take(self, frames: Frames, session: Session, writer: asyncio.StreamWriter, most_bad: int) -> int:
        """Act on every whole message; gives how many there were. Raises `Unreachable` for too many unreadable ones."""
        whole = 0
        while True:
            try:
                frame = frames.take()
                if frame is None:
                    return whole
                outcome = session.receive(frame, self._clock())
            except BadFrame as error:
                frames.reject()
                self.counts["bad_messages"] += 1
                log.warning("unreadable message", reader=self._reader.name, reason=str(error))
                if self.counts["bad_messages"] > most_bad:
                    words = f"what answers does not speak LLRP: {MAX_NONSENSE + 1} messages could not be read"
                    raise Unreachable(words) from error
                continue
            whole += 1
            if outcome.send:
                writer.write(outcome.send)
            if outcome.reads:
                self.counts["reads"] += len(outcome.reads)
                self._on_reads(outcome.reads)
            if outcome.notice:
                self._pass_on(outcome.notice)
            self._settle(session)

    def _settle(self, session: Session) -> None:
        """The trouble is over once the reader reads; the waits begin anew once the connection has proved itself."""
        if session.state is State.READING and self.state != "connected":
            self._tell("connected", "reading")
        if session.kept_alive:
            for wait in self._waits.values():
                wait.reset()

    def _tell(self, state: Literal["connected", "lost", "blind"], detail: str) -> None:
        if state == self.state:
            return
        self.state = state
        log.info("reader", reader=self._reader.name, state=state, detail=detail)
        self._on_device(self._event(state, detail))

    def _pass_on(self, notice: Notice) -> None:
        now_s = time.monotonic()
        if now_s - self._noticed_s.get(notice.state, -NOTICE_EVERY_S) < NOTICE_EVERY_S:
            self.counts["notices_held_back"] += 1
            return
        self._noticed_s[notice.state] = now_s
        log.warning("reader", reader=self._reader.name, state=notice.state, detail=notice.detail)
        self._on_device(self._event(notice.state, notice.detail))

    def _event(self, state: Literal["connected", "lost", "blind", "data_lost", "clock_stepped"], detail: str) -> Device:
        now_us = self._clock()
        return Device(
            at_us=now_us,
            decided_us=now_us,
            device=self._reader.name,
            state=state,
            detail=detail[:1000],
            counts=dict(self.counts),
        )


async def _take_leave(session: Session, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close as the standard asks, so that the reader is free for the next client at once; then hang up anyway."""
    with suppress(OSError):
        async with asyncio.timeout(CLOSE_S):
            writer.write(session.close())
            await writer.drain()
            while await stream.read(65536):
                pass
