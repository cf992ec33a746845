"""The simulated supplier over real HTTP: it ships each order once, whatever is down meanwhile."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
from simhouse import Office, config, open_office

from firmware_sim.clock import WorldClock
from firmware_sim.courier import Courier
from firmware_sim.scenario import Scenario
from firmware_sim.supplier import Supplier
from firmware_sim.world import Line, World


@asynccontextmanager
async def at_work(url: str) -> AsyncIterator[tuple[Supplier, Scenario]]:
    """A supplier that looks for orders while the block lasts."""
    site = config(url=url)
    world = World(site.items, [zone.name for zone in site.zones], seed=7, miss_rate=0.0)
    scenario = Scenario(site, world, 7, lambda happening: None)
    async with httpx.AsyncClient(timeout=2) as client, asyncio.TaskGroup() as tasks:
        supplier = Supplier(site, scenario, Courier(client, 7), WorldClock(1.0), 7, poll_s=0.05)
        work = tasks.create_task(supplier.run())
        try:
            yield supplier, scenario
        finally:
            work.cancel()


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_an_order_is_marked_shipped_announced_and_underway() -> None:
    async def story() -> None:
        office = Office()
        office.order("PO-12", "lemon-4kg", 30)
        async with open_office(office) as url, at_work(url) as (supplier, scenario):
            await office.until_told(1)
        assert office.steps == [("PO-12", "shipped")]
        (asn,) = office.shipments
        truck = supplier.shipped["PO-12"] if supplier.shipped else scenario.world.trucks["ASN-12"]
        assert (asn["id"], asn["order"], asn["door"]) == ("ASN-12", "PO-12", "dock-1")
        assert (asn["direction"], asn["partner"]) == ("inbound", "Hongda Fruit")
        assert [(case["epc"], case["sscc"], case["lot"]) for case in asn["cases"]] == list(truck.announced)
        assert {scenario.world.cases[case["epc"]].sku for case in asn["cases"]} == {"lemon-4kg"}
        assert len(asn["cases"]) == 30

    play(story)


def test_offices_that_fail_are_asked_again_and_nothing_is_shipped_twice() -> None:
    async def story() -> None:
        office = Office()
        for number in range(4):
            office.order(f"PO-{number}", "tomato-tray", 12)
        office.failing = 3
        async with open_office(office) as url, at_work(url):
            await office.until_told(2)
            office.failing = 2
            await office.until_told(4)
            office.orders["PO-0"]["state"] = "placed"  # a cloud that forgot: the supplier did not
            await asyncio.sleep(0.3)
        assert sorted(asn["id"] for asn in office.shipments) == ["ASN-0", "ASN-1", "ASN-2", "ASN-3"]

    play(story)


def test_offices_may_open_late() -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        office = Office()
        office.order("PO-1", "orange-8kg", 12)
        async with at_work(f"http://127.0.0.1:{port}"):
            await asyncio.sleep(0.3)
            async with open_office(office, port):
                await office.until_told(1)
        assert [asn["id"] for asn in office.shipments] == ["ASN-1"]

    play(story)


def test_what_cannot_be_delivered_is_declined_and_the_rest_goes_on() -> None:
    async def story() -> None:
        office = Office()
        office.order("PO-1", "durian", 5)
        office.order("PO-2", "lemon-4kg", 5, site="south")
        office.order("PO-3", "lemon-4kg", 5)
        async with open_office(office) as url, at_work(url):
            await office.until_told(1)
        assert [asn["id"] for asn in office.shipments] == ["ASN-3"]
        assert {number: order["state"] for number, order in office.orders.items()} == {
            "PO-1": "placed",
            "PO-2": "placed",
            "PO-3": "shipped",
        }

    play(story)


def test_a_refused_despatch_advice_keeps_the_truck_at_home() -> None:
    async def story() -> None:
        office = Office()
        office.refusing = True
        async with open_office(office) as url, at_work(url) as (supplier, scenario):
            assert await supplier.send((Line("lemon-4kg", 12),), None, lead_s=0) is None
            scenario.open(0.0)
            assert scenario.yard.arrive(1e9) == []

    play(story)
