"""sllurp's own client, unmodified, inventories tags from the simulated reader."""

import asyncio
import threading
from typing import Any

import pytest
from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig, LLRPReaderState

from firmware_sim.antennas import portal_antennas
from firmware_sim.radio import RadioModel, TagAt, TagRead
from firmware_sim.reader import SimReader, wall_us

EPC = "303435fc8803d056d15b963f"
SELECTOR = {"EnableAntennaID": True, "EnablePeakRSSI": True, "EnableFirstSeenTimestamp": True, "EnableROSpecID": True}
VENDOR = {"EnableRFPhaseAngle": True, "EnablePeakRSSI": True, "EnableRFDopplerFrequency": True}
TIMEOUT_S = 10.0


class Watcher:
    """Runs sllurp's client in its thread, and lets a story in the loop wait for what it saw."""

    def __init__(self, port: int, **config: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._came: asyncio.Queue[list[dict[str, Any]]] = asyncio.Queue()
        self.client = LLRPReaderClient("127.0.0.1", port, LLRPReaderConfig({"keepalive_interval": 50, **config}))
        self.client.add_tag_report_callback(self._take)
        self._leaving = threading.Event()
        self.client.add_message_callback("KEEPALIVE", self._leave)
        self._inventorying = asyncio.Event()
        self.client.add_state_callback(LLRPReaderState.STATE_INVENTORYING, self._begin)

    def _take(self, _: object, tags: list[dict[str, Any]]) -> None:
        self._loop.call_soon_threadsafe(self._came.put_nowait, tags)

    def _begin(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._inventorying.set)

    def _leave(self, *_: object) -> None:
        """Stop politely, in sllurp's own thread: from another one it loses answers that come at once."""
        if self._leaving.is_set() and not self.client.disconnect_requested.is_set():
            self.client.disconnect()

    async def __aenter__(self) -> "Watcher":
        await asyncio.to_thread(self.client.connect)
        async with asyncio.timeout(TIMEOUT_S):
            await self._inventorying.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving.set()
        await asyncio.to_thread(self.client.join, TIMEOUT_S)
        assert not self.client.is_alive()

    async def report(self) -> list[dict[str, Any]]:
        async with asyncio.timeout(TIMEOUT_S):
            return await self._came.get()


def read(antenna: int, at_us: int) -> TagRead:
    return TagRead(at_us, EPC, antenna, -61, 2048, 12, -40)


@pytest.mark.parametrize("vendor", [None, VENDOR], ids=["plain", "with vendor extensions"])
def test_every_read_reaches_sllurps_client(vendor: dict[str, bool] | None) -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader:
            config = {"report_every_n_tags": 1, "antennas": [1, 2, 3, 4], "tag_content_selector": SELECTOR}
            async with Watcher(reader.port, **config, impinj_tag_content_selector=vendor) as watcher:
                begun_us = wall_us()
                for place in range(20):
                    reader.deliver([read(1 + place % 4, begun_us + place)])
                tags = [tag for _ in range(20) for tag in await watcher.report()]
            await reader.vacant()
        assert [tag["AntennaID"] for tag in tags] == [1 + place % 4 for place in range(20)]
        assert [tag["FirstSeenTimestampUTC"] - begun_us for tag in tags] == list(range(20))
        assert {(tag["EPC"], tag["PeakRSSI"], tag["ROSpecID"]) for tag in tags} == {(EPC.encode(), -61, 1)}
        extras = ("ImpinjRFPhaseAngle", "ImpinjPeakRSSI", "ImpinjRFDopplerFrequency")
        expected = (2048, -6100, -40) if vendor else (None, None, None)
        assert {tuple(tag.get(extra) for extra in extras) for tag in tags} == {expected}

    asyncio.run(story())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sllurp")]


def test_a_tag_in_the_portal_is_inventoried_and_the_client_can_come_back() -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader:
            radio = RadioModel(portal_antennas(inside=[1, 4], outside=[2, 3]), seed=7)
            config = {"report_every_n_tags": 1, "antennas": [1, 2, 3, 4]}
            for _ in range(2):
                async with Watcher(reader.port, **config) as watcher:
                    begun_us = wall_us()
                    for step in range(50):
                        reader.deliver(radio.sense(begun_us + 20_000 * step, [TagAt(EPC, 0.2, 0.1)]))
                    assert (await watcher.report())[0]["EPC"] == EPC.encode()
                await reader.vacant()

    asyncio.run(story())


def test_a_client_that_asks_for_batches_gets_batches() -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader, Watcher(reader.port, report_every_n_tags=8) as watcher:
            reader.deliver([read(1, wall_us()) for _ in range(20)])
            assert [len(await watcher.report()) for _ in range(2)] == [8, 8]

    asyncio.run(story())
