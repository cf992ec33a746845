"""The way of pictures to the gateway, over an MQTT connection of their own: they never delay an event.

Fruit waits in the spool until the gateway says that it has it; what it does not say so of in time is sent again. Of the
belt there is only the newest picture, which is sent once and forgotten.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Sequence
from typing import Final

import structlog
from aiomqtt import Client, MqttError

from contract import wire
from contract.site import Agent, Broker
from contract.topics import Topic
from contract.wire import Evidence
from edge.backoff import Backoff
from edge.cancellation import heed_cancellation
from edge.evidence.resending import Resending
from edge.evidence.spool import Spool

MAX_WRITES: Final = 64
"""Pictures on their way to the disk; one more is dropped."""
BELT_EVERY_S: Final = 1.0
_MQTT_KEEPALIVE_S: Final = 10
_MQTT_TIMEOUT_S: Final = 10.0

log = structlog.get_logger(__name__)


class EvidenceLink:
    """Spools pictures and sends them, for ever."""

    def __init__(self, broker: Broker, site: str, agent: Agent, spool: Spool, *, answer_s: float = 10.0) -> None:
        """`answer_s`: a picture that is not kept so long after it was sent is sent again."""
        self._broker, self._spool = broker, spool
        self._topic = str(Topic(site, agent.name, "evidence"))
        self._client_id = f"truecount-{site}-{agent.name}-evidence"
        self._writes: asyncio.Queue[Evidence | Sequence[str]] = asyncio.Queue(MAX_WRITES)
        self._resending = Resending(answer_s)
        self._belts: dict[str, Evidence] = {}
        self._changed = asyncio.Event()
        self._backoff = Backoff(0.2, 10.0, random.Random())
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
            self._resending.kept(pictures)

    def counts(self) -> dict[str, int]:
        """Figures for the health of the agent."""
        return {"pictures_waiting": len(self._spool.waiting), "pictures_let_go": self._spool.let_go + self.dropped}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store())
            tasks.create_task(self._connect())

    async def _store(self) -> None:
        while True:
            one = await self._writes.get()
            try:
                if isinstance(one, Evidence):
                    await asyncio.to_thread(self._spool.put, one)
                else:
                    await asyncio.to_thread(self._spool.forget, one)
                self._full = False
            except (OSError, ValueError) as error:
                self.dropped += 1
                if not self._full:
                    log.error("pictures are lost", error=str(error))
                self._full = True
            self._changed.set()

    async def _connect(self) -> None:
        while True:
            try:
                await asyncio.create_task(self._session())  # its TaskGroup marks the task that it runs in
            except* MqttError:
                pass  # the uplink tells of the broker
            heed_cancellation()
            await asyncio.sleep(self._backoff.next_s())

    async def _session(self) -> None:
        async with self._client() as client:
            heed_cancellation()
            self._backoff.reset()
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
            picture = self._resending.choose([one.id for one in self._spool.waiting], loop.time())
            if picture is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._resending.wait_s(loop.time())):
                        await self._changed.wait()
                continue
            body = await asyncio.to_thread(self._spool.read, picture)
            if body is not None:
                await client.publish(self._topic, body, qos=1)
                self._resending.sent(picture, loop.time())
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

    def _client(self) -> Client:
        return Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            identifier=self._client_id,
            clean_session=True,
            keepalive=_MQTT_KEEPALIVE_S,
            timeout=_MQTT_TIMEOUT_S,
            logger=_silenced(),
        )


async def _until_lost(client: Client) -> None:
    """Raises MqttError when the connection is gone, though nothing is being sent."""
    async for _ in client.messages:
        pass


def _silenced() -> logging.Logger:
    """For paho, which logs every failed read and write."""
    logger = logging.getLogger(f"{__name__}.mqtt")
    logger.setLevel(logging.CRITICAL)
    return logger
