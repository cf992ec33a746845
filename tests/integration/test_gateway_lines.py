"""Sorting lines over HTTP: how they do, lots, quarantine, reviews, pictures; and the whole way from the broker."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiomqtt import Client
from httpx import Response
from ledgersite import START_US, Edge, case, now_us
from linesite import LINE, LINED, OTHER_LINE, OUTLINE, SORTER, Belt, belt_picture, evidence, jpeg
from patience import PATIENCE_S
from runninggateway import running, site, until
from servedgateway import CSV, Served, ServerSent, assert_problem, listening_to, served

from contract import events, wire
from contract.site import Broker
from contract.topics import Topic
from contract.wire import EvidenceKept, LineOrders, LotOrder
from gateway import broker as brokers
from gateway import records
from gateway.live import LINE_S

Story = Callable[[Served, Edge, Belt], Awaitable[None]]


def play(folder: Path, story: Story) -> None:
    async def played() -> None:
        async with served(folder, LINED) as gateway:
            await story(gateway, Edge(gateway.ledger, SORTER), Belt(at_us=now_us() - 60_000_000))

    asyncio.run(played())


async def pictured(gateway: Served, *fruit: events.Inspection) -> None:
    """Their pictures have come, too."""
    await asyncio.to_thread(gateway.pictures.put, [evidence(one) for one in fruit], {}, now_us())
    gateway.ledger.sorting.pictured({one.subject: OUTLINE for one in fruit})


def test_lines_are_listed_and_each_has_a_view(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*belt.run(good=8, defective=2))
        lines = (await gateway.client.get("/api/v1/lines")).json()["lines"]
        assert [line["name"] for line in lines] == [LINE, OTHER_LINE]
        assert (lines[0]["lot"]["good"], lines[0]["lot"]["defective"], lines[0]["lot"]["rate"]) == (8, 2, 0.2)
        assert (await gateway.client.get(f"/api/v1/lines/{LINE}")).json()["latest"] == lines[0]["latest"]
        snapshot = (await gateway.client.get("/api/v1/snapshot")).json()
        assert list(snapshot["lines"]) == [LINE, OTHER_LINE]
        assert snapshot["devices"]["camera-a"]["kind"] == "camera"
        assert_problem(await gateway.client.get("/api/v1/lines/none"), 404, "unknown-line")

    play(tmp_path, story)


def test_a_lot_begins_once_and_another_ends_it(tmp_path: Path) -> None:
    path = f"/api/v1/lines/{LINE}/lot"

    async def story(gateway: Served, _: Edge, __: Belt) -> None:
        order = {"lot": "L/1", "sku": "lemon-4kg", "customer": "hongda", "who": "Ana"}
        first = await gateway.client.post(path, json=order)
        assert first.status_code == 201, first.text
        assert first.json()["lot"]["customer"] == "hongda"
        rows = gateway.ledger.last_id
        again = await gateway.client.post(path, json=order | {"who": "Bo"})
        assert (again.status_code, gateway.ledger.last_id) == (200, rows)
        other = await gateway.client.post(path, json={"lot": "L2", "who": "Ana"})
        assert (other.status_code, other.json()["lot"]["lot"], other.json()["lots"][0]["lot"]) == (201, "L2", "L/1")
        problem = assert_problem(
            await gateway.client.post(path, json={"lot": "L3", "who": "Ana", "sku": "lemon-4"}), 422, "invalid-request"
        )
        assert "did you mean 'lemon-4kg'?" in problem["detail"]
        for body in ({}, {"lot": "L3"}, {"lot": "", "who": "Ana"}, {"lot": "a\nb", "who": "Ana"}, order | {"x": 1}):
            assert_problem(await gateway.client.post(path, json=body), 422, "invalid-request")
        unknown = await gateway.client.post("/api/v1/lines/none/lot", json=order)
        assert_problem(unknown, 404, "unknown-line")

    play(tmp_path, story)


def test_a_bad_lot_is_held_and_freed_by_a_person(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        client = gateway.client
        cases = [{"epc": case(0, serial), "lot": "L/1"} for serial in range(4)]
        body = {"id": "A", "direction": "inbound", "partner": "P", "cases": cases}
        assert (await client.post("/api/v1/shipments", json=body)).status_code == 201
        assert_problem(await client.get(f"/api/v1/items/{case(0, 1)}"), 404, "unknown-item")
        text = f"epc,zone,lot\n{case(0, 0)},receiving,\n{case(0, 1)},receiving,\n{case(0, 9)},receiving,L/1\n"
        imported = await client.post("/api/v1/items", content=text.encode(), headers=CSV)
        assert imported.status_code == 201, imported.text
        belt.begin("L/1")
        await sorter.tell(*belt.run(good=10, defective=10))
        [stock] = [one for one in (await client.get("/api/v1/stock")).json()["stock"] if one["sku"] == "lemon-4kg"]
        assert (stock["units"], stock["quarantined"]) == (3, 3)
        item = (await client.get(f"/api/v1/items/{case(0, 1)}")).json()
        assert (item["lot"], item["quarantined"]) == ("L/1", True)
        over = (await client.get("/api/v1/lots", params={"state": "over"})).json()["lots"]
        assert [(lot["line"], lot["lot"], lot["defective"]) for lot in over] == [(LINE, "L/1", 10)]
        release = "/api/v1/lots/L%2F1/release"
        deed = {"who": "Ana", "why": "Sold as juice"}
        freed = await client.post(release, json=deed)
        assert freed.status_code == 200, freed.text
        assert [lot["state"] for lot in freed.json()["lots"]] == ["released"]
        [stock] = [one for one in (await client.get("/api/v1/stock")).json()["stock"] if one["sku"] == "lemon-4kg"]
        assert (stock["units"], stock["quarantined"]) == (3, 0)
        rows = gateway.ledger.last_id
        assert (await client.post(release, json=deed)).json() == freed.json()
        assert gateway.ledger.last_id == rows
        refused = await client.post(release, json={"who": "Bo", "why": "no"})
        assert "Ana has released it" in assert_problem(refused, 409, "not-in-quarantine")["detail"]
        assert_problem(await client.post("/api/v1/lots/none/release", json=deed), 404, "unknown-lot")
        assert_problem(await client.post(release, json={"who": "Ana"}), 422, "invalid-request")
        belt.begin("L2")
        await sorter.tell(*belt.run(good=10))
        assert_problem(await client.post("/api/v1/lots/L2/release", json=deed), 409, "not-in-quarantine")

    play(tmp_path, story)


def test_the_lots_that_began_last_are_listed_first(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        for name, defective in (("L1", 10), ("L2", 0), ("L3", 10), ("L4", 0)):
            belt.begin(name)
            await sorter.tell(*belt.run(good=10, defective=defective))

        async def listed(**asked: object) -> list[str]:
            answer = await gateway.client.get("/api/v1/lots", params=asked)
            return [lot["lot"] for lot in answer.json()["lots"]]

        assert await listed() == ["L4", "L3", "L2", "L1"]
        assert await listed(limit=2) == ["L4", "L3"]
        assert await listed(limit=1, state="over") == ["L3"]
        assert await listed(state="within") == ["L2"]
        assert await listed(state="released") == []

    play(tmp_path, story)


def test_whoever_resolves_a_lot_in_quarantine_says_what_becomes_of_it(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        client = gateway.client

        async def resolve(lot: str, **said: str) -> Response:
            return await client.post(f"/api/v1/exceptions/quality-{lot}-1/resolve", json=said)

        for lot in ("L1", "L2"):
            belt.begin(lot)
            await sorter.tell(*belt.run(good=10, defective=10))
        mute = await resolve("L1", who="Ana", why="seen")
        assert "lot 'L1' is in quarantine" in assert_problem(mute, 422, "decision-needed")["detail"]
        kept = await resolve("L1", who="Ana", why="thrown away", decision="keep")
        assert (kept.status_code, kept.json()["state"], kept.json()["decision"]) == (200, "resolved", "keep")
        freed = await resolve("L2", who="Ana", why="sold as juice", decision="release")
        assert (freed.json()["state"], freed.json()["decision"], freed.json()["resolved_by"]) == (
            "resolved",
            "release",
            "Ana",
        )
        lots = (await client.get("/api/v1/lots")).json()["lots"]
        assert {lot["lot"]: lot["state"] for lot in lots} == {"L1": "over", "L2": "released"}
        rows = gateway.ledger.last_id
        assert (await resolve("L2", who="Ana", why="sold as juice", decision="release")).json() == freed.json()
        assert gateway.ledger.last_id == rows
        other = await resolve("L1", who="Ana", why="thrown away", decision="release")
        assert_problem(other, 409, "already-resolved")
        await sorter.tell(belt.fruit(gate="missed"))
        odd = await client.post(
            f"/api/v1/exceptions/gate_missed-{LINE}-1/resolve", json={"who": "Ana", "why": "w", "decision": "keep"}
        )
        assert assert_problem(odd, 422, "invalid-request")["mistakes"][0]["where"] == "body.decision"

    play(tmp_path, story)


def test_of_two_who_decide_at_once_one_is_told_that_the_other_has(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        client = gateway.client
        for lot in ("L1", "L2", "L3", "L4"):
            belt.begin(lot)
            await sorter.tell(*belt.run(good=10, defective=10))
            path = f"/api/v1/exceptions/quality-{lot}-1/resolve"
            answers = await asyncio.gather(
                client.post(path, json={"who": "Ana", "why": "as juice", "decision": "release"}),
                client.post(path, json={"who": "Bo", "why": "thrown away", "decision": "keep"}),
            )
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            [done] = [answer.json() for answer in answers if answer.status_code == 200]
            lots = (await client.get("/api/v1/lots")).json()["lots"]
            [state] = [one["state"] for one in lots if one["lot"] == lot]
            assert state == {"release": "released", "keep": "over"}[done["decision"]]

    play(tmp_path, story)


def test_whoever_is_late_frees_nothing_that_another_keeps(tmp_path: Path) -> None:
    """Both found it open; the log has Bo first."""

    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*belt.run(good=10, defective=10))
        kept = records.ExceptionResolved(at_us=now_us(), id="quality-L1-1", who="Bo", why="bin", decision="keep")
        freed = records.LotReleased(at_us=now_us(), lot="L1", who="Ana", why="as juice", exception="quality-L1-1")
        await gateway.ledger.record(kept, freed)
        lots = (await gateway.client.get("/api/v1/lots")).json()["lots"]
        assert [one["state"] for one in lots] == ["over"]

    play(tmp_path, story)


def test_lots_of_documents_are_told_with_their_mistakes(tmp_path: Path) -> None:
    async def story(gateway: Served, _: Edge, __: Belt) -> None:
        text = (
            f"shipment,direction,partner,epc,sku,units,lot\nA,inbound,P,{case(0, 1)},,,L1\nA,,,,tomato-tray,none,L2\n"
        )
        answer = await gateway.client.post("/api/v1/shipments", content=text.encode(), headers=CSV)
        problem = assert_problem(answer, 422, "invalid-body")
        assert [one["where"] for one in problem["mistakes"]] == ["line 3, column units"]
        body = [{"epc": case(0, 1), "zone": "receiving", "lot": ""}]
        answer = await gateway.client.post("/api/v1/items", json=body)
        assert assert_problem(answer, 422, "invalid-body")["mistakes"][0]["where"] == "[0].lot"

    play(tmp_path, story)


def test_a_person_answers_a_review_once(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        client = gateway.client
        first, second = belt.fruit("unsure"), belt.fruit(sampled=True)
        await sorter.tell(first, second)
        await pictured(gateway, first)
        page = (await client.get("/api/v1/reviews")).json()
        assert [(one["id"], one["picture"], one["state"]) for one in page["reviews"]] == [
            (first.subject, True, "open"),
            (second.subject, False, "open"),
        ]
        assert page["reviews"][0]["outline"] == [list(corner) for corner in OUTLINE]
        path = f"/api/v1/reviews/{first.subject}"
        answered = await client.post(path, json={"label": "defective", "who": "Ana"})
        assert answered.status_code == 200, answered.text
        assert (answered.json()["label"], answered.json()["state"]) == ("defective", "answered")
        rows = gateway.ledger.last_id
        assert (await client.post(path, json={"label": "defective", "who": "Ana"})).json() == answered.json()
        assert gateway.ledger.last_id == rows
        other = await client.post(path, json={"label": "good", "who": "Bo"})
        assert assert_problem(other, 409, "already-answered")["detail"] == "Ana has said: defective"
        assert (await client.get(path)).json() == answered.json()
        page = (await client.get("/api/v1/reviews", params={"state": "answered"})).json()
        assert [one["id"] for one in page["reviews"]] == [first.subject]
        beyond = {"state": "answered", "after": page["after"]}
        end = (await client.get("/api/v1/reviews", params=beyond)).json()
        assert (end["reviews"], end["after"], end["next"]) == ([], page["after"], None)
        assert_problem(await client.post(path, json={"label": "rotten", "who": "Ana"}), 422, "invalid-request")
        unknown = await client.post("/api/v1/reviews/none", json={"label": "good", "who": "Ana"})
        assert_problem(unknown, 404, "unknown-review")
        assert_problem(await client.get("/api/v1/reviews/none"), 404, "unknown-review")

    play(tmp_path, story)


def test_pictures_are_served_as_they_came(tmp_path: Path) -> None:
    async def story(gateway: Served, _: Edge, belt: Belt) -> None:
        client = gateway.client
        one = belt.fruit("defective")
        await pictured(gateway, one)
        picture = await client.get(f"/api/v1/evidence/{one.subject}.jpg")
        assert (picture.status_code, picture.content) == (200, jpeg())
        assert picture.headers["content-type"] == "image/jpeg"
        assert "immutable" in picture.headers["cache-control"]
        told = (await client.get(f"/api/v1/evidence/{one.subject}")).json()
        assert (told["verdict"], told["line"], told["bytes"], told["model"]) == ("defective", LINE, 200, one.model)
        for path in ("none", "none.jpg"):
            assert_problem(await client.get(f"/api/v1/evidence/{path}"), 404, "no-picture")
        for path in ("..%2Fledger.db.jpg", "A", "a" * 101, "a%00"):
            assert (await client.get(f"/api/v1/evidence/{path}")).status_code in (404, 422)

    play(tmp_path, story)


def test_the_belt_is_shown_as_it_is_now(tmp_path: Path) -> None:
    async def story(gateway: Served, _: Edge, __: Belt) -> None:
        path = f"/api/v1/lines/{LINE}/belt.jpg"
        assert_problem(await gateway.client.get(path), 404, "no-picture")
        assert_problem(await gateway.client.get("/api/v1/lines/none/belt.jpg"), 404, "unknown-line")
        gateway.belts.put(LINE, START_US, jpeg(300))
        picture = await gateway.client.get(path)
        assert (picture.content, picture.headers["cache-control"]) == (jpeg(300), "no-store")

    play(tmp_path, story)


def test_metrics_count_fruit_pictures_and_reviews(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure"), *belt.run(good=3), belt.fruit(gate="missed")]
        await sorter.tell(*fruit, Belt("line-z").fruit())
        await pictured(gateway, fruit[0])
        blank = belt.fruit("unsure")
        await sorter.tell(blank)
        late = gateway.ledger.sorting.unpictured([blank.subject], now_us())
        await gateway.ledger.record(*late)
        await gateway.ledger.record(*late)
        text = (await gateway.client.get("/metrics")).text
        for line in (
            'truecount_inspections_total{gate="passed",line="line-a",verdict="good"} 3.0',
            'truecount_inspections_total{gate="missed",line="line-a",verdict="good"} 1.0',
            "truecount_evidence_pictures 1.0",
            "truecount_evidence_bytes 456.0",
            "truecount_reviews_open 1.0",
            'truecount_reviews_closed_total{why="unpictured"} 1.0',
        ):
            assert line in text, text
        assert "line-z" not in text, "a name that anybody may invent is no label"

    play(tmp_path, story)


def test_a_line_does_not_flood_the_stream(tmp_path: Path) -> None:
    """Each fruit is in the feed; the line's view, with all it holds, goes out a few times a second."""

    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        loop = asyncio.get_running_loop()
        fed = views = 0
        last: dict[str, object] = {}
        async with listening_to(gateway.client) as stream, asyncio.timeout(PATIENCE_S):
            assert (await anext(stream)).event == "snapshot"
            began_s = loop.time()

            async def judge() -> None:
                for _ in range(60):
                    await sorter.tell(belt.fruit())
                    await asyncio.sleep(0.01)

            judging = asyncio.create_task(judge())
            async for sent in stream:
                fed += sum(entry["kind"] == "inspection" for entry in sent.data.get("feed", ()))
                lines = [change["value"] for change in sent.data.get("changes", ()) if change["section"] == "lines"]
                views += len(lines)
                last = lines[-1] if lines else last
                if fed == 60 and last and last["latest"] == _latest(gateway):
                    break
            await judging
            passed_s = loop.time() - began_s
        assert fed == 60
        assert views <= 2 + passed_s / LINE_S, "one at once, then one each time"

    play(tmp_path, story)


