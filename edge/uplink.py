"""The way from the outbox to the gateway over MQTT: the I/O around edge/window.py."""

import asyncio
import contextlib
from collections.abc import Callable
from importlib import metadata
from typing import Literal

import structlog
from aiomqtt import Client, MqttError, Will

from contract import wire
from contract.errors import BadMessage
from contract.site import Agent, Broker
from contract.topics import Topic
from contract.wire import Command
from edge.brokerlink import BrokerLink
from edge.cancellation import heed_cancellation
from edge.errors import OutboxFull
from edge.outbox import Outbox, Stretch
from edge.window import Window

MAX_BATCH_EVENTS = 500
HEARTBEAT_S = 5.0
KEEP_EVERY_S = 0.2
"""Acknowledgements are noted on disk at most this often: one that is not yet noted costs only a duplicate batch."""
_MQTT_TIMEOUT_S = 5.0
_FAREWELL_S = 1.0
_LARGEST = 2**63 - 1

log = structlog.get_logger(__name__)


class Uplink:
    """Sends what waits in the outbox, for ever, over whatever connection there is.

    At most one batch and one heartbeat are inside the MQTT client at any time: the outbox is the only queue.
    """

    def __init__(
        self,
        broker: Broker,
        site: str,
        agent: Agent,
        outbox: Outbox,
        clock: Callable[[], int],
        on_link: Callable[[bool], None] = lambda up: None,
        on_command: Callable[[Command], None] = lambda command: None,
    ) -> None:
        """`on_link` is told when the broker is there, and when it is lost; `on_command` what the gateway wants. `clock`
        gives microseconds of wall time.
        """
        self._broker = broker
        self._site = site
        self._agent = agent
        self._outbox = outbox
        self._clock = clock
        self._began = outbox.made
        """The last number before the clock began to go as it does now."""
        self._must_tell = False
        """The gateway must hear of the clock before more events."""
        self._on_link, self._on_command = on_link, on_command
        self._changed = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._window = self._begin_window()
        self._link = self._build_link()

    def wake(self) -> None:
        """There is more in the outbox. Call it in the event loop."""
        self._changed.set()

    def clock_stepped(self) -> None:
        """The clock was set: what comes from now on is told by another one. Call it in the event loop."""
        self._began = self._outbox.made
        self._must_tell = True

    async def run(self) -> None:
        """Connect and send until cancelled; then say `offline` and note the last acknowledgements."""
        try:
            await self._link.keep(self._session)
        finally:
            self._note()

    async def _session(self, client: Client) -> None:
        """One connection; leaves it only by an exception."""
        await client.subscribe([(str(self._topic(channel)), 1) for channel in ("ack", "command")])
        await self._tell(client, "online")
        self._link.settled()
        self._window.restart()
        if self._window.epoch != self._outbox.epoch:  # cancelled in the middle of a renumbering
            self._window = self._begin_window()
        log.info("broker connected", host=self._broker.host, port=self._broker.port, waiting=self._outbox.waiting)
        self._on_link(True)
        try:
            heed_cancellation()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(client))
                tasks.create_task(self._send(client))
                tasks.create_task(self._keep())
                tasks.create_task(self._beat(client))
        except asyncio.CancelledError:
            with contextlib.suppress(MqttError, TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await self._tell(client, "offline")
            raise
        finally:
            self._on_link(False)

    def _build_link(self) -> BrokerLink:
        will = wire.Status(agent=self._agent.name, state="offline", interval_s=HEARTBEAT_S)
        return BrokerLink(
            self._broker,
            f"truecount-{self._site}-{self._agent.name}",
            timeout_s=_MQTT_TIMEOUT_S,
            will=Will(str(self._topic("status")), wire.encode(will), qos=1, retain=True),
            on_lost=lambda error: log.warning(
                "broker lost", host=self._broker.host, port=self._broker.port, error=error
            ),
        )

    async def _send(self, client: Client) -> None:
        """Batch after batch, each in the broker's hands before the next is read."""
        while True:
            window = self._window
            first = window.wanted(self._outbox.made)
            if first is None:
                await self._change(window)
                continue
            stretch = await asyncio.to_thread(self._outbox.read, first, MAX_BATCH_EVENTS, self._budget(window.epoch))
            if self._window is not window or stretch.epoch != window.epoch or window.wanted(self._outbox.made) != first:
                continue  # an ack moved the window meanwhile
            if self._must_tell:
                await self._tell(client, "online")
            window.sent(stretch.first, len(stretch.bodies), _now_s())
            await client.publish(str(self._topic("events")), self._batch(stretch), qos=1)
            heed_cancellation()

    async def _change(self, window: Window) -> None:
        """Wait until there may be something to send."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(window.deadline_s()):
                await self._changed.wait()
        if window.lapse(_now_s()):
            log.info("gateway silent, sending again", agent=self._agent.name, first=window.through + 1)

    async def _listen(self, client: Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            commanded = message.topic.matches(str(self._topic("command")))
            try:
                if commanded:
                    self._on_command(wire.decode_command(payload))
                    continue
                ack = wire.decode_ack(payload)
            except BadMessage as error:
                log.warning("bad command" if commanded else "bad ack", topic=str(message.topic), error=str(error)[:300])
                continue
            verdict = self._window.heard(ack, self._outbox.made, _now_s())
            if verdict == "renumber":
                await asyncio.to_thread(self._renumber, self._window)
                self._window = self._begin_window()
            self._acknowledged.set()
            self._changed.set()

    async def _keep(self) -> None:
        while True:
            await self._acknowledged.wait()
            self._acknowledged.clear()
            await asyncio.to_thread(self._note)
            await asyncio.sleep(KEEP_EVERY_S)

    async def _beat(self, client: Client) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await self._tell(client, "online")
            heed_cancellation()

    async def _tell(self, client: Client, state: Literal["online", "offline"]) -> None:
        self._must_tell = False
        status = wire.Status(
            agent=self._agent.name,
            state=state,
            at_us=self._clock(),
            epoch=self._outbox.epoch,
            made=self._outbox.made,
            waiting=self._outbox.waiting,
            began=self._began,
            version=metadata.version("truecount"),
            interval_s=HEARTBEAT_S,
        )
        await client.publish(str(self._topic("status")), wire.encode(status), qos=1, retain=True)

    def _note(self) -> None:
        """Let the outbox forget what the gateway holds. A full disk is no reason to stop: the window remembers."""
        window = self._window
        try:
            self._outbox.acknowledge(window.epoch, window.through)
        except OutboxFull as error:
            log.warning("acknowledgement not noted", error=str(error))

    def _renumber(self, window: Window) -> None:
        self._outbox.acknowledge(window.epoch, window.through)
        self._outbox.renumber()
        self._began = 0
        log.warning(
            "numbers ran backwards, new epoch begun",
            agent=self._agent.name,
            old=window.epoch,
            new=self._outbox.epoch,
            waiting=self._outbox.waiting,
        )

    def _begin_window(self) -> Window:
        return Window(self._outbox.epoch, self._outbox.acknowledged, self._agent.window, self._agent.ack_timeout_s)

    def _batch(self, stretch: Stretch) -> bytes:
        return wire.encode_batch(self._agent.name, stretch.epoch, stretch.first, stretch.floor, stretch.bodies)

    def _budget(self, epoch: str) -> int:
        """Bytes that a batch leaves for its events."""
        return wire.MAX_BATCH_BYTES - len(wire.encode_batch(self._agent.name, epoch, _LARGEST, _LARGEST, ()))

    def _topic(self, channel: Literal["events", "status", "ack", "command"]) -> Topic:
        return Topic(self._site, self._agent.name, channel)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
