"""A connection to the site's broker that is made again whenever it is lost."""

import asyncio
import logging
import random
import socket
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from aiomqtt import Client, MqttError, Will

from contract.site import Broker
from edge.backoff import Backoff
from edge.cancellation import heed_cancellation

_KEEPALIVE_S: Final = 10
_MAX_QUEUED: Final = 1000
"""Messages that came and were not taken; the newest are dropped, and the gateway says them again."""


class BrokerLink:
    """One client of the broker, over as many connections as it takes."""

    def __init__(
        self,
        broker: Broker,
        identifier: str,
        *,
        timeout_s: float,
        will: Will | None = None,
        on_lost: Callable[[str], None] = lambda error: None,
    ) -> None:
        """`timeout_s`: so long the broker may take for an answer. `on_lost` is told why there is no broker: once, until
        a connection has `settled`."""
        self._broker, self._identifier = broker, identifier
        self._timeout_s, self._will, self._on_lost = timeout_s, will, on_lost
        self._backoff = Backoff(0.2, 10.0, random.Random())
        self._lost = False

    async def keep(self, session: Callable[[Client], Awaitable[None]]) -> NoReturn:
        """Run `session` over one connection after the other, until cancelled. It leaves only by an exception."""
        while True:
            try:
                await asyncio.create_task(self._once(session))  # a TaskGroup marks the task that it runs in
            except* MqttError as group:
                if not self._lost:
                    self._on_lost(_first(group))
                self._lost = True
            heed_cancellation()
            await asyncio.sleep(self._backoff.next_s())

    def settled(self) -> None:
        """The session finds that its connection works: when it is lost, that is news, and the next is tried at once."""
        self._lost = False
        self._backoff.reset()

    async def _once(self, session: Callable[[Client], Awaitable[None]]) -> None:
        async with self._client() as client:
            heed_cancellation()
            await session(client)

    def _client(self) -> Client:
        return Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            identifier=self._identifier,
            will=self._will,
            clean_session=True,
            keepalive=_KEEPALIVE_S,
            timeout=self._timeout_s,
            max_queued_incoming_messages=_MAX_QUEUED,
            logger=_silenced(),
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )


def _silenced() -> logging.Logger:
    """For paho, which logs every failed read and write."""
    logger = logging.getLogger(f"{__name__}.mqtt")
    logger.setLevel(logging.CRITICAL)
    return logger


def _first(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