def _latest(gateway: Served) -> object:
    return gateway.ledger.views("lines")[LINE].model_dump(mode="json")["latest"]


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_from_the_broker_to_the_page_and_back_to_the_line(tmp_path: Path, kind: str) -> None:
    async def story() -> None:
        belt = Belt(at_us=now_us() - 10_000_000)
        belt.begin("L1")
        unsure = belt.fruit("unsure")
        settings = Broker(kind=kind, data=tmp_path / "broker")  # type: ignore[arg-type]
        async with brokers.running(settings, free_port=True) as child:
            here = site(tmp_path, child.broker, LINED)
            async with running(here) as client, Client("127.0.0.1", child.broker.port) as agent:
                await agent.subscribe(str(Topic("north", SORTER, "command")), qos=1)
                await until(client, 200)
                lot = {"lot": "L1", "sku": "lemon-4kg", "who": "Ana"}
                assert (await client.post(f"/api/v1/lines/{LINE}/lot", json=lot)).status_code == 201
                commands = _commands(agent)
                assert await anext(commands) == LineOrders(lines={LINE: LotOrder(lot="L1", sku="lemon-4kg")})
                batch = wire.encode_batch(SORTER, "e1", 1, 1, (wire.encode(unsure),))
                await agent.publish(str(Topic("north", SORTER, "events")), batch, qos=1)
                for picture in (belt_picture(now_us()), evidence(unsure)):
                    await agent.publish(str(Topic("north", SORTER, "evidence")), wire.encode(picture), qos=1)
                assert await anext(commands) == EvidenceKept(ids=(unsure.subject,))
                async with listening_to(client) as stream, asyncio.timeout(PATIENCE_S):
                    reviews = await _reviews(stream)
                assert reviews[unsure.subject]["outline"] == [list(corner) for corner in OUTLINE]
                assert (await client.get(f"/api/v1/evidence/{unsure.subject}.jpg")).content == jpeg()
                view = (await client.get(f"/api/v1/lines/{LINE}")).json()
                assert (view["lot"]["unsure"], view["to_review"]) == (1, 1)
                assert (await client.get(f"/api/v1/lines/{LINE}/belt.jpg")).content == jpeg()

    asyncio.run(story())


