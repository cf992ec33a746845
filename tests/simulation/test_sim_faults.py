"""Faults on running devices: they break what they say, and all of it is healed."""

import asyncio

import pytest

from firmware_sim.clock import WorldClock
from firmware_sim.faults import Fault, Saboteur, Trouble
from firmware_sim.plc import Plc
from firmware_sim.reader import SimReader


async def connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


def test_a_reader_without_power_is_gone_and_comes_back() -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader:
            port, began = reader.port, WorldClock(1.0).wall_us()
            saboteur = Saboteur(
                iter([Fault(0.0, "reader_off", "reader-1", 0.3, 1)]), {"reader-1": reader}, {}, WorldClock(1.0)
            )
            work = asyncio.create_task(saboteur.run())
            await asyncio.sleep(0.1)
            assert not await connects(port)
            await work
            assert await connects(port)
        (outage,) = saboteur.outages
        assert (outage.device, outage.trouble) == ("reader-1", "reader_off")
        assert outage.healed_us is not None
        assert began <= outage.began_us < outage.healed_us

    asyncio.run(story())


@pytest.mark.parametrize("trouble", ["reader_off", "reader_frozen", "connection_reset", "antenna_off", "plc_silent"])
def test_a_cancelled_plan_leaves_nothing_broken(trouble: Trouble) -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader, Plc("127.0.0.1", 0, 1) as plc:
            device = "plc-1" if trouble == "plc_silent" else "reader-1"
            faults = iter([Fault(0.0, trouble, device, 60.0, 2), Fault(0.0, trouble, device, 60.0, 3)])
            saboteur = Saboteur(faults, {"reader-1": reader}, {"plc-1": plc}, WorldClock(1.0))
            work = asyncio.create_task(saboteur.run())
            await asyncio.sleep(0.1)
            assert len(saboteur.outages) == 1, "one trouble at a time"
            work.cancel()
            await asyncio.wait([work])
            stream, writer = await asyncio.open_connection("127.0.0.1", reader.port)
            async with asyncio.timeout(2):
                assert await stream.readexactly(10), "the reader greets its client"
            writer.close()
            assert await connects(plc.port)

    asyncio.run(story())
