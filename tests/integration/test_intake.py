"""The intake over a real broker: batches in, acknowledgements out, and nothing that anybody publishes stops it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from aiomqtt import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgersite import LEMON, QUICK, START_US, case, now_us, pass_bytes
from patience import until

from contract import wire
from contract.site import Broker
from contract.topics import Topic
from contract.wire import Ack, Status
from gateway.broker import BrokerProcess, running
from gateway.intake import Intake
from gateway.ledger.ledger import Ledger

EVENTS, STATUS, ACK = (Topic("north", "dock-edge", channel) for channel in ("events", "status", "ack"))


class Site:
    """A ledger, its intake, a real broker, and an agent's bare MQTT client."""

    def __init__(self, child: BrokerProcess, client: Client, ledger: Ledger, intake: Intake) -> None:
        self.child = child
        self.client = client
        self.ledger = ledger
        self.intake = intake

    async def publish(self, data: bytes, topic: object = EVENTS, retain: bool = False) -> None:
        await self.client.publish(str(topic), data, qos=1, retain=retain)

    async def send(self, first: int, last: int, epoch: str = "first", floor: int = 1) -> None:
        bodies = tuple(pass_bytes(case(LEMON, seq), START_US - 10**12 + seq) for seq in range(first, last + 1))
        await self.publish(wire.encode_batch("dock-edge", epoch, first, floor, bodies))

    async def ack(self) -> Ack:
        async with asyncio.timeout(10):
            message = await anext(aiter(self.client.messages))
        assert isinstance(message.payload, bytes)
        return wire.decode_ack(message.payload)

    async def ack_through(self, through: int) -> Ack:
        """The first acknowledgement that says so much."""
        while (ack := await self.ack()).through < through:
            pass
        return ack

    async def committed(self, seen: Callable[[], bool]) -> None:
        """Wait for a commit, or a sign of life, after which it is so."""
        news = asyncio.Event()
        unsubscribe = self.ledger.subscribe(lambda commit: news.set())
        async with asyncio.timeout(10):
            while not seen():
                await news.wait()
                news.clear()
        unsubscribe()


@asynccontextmanager
async def site(folder: Path, kind: Literal["nats", "mosquitto"]) -> AsyncIterator[Site]:
    async with (
        running(Broker(kind=kind, data=folder / "broker"), free_port=True) as child,
        gateway(folder, child) as it,
    ):
        yield it


@asynccontextmanager
async def gateway(folder: Path, child: BrokerProcess) -> AsyncIterator[Site]:
    here = QUICK.model_copy(update={"broker": child.broker})
    with Ledger.open(folder / "ledger.db", here, now_us) as ledger:
        intake = Intake(here, ledger)
        async with Client(child.broker.host, child.broker.port) as client:
            await client.subscribe(str(ACK), qos=1)
            async with working(intake):
                yield Site(child, client, ledger, intake)


@asynccontextmanager
async def working(intake: Intake) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(intake.run())
        await until(lambda: intake.link.state == "ok")
        yield
        task.cancel()


def play(folder: Path, story: Callable[[Site], Awaitable[None]], kind: Literal["nats", "mosquitto"] = "nats") -> None:
    async def run() -> None:
        async with site(folder, kind) as house:
            await story(house)

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_batches_are_acknowledged_and_gaps_are_asked_for(tmp_path: Path, kind: Literal["nats", "mosquitto"]) -> None:
    async def story(house: Site) -> None:
        await house.send(1, 10)
        assert await house.ack() == Ack(epoch="first", through=10)
        await house.send(21, 30)
        assert await house.ack() == Ack(epoch="first", through=10, resend=True)
        await house.send(5, 20)
        assert await house.ack() == Ack(epoch="first", through=20)
        for first in range(21, 120, 10):
            await house.send(first, first + 9)
        assert await house.ack_through(120) == Ack(epoch="first", through=120)
        assert house.ledger.views("stock")["lemon-4kg"].units == 120
        assert house.intake.link.waiting == 0

    play(tmp_path, story, kind)


def test_a_restarted_gateway_asks_every_agent_to_go_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            async with gateway(tmp_path, child) as before:
                await before.send(1, 10)
                await before.ack()
            async with gateway(tmp_path, child) as after:
                assert await after.ack() == Ack(epoch="first", through=10, resend=True)

    asyncio.run(story())


def test_the_broker_dies_and_comes_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            here = QUICK.model_copy(update={"broker": child.broker})
            with Ledger.open(tmp_path / "ledger.db", here, now_us) as ledger:
                intake = Intake(here, ledger)
                async with working(intake):
                    await child.kill()
                    await until(lambda: intake.link.state == "down")
                    assert intake.link.oldest_us is not None
                    await ledger.tick(now_us())
                    await child.start()
                    async with Client(child.broker.host, child.broker.port) as client:
                        await client.subscribe(str(ACK), qos=1)
                        await until(lambda: intake.link.state == "ok")
                        house = Site(child, client, ledger, intake)
                        await house.send(1, 3)
                        assert await house.ack() == Ack(epoch="first", through=3)

    asyncio.run(story())


