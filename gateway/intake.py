"""The intake: what the agents publish, into the ledger, and the acknowledgements back.

    events ---> decode ---> ledger.offer ---> on disk ---> acks, one an agent and commit ---> ack
    status ---> decode ---> ledger.heard; one that was there before us is greeted with an ack, too
       anything that cannot be read ---> ledger.bury (dead letters)

The MQTT session is clean: what is lost on the way, the agent sends again (docs/delivery.md). While the ledger's queue
is full nothing is taken from the client; its own queue is bounded, and a batch that it drops is a gap, which is asked
for again. The broker may come and go: the intake connects for ever, and everything else works on meanwhile.
"""

import asyncio
import random
import socket
import time
from collections.abc import Callable
from functools import partial

import structlog
from aiomqtt import Client, Message, MqttError

from contract import topics, wire
from contract.errors import BadMessage, BadTopic
from contract.site import Site
from contract.topics import Topic
from contract.wire import Ack, Status
from gateway.ledger.ledger import Ledger
from gateway.views import LinkView

MAX_MESSAGES = 1000
"""Messages that wait in the MQTT client; at 64 KiB a batch, 64 MiB."""
LEAST_WAIT_S, MOST_WAIT_S = 0.2, 10.0
"""Between two tries to connect."""
UNLISTED = "unlisted"
"""Stands for every agent that is not in the site file, so that strangers cannot fill the exceptions."""
_MQTT_KEEPALIVE_S = 10
_MQTT_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)


class Intake:
    """The MQTT side of one gateway."""

    def __init__(self, site: Site, ledger: Ledger, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """`clock` gives microseconds of wall time."""
        self._site = site
        self._ledger = ledger
        self._clock = clock
        self._agents = frozenset(agent.name for agent in site.agents)
        self._chance = random.Random()
        self._connected = False
        self._down_us = clock()
        self._acks: dict[tuple[str, str], Ack] = {}
        """To be published, by agent and epoch; a later one replaces an earlier one."""
        self._acks_changed = asyncio.Event()
        self._waiting = 0

    @property
    def link(self) -> LinkView:
        """The broker: whether it is there, and how many batches are not yet on disk."""
        if self._connected:
            return LinkView(state="ok", waiting=self._waiting)
        return LinkView(state="down", waiting=self._waiting, oldest_us=self._down_us)

    async def run(self) -> None:
        """Connect and take what comes, until cancelled; raises `LedgerFailed` when the ledger cannot go on."""
        wait_s, told = LEAST_WAIT_S, ""
        while True:
            try:
                await asyncio.create_task(self._session())  # its TaskGroup marks the task that it runs in
            except* MqttError as group:
                if self._connected:
                    wait_s, told = LEAST_WAIT_S, ""
                    self._down_us = self._clock()
                self._connected = False
                reason = _first(group)
                if not told:
                    log.warning("broker lost", host=self._site.broker.host, port=self._site.broker.port, error=reason)
                told = reason
            _heed_cancellation()
            await asyncio.sleep(self._chance.uniform(wait_s / 2, wait_s))
            wait_s = min(2 * wait_s, MOST_WAIT_S)

    async def _session(self) -> None:
        """One connection; leaves it only by an exception."""
        async with self._client() as client:
            await client.subscribe(
                [(topics.of_every_agent(self._site.site, channel), 1) for channel in ("events", "status")]
            )
            _heed_cancellation()
            self._connected = True
            log.info("broker connected", host=self._site.broker.host, port=self._site.broker.port)
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

    def _client(self) -> Client:
        broker = self._site.broker
        return Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=f"truecount-{self._site.site}-gateway",
            clean_session=True,
            keepalive=_MQTT_KEEPALIVE_S,
            timeout=_MQTT_TIMEOUT_S,
            max_queued_incoming_messages=MAX_MESSAGES,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

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
            _same_agent(topic, status.agent)
            if retained and status.state == "online":
                self._greet(status)
            else:
                self._ledger.heard(status)
            return
        batch = wire.decode_batch(data)
        _same_agent(topic, batch.agent)
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
                _heed_cancellation()


def _heed_cancellation() -> None:
    """Raise the cancellation of this task again if somebody swallowed it; a loop around it would never end.

    aiomqtt waits with `asyncio.wait_for`, which before Python 3.12 forgets a cancellation that comes in the same moment
    as the result (python/cpython#86296); and a TaskGroup that fails while it is cancelled raises the failure alone.
    Never call it in a task that has itself held a TaskGroup: before Python 3.13 one that failed leaves its task marked
    as being cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _same_agent(topic: Topic, agent: str) -> None:
    if agent != topic.agent:
        raise BadMessage(f"a message of agent {agent[:40]!r} on the topic of {topic.agent!r}")


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
