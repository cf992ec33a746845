"""The gateway's link to the cloud: the real service, the real ledger, and a wire that is cut at the worst moment."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from cloudd import CloudProcess, cloud_thread
from ledgersite import SITE, START_US, Edge, case, door_pass, now_us
from patience import until

from contract.replenishment import OrderPage, PurchaseOrder
from contract.site import Site
from gateway import records
from gateway.cloud_link import CloudLink
from gateway.ledger.ledger import Ledger
from gateway.views import OrderView


def linked_to(url: str) -> Site:
    return SITE.model_copy(update={"cloud": SITE.cloud.model_copy(update={"url": url})})


@asynccontextmanager
async def linking(ledger: Ledger, url: str) -> AsyncIterator[CloudLink]:
    """A link that runs until the block ends."""
    link = CloudLink(linked_to(url), ledger, now_us, time.monotonic)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Cloud:
    """What the cloud's other clients see, and what its supplier does."""

    def __init__(self, url: str) -> None:
        self.url = url

    def orders(self) -> list[PurchaseOrder]:
        response = httpx.get(f"{self.url}/api/v1/orders", params={"limit": 1000}, trust_env=False)
        return OrderPage.model_validate_json(response.content).orders

    def step(self, number: str, state: str) -> None:
        response = httpx.post(f"{self.url}/api/v1/orders/{number}/state", json={"state": state}, trust_env=False)
        assert response.is_success, response.text

    def ask(self, key: str, units: int) -> None:
        body = {"key": key, "site": "north", "sku": "lemon-4kg", "units": units, "on_hand": 0, "reorder_point": 0}
        headers = {"Idempotency-Key": key}
        url = f"{self.url}/api/v1/replenishments"
        assert httpx.post(url, json={**body, "requested_us": 1}, headers=headers, trust_env=False).is_success


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_thread(tmp_path) as url:
        yield Cloud(url)


def story(tmp_path: Path, tell: Callable[[Ledger], Awaitable[None]]) -> None:
    async def run() -> None:
        with Ledger.open(tmp_path / "ledger.db", SITE, now_us) as ledger:
            await tell(ledger)

    asyncio.run(run())


async def need(ledger: Ledger, *items: int) -> None:
    """One case of each item comes in: too few, so that the house asks for more."""
    edge = Edge(ledger, epoch=f"e{items}")
    await edge.tell(*(door_pass(case(item, 1), START_US, "dock-1") for item in items))


def orders_of(ledger: Ledger) -> dict[str, OrderView]:
    views = ledger.views("orders")
    return {key: view for key, view in views.items() if isinstance(view, OrderView)}


def states_of(ledger: Ledger) -> list[str]:
    return sorted(order.state for order in orders_of(ledger).values())


def reports_of(ledger: Ledger) -> list[tuple[str, str]]:
    """Key and state of every report in the log."""
    found = [json.loads(row.body) for row in ledger.rows(0, 10_000) if row.kind == "order_reported"]
    return [(report["key"], report["state"]) for report in found]


