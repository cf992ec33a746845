"""Pictures on their way to the gateway, over both real brokers: none is lost, and events go first."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
import pytest
from aiomqtt import Client
from patience import until
from sortingrig import AGENT, Listener, at_work

from contract import wire
from contract.site import Agent, Broker
from contract.wire import Command, Evidence, EvidenceKept, LineOrders, LotOrder
from edge.evidence.link import EvidenceLink
from edge.evidence.spool import Spool
from edge.outbox import Outbox
from edge.uplink import Uplink
from gateway.broker import BrokerProcess, running

KINDS: tuple[Literal["nats", "mosquitto"], ...] = ("nats", "mosquitto")
T0 = 1_790_000_000_000_000


def picture(number: int, kind: Literal["fruit", "belt"] = "fruit") -> Evidence:
    return Evidence(
        schema=wire.SCHEMA,
        agent=AGENT,
        id=f"line-a-5f0c-{number}" if kind == "fruit" else "line-a-belt",
        line="line-a",
        at_us=T0 + number,
        kind=kind,
        picture=b"\xff\xd8" + number.to_bytes(4, "big") * 5000 + b"\xff\xd9",
        outline=((0.1, 0.2), (0.3, 0.4), (0.5, 0.6)),
        verdict="defective" if kind == "fruit" else None,
        score=0.9,
        model="lemon-1-int8-0a1b2c3d",
    )


class House:
    """An agent's uplink and evidence link, a broker, and somebody who listens."""

    def __init__(self, child: BrokerProcess, folder: Path) -> None:
        self.child = child
        self.listener = Listener(child.broker.port)
        self.spool = Spool(folder / "evidence", 10**7)
        agent = Agent(name=AGENT, data=folder, ack_timeout_s=0.3)
        self.link = EvidenceLink(child.broker, "north", agent, self.spool, answer_s=0.2)
        self.outbox = Outbox(folder / "outbox.db", 100)
        self.commands: list[Command] = []
        self.uplink = Uplink(child.broker, "north", agent, self.outbox, wall_us, on_command=self._obey)

    def _obey(self, command: Command) -> None:
        self.commands.append(command)
        if isinstance(command, EvidenceKept):
            self.link.kept(command.ids)


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    return Broker(kind=request.param, data=tmp_path / "broker")


@asynccontextmanager
async def house(broker: Broker) -> AsyncIterator[House]:
    async with running(broker, free_port=True) as child:
        one = House(child, broker.data.parent / "edge")
        with one.outbox:
            yield one


def test_each_picture_arrives_as_it_is_and_is_forgotten_once_it_is_kept(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.listener.run, one.uplink.run, one.link.run):
            await one.listener.listening.wait()
            for number in range(20):
                one.link.put(picture(number))
            await until(lambda: len(one.listener.pictures) == 20 and not one.spool.waiting())
            assert one.listener.pictures == {picture(n).id: picture(n) for n in range(20)}
            assert one.link.counts() == {"pictures_waiting": 0, "pictures_let_go": 0}

    asyncio.run(story())


def test_what_nobody_answers_for_is_sent_again_until_somebody_does(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.listener.run, one.uplink.run, one.link.run):
            await one.listener.listening.wait()
            one.listener.keeps = False
            for number in range(7):
                one.link.put(picture(number))
            await until(lambda: len(set(one.listener.deliveries)) == 7 and len(one.listener.deliveries) > 12)
            assert len(one.spool.waiting()) == 7
            one.listener.keeps = True
            await until(lambda: not one.spool.waiting())
            assert len(one.listener.pictures) == 7

    asyncio.run(story())


def test_a_broker_that_dies_costs_no_picture(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.uplink.run, one.link.run):
            for number in range(5):
                one.link.put(picture(number))
            await until(lambda: len(one.spool.waiting()) == 5)
            await one.child.kill()
            await until(lambda: not one.link.up)
            one.link.put(picture(5))
            await one.child.start()
            async with at_work(one.listener.run):
                await until(lambda: len(one.listener.pictures) == 6 and not one.spool.waiting())

    asyncio.run(story())


