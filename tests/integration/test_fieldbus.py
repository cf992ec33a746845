"""The fieldbus beside a PLC that is switched off and on, falls silent, and lies."""

import asyncio
import time
from collections.abc import Callable

from contract import events
from contract.fieldbus import ModbusDevice
from edge.fieldbus import Fieldbus
from edge.stack_light import Lamps
from firmware_sim.plc import Plc

GREEN, AMBER = Lamps(green=True, amber=False, red=False), Lamps(green=False, amber=True, red=False)


class Watch:
    """A fieldbus at work and everything that it told."""

    def __init__(self, port: int, **more: object) -> None:
        registers = [
            {"name": "eye-outer", "table": "discrete", "address": 0, "meaning": "photo_eye"},
            {"name": "eye-inner", "table": "discrete", "address": 1, "meaning": "photo_eye"},
            {
                "name": "warmth",
                "table": "input",
                "address": 0,
                "meaning": "temperature_c",
                "scale": 0.1,
                "every_s": 0.05,
            },
            {"name": "green", "table": "coil", "address": 0, "meaning": "stack_green"},
            {"name": "amber", "table": "coil", "address": 1, "meaning": "stack_amber"},
            {"name": "red", "table": "coil", "address": 2, "meaning": "stack_red"},
        ]
        device = {"name": "plc-1", "agent": "dock", "port": port, "poll_s": 0.01, "registers": registers} | more
        self.beams: list[tuple[str, bool, int]] = []
        self.conditions: list[events.Condition] = []
        self.devices: list[events.Device] = []
        self.lamps = GREEN
        self.bus = Fieldbus(
            ModbusDevice.model_validate(device),
            lambda *beam: self.beams.append(beam),
            self.conditions.append,
            self.devices.append,
            lambda: self.lamps,
            lambda: time.time_ns() // 1000,
        )

    @property
    def states(self) -> list[str]:
        return [device.state for device in self.devices]

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(device.device, device.state) for device in self.devices]

    async def until(self, seen: Callable[[], bool]) -> None:
        """Run the fieldbus until something has been seen."""

        async def look() -> None:
            while not seen():  # noqa: ASYNC110  # the test looks from outside
                await asyncio.sleep(0.005)
            task.cancel()

        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.bus.run())
            tasks.create_task(look())


def test_a_pallet_breaks_the_outer_beam_and_then_the_inner_one() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            watch = Watch(plc.port)
            began_us = time.time_ns() // 1000
            for address, broken in ((0, True), (1, True), (0, False), (1, False)):
                plc.set_discrete(address, broken)
                seen = len(watch.beams) + 1
                await watch.until(lambda seen=seen: len(watch.beams) == seen)
            assert [beam[:2] for beam in watch.beams] == [
                ("eye-outer", True),
                ("eye-inner", True),
                ("eye-outer", False),
                ("eye-inner", False),
            ]
            times = [beam[2] for beam in watch.beams]
            assert times == sorted(times)
            assert began_us <= times[0]
            assert times[-1] <= time.time_ns() // 1000

    asyncio.run(story())


def test_temperatures_are_reported_with_their_zone() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            plc.set_input(0, -35)
            watch = Watch(plc.port)
            await watch.until(lambda: len(watch.conditions) == 3)
            condition = watch.conditions[0]
            assert (condition.device, condition.zone, condition.quantity) == ("warmth", "plc-1", "temperature_c")
            assert condition.value == -3.5
            assert watch.states == ["connected"]

    asyncio.run(story())


def test_the_stack_light_follows_and_is_lit_again_after_a_power_cut() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            watch = Watch(plc.port)
            await watch.until(lambda: [plc.coil(n) for n in range(3)] == [True, False, False])
            watch.lamps = AMBER
            await watch.until(lambda: [plc.coil(n) for n in range(3)] == [False, True, False])
            await plc.power_off()
            await watch.until(lambda: watch.states[-1] == "lost")
            await plc.power_on()
            await watch.until(lambda: [plc.coil(n) for n in range(3)] == [False, True, False])

    asyncio.run(story())


def test_a_lost_device_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            watch = Watch(plc.port)
            await watch.until(lambda: watch.states == ["connected"])
            await plc.power_off()
            await watch.until(lambda: watch.bus.reconnects > 2)
            await plc.power_on()
            await watch.until(lambda: watch.states[-1] == "connected")
            plc.silence()
            await watch.until(lambda: watch.states[-1] == "lost")
            plc.silence(False)
            await watch.until(lambda: watch.states[-1] == "connected")
            assert watch.states == ["connected", "lost", "connected", "lost", "connected"]
            assert (
                "does not accept a connection" in watch.devices[1].detail or "Not connected" in watch.devices[1].detail
            )

    asyncio.run(story())


def test_a_cut_sensor_wire_is_a_fault_of_the_sensor_and_no_reading() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            plc.set_input(0, -32768)
            watch = Watch(plc.port)
            await watch.until(lambda: len(watch.devices) == 2)
            assert watch.told == [("warmth", "blind"), ("plc-1", "connected")]
            assert watch.conditions == []
            assert "warmth reads -3276.8" in watch.devices[0].detail
            plc.set_input(0, 40)
            await watch.until(lambda: len(watch.conditions) == 1)
            assert watch.told[2:] == [("warmth", "connected")]
            assert watch.conditions[0].value == 4.0

    asyncio.run(story())


def test_a_sensor_that_jumps_is_believed_when_it_stays_there() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            plc.set_input(0, 40)
            watch = Watch(plc.port)
            await watch.until(lambda: len(watch.conditions) == 1)
            plc.set_input(0, 600)
            await watch.until(lambda: ("warmth", "connected") in watch.told)
            await watch.until(lambda: watch.conditions[-1].value == 60.0)
            assert ("warmth", "blind") in watch.told
            assert "warmth jumped from 4 to 60" in watch.devices[1].detail

    asyncio.run(story())


def test_a_door_that_opens_is_told_as_a_condition_of_its_zone() -> None:
    async def story() -> None:
        contact = {"table": "discrete", "address": 2, "meaning": "door_open", "zone": "cold-room", "every_s": 0.05}
        async with Plc("127.0.0.1", 0, 1) as plc:
            watch = Watch(plc.port, registers=[{"name": "cold-door", "open_when": 0, **contact}])
            await watch.until(lambda: len(watch.conditions) == 1)
            plc.set_discrete(2, True)
            await watch.until(lambda: watch.conditions[-1].value == 0)
            first = watch.conditions[0]
            assert (first.device, first.zone, first.quantity, first.value) == ("cold-door", "cold-room", "door_open", 1)

    asyncio.run(story())


def test_a_register_that_is_not_there_does_not_stop_the_others() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            far = {"name": "far", "table": "discrete", "address": 5000, "meaning": "photo_eye"}
            near = {"name": "near", "table": "discrete", "address": 3, "meaning": "photo_eye"}
            watch = Watch(plc.port, registers=[far, near])
            plc.set_discrete(3, True)
            await watch.until(lambda: len(watch.beams) == 1 and watch.states == ["blind"])
            assert "far is refused (exception 2)" in watch.devices[0].detail

    asyncio.run(story())


def test_a_host_that_speaks_something_else_is_lost_and_named() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            writer.write(b"\x00\x01\x00\x00\x00\x04\x01\x81\xff\xffHTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def story() -> None:
        async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            watch = Watch(port)
            await watch.until(lambda: watch.states == ["lost"])
            assert f"127.0.0.1:{port} unit 1" in watch.devices[0].detail

    asyncio.run(story())