def test_a_disk_that_takes_no_picture_is_told_until_it_takes_one_again(tmp_path: Path) -> None:
    async def story() -> None:
        one = evidence(Belt().fruit("defective"))
        async with brokers.running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            here = site(tmp_path, child.broker, LINED)
            async with running(here) as client, Client("127.0.0.1", child.broker.port) as agent:
                await until(client, 200)
                async with listening_to(client) as stream, asyncio.timeout(PATIENCE_S):
                    assert (await anext(stream)).data["site"]["site"]["pictures_kept"]
                    with sqlite3.connect(here.gateway.data / "evidence" / "evidence.db", isolation_level=None) as other:
                        other.execute("BEGIN IMMEDIATE")  # as a program that copies the file may
                        for kept in (False, True):
                            await agent.publish(str(Topic("north", SORTER, "evidence")), wire.encode(one), qos=1)
                            await _site(stream, kept)
                            health = await client.get("/healthz")
                            assert (health.status_code, health.json()["pictures_kept"]) == (200, kept)
                            assert f"truecount_evidence_up {kept:.1f}" in (await client.get("/metrics")).text
                            if not kept:
                                other.execute("ROLLBACK")
                assert (await client.get(f"/api/v1/evidence/{one.id}.jpg")).content == one.picture

    asyncio.run(story())


async def _site(stream: AsyncIterator[ServerSent], kept: bool) -> None:
    """Wait until the strip at the top says so of the pictures."""
    async for sent in stream:
        for change in sent.data.get("changes", ()):
            if change["section"] == "site" and change["value"]["pictures_kept"] == kept:
                return
    raise AssertionError("the stream ended")


async def _reviews(stream: AsyncIterator[ServerSent]) -> dict[str, Any]:
    """The reviews on the page, once there are some."""
    async for sent in stream:
        if sent.data.get("reviews"):
            return dict(sent.data["reviews"])
        for change in sent.data.get("changes", ()):
            if change["section"] == "reviews":
                return {change["key"]: change["value"]}
    raise AssertionError("the stream ended")


async def _commands(agent: Client) -> AsyncIterator[wire.Command]:
    async with asyncio.timeout(PATIENCE_S):
        async for message in agent.messages:
            assert isinstance(message.payload, bytes)
            yield wire.decode_command(message.payload)
