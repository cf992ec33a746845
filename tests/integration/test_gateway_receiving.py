"""Receiving, shipping and the life of exceptions, over HTTP on a real ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from ledgersite import LEMON, Edge, batch, case, load_pass, now_us, pallet
from servedgateway import CSV, Served, assert_problem, served

from contract import wire

CASES = [case(LEMON, serial) for serial in range(1, 7)]
DAY_US = 86_400_000_000


def play(folder: Path, story: Callable[[Served], Awaitable[None]]) -> None:
    async def run() -> None:
        async with served(folder) as gateway:
            await story(gateway)

    asyncio.run(run())


async def announce(gateway: Served, id_: str = "S1", **more: object) -> None:
    cases = [{"epc": epc, "sscc": pallet(1), "lot": "L1", "expires": "2027-01-31"} for epc in CASES]
    body = {"id": id_, "direction": "inbound", "partner": "Hongda Fruit", "cases": cases} | more
    answer = await gateway.client.post("/api/v1/shipments", json=body)
    assert answer.status_code in (200, 201), answer.text


async def comes(gateway: Served, unit: str, *epcs: str) -> None:
    await Edge(gateway.ledger).tell(load_pass(unit, epcs, at_us=now_us()))


def test_every_case_with_its_evidence(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        get = gateway.client.get
        await announce(gateway)
        await comes(gateway, pallet(1), *CASES[:2])
        detail = (await get("/api/v1/shipments/S1")).json()
        assert (detail["seen"], detail["inferred"], detail["wrong_pallet"], detail["closed_by"]) == (2, 4, 0, None)
        one = {one["epc"]: one for one in detail["cases"]}[CASES[0]]
        known = ("state", "sscc", "seen_on", "door", "lot", "expires", "told_by", "wrong_pallet", "wrong_door", "late")
        assert [one[name] for name in known] == [
            *("seen", pallet(1), pallet(1), "dock-1", "L1", "2027-01-31", "dock-edge", False, False, False)
        ]
        seen = (await get(f"/api/v1/shipments/S1/cases/{CASES[0]}")).json()
        (row,) = [row for row in gateway.ledger.rows(0, 100) if row.kind == "door_pass"]
        assert (seen["row"], seen["place"], seen["confidence"], seen["rule"]) == (row.id, "dock-1", 0.95, "centroid")
        assert (seen["inside"]["reads"], seen["outside"]["reads"], seen["tags"]) == (6, 5, 3)
        inferred = (await get(f"/api/v1/shipments/S1/cases/{CASES[5]}")).json()
        assert (inferred["row"], inferred["tag"], inferred["inferred"]) == (row.id, pallet(1), True)
        assert_problem(await get(f"/api/v1/shipments/S1/cases/{case(LEMON, 99)}"), 404, "unknown-item")
        assert_problem(await get(f"/api/v1/shipments/S9/cases/{CASES[0]}"), 404, "unknown-shipment")

    play(tmp_path, story)


def test_closed_short_and_taken_back(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post = gateway.client.post
        await announce(gateway)
        said = {"who": "Ana", "why": "the driver signed for none"}
        answer = await post("/api/v1/shipments/S1/close", json=said)
        assert (answer.status_code, answer.json()["state"], answer.json()["closed_by"]) == (200, "short", "Ana")
        rows = gateway.ledger.last_id
        assert (await post("/api/v1/shipments/S1/close", json=said)).status_code == 200
        assert gateway.ledger.last_id == rows, "the same again changes nothing"
        assert_problem(
            await post("/api/v1/shipments/S1/close", json={"who": "Ben", "why": "no"}), 409, "already-closed"
        )
        assert_problem(await post("/api/v1/shipments/S9/close", json=said), 404, "unknown-shipment")
        assert_problem(await post("/api/v1/shipments/S1/close", json={"who": "Ben"}), 422, "invalid-request")
        stale = {"If-Match": '"nothing"'}
        assert_problem(await post("/api/v1/shipments/S1/reopen", json=said, headers=stale), 412, "changed-meanwhile")
        answer = await post("/api/v1/shipments/S1/reopen", json=said)
        assert (answer.json()["state"], answer.json()["closed_by"]) == ("expected", None)

    play(tmp_path, story)


def test_stock_is_moved_by_hand_and_every_mistake_is_told(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post = gateway.client.post
        await announce(gateway)
        rows = [
            {"reason": "receipt", "who": "Ana", "epc": CASES[0], "to": "receiving", "shipment": "S1"},
            {"reason": "receipt", "who": "Ana", "sku": "lemon-4kg", "units": 5, "lot": "L2", "to": "receiving"},
            {"reason": "putaway", "who": "Ana", "epc": CASES[1], "from": "receiving", "to": "cold-room"},
        ]
        answer = await post("/api/v1/moves", json=rows)
        elsewhere = [{"epc": CASES[1], "said": "receiving", "was": None}]
        assert (answer.status_code, answer.json()) == (201, {"moves": 3, "elsewhere": elsewhere})
        assert gateway.ledger.views("stock")["lemon-4kg"].zones == {"receiving": 6, "cold-room": 1}
        assert gateway.ledger.views("shipments")["S1"].seen == 2, "what turns up in the house has come"
        text = (
            "reason,who,epc,sku,units,from,to\n"
            f"putaway,Ana,{CASES[0]},,,receiving,cold-room\n"
            "pick,Ben,,lemon-4kg,2,receiving,cold-room\n"
        )
        answer = await post("/api/v1/moves", content=text.encode(), headers=CSV)
        assert answer.json() == {"moves": 2, "elsewhere": []}
        assert gateway.ledger.views("stock")["lemon-4kg"].zones == {"receiving": 3, "cold-room": 4}
        wrong = (
            "reason,who,epc,sku,units,from,to,shipment\n"
            f"putaway,Ana,{CASES[0]},,,cold,cold-room,\n"
            "scrap,Ana,,lemon-4kg,1,receiving,cold-room,\n"
            "teleport,Ana,,lemon-4kg,1,receiving,cold-room,\n"
            "pick,Ana,,lemon-4kg,many,receiving,cold-room,\n"
            "pick,Ana,,,,receiving,cold-room,\n"
        )
        problem = assert_problem(await post("/api/v1/moves", content=wrong.encode(), headers=CSV), 422, "invalid-body")
        places = [one["where"] for one in problem["mistakes"]]
        assert places == ["line 2, column from", "line 3", "line 4, column reason", "line 5, column units", "line 6"]
        strangers = [rows[0] | {"shipment": "S9", "epc": CASES[3]}, rows[1] | {"shipment": "S1", "reason": "return"}]
        problem = assert_problem(await post("/api/v1/moves", json=strangers), 422, "invalid-body")
        assert [one["where"] for one in problem["mistakes"]] == ["[0].shipment"]

    play(tmp_path, story)


def test_people_say_what_may_be_sold(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post = gateway.client.post
        await announce(gateway)
        await comes(gateway, pallet(1), *CASES)
        receipt = {"reason": "return", "who": "Ana", "sku": "lemon-4kg", "units": 5, "to": "receiving"}
        assert (await post("/api/v1/moves", json=receipt)).status_code == 201
        stock = gateway.ledger.views("stock")["lemon-4kg"]
        assert (stock.units, stock.quarantined) == (11, 5), "a return is not sold"
        text = (
            "disposition,who,why,epc,sku,zone,units,was\n"
            f"damaged,Ana,dropped,{CASES[0]},,,,\n"
            f"damaged,Ana,dropped,{CASES[1]},,,,\n"
            "sellable,Ana,looked,,lemon-4kg,receiving,4,quarantined\n"
        )
        answer = await post("/api/v1/dispositions", content=text.encode(), headers=CSV)
        assert (answer.status_code, answer.json()) == (201, {"lines": 3})
        stock = gateway.ledger.views("stock")["lemon-4kg"]
        assert (stock.units, stock.quarantined, stock.damaged) == (11, 1, 2)
        unseen = {"disposition": "damaged", "who": "Ana", "why": "dropped", "epc": case(LEMON, 99)}
        problem = assert_problem(await post("/api/v1/dispositions", json=[unseen]), 422, "invalid-body")
        assert [one["where"] for one in problem["mistakes"]] == ["[0].epc"]

    play(tmp_path, story)


def test_an_outbound_order_says_what_to_pick(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post, get = gateway.client.post, gateway.client.get
        receipt = {"reason": "receipt", "who": "Ana", "sku": "lemon-4kg", "units": 5, "to": "receiving", "lot": "L2"}
        await post("/api/v1/moves", json=[receipt, receipt | {"lot": "L1", "units": 2}])
        order = (
            "shipment,direction,partner,sku,units,lot,expires\n"
            "OUT,outbound,Corner shop,lemon-4kg,3,,\n"
            "IN,inbound,Hongda Fruit,lemon-4kg,1,L1,2026-12-24\n"
        )
        answer = await post("/api/v1/shipments", content=order.encode(), headers=CSV)
        assert answer.status_code == 201, answer.text
        picks = (await get("/api/v1/shipments/OUT/picks")).json()["picks"]
        assert [(one["units"], one["zone"], one["lot"], one["expires"]) for one in picks] == [
            (2, "receiving", "L1", "2026-12-24"),
            (1, "receiving", "L2", None),
        ]
        assert_problem(await get("/api/v1/shipments/NONE/picks"), 404, "unknown-shipment")
        back = {"id": "R", "direction": "outbound", "purpose": "return", "partner": "P"}
        line = [{"sku": "lemon-4kg", "units": 1, "expires": "2026-12-24"}]
        problem = assert_problem(await post("/api/v1/shipments", json=back | {"lines": line}), 422, "invalid-body")
        assert [one["where"] for one in problem["mistakes"]] == ["lines[0].expires"]

    play(tmp_path, story)


def test_an_exception_is_claimed_put_off_resolved_and_opened_again(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post, get = gateway.client.post, gateway.client.get
        unknown = load_pass(pallet(1), CASES[:2], at_us=now_us())
        body = wire.encode(unknown).replace(b'"direction":"inbound"', b'"direction":"unknown"')
        await gateway.ledger.take("dock-edge", batch("dock-edge", 1, [body]))
        (one,) = (await get("/api/v1/exceptions")).json()["exceptions"]
        assert (one["kind"], one["fix"], len(one["rows"])) == ("unknown_direction", "look-and-move", 1)
        at = f"/api/v1/exceptions/{one['id']}"
        tag = (await get(at)).headers["ETag"]
        assert (await post(f"{at}/claim", json={"who": "Ana"}, headers={"If-Match": tag})).json()["claimed_by"] == "Ana"
        stale = await post(f"{at}/claim", json={"who": "Ben"}, headers={"If-Match": tag})
        assert "claimed_by" in assert_problem(stale, 412, "changed-meanwhile")["detail"]
        assert (await post(f"{at}/release", json={"who": "Ana"})).json()["claimed_by"] is None
        until_us = now_us() + DAY_US
        answer = await post(f"{at}/snooze", json={"who": "Ana", "until_us": until_us, "why": "Ben looks tomorrow"})
        assert answer.json()["snoozed_until_us"] == until_us
        for bad in (until_us - 2 * DAY_US, until_us + 40 * DAY_US):
            late = await post(f"{at}/snooze", json={"who": "Ana", "until_us": bad})
            assert_problem(late, 422, "invalid-request")
        resolved = {"who": "Ana", "why": "they are inside"}
        assert (await post(f"{at}/resolve", json=resolved)).json()["state"] == "resolved"
        assert_problem(await post(f"{at}/claim", json={"who": "Ana"}), 409, "already-resolved")
        answer = await post(f"{at}/reopen", json={"who": "Ben", "why": "they are not"})
        assert (answer.json()["state"], answer.json()["reopened"]) == ("open", 1)
        assert (await post(f"{at}/reopen", json={"who": "Ben", "why": "they are not"})).json()["reopened"] == 1
        await post(f"{at}/resolve", json=resolved)
        await gateway.ledger.take("dock-edge", batch("dock-edge", 2, [body]))
        assert_problem(await post(f"{at}/reopen", json={"who": "Ben", "why": "no"}), 409, "cannot-reopen")
        assert_problem(await post("/api/v1/exceptions/none/claim", json={"who": "Ana"}), 404, "unknown-exception")

    play(tmp_path, story)
