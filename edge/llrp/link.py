"""The connection to one reader, kept up for ever.

Connect (or let the reader connect), converse, hand on what is read; when the conversation is over, begin again on a new
connection with nothing kept but the figures and what is known of the reader's clock. People are told when trouble
begins and when it is over, not at every try.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Literal

import structlog

from contract.events import Device
from contract.portals import Reader
from edge.backoff import Backoff
from edge.errors import Blinded, Unreachable
from edge.llrp.calls import Call, calls
from edge.llrp.clock import ReaderClock
from edge.llrp.conversation import Conversation
from edge.llrp.patience import Patience
from edge.llrp.read import Read
from edge.llrp.session import Notice, Outcome, State

__all__ = ["Read", "ReaderLink", "wall_us"]

log = structlog.get_logger(__name__)

NOTICE_EVERY_S: Final = 10.0
"""The same notice comes at most this often: a reader whose clock steps with every report must not fill the outbox."""
MAX_NOTICES: Final = 100
"""Different notices that are remembered for that."""
LEAST_WAIT_S: Final = 0.2
MOST_WAIT_S: Final = {"lost": 1.0, "blind": 10.0}
"""A try to connect costs nothing, and a reader that comes back should read within 3 s. A reader that refuses us is
asked less often: each try disturbs whoever holds it."""
LOOK_AGAIN_S: Final = 1.0
"""While a reader is blind and yet connected: how soon it is looked at whether it still is."""

LinkState = Literal["connected", "lost", "blind"]


def wall_us() -> int:
    """Microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


