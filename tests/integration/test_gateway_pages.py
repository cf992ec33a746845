"""Lists that grow, read page by page: a row that is there all the time is told once, whatever comes meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ledgersite import QUICK, SITE, Edge, case, door_pass, now_us
from servedgateway import Served, assert_problem, served

from contract.site import Site
from gateway.api import pages
from gateway.ledger.storage.kept import SCANNED
from gateway.ledger.troubles.exceptions import KEPT_RESOLVED
from gateway.records import DataLost, ExceptionResolved, ItemsImported, OrderReported

Story = Callable[[Served], Awaitable[None]]


def play(folder: Path, story: Story, site: Site = QUICK) -> None:
    async def played() -> None:
        async with served(folder, site) as gateway:
            await story(gateway)

    asyncio.run(played())


async def listed(gateway: Served, path: str, noun: str, limit: int = 2, **asked: str) -> list[dict[str, Any]]:
    """The whole list; every page but the last is as long as was asked for."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = await gateway.client.get(path, params={"limit": limit, **asked, **after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page[noun]
        if page["next"] is None:
            return found
        assert len(page[noun]) == limit
        assert abs(page["now_us"] - now_us()) < 60_000_000
        after = {"after": page["next"]}


TIMES = st.integers(0, 3)
"""Few, so that many are alike."""
TIMED = ("shipments", "exceptions", "orders", "lots", "reviews", "events", "dead-letters")
"""Lists whose places begin with a number."""


@given(st.dictionaries(st.text(max_size=3), TIMES), st.lists(st.tuples(st.text(max_size=3), TIMES)), st.integers(1, 4))
def test_what_was_there_from_the_beginning_is_told_once(
    there: dict[str, int], come: list[tuple[str, int]], limit: int
) -> None:
    def walked(page: Callable[[dict[str, int], str | None], tuple[list[str], str | None]]) -> Iterator[str]:
        rows, news, after = dict(there), iter(come), None
        while True:
            keys, after = page(rows, after)
            assert len(keys) == limit or after is None
            yield from keys
            if after is None:
                return
            for key, time_us in [one for one in [next(news, None)] if one is not None]:
                rows.setdefault(key, time_us)

    def by_time(rows: dict[str, int], after: str | None) -> tuple[list[str], str | None]:
        return pages.newest_first(rows, lambda key: (rows[key], key), after, limit)

    def by_key(rows: dict[str, int], after: str | None) -> tuple[list[str], str | None]:
        return pages.by_key((key for key in rows if key), str, after or "", limit)

    newest_first = list(walked(by_time))
    by_age = sorted(there, key=lambda key: (there[key], key), reverse=True)
    assert [key for key in newest_first if key in there] == by_age
    assert len(set(newest_first)) == len(newest_first)
    in_order = list(walked(by_key))
    assert [key for key in in_order if key in there] == sorted(key for key in there if key)
    assert len(set(in_order)) == len(in_order)


