"""The simulated line's gate over real Modbus: what it is told in time passes, and everything else is pushed off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from patience import until
from pymodbus.client import AsyncModbusTcpClient
from simhouse import SITE, Office, open_office

from contract import site_file
from firmware_sim.app import Simulation, running
from firmware_sim.belt import PULSES, Belt, Track
from firmware_sim.clerk import Clerk
from firmware_sim.clock import WorldClock
from firmware_sim.config import WorldConfig
from firmware_sim.errors import DemoError
from firmware_sim.gate import Gate, GateWiring, OpenEnd
from firmware_sim.hall import Line
from firmware_sim.plc import Plc
from firmware_sim.wentby import KEPT, PAGE

CLOCK = WorldClock(1.0)
BEGAN_US = 1_790_000_000_000_000
WIRING = GateWiring(eye_count=0, encoder=1, pass_coils=4, places=16)
QUICK = Track(fruit_per_s=8, eye_at=0.2, travel_s=0.4)


class Rig:
    """A belt with its gate, and a client of the gate's PLC."""

    def __init__(self, belt: Belt, gate: Gate, plc: Plc, client: AsyncModbusTcpClient) -> None:
        self.belt, self.gate, self.plc, self.client = belt, gate, plc, client

    async def registers(self) -> tuple[int, int]:
        """The eye's count and the encoder."""
        count, encoder = (await self.client.read_input_registers(0, count=2, device_id=1)).registers
        return count, encoder

    async def let_pass(self, count: int, value: bool = True) -> None:
        """Write the coil of the fruit with this count."""
        await self.client.write_coil(WIRING.pass_coils + count % WIRING.places, value, device_id=1)

    async def counts(self, how_many: int) -> AsyncIterator[int]:
        """Each new count, as soon as we see it."""
        shown, _ = await self.registers()
        last = shown + how_many
        async with asyncio.timeout(30):
            while shown < last:
                count, _ = await self.registers()
                for _ in range((count - shown) & 0xFFFF):
                    shown += 1
                    yield shown & 0xFFFF
                await asyncio.sleep(0.002)

    async def done(self, fruit: int) -> None:
        """Wait until so many have been at the gate."""

        def there() -> bool:
            self.gate.catch_up()
            return self.gate.went.count == fruit

        await until(there)


@asynccontextmanager
async def rig(
    track: Track = QUICK, *, fruit: int, first_count: int = 0, defective_share: float = 0.4
) -> AsyncIterator[Rig]:
    belt = Belt(track, 7, CLOCK.wall_us())
    async with Plc("127.0.0.1", 0, 1) as plc:
        gate = Gate(belt, plc, WIRING, CLOCK.wall_us, first_count=first_count)
        client = AsyncModbusTcpClient("127.0.0.1", port=plc.port)
        assert await client.connect()
        belt.begin("lot-1", defective_share, fruit, CLOCK.wall_us())
        try:
            yield Rig(belt, gate, plc, client)
        finally:
            client.close()


def test_what_nobody_lets_pass_is_pushed_off() -> None:
    async def story() -> None:
        async with rig(fruit=6) as one:
            await one.done(6)
            assert [passage.passed for passage in one.gate.went.latest] == [False] * 6
            assert [passage.number for passage in one.gate.went.latest] == [1, 2, 3, 4, 5, 6]
            for passage, piece in zip(one.gate.went.latest, one.belt.pieces, strict=True):
                assert (passage.eye_us, passage.gate_us) == (piece.eye_us, piece.gate_us)

    asyncio.run(story())


def test_a_line_that_knows_the_truth_makes_no_mistake_at_the_gate() -> None:
    async def story() -> None:
        async with rig(Track(fruit_per_s=4, eye_at=0.2, travel_s=2.0), fruit=16) as one:
            async for count in one.counts(16):
                if not one.belt.pieces[count - 1].defective:
                    await one.let_pass(count)
            await one.done(16)
            bad = sum(piece.defective for piece in one.belt.pieces)
            assert 2 <= bad <= 12
            assert one.gate.went.outcomes == {
                "true_pass": 16 - bad,
                "true_reject": bad,
                "false_reject": 0,
                "miss": 0,
            }
            assert not any(one.plc.coil(coil) for coil in range(64)), "the gate has cleared what it used"

    asyncio.run(story())


