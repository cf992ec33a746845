"""The cloud service as its clients meet it: a real process, its database on disk, many hands at once."""

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config
from cloudd import CloudProcess, cloud_thread
from sqlalchemy import inspect

from cloud import app
from cloud.api import build, document
from cloud.book import OrderBook
from cloud.db import engine_of, open_database
from cloud.errors import NoDatabase, NoListener
from contract.replenishment import OrderPage, PurchaseOrder
from contract.site import Cloud


def body(key: str, **changes: object) -> dict[str, object]:
    asked = {"key": key, "site": "north", "sku": "lemon-4kg", "units": 12, "on_hand": 3, "reorder_point": 20}
    return {**asked, "requested_us": 1_790_000_000_000_000, **changes}


class Client:
    """A client of the API that says what it got."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def ask(self, key: str, **changes: object) -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return self.http.post("/api/v1/replenishments", json=body(key, **changes), headers=headers)

    def step(self, number: str, state: str) -> httpx.Response:
        return self.http.post(f"/api/v1/orders/{number}/state", json={"state": state})

    def page(self, **query: str) -> OrderPage:
        response = self.http.get("/api/v1/orders", params=query)
        assert response.status_code == 200, response.text
        return OrderPage.model_validate_json(response.content)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with cloud_thread(tmp_path) as url:
        client = Client(url)
        yield client
        client.http.close()


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == response.status_code
    assert told["title"]
    assert told["detail"]
    return response.status_code, told["type"].removeprefix("urn:truecount:problem:")


def test_a_need_becomes_one_order_and_goes_its_way(client: Client) -> None:
    first = client.ask("north:lemon:1")
    assert first.status_code == 201
    order = PurchaseOrder.model_validate_json(first.content)
    assert (order.number, order.units, order.supplier, order.state) == ("PO-1", 12, "Hongda Fruit", "placed")

    again = client.ask("north:lemon:1")
    assert (again.status_code, again.json()) == (200, first.json())

    for state in ("shipped", "shipped", "received", "received"):
        assert client.step("PO-1", state).json()["state"] == state
    assert client.ask("north:lemon:1").json()["state"] == "received"
    assert len(client.page().orders) == 1


def test_what_is_wrong_is_said_as_a_problem(client: Client) -> None:
    client.ask("k1")
    post, path = client.http.post, "/api/v1/replenishments"
    keyed = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    assert problem(client.ask("k1", units=13)) == (422, "key-reused")
    assert problem(client.ask("k1", on_hand=4)) == (422, "key-reused")
    assert problem(post(path, json=body("k2"), headers=keyed)) == (422, "key-mismatch")
    assert problem(post(path, json=body("k2"))) == (422, "invalid")
    assert problem(client.ask("k2", units=0)) == (422, "invalid")
    assert problem(client.ask("k2", colour="red")) == (422, "invalid")
    assert problem(client.ask("k2", sku="a\x07")) == (422, "bad-text")
    assert problem(post(path, content=b'{"\\ud800": 1, "key": "\\udfff"}', headers=keyed)) == (422, "invalid")
    assert problem(post(path, content=b'{"key"', headers=keyed)) == (422, "invalid")
    for garbage in (b"\xff\xfe", b'{"units": ' + b"9" * 5000 + b"}", b"[" * 60_000):
        assert problem(post(path, content=garbage, headers=keyed))[0] in (400, 422)
    assert problem(post(path, content=b" " * 70_000, headers=keyed)) == (413, "request-entity-too-large")
    assert problem(post(path, content=iter([b" " * 1000] * 70), headers=keyed)) == (413, "request-entity-too-large")
    assert problem(client.step("PO-1", "lost")) == (422, "invalid")
    assert problem(client.step("PO-2", "shipped")) == (404, "no-such-order")
    client.step("PO-1", "received")
    assert problem(client.step("PO-1", "shipped")) == (409, "illegal-step")
    assert problem(client.http.get("/api/v1/orders", params={"after": "PO-1"})) == (422, "bad-cursor")
    assert problem(client.http.get("/api/v1/orders", params={"site": "NORTH!"})) == (422, "invalid")
    assert problem(client.http.get("/nowhere")) == (404, "not-found")
    assert problem(client.http.delete("/api/v1/orders")) == (405, "method-not-allowed")
    assert [order.state for order in client.page().orders] == ["received"]


def test_large_numbers_of_a_request_are_kept_as_they_are(client: Client) -> None:
    assert client.ask("k1", on_hand=-(10**30), requested_us=10**40, reorder_point=10**25).status_code == 201
    assert client.ask("k1", on_hand=-(10**30), requested_us=10**40, reorder_point=10**25).status_code == 200


def test_many_hands_with_the_same_keys_at_once_make_one_order_each(client: Client) -> None:
    keys = [f"north:sku:{n}" for n in range(20)] * 10
    random.Random(7).shuffle(keys)
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(client.ask, keys))
    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert sum(answer.status_code == 201 for answer in answers) == 20
    numbers = {(answer.json()["key"], answer.json()["number"]) for answer in answers}
    assert len(numbers) == 20
    assert len(client.page().orders) == 20


def test_the_same_key_with_different_bodies_at_once_is_one_order_of_one_of_them(client: Client) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda units: client.ask("k", units=units), range(1, 31)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 29
    (order,) = client.page().orders
    assert order == PurchaseOrder.model_validate_json(next(a.content for a in answers if a.status_code == 201))


def test_a_reader_with_a_cursor_misses_no_change_while_others_write(client: Client) -> None:
    keys = [f"k{n}" for n in range(60)]
    seen: dict[str, str] = {}

    def write(key: str) -> None:
        number = client.ask(key).json()["number"]
        client.step(number, "shipped")
        client.step(number, "received")

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(write, key) for key in keys]
        cursor = ""
        while True:
            done = all(job.done() for job in jobs)
            page = client.page(after=cursor, limit="7")
            cursor = page.cursor
            seen |= {order.key: order.state for order in page.orders}
            if done and not page.orders:
                break
    assert seen == dict.fromkeys(keys, "received")
    assert client.page(after=cursor) == OrderPage(orders=[], cursor=cursor)


def test_orders_are_chosen_by_site_state_and_supplier(client: Client) -> None:
    client.ask("a", site="north")
    client.ask("b", site="south")
    client.step("PO-1", "shipped")
    assert [order.key for order in client.page(site="south").orders] == ["b"]
    assert [order.key for order in client.page(state="shipped").orders] == ["a"]
    assert [order.key for order in client.page(supplier="Hongda Fruit").orders] == ["b", "a"]
    assert client.page(supplier="Nobody").orders == []
    assert client.http.get("/api/v1/orders/PO-2").json()["key"] == "b"
    figures = client.http.get("/metrics").text
    assert 'truecount_cloud_orders{state="placed"} 1.0' in figures
    assert 'truecount_cloud_replenishments_total{outcome="placed"} 2.0' in figures


@pytest.mark.slow
def test_kill_9_in_the_middle_loses_no_order_and_doubles_none(cloud_process: CloudProcess) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    asyncio.run(_asked_while_killed(cloud_process, chance))
    orders = Client(cloud_process.url).page(limit="1000").orders
    assert sorted(order.key for order in orders) == sorted(f"k{n}" for n in range(60))
    assert len({order.number for order in orders}) == 60


async def _asked_while_killed(cloud: CloudProcess, chance: random.Random) -> None:
    """Every client asks for its need until it has an order, and once more; meanwhile the process dies twice."""
    numbers: dict[str, set[str]] = {}
    limits = httpx.Limits(max_connections=12)
    cloud.start()
    async with httpx.AsyncClient(base_url=cloud.url, trust_env=False, limits=limits, timeout=20) as http:

        async def need(key: str) -> None:
            answers = 0
            await asyncio.sleep(chance.uniform(0, 2))
            while answers < 2:
                try:
                    asked = await http.post("/api/v1/replenishments", json=body(key), headers={"Idempotency-Key": key})
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                    continue
                assert asked.status_code in (200, 201), asked.text
                numbers.setdefault(key, set()).add(asked.json()["number"])
                answers += 1

        async with asyncio.TaskGroup() as tasks:
            for n in range(60):
                tasks.create_task(need(f"k{n}"))
            for _ in range(2):
                await asyncio.sleep(chance.uniform(0.05, 0.6))
                cloud.kill()
                await asyncio.to_thread(cloud.start)
    assert all(len(given) == 1 for given in numbers.values())


def test_a_cursor_of_another_database_is_refused(tmp_path: Path) -> None:
    cursors = [OrderBook(open_database(f"sqlite:///{tmp_path}/{n}.db"), "S", lambda: 1).page().cursor for n in "ab"]
    assert cursors[0] != cursors[1]


def test_the_migrations_make_what_the_models_say_and_can_be_taken_back(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", "cloud:migrations")
    with open_database(f"sqlite:///{tmp_path}/cloud.db").begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(config, "head")
        command.check(config)


def test_a_database_that_cannot_be_opened_is_named_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database at all, but long enough to be looked at" * 100)
    urls = [f"sqlite:///{tmp_path}/file", "sqlite://", "nonsense", "postgresql+nodriver://me:secret@127.0.0.1:1/x"]
    for url in urls:
        with pytest.raises(NoDatabase) as raised:
            open_database(url)
        assert "secret" not in str(raised.value)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Cloud(port=taken.getsockname()[1], database=f"sqlite:///{tmp_path}/cloud.db")
        with pytest.raises(NoListener, match=str(settings.port)):
            asyncio.run(app.run(settings))


def test_the_committed_openapi_document_is_the_one_that_is_served(client: Client) -> None:
    committed = json.loads((Path(__file__).parents[2] / "cloud" / "openapi.json").read_text())
    api = build(OrderBook(engine_of("sqlite:///unused.db"), "", lambda: 0))
    assert document(api) == committed, "python -m cloud.api > cloud/openapi.json"
    assert client.http.get("/openapi.json").json() == committed
