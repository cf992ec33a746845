"""Delivery over both real brokers: whatever dies in between, every event is taken once and in order."""

import asyncio
import contextlib
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from aiomqtt import Client, MqttError
from modelgateway import ModelGateway

from contract import topics, wire
from contract.site import Agent, Broker
from contract.wire import Status
from edge.outbox import Outbox
from edge.uplink import Uplink
from gateway.broker import BrokerProcess, running

KINDS: tuple[Literal["nats", "mosquitto"], ...] = ("nats", "mosquitto")
EVENTS, STATUS, ACK = (topics.Topic("north", "dock", channel) for channel in ("events", "status", "ack"))


class House:
    """An agent's outbox and uplink, a broker that is really there, and a gateway that can be asked what it holds."""

    def __init__(self, child: BrokerProcess, outbox: Outbox, seed: int) -> None:
        self.child = child
        self.outbox = outbox
        self.gateway = ModelGateway()
        self.statuses: list[Status] = []
        self.links: list[bool] = []
        self.made: list[bytes] = []
        self.lose_acks = 0.0
        self.subscribed = asyncio.Event()
        """The gateway hears everything from now on. What was retained before may come late, or not, by the broker."""
        self._chance = random.Random(seed)
        agent = Agent(name="dock", window=4, ack_timeout_s=0.3)
        self.uplink = Uplink(child.broker, "north", agent, outbox, lambda: time.time_ns() // 1000, self.links.append)
        self._changed = asyncio.Event()

    def decide(self, number: int) -> None:
        bodies = [b"%d" % (len(self.made) + n) for n in range(number)]
        self.outbox.append(bodies)
        self.made += bodies
        self.uplink.wake()

    async def gateway_run(self) -> None:
        while True:
            with contextlib.suppress(MqttError):
                await self._gateway_session()
            await asyncio.sleep(0.05)

    async def _gateway_session(self) -> None:
        broker = self.child.broker
        async with Client(broker.host, broker.port, timeout=2) as client:
            await client.subscribe(topics.of_every_agent("north", "events"), qos=1)
            await client.subscribe(topics.of_every_agent("north", "status"), qos=1)
            self.subscribed.set()
            await client.publish(str(ACK), wire.encode(self.gateway.greeting(self.outbox.epoch)), qos=1)
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                if str(message.topic) == str(STATUS):
                    self.statuses.append(wire.decode_status(message.payload))
                else:
                    await self._take(client, message.payload)
                self._changed.set()

    async def _take(self, client: Client, payload: bytes) -> None:
        ack = self.gateway.take(wire.decode_batch(payload))
        if self._chance.random() >= self.lose_acks:
            await client.publish(str(ACK), wire.encode(ack), qos=1)

    async def until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not seen():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.1)

    async def all_delivered(self) -> None:
        await self.until(lambda: self.outbox.waiting == 0)
        assert self.gateway.events == self.made
        assert self.gateway.losses == []


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    return Broker(kind=request.param, data=tmp_path / "broker")


@asynccontextmanager
async def house(broker: Broker, seed: int = 7) -> AsyncIterator[House]:
    async with running(broker, free_port=True) as child:
        with Outbox(broker.data.parent / "outbox.db", retain=1000) as outbox:
            yield House(child, outbox, seed)


@asynccontextmanager
async def at_work(*parts: Callable[[], "asyncio.Future[None]"]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(part()) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if not isinstance(error, asyncio.CancelledError):
                raise AssertionError(f"a part ended by itself: {error!r}")


def test_events_arrive_once_and_in_order_and_the_agent_is_seen_to_come_and_go(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.gateway_run):
            await one.subscribed.wait()
            async with at_work(one.uplink.run):
                for number in (1, 5, 700, 3000):
                    one.decide(number)
                    await asyncio.sleep(0.02)
                await one.all_delivered()
                assert one.outbox.acknowledged == one.outbox.made
            await one.until(lambda: bool(one.statuses) and one.statuses[-1].state == "offline")
            assert [status.state for status in one.statuses] == ["online", "offline"]
            assert one.statuses[-1].made == 3706
            assert one.statuses[-1].epoch == one.outbox.epoch
            assert one.links == [True, False]

    asyncio.run(story())


def test_the_broker_is_killed_again_and_again_and_its_store_wiped(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.gateway_run, one.uplink.run):
            for round_number in range(4):
                one.decide(400)
                await asyncio.sleep(random.uniform(0, 0.05))
                await one.child.kill()
                one.decide(50)
                if round_number % 2:
                    shutil.rmtree(broker.data)
                await one.child.start()
                one.decide(50)
            await one.all_delivered()

    asyncio.run(story())


def test_half_of_the_acks_are_lost(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.gateway_run, one.uplink.run):
            one.lose_acks = 0.5
            for _ in range(20):
                one.decide(150)
                await asyncio.sleep(0.01)
            await one.all_delivered()

    asyncio.run(story())


def test_the_gateway_is_away_and_comes_back(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.uplink.run):
            one.decide(100)
            async with at_work(one.gateway_run):
                await one.all_delivered()
            one.decide(5000)
            await asyncio.sleep(0.5)
            assert one.outbox.waiting == 5000
            async with at_work(one.gateway_run):
                await one.all_delivered()

    asyncio.run(story())


def test_the_agent_is_stopped_and_started_in_the_middle(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.gateway_run):
            for _ in range(5):
                async with at_work(one.uplink.run):
                    one.decide(2000)
                    await asyncio.sleep(random.uniform(0, 0.1))
            async with at_work(one.uplink.run):
                await one.all_delivered()

    asyncio.run(story())


def test_a_gateway_that_finds_other_events_under_known_numbers_gets_them_anew(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.gateway_run, one.uplink.run):
            old = one.outbox.epoch
            one.gateway.log[old] = {1: b"1001", 2: b"1002", 3: b"1003"}  # the outbox was restored from a copy
            one.decide(10)
            await one.until(lambda: one.outbox.waiting == 0)
            assert one.outbox.epoch != old
            assert one.gateway.events == [b"1001", b"1002", b"1003", *one.made]

    asyncio.run(story())


def test_nonsense_on_the_ack_topic_stops_nothing(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.gateway_run, one.uplink.run):
            async with Client("127.0.0.1", one.child.broker.port) as stranger:
                for payload in (b"", b"\xff\x00", b"[]", b'{"epoch": 1}', b'{"epoch":"' + b"x" * 200_000 + b'"}'):
                    await stranger.publish(str(ACK), payload, qos=1)
                    one.decide(10)
            await one.all_delivered()

    asyncio.run(story())


AGENT = """
import asyncio, sys, time
from pathlib import Path
from contract.site import Agent, Broker
from edge.outbox import Outbox
from edge.uplink import Uplink

async def main():
    outbox = Outbox(Path(sys.argv[1]), 0)
    broker = Broker(port=int(sys.argv[2]))
    await Uplink(broker, "north", Agent(name="dock"), outbox, lambda: time.time_ns() // 1000).run()

asyncio.run(main())
"""


def test_the_last_will_of_a_killed_agent_says_offline(broker: Broker, tmp_path: Path) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.gateway_run):
            await one.subscribed.wait()
            port = str(one.child.broker.port)
            agent = await asyncio.create_subprocess_exec(sys.executable, "-c", AGENT, str(tmp_path / "killed.db"), port)
            try:
                await one.until(lambda: bool(one.statuses))
            finally:
                agent.kill()
                await agent.wait()
            await one.until(lambda: [status.state for status in one.statuses] == ["online", "offline"])

    asyncio.run(story())