def test_every_list_that_grows_is_read_page_by_page(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        for n in range(5):
            body = {"id": f"A{n}", "direction": "inbound", "partner": "P", "cases": [{"epc": case(0, n)}]}
            assert (await gateway.client.post("/api/v1/shipments", json=body)).status_code == 201
        orders = [
            OrderReported(at_us=1, key=f"north:lemon-4kg:{n}", number=f"PO-{n}", supplier="S", units=1, state="placed")
            for n in range(1, 6)
        ]
        await gateway.ledger.record(*orders)
        for n in range(5):
            gateway.ledger.bury("dock-edge", "tc/v1/north/dock-edge/events", b"\xff{" * n, "not JSON")
        await gateway.ledger.tick(now_us())

        assert [one["id"] for one in await listed(gateway, "/api/v1/shipments", "shipments")] == [
            f"A{n}" for n in (4, 3, 2, 1, 0)
        ]
        assert await listed(gateway, "/api/v1/shipments", "shipments", state="short") == []
        assert [one["sku"] for one in await listed(gateway, "/api/v1/stock", "stock")] == sorted(
            item.sku for item in SITE.items
        )
        keys = [one["key"] for one in await listed(gateway, "/api/v1/orders", "orders")]
        assert keys == sorted(keys, reverse=True)
        assert len(keys) >= 5
        ids = [one["id"] for one in await listed(gateway, "/api/v1/events", "events")]
        assert ids == list(range(1, gateway.ledger.last_id + 1))
        letters = await listed(gateway, "/api/v1/dead-letters", "dead_letters")
        assert [(one["size"], one["text"][:5]) for one in letters] == [
            (2 * n, "\\xff{"[: 5 * n]) for n in (4, 3, 2, 1, 0)
        ]
        assert {(one["topic"], one["reason"]) for one in letters} == {("tc/v1/north/dock-edge/events", "not JSON")}

    play(tmp_path, story)


def test_every_exception_there_ever_was_is_listed_and_shown(tmp_path: Path) -> None:
    many = KEPT_RESOLVED + 5

    async def story(gateway: Served) -> None:
        for n in range(many):
            lost = DataLost(at_us=now_us(), agent="dock-edge", epoch="e", detail=f"reason {n}")
            await gateway.ledger.record(lost)
            [one] = (await gateway.client.get("/api/v1/exceptions", params={"state": "open"})).json()["exceptions"]
            await gateway.ledger.record(ExceptionResolved(at_us=1, id=one["id"], who="Ana", why=f"seen {n}"))
        await gateway.ledger.record(lost)
        assert len(gateway.ledger.views("exceptions")) == KEPT_RESOLVED + 1, "the others are on disk only"
        found = await listed(gateway, "/api/v1/exceptions", "exceptions", limit=4)
        assert [one["id"] for one in found] == [f"data_lost-dock-edge-{n}" for n in range(many + 1, 0, -1)]
        resolved = await listed(gateway, "/api/v1/exceptions", "exceptions", limit=7, state="resolved")
        assert resolved == found[1:]
        for one in (found[0], found[-1]):
            assert (await gateway.client.get(f"/api/v1/exceptions/{one['id']}")).json() == one
        path = f"/api/v1/exceptions/{found[-1]['id']}/resolve"
        assert (await gateway.client.post(path, json={"who": "Ana", "why": "seen 0"})).status_code == 200
        assert_problem(await gateway.client.post(path, json={"who": "Bo", "why": "no"}), 409, "already-resolved")
        assert_problem(await gateway.client.get("/api/v1/exceptions/never"), 404, "unknown-exception")

    play(tmp_path, story)


def test_items_are_listed_by_zone_sku_and_lot(tmp_path: Path) -> None:
    lemons = [{"epc": case(0, n), "zone": "cold-room", "lot": "L1" if n < 3 else "L2"} for n in range(6)]
    tomatoes = [{"epc": case(1, n), "zone": "receiving"} for n in range(3)]

    async def story(gateway: Served) -> None:
        for body in (lemons, tomatoes):
            assert (await gateway.client.post("/api/v1/items", json=body)).status_code == 201
        await Edge(gateway.ledger).tell(door_pass(case(2, 1)))

        async def epcs(**asked: str) -> list[str]:
            return [one["epc"] for one in await listed(gateway, "/api/v1/items", "items", **asked)]

        every = await listed(gateway, "/api/v1/items", "items")
        assert [one["epc"] for one in every] == sorted(one["epc"] for one in every)
        assert len(every) == 10
        alone = (await gateway.client.get(f"/api/v1/items/{every[0]['epc']}")).json()
        assert every[0] == alone | {"belief": None}, "which is told only where one is asked for"
        assert await epcs(zone="cold-room") == [case(0, n) for n in range(6)]
        assert await epcs(sku="tomato-tray") == [case(1, n) for n in range(3)]
        assert await epcs(lot="L1") == [case(0, n) for n in range(3)]
        assert await epcs(zone="cold-room", lot="L2", sku="lemon-4kg") == [case(0, n) for n in range(3, 6)]
        assert await epcs(zone="nowhere") == []

    play(tmp_path, story)


def test_a_few_items_of_very_many_are_found(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        imported = ItemsImported(at_us=now_us(), who="Ana", items=())
        many = [{"epc": case(0, n), "zone": "cold-room"} for n in range(SCANNED + 1)]
        few = [{"epc": case(0, n), "zone": "receiving"} for n in (SCANNED + 1, SCANNED + 2)]
        await gateway.ledger.record(imported)
        for body in (many, few):
            assert (await gateway.client.post("/api/v1/items", json=body)).status_code == 201
        found = (await gateway.client.get("/api/v1/items", params={"zone": "receiving", "limit": 1})).json()
        assert [one["epc"] for one in found["items"]] == [case(0, SCANNED + 1)]
        rest = await gateway.client.get("/api/v1/items", params={"zone": "receiving", "after": found["next"]})
        assert ([one["epc"] for one in rest.json()["items"]], rest.json()["next"]) == ([case(0, SCANNED + 2)], None)

    play(tmp_path, story)


def test_a_place_that_is_none_and_a_limit_beyond_the_bounds_are_refused(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        for noun in (*TIMED, "stock", "items"):
            for limit in ("0", "1001", "x"):
                answer = await gateway.client.get(f"/api/v1/{noun}", params={"limit": limit})
                assert_problem(answer, 422, "invalid-request")
        for noun in TIMED:
            answer = await gateway.client.get(f"/api/v1/{noun}", params={"after": "x"})
            assert_problem(answer, 422, "invalid-request")

    play(tmp_path, story)