def test_of_the_belt_only_the_newest_picture_is_sent_and_none_without_a_broker(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one:
            one.link.belt(picture(1, "belt"))
            async with at_work(one.listener.run, one.link.run):
                await one.listener.listening.wait()
                await until(lambda: one.link.up)
                for number in range(2, 50):
                    one.link.belt(picture(number, "belt"))
                await until(lambda: "line-a-belt" in one.listener.pictures)
                assert one.listener.pictures["line-a-belt"].at_us == T0 + 49
                assert one.listener.deliveries == ["line-a-belt"]
                assert one.spool.waiting() == []

    asyncio.run(story())


def test_a_restart_sends_what_the_life_before_has_left(broker: Broker) -> None:
    Spool(broker.data.parent / "edge" / "evidence", 10**7).put(picture(3))

    async def story() -> None:
        async with house(broker) as one, at_work(one.listener.run, one.uplink.run):
            await one.listener.listening.wait()
            async with at_work(one.link.run):
                await until(lambda: picture(3).id in one.listener.pictures and not one.spool.waiting())

    asyncio.run(story())


def test_a_full_disk_costs_the_picture_and_is_counted(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.link.run):
            folder = broker.data.parent / "edge" / "evidence"
            folder.rmdir()
            folder.write_bytes(b"where the folder was")
            one.link.put(picture(1))
            await until(lambda: one.link.dropped == 1)
            folder.unlink()
            folder.mkdir()
            one.link.put(picture(2))
            await until(lambda: len(one.spool.waiting()) == 1)

    asyncio.run(story())


def test_a_disk_that_hangs_holds_up_nothing_but_the_pictures(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.listener.run, one.uplink.run, one.link.run):
            await one.listener.listening.wait()
            await until(lambda: one.link.up)
            large = msgspec.structs.replace(picture(1), picture=b"\xff\xd8" + bytes(200_000) + b"\xff\xd9")
            hanging = broker.data.parent / "edge" / "evidence" / f"{T0 + 1:016d}-2-{large.id}.json.{os.getpid()}.new"
            os.mkfifo(hanging)  # who opens it to write waits for a reader
            one.link.put(large)
            one.link.put(picture(2))
            one.link.belt(picture(3, "belt"))
            await until(lambda: "line-a-belt" in one.listener.pictures)
            assert one.link.counts() == {"pictures_waiting": 0, "pictures_let_go": 0}
            one.link.kept(["line-a-5f0c-9"])
            os.close(os.open(hanging, os.O_RDONLY | os.O_NONBLOCK))  # more than a pipe holds: the write fails
            await until(lambda: picture(2).id in one.listener.pictures and not one.spool.waiting())
            assert one.link.counts() == {"pictures_waiting": 0, "pictures_let_go": 1}

    asyncio.run(story())


def test_an_orderly_end_loses_no_picture_that_was_put(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "evidence", 10**7)

    async def story() -> None:
        link = EvidenceLink(Broker(port=1), "north", Agent(name=AGENT, data=tmp_path), spool)
        async with at_work(link.run):
            await asyncio.sleep(0)
            for number in range(30):
                link.put(picture(number))
            await asyncio.sleep(0)
        assert spool.count == 30

    asyncio.run(story())
    assert Spool(tmp_path / "evidence", 10**7).count == 30


def test_what_an_end_has_stored_in_haste_is_sent_when_the_same_link_begins_again(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one:
            async with at_work(one.link.run):
                await asyncio.sleep(0)
                for number in range(30):
                    one.link.put(picture(number))
                await asyncio.sleep(0)
            assert one.spool.count == 30
            async with at_work(one.listener.run, one.uplink.run, one.link.run):
                await until(lambda: len(one.listener.pictures) == 30 and not one.spool.waiting())

    asyncio.run(story())


def test_a_part_that_fails_stores_what_is_left_and_holds_up_nobody(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "evidence", 10**7)
    large = msgspec.structs.replace(picture(1), picture=b"\xff\xd8" + bytes(100_000) + b"\xff\xd9")
    hanging = tmp_path / "evidence" / f"{T0 + 1:016d}-2-{large.id}.json.{os.getpid()}.new"
    os.mkfifo(hanging)  # who opens it to write waits for a reader, and then writes more than a pipe holds
    went_on = threading.Event()
    alone: list[bool] = []

    def look_on(loop: asyncio.AbstractEventLoop) -> None:
        with hanging.open("rb") as slow:
            loop.call_soon_threadsafe(went_on.set)
            alone.append(went_on.wait(5.0))
            slow.read()

    async def story() -> None:
        link = EvidenceLink(Broker(port=1), "north", Agent(name=AGENT, data=tmp_path), spool)
        looking = asyncio.create_task(asyncio.to_thread(look_on, asyncio.get_running_loop()))
        link.put(msgspec.structs.replace(picture(0), picture=object()))  # a mistake of ours
        link.put(large)
        link.put(picture(2))
        with pytest.raises(ExceptionGroup):
            await link.run()
        await looking
        assert alone == [True]
        assert {one.id for one in spool.waiting()} == {large.id, picture(2).id}

    asyncio.run(story())


def test_a_picture_that_is_kept_while_it_is_read_again_is_not_sent_again(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.listener.run, one.link.run):
            await one.listener.listening.wait()
            one.listener.keeps = False
            first, second = picture(1), picture(2)
            one.link.put(first)
            await until(lambda: first.id in one.listener.deliveries)
            file = broker.data.parent / "edge" / "evidence" / one.spool.waiting()[0].file
            body, slow = file.read_bytes(), file.with_name("slow")
            os.mkfifo(slow)
            os.replace(slow, file)
            to_reader = await asyncio.to_thread(file.open, "wb")  # waits until somebody opens it to read
            sent = one.listener.deliveries.count(first.id)
            one.link.kept([first.id])
            await asyncio.to_thread(_write_all, to_reader, body)
            one.link.put(second)
            await until(lambda: second.id in one.listener.deliveries)
            assert one.listener.deliveries.count(first.id) == sent

    asyncio.run(story())


def _write_all(to_reader: BinaryIO, body: bytes) -> None:
    with to_reader:
        to_reader.write(body)


def test_commands_reach_the_agent_and_nonsense_among_them_stops_nothing(broker: Broker) -> None:
    async def story() -> None:
        async with house(broker) as one, at_work(one.listener.run, one.uplink.run):
            await one.listener.listening.wait()
            one.outbox.append([b"1"])
            one.uplink.wake()
            await until(lambda: one.outbox.waiting == 0)
            orders = LineOrders(lines={"line-a": LotOrder(lot="L-1", sku="lemon-4kg", customer="keen")})
            async with Client("127.0.0.1", one.child.broker.port) as stranger:
                for payload in (
                    b"",
                    b"\xff",
                    b"[]",
                    b'{"kind":"explode"}',
                    b'{"kind":"line_orders","lines":7}',
                    b"x" * 70_000,
                ):
                    await stranger.publish(f"tc/v1/north/{AGENT}/command", payload, qos=1)
            await one.listener.command(orders)
            await until(lambda: one.commands == [orders])
            one.outbox.append([b"2"])
            one.uplink.wake()
            await until(lambda: one.outbox.waiting == 0)

    asyncio.run(story())


def wall_us() -> int:
    return time.time_ns() // 1000
