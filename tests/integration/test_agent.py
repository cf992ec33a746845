"""A whole edge agent between simulated devices, a real broker, and a gateway's real intake and ledger."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from patience import until

from contract import events
from contract.portals import GpiGate
from contract.site import Site
from edge import agent
from edge.errors import EdgeError, OutboxBusy
from edge.outbox import read_history
from firmware_sim.plc import Plc
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader
from firmware_sim.recording import play
from gateway.broker import running
from gateway.intake import Intake
from gateway.ledger.ledger import Ledger
from gateway.records import GATEWAY, decode

KINDS: tuple[Literal["nats", "mosquitto"], ...] = ("nats", "mosquitto")
EPC = "30395dfa834d8b8000000001"


def _site(folder: Path, kind: str, broker_port: int, reader_port: int, plc_port: int) -> Site:
    name = {"en": "x", "zh": "x"}
    eyes = [{"name": f"eye-{n}", "table": "discrete", "address": n, "meaning": "photo_eye"} for n in range(2)]
    climate = {"table": "input", "address": 0, "meaning": "temperature_c", "scale": 0.1, "zone": "cold", "every_s": 0.1}
    lamps = [
        {"name": f"lamp-{colour}", "table": "coil", "address": n, "meaning": f"stack_{colour}"}
        for n, colour in enumerate(("green", "amber", "red"))
    ]
    return Site.model_validate(
        {
            "site": "north",
            "title": name,
            "broker": {"kind": kind, "port": broker_port, "data": folder / "broker"},
            "agents": [{"name": "dock", "data": folder / "edge", "ack_timeout_s": 0.5}],
            "zones": [{"name": "cold", "title": name}],
            "doors": [
                {
                    "name": "dock-1",
                    "title": name,
                    "agent": "dock",
                    "inside": "cold",
                    "readers": [{"name": "reader-1", "port": reader_port, "inside": [1], "outside": [2]}],
                    "photo_eyes": {"outer": "eye-0", "inner": "eye-1"},
                }
            ],
            "modbus": [
                {
                    "name": "plc-1",
                    "agent": "dock",
                    "port": plc_port,
                    "registers": [*eyes, {"name": "warmth", **climate}, *lamps],
                }
            ],
        }
    )


class House:
    """What the tests touch: the devices, and the log of the gateway."""

    def __init__(self, site: Site, reader: SimReader, plc: Plc, ledger: Ledger) -> None:
        self.site, self.reader, self.plc, self.ledger = site, reader, plc, ledger

    def log(self) -> list[object]:
        return [decode(row.body) for row in self.ledger.rows(0, 10_000) if row.agent != GATEWAY]

    def passes(self) -> list[events.DoorPass]:
        return [event for event in self.log() if isinstance(event, events.DoorPass)]

    def states(self, device: str) -> list[str]:
        return [event.state for event in self.log() if isinstance(event, events.Device) and event.device == device]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def house(folder: Path, kind: str) -> AsyncIterator[House]:
    async with SimReader("reader-1") as reader, Plc("127.0.0.1", 0, 1) as plc:
        draft = _site(folder, kind, 1883, reader.port, plc.port)
        async with running(draft.broker, free_port=True) as child:
            site = _site(folder, kind, child.broker.port, reader.port, plc.port)
            with Ledger.open(folder / "ledger.db", site, lambda: time.time_ns() // 1000) as ledger:
                async with at_work(Intake(site, ledger).run):
                    yield House(site, reader, plc, ledger)


@asynccontextmanager
async def at_work(part: Callable[[], "asyncio.Future[None]"]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(part())
    try:
        yield
    finally:
        task.cancel()
        async with asyncio.timeout(10):
            [ended] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), repr(ended)


def _walk_in() -> list[TagRead]:
    """A case comes from outside: loud at the outer antenna first, then at the inner one."""
    reads = []
    for step in range(60):
        at_us, nearness = step * 25_000, abs(step - 30)
        antenna = 2 if step < 30 else 1
        reads.append(TagRead(at_us, EPC, antenna, -40 - abs(15 - nearness % 30), 0, 1, 0))
    return reads


def test_a_case_goes_in_and_the_ledger_knows_and_nothing_runs_on_after_the_end(tmp_path: Path, kind: str) -> None:
    async def story() -> None:
        async with house(tmp_path, kind) as one:
            one.plc.set_input(0, 41)
            async with at_work(lambda: agent.run(one.site, "dock")):
                await until(lambda: "connected" in one.states("reader-1") and "connected" in one.states("plc-1"))
                await play(one.reader, _walk_in())
                await until(lambda: len(one.passes()) == 1)
            [door_pass] = one.passes()
            assert (door_pass.door, door_pass.direction, door_pass.epcs) == ("dock-1", "inbound", (EPC,))
            readings = [event for event in one.log() if isinstance(event, events.Condition)]
            assert {(reading.device, reading.zone, reading.value) for reading in readings} == {("warmth", "cold", 4.1)}
            kept = read_history(agent.outbox_file(one.site.agents[0].data))
            rows = [row for row in one.ledger.rows(0, 10_000) if row.agent == "dock"]
            assert [(row.epoch, row.seq, row.body) for row in rows] == [tuple(one) for one in kept[: len(rows)]]
            assert not one.reader.connected

    asyncio.run(story())


def test_photo_eyes_decide_for_a_case_that_both_sides_read_alike(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, "nats") as one, at_work(lambda: agent.run(one.site, "dock")):
            await until(lambda: "connected" in one.states("reader-1") and "connected" in one.states("plc-1"))

            async def beams() -> None:
                await asyncio.sleep(0.4)
                for address, broken in ((1, True), (0, True), (1, False), (0, False)):
                    one.plc.set_discrete(address, broken)
                    await asyncio.sleep(0.2)

            reads = [TagRead(n * 25_000, EPC, 1 + n % 2, -35 - abs(30 - n), 0, 1, 0) for n in range(60)]
            await asyncio.gather(play(one.reader, reads), beams())
            await until(lambda: len(one.passes()) == 1)
            assert one.passes()[0].direction == "outbound"
            assert one.passes()[0].evidence.beam == "outbound"

    asyncio.run(story())


def test_the_gate_on_an_input_of_the_reader_says_when_something_passed_unread(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, "nats") as one:
            door = one.site.doors[0].model_copy(update={"gate": GpiGate(kind="gpi", reader="reader-1", port=2)})
            site = one.site.model_copy(update={"doors": [door]})
            async with at_work(lambda: agent.run(site, "dock")):
                await until(lambda: one.states("reader-1") == ["connected"])
                one.reader.set_gpi(2, True)
                await play(one.reader, _walk_in())
                one.reader.set_gpi(2, False)
                await until(lambda: len(one.passes()) == 1)
                one.reader.set_gpi(2, True)
                one.reader.set_gpi(2, False)
                await until(lambda: any(isinstance(event, events.EmptyPass) for event in one.log()))
                await play(one.reader, _walk_in())
                one.reader.set_gpi(2, True)
                one.reader.set_gpi(1, True)
                one.reader.set_gpi(2, False)
                await until(lambda: sum(isinstance(event, events.EmptyPass) for event in one.log()) == 2)
            assert len(one.passes()) == 1

    asyncio.run(story())


def test_the_stack_light_turns_amber_while_a_reader_is_lost(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path, "nats") as one, at_work(lambda: agent.run(one.site, "dock")):

            def light() -> list[bool]:
                return [one.plc.coil(n) for n in range(3)]

            await until(lambda: one.states("reader-1") == ["connected"] and light() == [True, False, False])
            await one.reader.power_off()
            await until(lambda: one.states("reader-1") == ["connected", "lost"] and light() == [False, True, False])
            await one.reader.power_on()
            await until(lambda: one.states("reader-1")[-1] == "connected" and light() == [True, False, False])

    asyncio.run(story())


def test_two_agents_cannot_have_one_outbox(tmp_path: Path) -> None:
    async def story() -> None:
        site = _site(tmp_path, "nats", 1, 1, 1)
        async with at_work(lambda: agent.run(site, "dock")):
            await asyncio.sleep(0.1)
            with pytest.raises(OutboxBusy, match="another process uses this outbox"):
                await agent.run(site, "dock")

    asyncio.run(story())


def test_an_agent_that_is_not_in_the_site_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="no agent is called 'dok' in the site file: there are dock"):
        asyncio.run(agent.run(_site(tmp_path, "nats", 1, 1, 1), "dok"))