def test_the_gate_tells_right_from_wrong() -> None:
    async def story() -> None:
        async with rig(Track(fruit_per_s=4, eye_at=0.2, travel_s=2.0), fruit=12) as one:
            async for count in one.counts(12):
                if one.belt.pieces[count - 1].defective:
                    await one.let_pass(count)
            await one.done(12)
            figures = one.gate.went.outcomes
            assert figures["true_pass"] == figures["true_reject"] == 0
            assert figures["miss"] == sum(piece.defective for piece in one.belt.pieces) > 0
            assert figures["false_reject"] == 12 - figures["miss"]

    asyncio.run(story())


def test_a_word_that_comes_too_late_does_not_count_and_one_that_is_taken_back_neither() -> None:
    async def story() -> None:
        async with rig(Track(fruit_per_s=0.6, eye_at=0.2, travel_s=0.5), fruit=3) as one:
            first, second, third = one.belt.pieces
            await asyncio.sleep((first.gate_us - CLOCK.wall_us()) / 1e6 + 0.005)
            await one.let_pass(1)
            await one.let_pass(2)
            await one.let_pass(2, False)
            await one.let_pass(3)
            await one.done(3)
            assert [passage.passed for passage in one.gate.went.latest] == [False, False, True]
            assert one.plc.coil(WIRING.pass_coils + 1), "what came too late still stands, and the line must clear it"
            assert second.gate_us < third.gate_us

    asyncio.run(story())


def test_the_eye_counts_through_the_end_of_its_sixteen_bits() -> None:
    async def story() -> None:
        async with rig(Track(fruit_per_s=4, eye_at=0.2, travel_s=2.0), fruit=6, first_count=65_533) as one:
            seen = []
            async for count in one.counts(6):
                seen.append(count)
                await one.let_pass(count)
            await one.done(6)
            assert seen == [65_534, 65_535, 0, 1, 2, 3]
            assert [passage.count for passage in one.gate.went.latest] == seen
            assert all(passage.passed for passage in one.gate.went.latest)

    asyncio.run(story())


def test_eye_and_encoder_are_exact_at_the_moment_they_are_asked() -> None:
    async def story() -> None:
        async with rig(fruit=20) as one:
            for _ in range(60):
                before_us = CLOCK.wall_us()
                count, encoder = await one.registers()
                after_us = CLOCK.wall_us()
                broken = [sum(piece.eye_us <= at for piece in one.belt.pieces) for at in (before_us, after_us)]
                assert broken[0] <= count <= broken[1]
                run = [int(one.belt.travelled(at) * PULSES) & 0xFFFF for at in (before_us, after_us)]
                assert run[0] <= encoder <= run[1]
                await asyncio.sleep(0.02)
            assert count > 3

    asyncio.run(story())


def test_a_plc_that_is_silent_pushes_on_by_itself_and_one_without_power_forgets_its_coils() -> None:
    async def story() -> None:
        async with rig(Track(fruit_per_s=1, eye_at=0.2, travel_s=1.0), fruit=2) as one:
            await one.let_pass(1)
            await one.plc.power_off()
            await one.plc.power_on()
            await one.done(2)
            assert [passage.passed for passage in one.gate.went.latest] == [False, False]

    asyncio.run(story())


def test_a_line_that_nobody_asks_for_hours_forgets_what_is_over_and_has_counted_it() -> None:
    """Lot after lot in simulated time, and not one request to the PLC."""
    now_us = BEGAN_US
    belt = Belt(Track(fruit_per_s=4), 7, BEGAN_US)
    with_gate = Gate(belt, Plc("127.0.0.1", 0, 1), WIRING, lambda: now_us)
    without = OpenEnd(belt, lambda: now_us)
    most = 0
    for _ in range(400):
        belt.begin("lot", 0.3, 60, now_us)
        most = max(most, len(belt.pieces))
        now_us = belt.empty_us
    for end in (with_gate, without):
        assert end.catch_up() == end.went.count == belt.laid == 24_000
        assert len(end.went.latest) == KEPT
        assert end.went.defective == with_gate.went.outcomes["true_reject"]
    assert sum(with_gate.went.outcomes.values()) == 24_000
    assert most <= 61


