"""The gateway's API as partners, staff and machines use it: over HTTP, with a real ledger behind it."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from ledgersite import SITE, Edge, case, door_pass, now_us
from servedgateway import CSV, OK, Served, assert_problem, served

from contract.site import Site
from gateway import openapi
from gateway.api.problems import STATUS
from gateway.api.uploads import MAX_BODY_BYTES
from gateway.history.words import Point

PALLET = f"{(0x31 << 88) | (2 << 85) | (5 << 82) | (9506000 << 58) | (7 << 24):024x}"

Story = Callable[[Served], Awaitable[None]]


HASTY = SITE.model_copy(update={"gateway": SITE.gateway.model_copy(update={"shipment_settle_s": 1.0})})
"""The same site, where a shipment is settled within the time after which an agent counts as silent."""


def play(folder: Path, story: Story, site: Site = SITE) -> None:
    async def played() -> None:
        async with served(folder, site) as gateway:
            await story(gateway)

    asyncio.run(played())


def asn(**changes: object) -> dict[str, object]:
    cases = [{"epc": case(0, serial), "sscc": PALLET} for serial in range(1, 4)]
    return {
        "id": "ASN 4711",
        "direction": "inbound",
        "partner": "Hongda Fruit",
        "door": "dock-1",
        "cases": cases,
    } | changes


def test_a_shipment_is_announced_and_every_case_of_it_is_followed(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        announced = await gateway.client.post("/api/v1/shipments", json=asn())
        assert announced.status_code == 201, announced.text
        [shipment] = announced.json()["shipments"]
        assert (shipment["state"], shipment["expected"], shipment["seen"]) == ("expected", 3, 0)
        await Edge(gateway.ledger).tell(door_pass(case(0, 1)), door_pass(case(0, 99)))
        detail = (await gateway.client.get("/api/v1/shipments/ASN 4711")).json()
        states = {one["epc"]: (one["state"], one["sku"], one["sscc"]) for one in detail["cases"]}
        assert states == {
            case(0, 1): ("seen", "lemon-4kg", PALLET),
            case(0, 2): ("expected", "lemon-4kg", PALLET),
            case(0, 3): ("expected", "lemon-4kg", PALLET),
            case(0, 99): ("unexpected", "lemon-4kg", None),
        }
        assert (detail["state"], detail["seen"], detail["unexpected"]) == ("receiving", 1, 1)
        [listed] = (await gateway.client.get("/api/v1/shipments", params={"state": "receiving"})).json()["shipments"]
        assert listed == {key: value for key, value in detail.items() if key != "cases"}
        none = (await gateway.client.get("/api/v1/shipments", params={"state": "short"})).json()
        assert (none["shipments"], none["next"]) == ([], None)

    play(tmp_path, story)


def test_cases_of_a_settled_shipment_are_missing(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        await gateway.client.post("/api/v1/shipments", json=asn())
        await Edge(gateway.ledger).tell(door_pass(case(0, 1)))
        await gateway.ledger.tick(now_us() + 3_000_000)
        detail = (await gateway.client.get("/api/v1/shipments/ASN 4711")).json()
        assert detail["state"] == "short"
        assert sorted(one["state"] for one in detail["cases"]) == ["missing", "missing", "seen"]

    play(tmp_path, story, HASTY)


def test_the_same_announcement_again_changes_nothing_and_a_new_one_replaces_it(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        first = await gateway.client.post("/api/v1/shipments", json=[asn(), asn(id="B")])
        again = await gateway.client.post("/api/v1/shipments", json=asn())
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json()["shipments"] == first.json()["shipments"][:1]
        more = await gateway.client.post("/api/v1/shipments", json=asn(cases=[{"epc": case(1, 1)}]))
        assert more.status_code == 200
        assert more.json()["shipments"][0]["expected"] == 1

    play(tmp_path, story)


def test_a_csv_announces_several_shipments_at_once(tmp_path: Path) -> None:
    text = "\ufeffshipment,direction,partner,door,epc,sku,units\n" + "".join(
        [f"A,inbound,鸿达,dock-1,{case(0, 1)},,\n", "B,outbound,Shop,,,tomato-tray,12\n", f"A,,,,{case(0, 2)},,\n"]
    )

    async def story(gateway: Served) -> None:
        answer = await gateway.client.post("/api/v1/shipments", content=text.encode(), headers=CSV)
        assert answer.status_code == 201, answer.text
        a, b = answer.json()["shipments"]
        assert (a["id"], a["expected"], a["partner"]) == ("A", 2, "鸿达")
        [line] = b["lines"]
        assert (b["id"], b["expected"], line["sku"], line["expected"], line["seen"]) == ("B", 12, "tomato-tray", 12, 0)

    play(tmp_path, story)


def test_of_a_body_with_mistakes_nothing_is_accepted_and_all_are_told(tmp_path: Path) -> None:
    text = f"shipment,direction,partner,epc\nA,inbound,P,{case(0, 1)}\nB,inbound,P,zz\nC,up,P,{case(0, 2)}\n"

    async def story(gateway: Served) -> None:
        rows = gateway.ledger.last_id
        answer = await gateway.client.post("/api/v1/shipments", content=text.encode(), headers=CSV)
        problem = assert_problem(answer, 422, "invalid-body")
        assert [mistake["where"] for mistake in problem["mistakes"]] == [
            "line 3, column epc",
            "line 4, column direction",
        ]
        assert problem["detail"].startswith("2 mistakes; the first: line 3, column epc: ")
        assert gateway.ledger.last_id == rows

    play(tmp_path, story)


def test_a_flood_of_mistakes_is_told_in_part(tmp_path: Path) -> None:
    text = "epc,zone\n" + "zz,nowhere\n" * 5000

    async def story(gateway: Served) -> None:
        problem = assert_problem(
            await gateway.client.post("/api/v1/items", content=text.encode(), headers=CSV), 422, "invalid-body"
        )
        assert problem["detail"].startswith("10000 mistakes, the first 500 of them below")
        assert len(problem["mistakes"]) == 500

    play(tmp_path, story)


def test_every_refusal_is_a_problem(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        client = gateway.client
        assert_problem(await client.get("/api/v1/nothing"), 404, "unknown-path")
        assert_problem(await client.get("/api/v1/shipments/none"), 404, "unknown-shipment")
        assert_problem(await client.get(f"/api/v1/items/{case(0, 1)}"), 404, "unknown-item")
        assert_problem(await client.get("/api/v1/items/xyz"), 422, "invalid-request")
        deed = {"who": "Ana", "why": "found"}
        assert_problem(await client.post("/api/v1/exceptions/none/resolve", json=deed), 404, "unknown-exception")
        assert_problem(await client.post("/api/v1/exceptions/none/resolve", json={}), 422, "invalid-request")
        assert_problem(await client.post("/api/v1/exceptions/none/resolve", content=b"{"), 422, "invalid-request")
        refused = await client.delete("/api/v1/shipments")
        assert_problem(refused, 405, "method-not-allowed")
        assert set(refused.headers["allow"].split(", ")) == {"GET", "POST"}
        assert_problem(await client.get("/api/v1/exceptions/none/resolve"), 405, "method-not-allowed")
        for kind in ("text/plain", "application/x-www-form-urlencoded", "text/csv; charset=gbk", ""):
            answer = await client.post("/api/v1/shipments", content=b"x", headers={"Content-Type": kind})
            assert_problem(answer, 415, "unsupported-media-type")
        for query in ("after=-1", "limit=0", "limit=1001", "after=x", f"after={2**64}"):
            assert_problem(await client.get(f"/api/v1/events?{query}"), 422, "invalid-request")
        assert_problem(await client.get("/api/v1/history"), 422, "invalid-request")
        assert_problem(await client.get("/api/v1/history?measurement=level&tag=a"), 422, "invalid-request")

    play(tmp_path, story)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(tmp_path: Path, chunked: bool) -> None:
    async def chunks() -> Any:
        for _ in range(MAX_BODY_BYTES // 65536 + 2):
            yield b" " * 65536

    async def story(gateway: Served) -> None:
        content = chunks() if chunked else b" " * (MAX_BODY_BYTES + 1)
        answer = await gateway.client.post("/api/v1/shipments", content=content, headers=CSV)
        assert_problem(answer, 413, "body-too-large")
        assert (await gateway.client.get("/healthz")).status_code == 200

    play(tmp_path, story)


def test_a_snapshot_keeps_the_order_of_the_site_file(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        snapshot = (await gateway.client.get("/api/v1/snapshot")).json()
        assert list(snapshot["doors"]) == [door.name for door in SITE.doors]
        assert list(snapshot["stock"]) == [item.sku for item in SITE.items]
        assert list(snapshot["stock"]) != sorted(snapshot["stock"])

    play(tmp_path, story)


def test_an_opening_balance_becomes_stock(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        items = [{"epc": case(0, serial).upper(), "zone": "cold-room"} for serial in range(12)]
        answer = await gateway.client.post("/api/v1/items", json=items, params={"who": "Ana"})
        assert (answer.status_code, answer.json()) == (201, {"items": 12})
        await gateway.client.post("/api/v1/items", content=f"epc,zone\n{case(1, 1)},receiving\n", headers=CSV)
        stock = {view["sku"]: view for view in (await gateway.client.get("/api/v1/stock")).json()["stock"]}
        assert (stock["lemon-4kg"]["units"], stock["lemon-4kg"]["zones"]["cold-room"]) == (12, 12)
        assert stock["tomato-tray"]["units"] == 1
        item = (await gateway.client.get(f"/api/v1/items/{case(0, 3).upper()}")).json()
        assert (item["epc"], item["sku"], item["zone"]) == (case(0, 3), "lemon-4kg", "cold-room")
        assert item["uri"] == "urn:epc:id:sgtin:9506000.013435.3"

    play(tmp_path, story)


def test_staff_resolve_an_exception_once(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        await gateway.client.post("/api/v1/shipments", json=asn())
        await Edge(gateway.ledger).tell(door_pass(case(0, 1)))
        await gateway.ledger.tick(now_us() + 3_000_000)
        found = (await gateway.client.get("/api/v1/exceptions", params={"state": "open"})).json()["exceptions"]
        [missing] = [one for one in found if one["kind"] == "missing"]
        path = f"/api/v1/exceptions/{missing['id']}/resolve"
        deed = {"who": "Ana", "why": "Two cases stayed on the truck"}
        first = await gateway.client.post(path, json=deed)
        assert (first.status_code, first.json()["state"], first.json()["resolved_by"]) == (200, "resolved", "Ana")
        rows = gateway.ledger.last_id
        again = await gateway.client.post(path, json=deed)
        assert (again.status_code, again.json()) == (200, first.json())
        assert gateway.ledger.last_id == rows
        other = await gateway.client.post(path, json={"who": "Bo", "why": "no"})
        assert "Ana" in assert_problem(other, 409, "already-resolved")["detail"]

    play(tmp_path, story, HASTY)


def test_the_log_is_read_page_by_page(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        await Edge(gateway.ledger).tell(*(door_pass(case(0, serial)) for serial in range(7)))
        kinds: list[str] = []
        after, last = 0, 1
        while after < last:
            page = (await gateway.client.get("/api/v1/events", params={"after": after, "limit": 3})).json()
            kinds += [event["kind"] for event in page["events"]]
            assert all(event["body"]["kind"] == event["kind"] for event in page["events"])
            assert [event["id"] for event in page["events"]] == list(range(after + 1, page["after"] + 1))
            after, last = page["after"], page["last"]
        assert kinds.count("door_pass") == 7
        beyond = (await gateway.client.get("/api/v1/events", params={"after": 2**63 - 1})).json()
        assert (beyond["events"], beyond["after"]) == ([], 2**63 - 1)

    play(tmp_path, story)


def test_the_history_is_asked_by_measurement_tags_and_time(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        begun_us = now_us()
        points = [
            Point("level", (("sku", sku), ("zone", "cold-room")), {"units": n}, (begun_us + n) * 1000)
            for n, sku in enumerate(["lemon-4kg", "tomato-tray"] * 3)
        ]
        await gateway.history.write(points)
        query = {"measurement": "level", "tag": "sku=lemon-4kg", "since_us": begun_us + 1}
        answer = (await gateway.client.get("/api/v1/history", params=query)).json()
        assert [(point["at_us"], point["fields"]) for point in answer["points"]] == [
            (begun_us + 2, {"units": 2}),
            (begun_us + 4, {"units": 4}),
        ]
        assert answer["points"][0]["tags"] == {"sku": "lemon-4kg", "zone": "cold-room"}
        assert (await gateway.client.get("/api/v1/history?measurement=never")).json()["points"] == []

    play(tmp_path, story)


def test_health_says_what_is_away(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        healthy = await gateway.client.get("/healthz")
        assert (healthy.status_code, healthy.json()["status"]) == (200, "ok")
        gateway.links.cloud = OK.model_copy(update={"state": "down"})
        gateway.links.pictures_kept = False
        cramped = await gateway.client.get("/healthz")
        assert (cramped.status_code, cramped.json()["status"], cramped.json()["pictures_kept"]) == (200, "ok", False)
        gateway.links.broker = OK.model_copy(update={"state": "down"})
        deaf = await gateway.client.get("/healthz")
        assert (deaf.status_code, deaf.json()["status"]) == (503, "deaf")

    play(tmp_path, story)


def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        await Edge(gateway.ledger).tell(door_pass(case(0, 1)))
        text = (await gateway.client.get("/metrics")).text
        for line in (
            'truecount_events_total{kind="door_pass"} 1.0',
            "truecount_cloud_waiting 0.0",
            "truecount_broker_up 1.0",
            "truecount_commit_seconds_count",
            "truecount_dead_letters_total 0.0",
            'truecount_batches_total{agent="dock-edge"} 1.0',
            'truecount_gaps_total{agent="dock-edge"} 0.0',
            'truecount_renumberings_total{agent="dock-edge"} 0.0',
            'truecount_duplicates_total{agent="dock-edge"} 0.0',
        ):
            assert line in text, text

    play(tmp_path, story)


def test_the_page_is_served_with_its_headers(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        unbuilt = await gateway.client.get("/")
        assert (unbuilt.status_code, "make page" in unbuilt.text) == (200, True)
        assert_problem(await gateway.client.get("/assets/app.js"), 404, "unknown-path")
        dist = tmp_path / "dist"
        (dist / "assets").mkdir(parents=True)
        (dist / "index.html").write_text("<!doctype html><title>T</title>")
        (dist / "assets" / "app-1a2b.js").write_text("0")
        (tmp_path / "secret").write_text("s")
        index = await gateway.client.get("/")
        assert index.text.endswith("<title>T</title>")
        assert index.headers["cache-control"] == "no-cache"
        assert "frame-ancestors 'none'" in index.headers["content-security-policy"]
        assert index.headers["x-content-type-options"] == "nosniff"
        unchanged = await gateway.client.get("/", headers={"If-None-Match": index.headers["etag"]})
        assert unchanged.status_code == 304
        asset = await gateway.client.get("/assets/app-1a2b.js")
        assert "immutable" in asset.headers["cache-control"]
        assert asset.headers["content-type"].startswith("text/javascript")
        for path in ("/assets/../../secret", "/assets/%2e%2e/%2e%2e/secret", "/assets//etc/passwd", "/assets/%00"):
            assert_problem(await gateway.client.get(path), 404, "unknown-path")
        assert_problem(await gateway.client.post("/"), 405, "method-not-allowed")

    play(tmp_path, story)


def test_who_hangs_up_in_the_middle_of_a_body_is_no_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(gateway: Served) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(gateway.url).port)
        writer.write(
            b"POST /api/v1/shipments HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 999\r\n\r\nid"
        )
        await writer.drain()
        await asyncio.sleep(0.2)  # so that it is read before the connection ends
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.2)
        assert (await gateway.client.get("/api/v1/stock")).status_code == httpx.codes.OK

    play(tmp_path, story)
    told = capsys.readouterr()
    assert "request failed" not in told.out + told.err
    assert "Traceback" not in told.out + told.err


def test_devices_and_orders_are_listed(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        devices = (await gateway.client.get("/api/v1/devices")).json()["devices"]
        assert {"dock-edge", "reader-dock-1", "plc-1"} <= {device["name"] for device in devices}
        assert (await gateway.client.get("/api/v1/orders")).json()["orders"] == []

    play(tmp_path, story)


def test_the_openapi_file_of_the_page_is_up_to_date(tmp_path: Path) -> None:
    kept = Path("gateway/dashboard/openapi.json").read_text(encoding="utf-8")
    assert openapi.text() == kept, "run: python -m gateway.openapi > gateway/dashboard/openapi.json"
    schemas = json.loads(kept)["components"]["schemas"]
    assert {"Snapshot", "Delta", "Change", "Beat", "Problem", "Shipment", "FeedEntry"} <= schemas.keys()

    async def story(gateway: Served) -> None:
        assert (await gateway.client.get("/api/v1/openapi.json")).json() == json.loads(kept)

    play(tmp_path, story)


def test_every_time_says_whose_clock_it_is() -> None:
    schemas: dict[str, Any] = json.loads(openapi.text())["components"]["schemas"]
    told = re.compile("event time|record time|gateway's", re.IGNORECASE)
    silent = [
        f"{name}.{field}: make it an EventTime or a GatewayTime (gateway/views.py)"
        for name, schema in schemas.items()
        for field, what in schema.get("properties", {}).items()
        if field.endswith("_us") and not told.search(json.dumps(what))
    ]
    assert silent == []


def test_the_documentation_has_every_problem() -> None:
    _, table = Path("docs/api.md").read_text(encoding="utf-8").split("## Problems")
    rows = [f"| `{slug}` | {status} | {title} |" for slug, (status, title) in STATUS.items()]
    kept = [line for line in table.splitlines() if line.startswith("| `")]
    assert kept == rows, "put these rows into docs/api.md:\n" + "\n".join(rows)


def test_the_site_of_these_tests_has_what_they_speak_of() -> None:
    assert SITE.items[0].sku == "lemon-4kg"
    assert [door.name for door in SITE.doors][:2] == ["dock-1", "dock-2"]