class CuttingProxy:
    """A wire between a client and the cloud: while `cutting`, a request arrives and its answer never comes back."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cutting = False
        self.cut = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection("127.0.0.1", self._port)
        with suppress(ConnectionError):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(reader, to_there))
                tasks.create_task(self._carry_back(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def _carry_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.cutting and data.startswith(b"HTTP/1.1 201"):
                self.cut += 1
                break
            writer.write(data)
        writer.close()


def test_a_need_is_ordered_followed_and_reported_received(tmp_path: Path, cloud: Cloud) -> None:
    async def tell(ledger: Ledger) -> None:
        async with linking(ledger, cloud.url) as link:
            await need(ledger, 0)
            await until(lambda: states_of(ledger) == ["placed"])
            (order,) = orders_of(ledger).values()
            (placed,) = await asyncio.to_thread(cloud.orders)
            assert (order.number, order.units, order.supplier) == (placed.number, placed.units, "Hongda Fruit")
            assert placed.key == order.key

            await asyncio.to_thread(cloud.step, placed.number, "shipped")
            await until(lambda: states_of(ledger) == ["shipped"])

            lemons = [case(0, 100 + n) for n in range(placed.units)]
            asn_cases = tuple(records.AsnCase(epc=epc) for epc in lemons)
            await ledger.record(
                records.AsnReceived(
                    at_us=now_us(), id="S1", direction="inbound", partner="H", order=placed.number, cases=asn_cases
                )
            )
            await Edge(ledger, epoch="truck").tell(door_pass(lemons, now_us(), "dock-1"))
            await until(lambda: states_of(ledger) == ["received"])
            await until(lambda: link.link.waiting == 0)
            assert [order.state for order in await asyncio.to_thread(cloud.orders)] == ["received"]
            assert (link.link.state, link.link.oldest_us) == ("ok", None)
            assert [state for _, state in reports_of(ledger)] == ["placed", "shipped"]

    story(tmp_path, tell)


def test_an_answer_that_is_lost_after_the_commit_orders_nothing_twice(tmp_path: Path, cloud: Cloud) -> None:
    async def tell(ledger: Ledger) -> None:
        proxy = CuttingProxy(httpx.URL(cloud.url).port or 0)
        async with proxy.listening() as url, linking(ledger, url) as link:
            proxy.cutting = True
            await need(ledger, 0, 1, 2, 3)
            await until(lambda: proxy.cut >= 3 or "placed" in states_of(ledger))
            await until(lambda: link.link.state == "down" or states_of(ledger) == ["placed"] * 4)
            proxy.cutting = False
            await until(lambda: states_of(ledger) == ["placed"] * 4)
            await until(lambda: link.link.state == "ok")
        orders = await asyncio.to_thread(cloud.orders)
        assert proxy.cut >= 1
        assert len(orders) == 4
        assert {order.key: order.number for order in orders} == {k: o.number for k, o in orders_of(ledger).items()}
        assert sorted(reports_of(ledger)) == sorted((order.key, "placed") for order in orders)

    story(tmp_path, tell)


@pytest.mark.slow
def test_the_cloud_killed_and_the_gateway_restarted_nothing_is_lost_or_doubled(
    tmp_path: Path, cloud_process: CloudProcess
) -> None:
    async def before(ledger: Ledger) -> None:
        async with linking(ledger, cloud_process.url) as link:
            await need(ledger, 0)  # the cloud has never been there
            await until(lambda: link.link.state == "down")
            assert link.link.waiting == 1
            assert link.link.oldest_us is not None
            await asyncio.to_thread(cloud_process.start)
            await until(lambda: states_of(ledger) == ["placed"])
            cloud_process.kill()
            await need(ledger, 1, 2)
            await until(lambda: link.link.state == "down" and link.link.waiting == 2)

    async def after(ledger: Ledger) -> None:
        async with linking(ledger, cloud_process.url) as link:
            await until(lambda: link.link.state == "down" and link.link.waiting == 2)
            await asyncio.to_thread(cloud_process.start)
            await until(lambda: states_of(ledger) == ["placed"] * 3)
            await need(ledger, 3)
            await until(lambda: states_of(ledger) == ["placed"] * 4 and link.link.state == "ok")
        orders = await asyncio.to_thread(Cloud(cloud_process.url).orders)
        assert sorted(order.key for order in orders) == sorted(orders_of(ledger))
        assert len(reports_of(ledger)) == 4
        assert ledger.cursor("cloud") > 0

    story(tmp_path, before)
    story(tmp_path, after)


def test_a_refused_request_is_told_and_asked_again_seldom_while_others_go_on(tmp_path: Path) -> None:
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A cloud that knows no order and will have none for tomatoes."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                status, answer = 200, {"orders": [], "cursor": "c"}
                if head.startswith("POST"):
                    length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                    body = json.loads(await reader.readexactly(length))
                    asked.append(body["sku"])
                    fields = {name: body[name] for name in ("key", "site", "sku", "units")}
                    answer = {**fields, "number": "PO-1", "supplier": "S", "state": "placed"}
                    status, answer = 201, {**answer, "placed_us": 1, "updated_us": 1}
                    if body["sku"] == "tomato-tray":
                        status, answer = 422, {"title": "no tomatoes"}
                data = json.dumps(answer).encode()
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)

    async def tell(ledger: Ledger) -> None:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, linking(ledger, url) as link:
            await need(ledger, 1, 0)
            await until(lambda: states_of(ledger) == ["placed", "requested"])
            await asyncio.sleep(1.5)  # time for a hot loop to show itself
            assert (link.link.state, link.link.waiting) == ("behind", 1)
            assert asked.count("tomato-tray") == 1
            assert asked.count("lemon-4kg") == 1

    story(tmp_path, tell)


def test_a_new_ledger_learns_the_orders_of_the_old_one(tmp_path: Path, cloud: Cloud) -> None:
    async def tell(ledger: Ledger) -> None:
        await asyncio.to_thread(cloud.ask, "north:lemon-4kg:1", 36)
        await asyncio.to_thread(cloud.ask, "north:lemon-4kg:2", 12)
        await asyncio.to_thread(cloud.step, "PO-1", "received")
        async with linking(ledger, cloud.url):
            await until(lambda: states_of(ledger) == ["placed", "received"])
            await need(ledger, 0)
            await until(lambda: states_of(ledger) == ["placed", "placed", "received"])
        keys = {order.key for order in await asyncio.to_thread(cloud.orders)}
        assert keys == {f"north:lemon-4kg:{n}" for n in (1, 2, 3)}

    story(tmp_path, tell)