# The whole line, with its crew


def line_site(url: str, **simulation: float) -> WorldConfig:
    """The example site's first door, and a sorting line whose fruit comes fast."""
    tree: dict[str, Any] = site_file.load(SITE).model_dump(mode="json")
    tree["doors"], tree["zone_readers"] = tree["doors"][:1], []
    plc = tree["modbus"][0] | {"name": "plc-line", "port": 0}
    register = plc["registers"][0]
    plc["registers"] = [
        register | {"name": "eyes", "table": "input", "address": 0, "meaning": "eye_count"},
        register | {"name": "encoder", "table": "input", "address": 1, "meaning": "encoder"},
        register | {"name": "pass", "table": "coil", "address": 60, "meaning": "pass_coils"},
    ]
    tree["modbus"] = [tree["modbus"][0] | {"port": 0}, plc]
    for door in tree["doors"]:
        for reader in door["readers"]:
            reader["port"] = 0
    gate = {"modbus": "plc-line", "eye_count": "eyes", "encoder": "encoder", "pass_coils": "pass", "places": 16}
    tree["lines"] = [
        {
            "name": "line-t",
            "crop": "lemon",
            "camera": {"kind": "mjpeg", "name": "camera-t", "url": "http://127.0.0.1:0/t?width=320&height=240"},
            "moves": "right",
            "eye_at": 0.6,
            "gate": gate | {"travel_s": 0.3},
        }
    ]
    tree["grades"] = [{"crop": "lemon", "customer": "juicer"}, {"crop": "tomato", "customer": "grocer"}]
    host, port = url.removeprefix("http://").split(":")
    tree["gateway"] |= {"host": host, "port": int(port)}
    tree["cloud"]["url"] = url
    tree["simulation"] |= {"judge_port": 0, "fruit_per_s": 8, "lot_fruit": 6, "opening_pallets": 1, **simulation}
    return msgspec.convert(tree, WorldConfig)


@asynccontextmanager
async def watched(simulation: Simulation) -> AsyncIterator[Line]:
    """The only line, while somebody looks at its pictures."""
    (line,) = simulation.lines

    async def look() -> None:
        async with httpx.AsyncClient(timeout=60) as client, client.stream("GET", line.camera.url) as response:
            async for _ in response.aiter_raw():
                pass

    looking = asyncio.create_task(look())
    try:
        yield line
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def truth(client: httpx.AsyncClient, simulation: Simulation) -> dict[str, Any]:
    return dict((await client.get(f"http://127.0.0.1:{simulation.judge_port}/truth")).json())


def test_the_crew_tells_each_lot_before_its_fruit_comes() -> None:
    async def story() -> None:
        office = Office()
        async with (
            open_office(office) as url,
            httpx.AsyncClient() as client,
            running(line_site(url), seed=7, speed=50.0) as simulation,
            watched(simulation) as line,
        ):
            await until(lambda: len(office.lots) >= 3)
            judge = f"http://127.0.0.1:{simulation.judge_port}"
            clerk = Clerk(client, judge)
            await clerk.catch_up()
            then = list(clerk.written["line-t"])
            await client.post(f"{judge}/quiesce")
            await until(lambda: line.crew.done)
            last = await truth(client, simulation)
            lots = office.lots.copy()
            await asyncio.sleep(0.5)
            after = await truth(client, simulation)
            await clerk.catch_up()
        in_house = {row.split(",")[2] for row in office.items} - {""}
        assert lots[0]["lot"] in in_house
        assert {lot["sku"] for lot in lots} == {"lemon-4kg"}
        assert [lot["customer"] for lot in lots[:3]] == [None, "juicer", None]
        assert {lot["who"] for lot in lots} == {"line crew"}
        assert [one.lot for one in then[:12]] == [lots[0]["lot"]] * 6 + [lots[1]["lot"]] * 6
        fruit, (went,) = clerk.written["line-t"], last["lines"]
        assert len(fruit) == sum(went["gate"].values()) == went["count"] == after["lines"][0]["count"]
        assert all(one.passed is False for one in fruit), "nobody let anything pass"
        assert went["gate"]["true_pass"] == went["gate"]["miss"] == 0
        assert went["gate"]["true_reject"] == went["defective"] == sum(one.defective for one in fruit)
        assert [one.number for one in fruit] == list(range(1, len(fruit) + 1))
        assert office.lots == lots, "no lot begins after the end"

    asyncio.run(story())


