"""One MQTT connection that is made again for ever. The broker may come and go; everything else works on meanwhile."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiomqtt import Client, MqttError

from contract import topics
from contract.errors import BadMessage
from contract.site import Site
from contract.topics import Channel, Topic

LEAST_WAIT_S, MOST_WAIT_S = 0.2, 10.0
"""Between two tries to connect."""
_MQTT_KEEPALIVE_S = 10
_MQTT_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)

Talk = Callable[[Client], Awaitable[None]]
"""What is done with a connection; it leaves it only by an exception."""


class Connection:
    """The connections of one part of the gateway, one at a time, each with a clean session."""

    def __init__(self, site: Site, name: str, max_messages: int, clock: Callable[[], int]) -> None:
        """At most `max_messages` wait in the client; those beyond are dropped. `clock`: microseconds of wall time."""
        self._site = site
        self._name = name
        self._max_messages = max_messages
        self._clock = clock
        self._chance = random.Random()
        self.up = False
        self.down_us = clock()
        """Since when it is not up, if it is not."""

    async def run(self, channels: Sequence[Channel], talk: Talk) -> None:
        """Connect, subscribe to these channels of every agent, and talk, until cancelled or `talk` fails otherwise."""
        wait_s, told = LEAST_WAIT_S, ""
        while True:
            try:
                # a task of its own: a TaskGroup in it marks the task that it runs in
                await asyncio.create_task(self._session(channels, talk))
            except* MqttError as group:
                if self.up:
                    wait_s, told = LEAST_WAIT_S, ""
                    self.down_us = self._clock()
                self.up = False
                reason = _first(group)
                if not told:
                    log.warning("broker lost", **self._place(), error=reason)
                told = reason
            heed_cancellation()
            await asyncio.sleep(self._chance.uniform(wait_s / 2, wait_s))
            wait_s = min(2 * wait_s, MOST_WAIT_S)

    async def _session(self, channels: Sequence[Channel], talk: Talk) -> None:
        async with self._client() as client:
            await client.subscribe([(topics.of_every_agent(self._site.site, channel), 1) for channel in channels])
            heed_cancellation()
            self.up = True
            log.info("broker connected", **self._place())
            await talk(client)

    def _place(self) -> dict[str, object]:
        broker = self._site.broker
        return {"part": self._name, "host": broker.host, "port": broker.port}

    def _client(self) -> Client:
        broker = self._site.broker
        return Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=f"truecount-{self._site.site}-{self._name}",
            clean_session=True,
            keepalive=_MQTT_KEEPALIVE_S,
            timeout=_MQTT_TIMEOUT_S,
            max_queued_incoming_messages=self._max_messages,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )


def heed_cancellation() -> None:
    """Raise the cancellation of this task again if somebody swallowed it; a loop around it would never end.

    aiomqtt waits with `asyncio.wait_for`, which before Python 3.12 forgets a cancellation that comes in the same moment
    as the result (python/cpython#86296); and a TaskGroup that fails while it is cancelled raises the failure alone.
    Never call it in a task that has itself held a TaskGroup: before Python 3.13 one that failed leaves its task marked
    as being cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def same_agent(topic: Topic, agent: str) -> None:
    """Raises `BadMessage` unless a message is of the agent whose topic it came by."""
    if agent != topic.agent:
        raise BadMessage(f"a message of agent {agent[:40]!r} on the topic of {topic.agent!r}")


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
