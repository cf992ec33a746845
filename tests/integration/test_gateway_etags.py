"""ETag and If-Match: nobody decides about something else than he has seen."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from hypothesis import given
from hypothesis import strategies as st
from ledgersite import SITE, Edge, case, door_pass, now_us
from linesite import LINE, LINED, SORTER, Belt
from pydantic import BaseModel
from servedgateway import Served, assert_problem, served

from gateway.api import etags
from gateway.records import DataLost

Story = Callable[[Served], Awaitable[None]]


def play(folder: Path, story: Story) -> None:
    async def played() -> None:
        async with served(folder, LINED) as gateway:
            await story(gateway)

    asyncio.run(played())


class Thing(BaseModel):
    a: int
    b: str | None
    c: dict[str, int]


THINGS = st.builds(
    Thing, a=st.integers(0, 2), b=st.sampled_from([None, "", "x"]), c=st.dictionaries(st.sampled_from("xy"), st.just(1))
)


@given(THINGS, THINGS)
def test_a_tag_is_one_of_its_content_and_tells_which_fields_differ(seen: Thing, now: Thing) -> None:
    assert (etags.tag(seen) == etags.tag(now)) == (seen == now)
    problem = etags.changed(f'"{etags.tag(seen)}"', now)
    differ = [name for name in Thing.model_fields if getattr(seen, name) != getattr(now, name)]
    assert ([] if problem is None else [mistake.place for mistake in problem.mistakes]) == differ
    assert etags.changed("*", now) is None
    assert etags.changed(f'"other", "{etags.tag(now)}"', now) is None
    for other in ("", "other", f'W/"{etags.tag(now)}"', '"other"'):
        assert etags.changed(other, now) is not None
    assert etags.changed("*", None) is not None


async def tag_of(gateway: Served, path: str) -> str:
    """The tag of what is there; asked again with it, there is nothing new."""
    answer = await gateway.client.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    tag = answer.headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        same = await gateway.client.get(path, headers={"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    return str(tag)


def assert_changed(answer: httpx.Response, *fields: str) -> None:
    """It is refused, and these fields are among those that have changed."""
    problem = assert_problem(answer, 412, "changed-meanwhile")
    assert {mistake["where"] for mistake in problem["mistakes"]} >= {*fields}


async def lose(gateway: Served, times: int = 1) -> str:
    """An exception that counts how often events were lost; its address."""
    for _ in range(times):
        await gateway.ledger.record(DataLost(at_us=now_us(), agent="dock-edge", epoch="e", detail="d"))
    return "/api/v1/exceptions/data_lost-dock-edge-1"


def test_an_exception_that_has_changed_is_not_resolved_unseen(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        path = await lose(gateway)
        seen = await tag_of(gateway, path)
        await lose(gateway)
        deed = {"who": "Ana", "why": "w"}
        late = await gateway.client.post(f"{path}/resolve", json=deed, headers={"If-Match": seen})
        assert_changed(late, "count", "updated_us")
        now = late.headers["etag"]
        assert now == await tag_of(gateway, path)
        done = await gateway.client.post(f"{path}/resolve", json=deed, headers={"If-Match": now})
        assert (done.status_code, done.headers["content-location"]) == (200, path)
        assert done.headers["etag"] == await tag_of(gateway, path)
        again = await gateway.client.post(f"{path}/resolve", json=deed, headers={"If-Match": now})
        assert again.status_code == 200, "it is as this request wants it (RFC 9110, section 13.1.1)"
        other = deed | {"who": "Bo"}
        refused = await gateway.client.post(f"{path}/resolve", json=other, headers={"If-Match": now})
        assert_changed(refused, "updated_us", "state", "resolved_by", "reason")

    play(tmp_path, story)


def test_of_two_who_saw_the_same_one_decides(tmp_path: Path) -> None:
    """Both come into one group commit: what the first changed is not written when the second is judged."""

    async def story(gateway: Served) -> None:
        path = await lose(gateway)
        seen = await tag_of(gateway, path)
        deeds = [{"who": who, "why": "w"} for who in ("Ana", "Bo")]
        rows = gateway.ledger.last_id
        answers = await asyncio.gather(
            *(gateway.client.post(f"{path}/resolve", json=deed, headers={"If-Match": seen}) for deed in deeds)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        assert gateway.ledger.last_id == rows + 1

    play(tmp_path, story)


def test_a_shipment_is_announced_anew_as_it_was_seen(tmp_path: Path) -> None:
    def asn(*serials: int, key: str = "A") -> dict[str, object]:
        return {"id": key, "direction": "inbound", "partner": "P", "cases": [{"epc": case(0, n)} for n in serials]}

    async def story(gateway: Served) -> None:
        post, path = gateway.client.post, "/api/v1/shipments/A"
        nothing = await post("/api/v1/shipments", json=asn(1), headers={"If-Match": "*"})
        assert_changed(nothing)
        await post("/api/v1/shipments", json=asn(1, 2))
        seen = await tag_of(gateway, path)
        await Edge(gateway.ledger).tell(door_pass(case(0, 1)))
        late = await post("/api/v1/shipments", json=asn(1), headers={"If-Match": seen})
        assert_problem(late, 412, "changed-meanwhile")
        assert {"seen", "cases", "lines"} <= {mistake["where"] for mistake in late.json()["mistakes"]}
        now = await tag_of(gateway, path)
        assert (await post("/api/v1/shipments", json=asn(1), headers={"If-Match": now})).status_code == 200
        both = await post("/api/v1/shipments", json=[asn(1), asn(2, key="B")], headers={"If-Match": "*"})
        assert_problem(both, 422, "invalid-request")

    play(tmp_path, story)


def test_a_lot_is_begun_and_released_as_it_was_seen(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post, running = gateway.client.post, f"/api/v1/lines/{LINE}/lot"
        nothing = await tag_of(gateway, running)
        begun = {"lot": "L/1", "who": "Ana"}
        assert (await post(running, json=begun, headers={"If-Match": nothing})).status_code == 201
        assert_changed(
            await post(running, json=begun | {"lot": "L2"}, headers={"If-Match": nothing}), "lot", "begun_us", "limit"
        )
        seen = await tag_of(gateway, running)
        belt = Belt()
        belt.begin("L/1")
        edge = Edge(gateway.ledger, SORTER)
        await edge.tell(*belt.run(good=5, defective=9))
        assert await tag_of(gateway, running) == seen, "its fruit is not what was begun"
        runs = "/api/v1/lots/L%2F1/runs"
        over = await tag_of(gateway, runs)
        await edge.tell(*belt.run(defective=1))
        deed = {"who": "Ana", "why": "juice"}
        assert_changed(await post("/api/v1/lots/L%2F1/release", json=deed, headers={"If-Match": over}), "lots")
        now = {"If-Match": await tag_of(gateway, runs)}
        released = await post("/api/v1/lots/L%2F1/release", json=deed, headers=now)
        assert (released.status_code, released.headers["content-location"]) == (200, runs)
        assert (await post("/api/v1/lots/L%2F1/release", json=deed, headers=now)).status_code == 200
        assert_changed(await post("/api/v1/lots/L%2F1/release", json=deed | {"who": "Bo"}, headers=now), "lots")

    play(tmp_path, story)


def test_the_site_of_these_tests_has_what_they_speak_of() -> None:
    assert "dock-edge" in {agent.name for agent in SITE.agents}