class ReaderLink:
    """Reads of one reader as they come, for ever.

    `on_reads`, `on_device` and `on_gpi` are called on the event loop and must not block; `clock` gives the agent's
    microseconds. `on_gpi(port, high, at_us)` tells how an input stands when a connection begins, and when it changes.

    `device` events of this reader: `connected` when it reads, `lost` when it does not answer, `blind` when it answers
    but does not read, or not with all its antennas; each once when it begins. `data_lost` and `clock_stepped` as the
    reader tells.
    """

    def __init__(
        self,
        reader: Reader,
        on_reads: Callable[[Sequence[Read]], None],
        on_device: Callable[[Device], None],
        clock: Callable[[], int] = wall_us,
        chance: random.Random | None = None,
        on_gpi: Callable[[int, bool, int], None] | None = None,
        *,
        patience: Patience = Patience(),  # noqa: B008  # frozen
    ) -> None:
        self.state: LinkState | Literal["unknown"] = "unknown"
        self._reader = reader
        self._on_reads = on_reads
        self._on_device = on_device
        self._on_gpi = on_gpi
        self._clock = clock
        self._patience = patience
        self._figures: Counter[str] = Counter(dict.fromkeys(("connections", "reads", "reports_skipped"), 0))
        """Of the connections that are over, and ours."""
        self._conversation: Conversation | None = None
        self._known_clock: ReaderClock | None = None
        self._noticed_s: dict[str, float] = {}
        chance = chance or random.Random()
        self._waits = {state: Backoff(LEAST_WAIT_S, most_s, chance) for state, most_s in MOST_WAIT_S.items()}

    @property
    def counts(self) -> dict[str, int]:
        """Figures by name, since the link began: connections, reads, bad_messages and why, re_armed, ..."""
        figures = self._total()
        return {**figures, "bad_messages": sum(count for name, count in figures.items() if name.startswith("bad_"))}

    def _total(self) -> Counter[str]:
        now = self._conversation.counts if self._conversation is not None else Counter[str]()
        return Counter({name: self._figures[name] + now[name] for name in (*self._figures, *now)})

    async def run(self) -> None:
        """Until cancelled; then takes leave of the reader. What else ends it is a mistake of ours, and it may begin
        again: until then nobody relies on this reader."""
        incoming = calls(self._reader, self._patience)
        failed = True
        try:
            while True:
                state: Literal["lost", "blind"] = "lost"
                try:
                    await self._converse(await incoming.next())
                except Blinded as trouble:
                    state = "blind"
                    self._tell(state, str(trouble))
                except Unreachable as trouble:
                    self._tell(state, str(trouble))
                await asyncio.sleep(self._waits[state].next_s())
        except asyncio.CancelledError:
            failed = False
            raise
        finally:
            await incoming.close()
            if failed:
                self._tell("lost", "its driver failed, which the log tells of: it is started again")

    async def _converse(self, call: Call) -> None:
        """One connection from beginning to end. Raises `Unreachable` or `Blinded`."""
        now_s = asyncio.get_running_loop().time()
        conversation = Conversation(
            self._reader, now_s, self._patience, gpi=self._on_gpi is not None, before=self._known_clock
        )
        self._conversation = conversation
        self._figures["connections"] += 1
        try:
            self._hear(conversation, call, call.heard)
            await self._listen(conversation, call)
        except asyncio.CancelledError:
            await self._take_leave(conversation, call)
            raise
        except OSError as error:
            raise Unreachable(f"the connection broke: {error.strerror or error}") from error
        finally:
            call.writer.transport.abort()
            self._figures, self._conversation = self._total(), None

    async def _listen(self, conversation: Conversation, call: Call) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._settle(conversation)
            due_s = conversation.due_s if self.state != "blind" else min(conversation.due_s, loop.time() + LOOK_AGAIN_S)
            try:
                async with asyncio.timeout_at(due_s):
                    await call.writer.drain()
                    data = await call.stream.read(65536)
            except TimeoutError:
                call.writer.write(conversation.tick(loop.time()))
                continue
            if not data:
                raise Unreachable("the reader hung up")
            self._hear(conversation, call, data)

    def _hear(self, conversation: Conversation, call: Call, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for outcome in conversation.hear(data, loop.time(), self._clock()):
            began_s = loop.time()
            if outcome.send:
                call.writer.write(outcome.send)
            if outcome.reads:
                self._figures["reads"] += len(outcome.reads)
                self._on_reads(outcome.reads)
            if outcome.inputs or outcome.notices:
                self._pass_on(outcome)
            self._settle(conversation)
            conversation.excuse(loop.time() - began_s)

    def _settle(self, conversation: Conversation) -> None:
        """How the reader is now; the waits begin anew once the connection has proved itself."""
        session = conversation.session
        if session.state is State.READING:
            self._known_clock = session.clock
        if trouble := session.trouble(self._clock()):
            self._tell("blind", trouble)
        elif session.state is State.READING:
            self._tell("connected", "reading")
        if session.kept_alive:
            for wait in self._waits.values():
                wait.reset()

    def _pass_on(self, outcome: Outcome) -> None:
        for notice in outcome.notices:
            self._notify(notice)
        if self._on_gpi is not None:
            for port, high, at_us in outcome.inputs:
                self._on_gpi(port, high, at_us)

    def _notify(self, notice: Notice) -> None:
        now_s = asyncio.get_running_loop().time()
        what = notice.detail if notice.kind == "remark" else notice.kind
        if now_s - self._noticed_s.get(what, -NOTICE_EVERY_S) < NOTICE_EVERY_S:
            self._figures["notices_held_back"] += 1
            return
        if len(self._noticed_s) >= MAX_NOTICES:
            self._noticed_s.clear()
        self._noticed_s[what] = now_s
        if notice.kind == "remark":
            log.info("reader", reader=self._reader.name, remark=notice.detail)
            return
        log.warning("reader", reader=self._reader.name, state=notice.kind, detail=notice.detail)
        self._on_device(self._event(notice.kind, notice.detail))

    def _tell(self, state: LinkState, detail: str) -> None:
        if state == self.state:
            return
        self.state = state
        log.info("reader", reader=self._reader.name, state=state, detail=detail)
        self._on_device(self._event(state, detail))

    def _event(self, state: Literal[LinkState, "data_lost", "clock_stepped"], detail: str) -> Device:
        now_us = self._clock()
        return Device(
            at_us=now_us,
            decided_us=now_us,
            device=self._reader.name,
            state=state,
            detail=detail[:1000],
            counts=self.counts,
        )

    async def _take_leave(self, conversation: Conversation, call: Call) -> None:
        """Close as the standard asks, so that the reader is free for the next client at once; then hang up anyway."""
        with suppress(OSError):
            async with asyncio.timeout(self._patience.close_s):
                call.writer.write(conversation.session.close())
                await call.writer.drain()
                while await call.stream.read(65536):
                    pass
