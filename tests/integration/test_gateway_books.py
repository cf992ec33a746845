"""The books over HTTP: master data in, what stands where and why, what it was, and what may not be sold."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from ledgersite import LEMON, SITE, Edge, case, door_pass, now_us, sgtin
from servedgateway import CSV, Served, assert_problem, served

from contract.events import Device, ZoneLeft, ZoneSeen
from contract.wire import Status

APRICOT = "09506000200019"
QUIET = SITE.model_copy(update={"items": [item.model_copy(update={"reorder_point": 0}) for item in SITE.items]})


def device(name: str, at_us: int) -> Device:
    return Device(at_us=at_us, decided_us=at_us, device=name, state="connected")


def tell(folder: Path, story: Callable[[Served], Awaitable[None]]) -> None:
    async def run() -> None:
        async with served(folder, QUIET) as house:
            await story(house)

    asyncio.run(run())


def test_an_imported_product_names_the_tags_that_were_there_before(tmp_path: Path) -> None:
    async def story(house: Served) -> None:
        epcs = [sgtin(APRICOT, n) for n in range(3)]
        await Edge(house.ledger).tell(*(door_pass(epc, now_us() - n) for n, epc in enumerate(epcs)))
        assert (await house.client.get(f"/api/v1/stock/{APRICOT}")).json()["units"] == 3
        sheet = f"sku,gtin,en,zh,shelf_life_days,abc\napricot-tray,{APRICOT},Apricots,杏,9,A\n"
        told = await house.client.post("/api/v1/products?who=Ana", content=sheet.encode(), headers=CSV)
        assert (told.status_code, told.json()) == (201, {"rows": 1})
        assert (await house.client.get("/api/v1/stock/apricot-tray")).json()["units"] == 3
        assert_problem(await house.client.get(f"/api/v1/stock/{APRICOT}"), 404, "unknown-sku")
        products = (await house.client.get("/api/v1/products?limit=1")).json()
        assert [one["sku"] for one in products["products"]] == ["apricot-tray"]
        assert products["next"] == "apricot-tray"

    tell(tmp_path, story)


def test_every_mistake_of_a_sheet_is_told_with_its_place(tmp_path: Path) -> None:
    async def story(house: Served) -> None:
        sheet = f"sku,gtin,en,pack\nApricot,{APRICOT},A,1\nplum,123,P,0\nfig,{APRICOT[:-1]}7,,2\n"
        problem = assert_problem(
            await house.client.post("/api/v1/products", content=sheet.encode(), headers=CSV), 422, "invalid-body"
        )
        assert [one["where"] for one in problem["mistakes"]] == [
            "line 2, column sku",
            "line 3, column gtin",
            "line 3, column pack",
            "line 4, column gtin",
            "line 4, column en",
        ]
        chinese = "sku,gtin,en\n苹果,1,2\n".encode("gb18030")
        problem = assert_problem(
            await house.client.post("/api/v1/products", content=chinese, headers=CSV), 422, "invalid-body"
        )
        assert "GB 18030" in problem["mistakes"][0]["what"]
        zones = [{"name": "a", "en": "A", "parent": "b"}, {"name": "b", "en": "B", "parent": "a"}]
        problem = assert_problem(await house.client.post("/api/v1/zones", json=zones), 422, "invalid-body")
        assert "within itself" in problem["mistakes"][0]["what"]
        taken = [{"sku": "other", "gtin": SITE.items[LEMON].gtin, "en": "Other"}]
        problem = assert_problem(await house.client.post("/api/v1/products", json=taken), 422, "invalid-body")
        assert "lemon-4kg" in problem["mistakes"][0]["what"]

    tell(tmp_path, story)


def test_what_expires_first_stands_first_and_what_has_expired_may_not_be_sold(tmp_path: Path) -> None:
    async def story(house: Served) -> None:
        sheet = (
            "zone,sku,units,lot,expires\nreceiving,tomato-tray,5,T-late,2999-01-01\n"
            "cold-room,tomato-tray,7,T-soon,2998-01-01\ncold-room,tomato-tray,2,T-old,2020-01-01\n"
        )
        assert (await house.client.post("/api/v1/items?who=Ana", content=sheet.encode(), headers=CSV)).is_success
        await house.ledger.tick(now_us())
        told = (await house.client.get("/api/v1/stock/tomato-tray")).json()
        assert [(one["lot"], one["units"], one["standing"]) for one in told["shelves"]] == [
            ("T-old", 2, "expired"),
            ("T-soon", 7, "sellable"),
            ("T-late", 5, "sellable"),
        ]
        assert (told["units"], told["expired"], told["zones"]) == (14, 2, {"receiving": 5, "cold-room": 9})
        open_ones = (await house.client.get("/api/v1/exceptions?state=open")).json()["exceptions"]
        assert [(one["kind"], one["count"]) for one in open_ones] == [("expired", 2)]
        later = [{"sku": "tomato-tray", "lot": "T-old", "expires": "2997-05-05"}]
        assert (await house.client.post("/api/v1/expiries?who=Ana", json=later)).status_code == 201
        assert (await house.client.get("/api/v1/stock/tomato-tray")).json()["expired"] == 0
        due = (await house.client.get("/api/v1/expiries?before=2998-06-01")).json()["lots"]
        assert [one["lot"] for one in due] == ["T-old", "T-soon"]

    tell(tmp_path, story)


def test_why_42_and_what_it_was_before(tmp_path: Path) -> None:
    async def story(house: Served) -> None:
        edge = Edge(house.ledger)
        lemons = [case(LEMON, n) for n in range(4)]
        for n, epc in enumerate(lemons):
            await edge.tell(door_pass(epc, now_us() - 1000 + n))
        before_us = house.ledger.rows(0, 100)[-1].recorded_us
        await edge.tell(
            door_pass(lemons[0], now_us(), "cold-gate"), door_pass(lemons[1], now_us(), "dock-1", "outbound")
        )
        why = (await house.client.get("/api/v1/stock/lemon-4kg/why?limit=3")).json()
        assert [(one["zone"], one["change"], one["level"]) for one in why["causes"]] == [
            ("receiving", -1, 2),
            ("cold-room", 1, 1),
            ("receiving", -1, 3),
            ("receiving", 1, 4),
        ]
        assert why["causes"][0]["body"]["direction"] == "outbound"
        assert why["causes"][0]["epc"] == lemons[1]
        rest = (await house.client.get(f"/api/v1/stock/lemon-4kg/why?after={why['next']}")).json()
        every = [*why["causes"], *rest["causes"]]
        assert rest["next"] is None
        now = (await house.client.get("/api/v1/stock/lemon-4kg")).json()
        assert sum(one["change"] for one in every) == now["units"] == 3
        in_cold_room = (await house.client.get("/api/v1/stock/lemon-4kg/why?zone=cold-room")).json()
        assert sum(one["change"] for one in in_cold_room["causes"]) == now["zones"]["cold-room"]
        past = (await house.client.get(f"/api/v1/past?at_us={before_us}")).json()
        (lemon,) = [one for one in past["stock"] if one["sku"] == "lemon-4kg"]
        assert lemon["zones"] == {"receiving": 4}
        assert_problem(await house.client.get("/api/v1/past?at_us=5"), 404, "no-past")

    tell(tmp_path, story)


def test_what_its_reader_stopped_seeing_is_worth_looking_for(tmp_path: Path) -> None:
    async def story(house: Served) -> None:
        edge, hour_us = Edge(house.ledger), 3_600_000_000
        began_us, epcs = now_us() - 12 * hour_us, tuple(case(LEMON, n) for n in range(3))
        await edge.tell(device("reader-cold-room", began_us))
        await edge.tell(ZoneSeen(at_us=began_us + 1, decided_us=began_us + 1, zone="cold-room", epcs=epcs))
        await edge.tell(ZoneLeft(at_us=began_us + 9, decided_us=began_us + 9, zone="cold-room", epcs=epcs[:1]))
        status = Status(agent="dock-edge", state="online", at_us=now_us(), epoch=edge.epoch, made=edge.made)
        house.ledger.heard(status)
        told = (await house.client.get("/api/v1/beliefs?zone=cold-room")).json()
        assert ([one["epc"] for one in told["doubts"]], told["unheard"]) == ([epcs[0]], 1)
        assert told["doubts"][0]["belief"]["word"] == "probably_gone"
        assert "很可能" in told["doubts"][0]["belief"]["sentence"]["zh"]
        assert told["lacking"] > 0.8
        item = (await house.client.get(f"/api/v1/items/{epcs[1]}")).json()
        assert (item["zone"], item["belief"]["word"]) == ("cold-room", "certain")
        for _ in range(2):
            await house.ledger.tick(now_us())
        assert house.ledger.is_open("probably_gone", "cold-room")
        assert (await house.client.get("/api/v1/stock/lemon-4kg")).json()["units"] == 3, (
            "the books change by events only"
        )
        await edge.tell(ZoneSeen(at_us=now_us(), decided_us=now_us(), zone="cold-room", epcs=epcs[:1]))
        for _ in range(2):
            await house.ledger.tick(now_us())
        assert not house.ledger.is_open("probably_gone", "cold-room")

    tell(tmp_path, story)
