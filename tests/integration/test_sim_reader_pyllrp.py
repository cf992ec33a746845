"""pyllrp's own client, unmodified, inventories and writes tags at the simulated reader."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from llrpclient import EPC, read
from otherllrp import OtherClient, inventory, llrp, part, rospec
from pyllrp.LLRPConnector import LLRPConnector
from pyllrp.TagInventory import TagInventory
from pyllrp.TagWriter import TagWriter

from firmware_sim.antennas import portal_antennas
from firmware_sim.radio import RadioModel, TagAt
from firmware_sim.reader import SimReader, wall_us
from firmware_sim.tagmemory import Tags


@contextlib.asynccontextmanager
async def portal(every_s: float = 0.02) -> AsyncIterator[tuple[SimReader, Tags]]:
    """A reader that hears one tag in its portal as its ROSpec and its radio let it, once in `every_s` at most."""
    tags = Tags()
    async with SimReader("reader-1", tags=tags) as reader:
        radio = RadioModel(portal_antennas(inside=[1, 4], outside=[2, 3]), seed=7)

        async def listen() -> None:
            while True:
                reader.deliver(radio.sense(wall_us(), [TagAt(EPC, 0.2, 0.1)], reader.on_air)[:1])
                await asyncio.sleep(every_s)

        listening = asyncio.create_task(listen())
        yield reader, tags
        listening.cancel()


@contextlib.contextmanager
def at(port: int) -> Iterator[None]:
    """pyllrp's tools know hosts but no ports: here they find our reader where it listens, not at 5084."""
    connect = LLRPConnector.connect
    defaults, connect.__defaults__ = connect.__defaults__, (port,)
    yield
    connect.__defaults__ = defaults


def test_its_tag_inventory_finds_the_tag_in_the_portal() -> None:
    def find(port: int) -> tuple[set[str], list[dict[str, Any]]]:
        with at(port):
            tool = TagInventory("127.0.0.1", defaultAntennas=[1, 2, 3, 4], transmitPower=81)
            tool.readWaitMilliseconds = 500
            tool.Connect()
            found, _ = tool.GetTagInventory()
            tool.Disconnect()
        return found, tool.tagDetail

    async def story() -> None:
        async with portal() as (reader, _):
            found, details = await asyncio.to_thread(find, reader.port)
            await reader.vacant()
        assert found == {EPC.upper()}
        assert {detail["AntennaID"] for detail in details} <= {1, 2, 3, 4}
        assert all(-80 < detail["PeakRSSI"] < -20 for detail in details)

    asyncio.run(story())


def test_its_tag_writer_writes_the_tag_in_the_portal() -> None:
    def write(port: int) -> set[str]:
        with at(port):
            tool = TagWriter("127.0.0.1")
            tool.readWaitMilliseconds = 300
            tool.Connect()
            tool.WriteTag("", "30A1B2C3")
            found, _ = tool.GetTagInventory()
            tool.Disconnect()
        return set(found)

    async def story() -> None:
        # It writes ten times and wants its AccessSpec to be there still: in 0.45 s it must not get so far.
        async with portal(every_s=0.1) as (reader, tags):
            found = await asyncio.to_thread(write, reader.port)
            assert found == {"30A1B2C3"}
            assert tags[EPC].epc == bytes.fromhex("30a1b2c3")

    asyncio.run(story())


def test_its_connector_gets_every_read_with_the_vendors_fields() -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader, OtherClient(reader.port) as client:
            await client.done(llrp.IMPINJ_ENABLE_EXTENSIONS_Message())
            await inventory(client, rospec(1, 2, vendor=True))
            reader.deliver([read(antenna=1), read(antenna=3), read(antenna=2)._replace(fine_dbm=-60.37)])
            first, second = await client.tags()
            assert (part(first, "AntennaID").AntennaID, part(second, "AntennaID").AntennaID) == (1, 2)
            assert part(first, "ImpinjRFPhaseAngle").PhaseAngle == 100
            assert part(first, "ImpinjRFDopplerFrequency").DopplerFrequency == -3
            assert (part(first, "ImpinjPeakRSSI").RSSI, part(second, "ImpinjPeakRSSI").RSSI) == (-6000, -6037)
            assert part(first, "C1G2_PC").PC_Bits == 6 << 11

    asyncio.run(story())


def test_it_reads_every_capability_and_setting_of_the_reader() -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader, OtherClient(reader.port) as client:
            await client.done(llrp.IMPINJ_ENABLE_EXTENSIONS_Message())
            everything = [llrp.ImpinjRequestedData_Parameter(RequestedData=1000)]
            can = await client.done(llrp.GET_READER_CAPABILITIES_Message(Parameters=everything))
            can._validate()
            assert part(can, "GeneralDeviceCapabilities").DeviceManufacturerName == 25882
            assert part(can, "ImpinjDetailedVersion").FirmwareVersion == "simulated 1.0"
            everything = [llrp.ImpinjRequestedData_Parameter(RequestedData=2000)]
            has = await client.done(llrp.GET_READER_CONFIG_Message(Parameters=everything))
            assert part(has, "ImpinjLinkMonitorConfiguration").LinkMonitorMode == llrp.ImpinjLinkMonitorMode.Disabled
            assert part(has, "LLRPConfigurationStateValue").LLRPConfigurationStateValue != 0

    asyncio.run(story())


@pytest.mark.parametrize("vendor", ["none", "impinj"])
def test_the_vendors_parameters_are_refused_until_its_extensions_are_enabled(vendor: Any) -> None:
    async def story() -> None:
        async with SimReader("reader-1", vendor=vendor) as reader, OtherClient(reader.port) as client:
            answer = await client.ask(rospec(1, vendor=True))
            assert part(answer, "LLRPStatus").StatusCode == llrp.StatusCode.M_UnsupportedParameter
            enabled = await client.ask(llrp.IMPINJ_ENABLE_EXTENSIONS_Message())
            if vendor == "none":
                assert isinstance(enabled, llrp.ERROR_MESSAGE_Message)
            else:
                await client.done(rospec(1, vendor=True))

    asyncio.run(story())
