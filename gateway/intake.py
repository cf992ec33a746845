"""The intake: what the agents publish, into the ledger, and the acknowledgements back.

    events ---> decode ---> ledger.offer ---> on disk ---> acks, one an agent and commit ---> ack
    status ---> decode ---> ledger.heard; one that was there before us is greeted with an ack, too
       anything that cannot be read ---> ledger.bury (dead letters)

The MQTT session is clean: what is lost on the way, the agent sends again (docs/delivery.md). While the ledger's queue
is full nothing is taken from the client; its own queue is bounded, and a batch that it drops is a gap, which is asked
for again. The broker may come and go: the intake connects for ever, and everything else works on meanwhile.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial

from aiomqtt import Client, Message, MqttError

from contract import topics, wire
from contract.errors import BadMessage, BadTopic
from contract.site import Site
from contract.topics import Topic
from contract.wire import Ack, Status
from gateway.connection import Connection, heed_cancellation, same_agent
from gateway.ledger.ledger import Ledger
from gateway.views import LinkView

MAX_MESSAGES = 1000
"""Messages that wait in the MQTT client; at 64 KiB a batch, 64 MiB."""
UNLISTED = "unlisted"
"""Stands for every agent that is not in the site file, so that strangers cannot fill the exceptions."""


class Intake:
    """The MQTT side of one gateway."""

    def __init__(self, site: Site, ledger: Ledger, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """`clock` gives microseconds of wall time."""
        self._site = site
        self._ledger = ledger
        self._agents = frozenset(agent.name for agent in site.agents)
        self._connection = Connection(site, "gateway", MAX_MESSAGES, clock)
        self._acks: dict[tuple[str, str], Ack] = {}
        """To be published, by agent and epoch; a later one replaces an earlier one."""
        self._acks_changed = asyncio.Event()
        self._waiting = 0

    @property
    def link(self) -> LinkView:
        """The broker: whether it is there, and how many batches are not yet on disk."""
        if self._connection.up:
            return LinkView(state="ok", waiting=self._waiting)
        return LinkView(state="down", waiting=self._waiting, oldest_us=self._connection.down_us)

    async def run(self) -> None:
        """Connect and take what comes, until cancelled; raises `LedgerFailed` when the ledger cannot go on."""
        await self._connection.run(("events", "status"), self._talk)

    async def _talk(self, client: Client) -> None:
        """One connection; leaves it only by an exception."""
        for agent, ack in self._ledger.streams().items():
            if agent in self._agents:
                self._answer(agent, ack)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(client))
                tasks.create_task(self._acknowledge(client))
        except* MqttError:
            self._acks.clear()  # of a session that is over; the next one begins with its own
            raise

    async def _listen(self, client: Client) -> None:
        async for message in client.messages:
            await self._ledger.room()
            self._receive(message)

    def _receive(self, message: Message) -> None:
        data = message.payload if isinstance(message.payload, bytes) else b""
        try:
            topic = topics.parse(str(message.topic))
        except BadTopic as error:
            self._ledger.bury(UNLISTED, str(message.topic)[:200], data, str(error))
            return
        try:
            self._take(topic, data, retained=bool(message.retain))
        except BadMessage as error:
            agent = topic.agent if topic.agent in self._agents else UNLISTED
            self._ledger.bury(agent, str(topic), data, str(error))

    def _take(self, topic: Topic, data: bytes, *, retained: bool) -> None:
        if topic.agent not in self._agents:
            raise BadMessage(f"agent {topic.agent!r} is not in the site file")
        if topic.channel == "status":
            status = wire.decode_status(data)
            same_agent(topic, status.agent)
            if retained and status.state == "online":
                self._greet(status)
            else:
                self._ledger.heard(status)
            return
        batch = wire.decode_batch(data)
        same_agent(topic, batch.agent)
        self._waiting += 1
        self._ledger.offer(topic.agent, batch).add_done_callback(partial(self._on_disk, topic.agent))

    def _greet(self, status: Status) -> None:
        """It was there before us, so what it sent lately is lost: it need not wait for its timeout to send it again.

        Whether it is there now, a retained `online` does not say.
        """
        if status.epoch:
            through = self._ledger.through(status.agent, status.epoch)
            self._answer(status.agent, Ack(epoch=status.epoch, through=through, resend=True))

    def _on_disk(self, agent: str, answer: asyncio.Future[Ack]) -> None:
        self._waiting -= 1
        if not answer.cancelled() and answer.exception() is None:
            self._answer(agent, answer.result())

    def _answer(self, agent: str, ack: Ack) -> None:
        """Acks are cumulative: of one commit the last says all, unless one before asked for more than a number."""
        before = self._acks.get((agent, ack.epoch))
        if before is not None and before.renumber:
            return
        if before is not None and before.resend and before.through == ack.through and not ack.renumber:
            return
        if before is not None and not (before.resend or ack.resend or ack.renumber) and before.through > ack.through:
            return  # a batch that came again, behind a newer one
        self._acks[agent, ack.epoch] = ack
        self._acks_changed.set()

    async def _acknowledge(self, client: Client) -> None:
        while True:
            await self._acks_changed.wait()
            self._acks_changed.clear()
            acks, self._acks = self._acks, {}
            for (agent, _), ack in acks.items():
                await client.publish(str(Topic(self._site.site, agent, "ack")), wire.encode(ack), qos=1)
                heed_cancellation()
