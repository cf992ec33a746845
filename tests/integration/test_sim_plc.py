"""The simulated PLC, read and written by pymodbus's own client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from firmware_sim.errors import SimError
from firmware_sim.plc import Plc


@asynccontextmanager
async def connected(plc: Plc) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=plc.port, timeout=0.3, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


def test_photo_eyes_and_temperatures_are_what_the_world_set() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, connected(plc) as client:
            plc.set_discrete(1, True)
            plc.set_discrete(17, True)
            plc.set_input(0, 214)
            plc.set_input(1, -35)
            bits = (await client.read_discrete_inputs(0, count=20, device_id=1)).bits
            assert [place for place, bit in enumerate(bits) if bit] == [1, 17]
            assert (await client.read_discrete_inputs(17, count=1, device_id=1)).bits[0]
            assert (await client.read_input_registers(0, count=2, device_id=1)).registers == [214, 65536 - 35]
            plc.set_discrete(1, False)
            assert not (await client.read_discrete_inputs(1, count=1, device_id=1)).bits[0]

    asyncio.run(story())


def test_the_stack_light_shows_what_the_client_wrote() -> None:
    async def story() -> None:
        told: list[tuple[int, bool]] = []
        async with Plc("127.0.0.1", 0, 1, on_coil=lambda *coil: told.append(coil)) as plc, connected(plc) as client:
            await client.write_coil(2, True, device_id=1)
            assert [plc.coil(place) for place in range(3)] == [False, False, True]
            await client.write_coils(0, [True, False, False], device_id=1)
            assert [plc.coil(place) for place in range(3)] == [True, False, False]
            assert (await client.read_coils(0, count=3, device_id=1)).bits[:3] == [True, False, False]
        assert told == [(2, True), (0, True), (1, False), (2, False)]

    asyncio.run(story())


def test_an_address_outside_the_tables_is_refused() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, connected(plc) as client:
            assert (await client.read_discrete_inputs(64, count=1, device_id=1)).isError()
            assert (await client.read_input_registers(60, count=10, device_id=1)).isError()
            assert (await client.write_coils(60, [True] * 8, device_id=1)).isError()
            assert not any(plc.coil(place) for place in range(64))

    asyncio.run(story())


def test_a_silent_plc_accepts_and_does_not_answer() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            plc.silence()
            async with connected(plc) as client:
                with pytest.raises(ModbusIOException):
                    await client.read_coils(0, count=1, device_id=1)
            plc.silence(False)
            async with connected(plc) as client:
                assert not (await client.read_coils(0, count=1, device_id=1)).isError()

    asyncio.run(story())


def test_a_plc_comes_back_on_its_port_after_a_power_cut() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            async with connected(plc) as client:
                await client.write_coil(0, True, device_id=1)
                await plc.power_off()
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.1", plc.port)
            await plc.power_on()
            async with connected(plc) as client:
                assert not (await client.read_coils(0, count=1, device_id=1)).bits[0]

    asyncio.run(story())


def test_a_taken_port_is_an_error() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            with pytest.raises(SimError, match=f"cannot listen on 127.0.0.1:{plc.port}"):
                async with Plc("127.0.0.1", plc.port, 1):
                    pass

    asyncio.run(story())


def test_garbage_ends_at_most_its_own_connection() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            _, writer = await asyncio.open_connection("127.0.0.1", plc.port)
            writer.write(bytes(range(256)) * 40)
            await writer.drain()
            async with connected(plc) as client:
                assert not (await client.read_coils(0, count=1, device_id=1)).isError()
            writer.close()

    asyncio.run(story())