@pytest.mark.parametrize("seed", [1, 2])
def test_it_ends_when_it_is_cancelled_at_whatever_moment(tmp_path: Path, seed: int) -> None:
    """In the middle of connecting, subscribing and acknowledging, and while the broker dies."""
    chance = random.Random(seed)

    async def ends(intake: Intake, after_s: float, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        task = asyncio.create_task(intake.run())
        await asyncio.sleep(after_s)
        async with asyncio.TaskGroup() as group:
            if meanwhile is not None:
                group.create_task(_soon(meanwhile, chance.uniform(0, 0.003)))
            await asyncio.sleep(chance.uniform(0, 0.003))
            task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        assert done, (seed, after_s, task)
        assert task.cancelled()

    async def story() -> None:
        async with running(Broker(kind="mosquitto", data=tmp_path / "broker"), free_port=True) as child:
            here = QUICK.model_copy(update={"broker": child.broker})
            with Ledger.open(tmp_path / "ledger.db", here, now_us) as ledger:
                for _ in range(100):
                    await ends(Intake(here, ledger), chance.uniform(0, 0.02))
                for _ in range(10):
                    await ends(Intake(here, ledger), chance.uniform(0, 0.05), child.kill)
                    await child.start()

    asyncio.run(story())


async def _soon(work: Callable[[], Awaitable[None]], after_s: float) -> None:
    await asyncio.sleep(after_s)
    await work()


def test_an_agent_is_heard_and_its_last_will_makes_it_silent(tmp_path: Path) -> None:
    def status(state: Literal["online", "offline"]) -> bytes:
        return wire.encode(Status(agent="dock-edge", state=state, at_us=now_us(), waiting=7))

    async def story(house: Site) -> None:
        def state() -> str:
            return house.ledger.views("devices")["dock-edge"].state

        await house.publish(status("online"), STATUS)
        await house.committed(lambda: state() == "connected" and house.ledger.last_id > 0)
        agent = house.ledger.views("devices")["dock-edge"]
        assert agent.waiting == 7
        assert agent.clock_offset_us is not None
        assert abs(agent.clock_offset_us) < 5_000_000
        await house.publish(status("offline"), STATUS)
        await house.committed(lambda: state() == "silent")
        assert house.ledger.views("exceptions")["agent_silent-dock-edge-1"].state == "open"

    play(tmp_path, story)


def test_a_retained_online_says_nothing_about_now_but_is_asked_to_send_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            async with Client(child.broker.host, child.broker.port) as client:
                online = Status(agent="dock-edge", state="online", at_us=now_us(), epoch="first", made=5)
                await client.publish(str(STATUS), wire.encode(online), qos=1, retain=True)
            async with gateway(tmp_path, child) as house:
                assert await house.ack() == Ack(epoch="first", through=0, resend=True)
                await house.publish(b"any", Topic("north", "stranger", "events"))
                await house.publish(b"thing")
                await until(lambda: len(house.ledger._unreadable) == 2)
                assert house.ledger.views("devices")["dock-edge"].heard_us is None

    asyncio.run(story())


BAD = [
    (EVENTS, b""),
    (EVENTS, b"\xff\xfe"),
    (EVENTS, b"[" * 60_000),
    (EVENTS, b'{"schema":2}'),
    (EVENTS, wire.encode_batch("other-edge", "e", 1, 1, (b"{}",))),
    (EVENTS, b'{"schema":1,"agent":"dock-edge","epoch":"e","first":9,"floor":10,"events":[{}]}'),
    (STATUS, b"null"),
    (STATUS, wire.encode(Status(agent="someone", state="online"))),
    (Topic("north", "stranger", "events"), wire.encode_batch("stranger", "e", 1, 1, (b"{}",))),
    ("tc/v1/north/UPPER/events", b"{}"),
]


def test_what_cannot_be_read_is_kept_counted_and_stops_nobody(tmp_path: Path) -> None:
    async def story(house: Site) -> None:
        for topic, data in BAD:
            await house.publish(data, topic)
        await house.send(1, 3)
        assert await house.ack() == Ack(epoch="first", through=3)
        await house.ledger.tick(now_us())
        letters = house.ledger.dead_letters(100)
        assert [letter.topic for letter in reversed(letters)] == [str(topic) for topic, _ in BAD]
        assert all(letter.reason for letter in letters)
        counts = {view.subject: view.count for view in house.ledger.views("exceptions").values()}
        assert counts == {"dock-edge": 8, "unlisted": 2}

    play(tmp_path, story)


def test_garbage_of_any_kind_never_stops_the_intake(tmp_path: Path) -> None:
    pieces = st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
            max_leaves=12,
        ).map(lambda value: _json(value)),
        st.lists(st.binary(max_size=60), min_size=1, max_size=5).map(lambda parts: _batch_of(parts)),
    )

    async def story(house: Site) -> None:
        loop = asyncio.get_running_loop()
        topics = [str(EVENTS), str(STATUS)]

        def throw(garbage: list[bytes]) -> None:
            for number, data in enumerate(garbage):
                publishing = house.client.publish(topics[number % 2], data, qos=1)
                asyncio.run_coroutine_threadsafe(publishing, loop).result(10)

        check = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))(
            given(st.lists(pieces, max_size=6))(throw)
        )
        await asyncio.to_thread(check)
        await house.send(1, 3, epoch="after")
        while (await house.ack()).epoch != "after":
            pass
        assert house.ledger.views("stock")["lemon-4kg"].units == 3

    play(tmp_path, story)


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def _batch_of(parts: list[bytes]) -> bytes:
    head = b'{"schema":1,"agent":"dock-edge","epoch":"e","first":1,"floor":1,"events":['
    return head + b",".join(parts) + b"]}"
