"""An agent whose door has two readers, and a presence sensor on an input of one of them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from patience import until

from contract import events
from contract.site import Site
from contract.wire import decode_event
from edge import agent
from edge.outbox import read_history
from firmware_sim.app import devices_of
from firmware_sim.config import WorldConfig
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader
from firmware_sim.recording import play

EPC = "30395dfa834d8b8000000001"


def _site(folder: Path, *ports: int) -> Site:
    name = {"en": "x", "zh": "x"}
    readers = [
        {"name": "reader-1", "port": ports[0], "inside": [1], "outside": [2], "keepalive_s": 0.3},
        {"name": "reader-2", "port": ports[1], "inside": [1], "outside": [2], "keepalive_s": 0.3},
    ]
    gate = {"kind": "gpi", "reader": "reader-2", "port": 3, "active": "low", "hold_s": 0.2}
    return Site.model_validate({
        "site": "north",
        "title": name,
        "broker": {"kind": "external", "port": 9, "data": folder},  # nobody there: the outbox keeps everything
        "agents": [{"name": "dock", "data": folder / "edge"}],
        "zones": [{"name": "cold", "title": name}],
        "doors": [
            {"name": "dock-1", "title": name, "agent": "dock", "inside": "cold", "readers": readers, "gate": gate},
        ],
    })  # fmt: skip


class Dock:
    """What the tests touch."""

    def __init__(self, site: Site, first: SimReader, second: SimReader) -> None:
        self.site, self.first, self.second = site, first, second
        self._file = agent.outbox_file(site.agents[0].data)

    def log(self) -> list[events.Event]:
        return [decode_event(row.body) for row in read_history(self._file)]

    def passes(self) -> list[events.DoorPass | events.EmptyPass]:
        return [event for event in self.log() if isinstance(event, events.DoorPass | events.EmptyPass)]

    def states(self, reader: str) -> list[str]:
        return [event.state for event in self.log() if isinstance(event, events.Device) and event.device == reader]


@contextlib.asynccontextmanager
async def dock(folder: Path) -> AsyncIterator[Dock]:
    async with SimReader("reader-1") as first, SimReader("reader-2") as second:
        second.set_gpi(3, True)
        one = Dock(_site(folder, first.port, second.port), first, second)
        async with at_work(one.site):
            await until(lambda: one.states("reader-1") == one.states("reader-2") == ["connected"])
            yield one


@contextlib.asynccontextmanager
async def at_work(site: Site) -> AsyncIterator[None]:
    """The agent, for the time of the block."""
    running = asyncio.create_task(agent.run(site, "dock"))
    try:
        await until(agent.outbox_file(site.agents[0].data).exists)
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def _walk_in() -> list[TagRead]:
    """A case comes from outside: loud at the outer antenna first, then at the inner one."""
    return [
        TagRead(step * 25_000, EPC, 2 if step < 30 else 1, -40 - abs(15 - abs(step - 30) % 30), 0, 1, 0)
        for step in range(60)
    ]  # fmt: skip


def test_while_one_reader_is_gone_the_other_reads_and_nothing_is_decided_until_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with dock(tmp_path) as one:
            one.second.set_gpi(3, False)
            await one.second.power_off()
            await until(lambda: one.states("reader-2") == ["connected", "lost"])
            await play(one.first, _walk_in())
            await asyncio.sleep(1.5)
            assert one.passes() == []
            await one.second.power_on()
            await until(lambda: len(one.passes()) == 1)
            (door_pass,) = one.passes()
            assert isinstance(door_pass, events.DoorPass)
            assert (door_pass.direction, door_pass.epcs) == ("inbound", (EPC,))
            assert one.states("reader-1") == ["connected"]

    asyncio.run(story())


def test_an_input_of_a_reader_is_the_doors_gate(tmp_path: Path) -> None:
    async def story() -> None:
        async with dock(tmp_path) as one:
            for high in (False, True):
                one.second.set_gpi(3, high)
                await asyncio.sleep(0.3)
            await until(lambda: len(one.passes()) == 1)
            (empty,) = one.passes()
            assert isinstance(empty, events.EmptyPass)
            assert 200_000 <= empty.closed_us - empty.opened_us <= 2_000_000

    asyncio.run(story())


def test_the_simulated_site_dials_the_agent_where_its_reader_shall_connect_to_us(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tree = _site(tmp_path, port, 9).model_dump(mode="json")
    (door,) = tree["doors"]
    door["readers"] = [door["readers"][0] | {"listen": True, "neutral": [3]}]
    door["gate"] = None
    site = Site.model_validate(tree)

    async def story() -> None:
        async with devices_of(msgspec.convert(tree, WorldConfig)) as devices, at_work(site):
            reader = devices.readers["reader-1"]
            one = Dock(site, reader, reader)
            await until(lambda: one.states("reader-1")[-1:] == ["connected"])
            assert reader.on_air.keys() == {1, 2, 3}
            await play(reader, _walk_in())
            await until(lambda: len(one.passes()) == 1)
            (door_pass,) = one.passes()
            assert isinstance(door_pass, events.DoorPass)
            assert (door_pass.direction, door_pass.epcs) == ("inbound", (EPC,))

    asyncio.run(story())