def test_the_clerk_gets_every_fruit_of_a_long_run_and_says_so_when_some_can_no_longer_be_had() -> None:
    """Lots are laid as if they had run long ago, thousands between two questions; nobody watches the real belt."""

    async def story() -> None:
        async with (
            open_office(Office()) as url,
            httpx.AsyncClient() as client,
            running(line_site(url), seed=7, speed=1.0) as simulation,
        ):
            (line,) = simulation.lines
            judge = f"http://127.0.0.1:{simulation.judge_port}"
            clerk, absent = Clerk(client, judge), Clerk(client, judge)
            ago_us = CLOCK.wall_us() - 10_000 * 1_000_000
            for _ in range(3):
                line.belt.begin("old", 0.3, KEPT // 2, ago_us)
                ago_us = line.belt.empty_us
                await asyncio.gather(clerk.catch_up(), clerk.catch_up())
            assert [one.number for one in clerk.written["line-t"]] == list(range(1, 3 * KEPT // 2 + 1))
            with pytest.raises(DemoError, match="no longer knows fruit 1"):
                await absent.catch_up()
            page = (await client.get(f"{judge}/lines/line-t/fruit", params={"after": KEPT})).json()
            assert [one["number"] for one in page] == list(range(KEPT + 1, KEPT + 1 + PAGE))
            told = await client.get(f"{judge}/truth")
            assert len(told.json()["lines"]) == 1
            assert len(msgspec.json.encode(told.json()["lines"])) < 500, "the truth itself stays short"
            assert (await client.get(f"{judge}/lines/other/fruit")).status_code == 404

    asyncio.run(story())


def test_no_fruit_comes_while_the_gateway_cannot_be_told() -> None:
    async def story() -> None:
        office = Office()
        office.failing_lots = 3
        async with (
            open_office(office) as url,
            running(line_site(url), seed=7, speed=1.0) as simulation,
            watched(simulation) as line,
        ):

            def fruit_comes() -> bool:
                assert office.lots or not line.belt.pieces
                return bool(line.belt.pieces)

            await until(fruit_comes)
            assert office.failing_lots == 0
            assert line.belt.pieces[0].lot == office.lots[0]["lot"]

    asyncio.run(story())


def test_a_gateway_that_knows_no_such_line_has_its_fruit_sorted_without_a_lot() -> None:
    async def story() -> None:
        office = Office()
        office.refusing = True
        async with (
            open_office(office) as url,
            running(line_site(url), seed=7, speed=1.0) as simulation,
            watched(simulation) as line,
        ):
            await until(lambda: bool(line.belt.pieces))
            assert {piece.lot for piece in line.belt.pieces} == {None}

    asyncio.run(story())


def test_a_line_on_which_no_fruit_is_ordered_stands_still() -> None:
    async def story() -> None:
        office = Office()
        async with (
            open_office(office) as url,
            running(line_site(url, fruit_per_s=0), seed=7, speed=1.0) as simulation,
            watched(simulation) as line,
        ):
            await until(lambda: simulation.scenario.opened)
            await asyncio.sleep(0.3)
            assert (line.belt.pieces, office.lots) == ([], [])

    asyncio.run(story())


def test_the_belt_stands_until_somebody_watches() -> None:
    async def story() -> None:
        office = Office()
        async with open_office(office) as url, running(line_site(url), seed=7, speed=1.0) as simulation:
            (line,) = simulation.lines
            await until(lambda: simulation.scenario.opened)
            await asyncio.sleep(0.3)
            assert (line.belt.pieces, office.lots) == ([], [])
            async with watched(simulation):
                await until(lambda: bool(line.belt.pieces))

    asyncio.run(story())
