"""From a decision to the disk: what the devices of an agent have decided, stored in groups, in order."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from itertools import islice

import msgspec
import structlog

from contract import wire
from contract.events import Condition, Device, DoorPass, Event, TagCount, ZoneLeft, ZoneSeen
from edge.errors import OutboxFull
from edge.outbox import Outbox

MAX_PENDING = 20_000
_MAX_GROUP = 1000
_RETRY_S = 1.0

Carrying = DoorPass | ZoneSeen | ZoneLeft | TagCount
"""Events of as many tags as there were."""

log = structlog.get_logger(__name__)


class Decisions:
    """Collects decisions in the event loop and appends them to the outbox in a thread, a group at a time.

    When room is short: from the moment that the outbox is `crowded`, sensor readings and health figures are left out
    and everything else is stored. When the disk is full, decisions wait here, at most `MAX_PENDING` (readings and
    health figures only in the first half of it); beyond that the newest are dropped. A `data_lost` event of the agent
    tells of either as soon as there is room for it.
    """

    def __init__(self, agent: str, outbox: Outbox, stored: Callable[[], None], clock: Callable[[], int]) -> None:
        """`stored` is called in the event loop whenever there is more in the outbox."""
        self._agent = agent
        self._outbox = outbox
        self._stored = stored
        self._clock = clock
        self._pending: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._storing = threading.Lock()
        self._dropped = 0
        self._crowded = False
        self._full = False

    def put(self, event: Event) -> None:
        """Hand over a decision; call it in the event loop."""
        room = MAX_PENDING // 2 if _may_be_left_out(event) else MAX_PENDING
        if len(self._pending) >= room:
            self._dropped += 1
            return
        self._pending.append(event)
        self._arrived.set()

    async def run(self) -> None:
        """Store what arrives, until cancelled. Raises `OutboxError` when the file itself fails."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            try:
                await asyncio.to_thread(self.flush)
                self._full = False
            except OutboxFull as error:
                if not self._full:
                    log.error("outbox full, decisions wait in memory", agent=self._agent, error=str(error))
                self._full = True
            self._stored()  # when the outbox is full, too: a part is stored, and sending it makes room
            if self._full:
                self._arrived.set()
                await asyncio.sleep(_RETRY_S)

    def flush(self) -> None:
        """Store everything that is pending. Raises `OutboxFull`; what could not be stored stays pending."""
        with self._storing:
            while self._pending:
                self._store(list(islice(self._pending, _MAX_GROUP)))

    def _store(self, group: list[Event]) -> None:
        dropped, crowded = self._dropped, self._outbox.crowded
        admitted = [event for event in group if not (crowded and _may_be_left_out(event))]
        if dropped:
            admitted.append(self._notice(f"the disk was full: {dropped} decisions were dropped; make room on it"))
        if crowded and not self._crowded:
            log.error("outbox over half full: readings and health figures are left out", agent=self._agent)
            detail = "the outbox is over half full, so readings are left out; bring the broker or the gateway back"
            admitted.append(self._notice(detail))
        self._outbox.append([body for event in admitted for body in bodies(event)])
        self._dropped -= dropped
        self._crowded = crowded
        for _ in group:
            self._pending.popleft()

    def _notice(self, detail: str) -> Device:
        now_us = self._clock()
        return Device(at_us=now_us, decided_us=now_us, device=self._agent, state="data_lost", detail=detail)


def bodies(event: Event) -> list[bytes]:
    """The event as it is stored; one with too many EPCs for one message becomes several with a part of them each.

    The evidence of a pass, and its container, are of all of it and stand in each part.
    """
    body = wire.encode(event)
    if len(body) <= wire.MAX_EVENT_BYTES or not isinstance(event, Carrying):
        return [body]
    half = len(event.epcs) // 2
    return [body for part in (slice(half), slice(half, None)) for body in bodies(_part(event, part))]


def _part(event: Carrying, part: slice) -> Carrying:
    """The same, of a part of its tags."""
    if isinstance(event, DoorPass):
        return msgspec.structs.replace(event, epcs=event.epcs[part], tags=event.tags[part])
    return msgspec.structs.replace(event, epcs=event.epcs[part])


def _may_be_left_out(event: Event) -> bool:
    return isinstance(event, Condition) or (isinstance(event, Device) and event.state == "health")
