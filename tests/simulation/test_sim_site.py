"""A whole simulated site on the network: a truck unloads, and what its devices say agrees with the truth."""

import asyncio
import struct
from collections import defaultdict
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
from pymodbus.client import AsyncModbusTcpClient
from simhouse import Office, config, open_office
from sllurp.llrp import LLRPMessage
from sllurp.llrp_proto import LLRPROSpec

from firmware_sim.app import Simulation, running
from firmware_sim.reader import SimReader

SELECTOR = {"EnableAntennaID": True, "EnablePeakRSSI": True, "EnableFirstSeenTimestamp": True}


class Listener:
    """An LLRP client that starts an inventory and keeps every report, with sllurp's codec."""

    def __init__(self) -> None:
        self.antennas: dict[str, list[int]] = defaultdict(list)
        """Antennas by EPC, in the order of the reads."""

    async def run(self, reader: SimReader) -> None:
        stream, writer = await asyncio.open_connection("127.0.0.1", reader.port)
        try:
            spec = LLRPROSpec(None, 1, antennas=(1, 2, 3, 4), tag_content_selector=SELECTOR)
            spec["ROReportSpec"].update(ROReportTrigger="Upon_N_Tags_Or_End_Of_ROSpec", N=1)
            for name, content in (("ADD_ROSPEC", {"ROSpec": dict(spec)}), ("ENABLE_ROSPEC", {})):
                writer.write(LLRPMessage(msgdict={name: {"ID": 1, "ROSpecID": 1, **content}}).msgbytes)
            while True:
                head = await stream.readexactly(10)
                body = await stream.readexactly(struct.unpack_from(">I", head, 2)[0] - 10)
                self._take(LLRPMessage(msgbytes=head + body))
        finally:
            writer.close()

    def _take(self, message: LLRPMessage) -> None:
        if message.msgname == "RO_ACCESS_REPORT":
            for tag in message.msgdict["RO_ACCESS_REPORT"]["TagReportData"]:
                epc = tag.get("EPC-96") or tag["EPCData"]["EPC"]
                self.antennas[epc.decode() if isinstance(epc, bytes) else epc].append(tag["AntennaID"])


async def watch_beams(port: int, seen: list[tuple[bool, ...]]) -> None:
    """Keep each change of the two photo-eyes of the first door."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    assert await client.connect()
    try:
        while True:
            bits = tuple((await client.read_discrete_inputs(0, count=2, device_id=1)).bits[:2])
            if not seen or seen[-1] != bits:
                seen.append(bits)
            await asyncio.sleep(0.02)
    finally:
        client.close()


async def truth(client: httpx.AsyncClient, simulation: Simulation, after: int = 0) -> dict[str, Any]:
    response = await client.get(f"http://127.0.0.1:{simulation.judge_port}/truth", params={"after": after})
    return dict(msgspec.json.decode(response.content))


async def until(client: httpx.AsyncClient, simulation: Simulation, condition: Any) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            now = await truth(client, simulation)
            if condition(now):
                return now
            await asyncio.sleep(0.1)


def test_a_truck_unloads_live() -> None:
    async def story() -> None:
        office, listener, beams = Office(), Listener(), list[tuple[bool, ...]]()
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(open_office(office))
            site = config(1, url, pallets_per_truck=1, sale_every_s=9000, mishap_every_s=9000, miss_rate=0)
            simulation = await stack.enter_async_context(running(site, seed=7, speed=1.0))
            client = await stack.enter_async_context(httpx.AsyncClient())
            judge = f"http://127.0.0.1:{simulation.judge_port}"
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            listening = tasks.create_task(listener.run(simulation.devices.readers["reader-dock-1"]))
            watching = tasks.create_task(watch_beams(simulation.devices.plcs["plc-1"].port, beams))

            now = await until(client, simulation, lambda now: now["passes"])
            assert (await client.get(f"{judge}/healthz")).json() == {"open": True}
            assert not now["quiet"]
            await client.post(f"{judge}/quiesce")
            now = await until(client, simulation, lambda now: now["quiet"])
            assert (await truth(client, simulation, after=now["next"]))["passes"] == []
            assert (await client.get(f"{judge}/truth", params={"after": -1})).status_code == 422
            await asyncio.sleep(0.2)
            listening.cancel()
            watching.cancel()

        (asn,) = office.shipments
        passed = {one["epc"]: one for one in now["passes"]}
        on_truck = {case["epc"] for case in asn["cases"]}
        pallets = {case["sscc"] for case in asn["cases"]}
        assert len(on_truck) == 12
        assert set(passed) == on_truck | pallets
        assert {(one["door"], one["direction"], one["kind"]) for one in passed.values()} == {
            ("dock-1", "inbound", "unload")
        }
        assert all(3e6 < one["left_us"] - one["entered_us"] < 9e6 for one in passed.values())
        in_house = {item["epc"]: item["zone"] for item in now["items"] if item["zone"]}
        assert {epc for epc, zone in in_house.items() if epc in on_truck} == on_truck
        assert {f"{epc},{zone}" for epc, zone in in_house.items() if epc not in on_truck} == {
            row.rpartition(",")[0] for row in office.items
        }

        assert set(passed) <= set(listener.antennas)
        strays = set(listener.antennas) - set(passed)
        shelf = {case.epc for case in simulation.scenario.world.shelf("dock-1")}
        assert strays <= shelf
        assert all(set(listener.antennas[epc]) & {1, 4} for epc in passed)
        assert all(set(listener.antennas[epc]) & {2, 3} for epc in passed)
        assert beams == [(False, False), (True, False), (True, True), (False, True), (False, False)]

    asyncio.run(story())


def test_the_site_gives_its_ports_back_when_it_is_cancelled() -> None:
    async def story() -> None:
        office = Office()
        async with open_office(office) as url, asyncio.TaskGroup():
            async with running(config(3, url), seed=1, speed=10.0) as simulation:
                ports = [device.port for devices in simulation.devices for device in devices.values()]
            for port in [*ports, simulation.judge_port]:
                (await asyncio.start_server(lambda *_: None, "127.0.0.1", port)).close()

    asyncio.run(story())
