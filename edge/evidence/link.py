"""The way of pictures to the gateway, over an MQTT connection of their own: they never delay an event.

    put --> writes --thread--> spool (disk) --thread--> MQTT --> gateway --kept--> writes --thread--> off the disk
                                 '--ids--> resending: which is next

Fruit waits in the spool until the gateway says that it has it; what it does not say so of in time is sent again. Of the
belt there is only the newest picture, which is sent once and forgotten. The event loop orders the coils of the gate,
too: everything that waits for the disk is done in threads.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, NoReturn

import structlog
from aiomqtt import Client

from contract import wire
from contract.site import Agent, Broker
from contract.topics import Topic
from contract.wire import Evidence
from edge.brokerlink import BrokerLink
from edge.cancellation import heed_cancellation, whole_in_thread
from edge.evidence.resending import Resending
from edge.evidence.spool import Spool

MAX_WRITES: Final = 64
"""Pictures on their way to the disk; one more is dropped."""
BELT_EVERY_S: Final = 1.0
_MQTT_TIMEOUT_S: Final = 10.0

log = structlog.get_logger(__name__)


class EvidenceLink:
    """Spools pictures and sends them, for ever."""

    def __init__(self, broker: Broker, site: str, agent: Agent, spool: Spool, *, answer_s: float = 10.0) -> None:
        """`answer_s`: a picture that is not kept so long after it was sent is sent again."""
        self._spool = spool
        self._topic = str(Topic(site, agent.name, "evidence"))
        client_id = f"truecount-{site}-{agent.name}-evidence"
        self._link = BrokerLink(broker, client_id, timeout_s=_MQTT_TIMEOUT_S)  # the uplink tells of the broker
        self._writes: asyncio.Queue[Evidence | Sequence[str]] = asyncio.Queue(MAX_WRITES)
        self._resending = Resending(answer_s, [one.id for one in spool.waiting()])
        self._belts: dict[str, Evidence] = {}
        self._changed = asyncio.Event()
        self._up = self._full = False
        self.dropped = 0
        """Pictures that could not be stored: too many at once, or the disk is full."""

    @property
    def up(self) -> bool:
        """The broker is there."""
        return self._up

    def put(self, evidence: Evidence) -> None:
        """A picture of fruit; call it in the event loop."""
        try:
            self._writes.put_nowait(evidence)
        except asyncio.QueueFull:
            self.dropped += 1

    def belt(self, evidence: Evidence) -> None:
        """The belt as it is now: it takes the place of the one before. Without a broker nobody looks."""
        if self._up:
            self._belts[evidence.line] = evidence

    def kept(self, pictures: Sequence[str]) -> None:
        """The gateway has these; call it in the event loop."""
        with contextlib.suppress(asyncio.QueueFull):  # then they are sent again, and this is told again
            self._writes.put_nowait(pictures)
            self._resending.gone(pictures)

    def counts(self) -> dict[str, int]:
        """Figures for the health of the agent."""
        return {"pictures_waiting": self._spool.count, "pictures_let_go": self._spool.let_go + self.dropped}

    async def run(self) -> None:
        """Until cancelled, or until it fails; then everything that was put before is on the disk."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._store(loop))
                tasks.create_task(self._link.keep(self._session))
        finally:
            left = [self._writes.get_nowait() for _ in range(self._writes.qsize())]
            await whole_in_thread(self._keep_all, left, loop)

    async def _store(self, loop: asyncio.AbstractEventLoop) -> NoReturn:
        while True:
            await whole_in_thread(self._keep, await self._writes.get(), loop)

    def _keep(self, one: Evidence | Sequence[str], loop: asyncio.AbstractEventLoop) -> None:
        """Write it, and say so in the event loop, even when what waited for it is cancelled meanwhile: the next `run`
        sends what this one has stored."""
        loop.call_soon_threadsafe(self._settle, one, self._write(one))

    def _keep_all(self, every: Sequence[Evidence | Sequence[str]], loop: asyncio.AbstractEventLoop) -> None:
        for one in every:
            self._keep(one, loop)

    def _settle(self, one: Evidence | Sequence[str], gone: Sequence[str]) -> None:
        if isinstance(one, Evidence) and one.id not in gone:
            self._resending.arrived(one.id)
        self._resending.gone(gone)
        self._changed.set()

    def _write(self, one: Evidence | Sequence[str]) -> Sequence[str]:
        """Put it on the disk, or off it; which pictures are not there any more."""
        try:
            if isinstance(one, Evidence):
                gone: Sequence[str] = self._spool.put(one)
            else:
                gone = one
                self._spool.forget(one)
        except (OSError, ValueError) as error:
            self.dropped += 1
            if not self._full:
                log.error("pictures are lost", error=str(error))
            self._full = True
            return [one.id] if isinstance(one, Evidence) else one
        self._full = False
        return gone

    async def _session(self, client: Client) -> None:
        self._link.settled()
        self._resending.reconnected()
        self._up = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_fruit(client))
                tasks.create_task(self._send_belts(client))
                tasks.create_task(_until_lost(client))
        finally:
            self._up = False
            self._belts.clear()

    async def _send_fruit(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            now_s = loop.time()
            picture = self._resending.choose(now_s)
            if picture is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._resending.wait_s(now_s)):
                        await self._changed.wait()
                continue
            body = await asyncio.to_thread(self._spool.read, picture)
            if body is None:
                self._resending.gone((picture,))
            elif self._resending.is_wanted(picture):  # it may have been kept while it was read
                self._resending.sent(picture, loop.time())  # before: its answer may be faster than the broker's
                await client.publish(self._topic, body, qos=1)
            heed_cancellation()

    async def _send_belts(self, client: Client) -> None:
        while True:
            await asyncio.sleep(BELT_EVERY_S)
            belts, self._belts = self._belts, {}
            for evidence in belts.values():
                body = wire.encode(evidence)
                if len(body) <= wire.MAX_EVIDENCE_BYTES:
                    await client.publish(self._topic, body, qos=0)
            heed_cancellation()


async def _until_lost(client: Client) -> None:
    """Raises MqttError when the connection is gone, though nothing is being sent."""
    async for _ in client.messages:
        pass
