"""The Idempotency-Key of a POST: whatever is lost, repeated or killed, what was asked is done once."""

import asyncio
import contextlib
import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from hypothesis import example, given
from hypothesis import strategies as st
from ledgersite import QUICK, START_US, Clock, case, now_us
from patience import PATIENCE_S
from runninggateway import site
from servedgateway import Served, assert_problem, served
from serverprocess import ServerProcess

import truecount
from gateway.api.idempotency import MAX_KEY, REPLAYED, read_key
from gateway.ledger.ledger import Ledger
from gateway.ledger.storage import deeds
from gateway.ledger.storage.deeds import Answer, Deed, Done, Known
from gateway.records import ItemsImported

Story = Callable[[Served], Awaitable[None]]

BODY = [{"epc": case(0, 1), "zone": "cold-room"}]
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


def play(folder: Path, story: Story) -> None:
    async def played() -> None:
        async with served(folder, QUICK) as gateway:
            await story(gateway)

    asyncio.run(played())


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


async def imports(gateway: Served) -> int:
    """How often the opening balance stands in the log: each import is a row of its own."""
    events = (await gateway.client.get("/api/v1/events", params={"limit": 1000})).json()["events"]
    return sum(event["kind"] == "items_imported" for event in events)


def test_the_same_request_with_its_key_is_done_once_and_answered_alike(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        first = await gateway.client.post("/api/v1/items", json=BODY, headers=key('"a-1"'))
        assert (first.status_code, REPLAYED in first.headers) == (201, False)
        for again in ('"a-1"', "a-1"):
            answer = await gateway.client.post("/api/v1/items", json=BODY, headers=key(again))
            assert (answer.status_code, answer.json()) == (201, first.json())
            assert (answer.headers[REPLAYED], answer.headers["content-type"]) == ("true", "application/json")
        assert await imports(gateway) == 1
        await gateway.client.post("/api/v1/items", json=BODY)
        await gateway.client.post("/api/v1/items", json=BODY, headers=key("a-2"))
        assert await imports(gateway) == 3

    play(tmp_path, story)


def test_an_answer_survives_a_restart(tmp_path: Path) -> None:
    said: list[httpx.Response] = []

    async def story(gateway: Served) -> None:
        said.append(await gateway.client.post("/api/v1/items", json=BODY, headers=key("a")))
        assert await imports(gateway) == 1

    play(tmp_path, story)
    play(tmp_path, story)
    first, again = said
    assert (again.status_code, again.content, again.headers[REPLAYED]) == (201, first.content, "true")


def test_a_key_belongs_to_one_request(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post = gateway.client.post
        await post("/api/v1/items", json=BODY, headers=key("a"))
        others = (
            post("/api/v1/items", json=[{"epc": case(0, 2), "zone": "cold-room"}], headers=key("a")),
            post("/api/v1/items", params={"who": "Ana"}, json=BODY, headers=key("a")),
            post("/api/v1/shipments", json=BODY, headers=key("a")),
            post("/api/v1/items", content=json.dumps(BODY), headers=key("a") | {"Content-Type": "text/csv"}),
        )
        for other in others:
            assert_problem(await other, 422, "idempotency-key-reused")
        assert await imports(gateway) == 1

    play(tmp_path, story)


def test_a_refused_request_may_be_mended_and_sent_again_with_its_key(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        wrong = await gateway.client.post("/api/v1/items", json=[{"epc": "zz"}], headers=key("a"))
        assert_problem(wrong, 422, "invalid-body")
        assert (await gateway.client.post("/api/v1/items", json=BODY, headers=key("a"))).status_code == 201

    play(tmp_path, story)


def test_what_had_nothing_to_record_is_not_done_later_either(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post = gateway.client.post
        old, new = ({"id": "A", "direction": "inbound", "partner": "P", "cases": [{"epc": case(0, n)}]} for n in (1, 2))
        await post("/api/v1/shipments", json=old)
        assert (await post("/api/v1/shipments", json=old, headers=key("a"))).status_code == 200
        await post("/api/v1/shipments", json=new)
        rows = gateway.ledger.last_id
        again = await post("/api/v1/shipments", json=old, headers=key("a"))
        assert (again.status_code, again.headers[REPLAYED], gateway.ledger.last_id) == (200, "true", rows)

    play(tmp_path, story)


def test_of_two_at_once_the_second_is_told_to_wait(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        sent = (gateway.client.post("/api/v1/items", json=BODY, headers=key("a")) for _ in range(5))
        answers = await asyncio.gather(*sent)
        told = Counter(answer.status_code for answer in answers)
        assert (told[201] >= 1, told[201] + told[409]) == (True, 5)
        for answer in answers:
            if answer.status_code == httpx.codes.CONFLICT:
                assert_problem(answer, 409, "idempotency-in-progress")
        assert await imports(gateway) == 1

    play(tmp_path, story)


def test_a_key_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        rows = gateway.ledger.last_id
        for bad in ("", '""', '"a', "a b", "a, b", '"a\\b"', '"a";x=1', "ä", "x" * (MAX_KEY + 1)):
            answer = await gateway.client.post("/api/v1/items", json=BODY, headers={"Idempotency-Key": bad.encode()})
            assert_problem(answer, 400, "idempotency-key-malformed")
        twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "a"), ("Content-Type", "application/json")]
        answer = await gateway.client.post("/api/v1/items", content=json.dumps(BODY), headers=twice)
        assert_problem(answer, 400, "idempotency-key-malformed")
        huge = await gateway.client.post("/api/v1/items", content=b" " * 6_000_000, headers=key("a"))
        assert_problem(huge, 413, "body-too-large")
        assert gateway.ledger.last_id == rows

    play(tmp_path, story)


@given(st.text(PRINTABLE, min_size=1, max_size=MAX_KEY))
@example('\\"')
def test_every_printable_string_is_a_key(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert read_key([f' "{quoted}" ']) == text


@given(st.text(max_size=300))
def test_what_is_read_as_a_key_is_one(text: str) -> None:
    found = read_key([text])
    assert found is None or (1 <= len(found) <= MAX_KEY and found.isascii() and found.isprintable())


def test_done_and_never_answered_it_is_told_with_its_rows(tmp_path: Path) -> None:
    """The process died after the commit: a request's key is on disk with its rows, and no answer is."""
    known: list[Deed] = []

    async def die_before_the_answer() -> None:
        with Ledger.open(tmp_path / "ledger.db", QUICK, now_us) as ledger:
            deeds.current.set(known[0])
            record = ItemsImported(at_us=now_us(), who="Ana", items=())
            await ledger.record(record, record)

    async def learn(gateway: Served) -> None:
        await gateway.client.post("/api/v1/items", json=BODY, headers=key("a"))
        with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as db:
            [(fingerprint,)] = db.execute("SELECT fingerprint FROM deeds")
        known.append(Deed("b", fingerprint))

    async def ask(gateway: Served) -> None:
        problem = assert_problem(
            await gateway.client.post("/api/v1/items", json=BODY, headers=key("b")), 409, "already-done"
        )
        first, last = problem["rows"]
        page = (await gateway.client.get("/api/v1/events", params={"after": first - 1, "limit": 2})).json()
        assert [(event["id"], event["kind"], event["body"]["who"]) for event in page["events"]] == [
            (first, "items_imported", "Ana"),
            (last, "items_imported", "Ana"),
        ]
        assert await imports(gateway) == 3

    play(tmp_path, learn)
    asyncio.run(die_before_the_answer())
    play(tmp_path, ask)


def test_a_key_is_known_for_a_day(tmp_path: Path) -> None:
    clock = Clock()
    answer = Answer(201, "[]", b"{}")

    async def story() -> None:
        with Ledger.open(tmp_path / "ledger.db", QUICK, clock) as ledger:
            ledger.answered(Deed("old", "f"), answer, done=True)
            clock.now_us = START_US + deeds.KEPT_US
            ledger.answered(Deed("later", "f"), answer, done=True)
            assert ledger.deed("old") == Known("f", None, answer)
            clock.turn(1)
            ledger.answered(Deed("latest", "f"), answer, done=True)
            assert ledger.deed("old") is None
            assert ledger.deed("later") is not None

    asyncio.run(story())


def test_only_the_last_answers_and_none_that_is_long_are_kept() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(deeds.TABLE)
        for n in range(deeds.KEPT_ANSWERS + 1):
            deeds.write(db, Done(Deed(f"k{n}", "f"), START_US, n, n))
            deeds.answer(db, Deed(f"k{n}", "f"), Answer(201, "[]", b"{}"), START_US, done=True)
        assert deeds.find(db, "k0") == Known("f", (0, 0), None)
        assert deeds.find(db, "k1") == Known("f", (1, 1), Answer(201, "[]", b"{}"))
        long = Answer(201, "[]", b"x" * (deeds.MAX_ANSWER_BYTES + 1))
        deeds.answer(db, Deed("long", "f"), long, START_US, done=True)
        assert deeds.find(db, "long") == Known("f", None, None)


def test_beyond_the_most_keys_of_a_day_new_ones_are_refused_and_the_others_go_on(tmp_path: Path) -> None:
    async def story(gateway: Served) -> None:
        post = gateway.client.post
        first = await post("/api/v1/items", json=BODY, headers=key("a"))
        row = (deeds.MAX_DEEDS, "z", "f", now_us())
        with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as db:
            db.execute("INSERT INTO deeds (id, key, fingerprint, recorded_us) VALUES (?, ?, ?, ?)", row)
        assert_problem(await post("/api/v1/items", json=BODY, headers=key("b")), 503, "too-many-keys")
        assert (await post("/api/v1/items", json=BODY, headers=key("a"))).content == first.content
        assert (await post("/api/v1/items", json=BODY)).status_code == 201

    play(tmp_path, story)


IMPORTS = 8


def test_killed_between_the_commit_and_the_answer_every_request_is_done_once(tmp_path: Path) -> None:
    settings = site(tmp_path, base=QUICK)
    file = tmp_path / "site.yaml"
    file.write_text(settings.model_dump_json())  # JSON is YAML
    url = f"http://127.0.0.1:{settings.gateway.port}"
    command = [sys.executable, str(Path(truecount.__file__)), "gateway", "--config", str(file)]
    gateway = ServerProcess(command, tmp_path / "log", lambda: _answers(url))
    try:
        gateway.start()
        with ThreadPoolExecutor(IMPORTS) as clients:
            sent = [clients.submit(_import, url, n) for n in range(IMPORTS)]
            _await_a_deed(tmp_path / "gateway" / "ledger.db")
            gateway.kill()
            before = [one.result() for one in sent]
        gateway.start()
        after = [_import(url, n) for n in range(IMPORTS)]
        again = [_import(url, n) for n in range(IMPORTS)]
        log = httpx.get(f"{url}/api/v1/events?limit=1000", trust_env=False).json()["events"]
    finally:
        if gateway.running:
            gateway.stop()
    done = Counter(event["body"]["who"] for event in log if event["kind"] == "items_imported")
    assert done == {f"person {n}": 1 for n in range(IMPORTS)}
    for first, second, third in zip(before, after, again, strict=True):
        assert second is not None
        assert third is not None
        assert second.status_code in (201, 409), second.text
        if first is not None:
            assert (first.status_code, second.content) == (201, first.content)
        if second.status_code == httpx.codes.CONFLICT:
            assert_problem(second, 409, "already-done")
        assert (third.status_code, third.content) == (second.status_code, second.content)


def _import(url: str, n: int) -> httpx.Response | None:
    """What the gateway says; None when it is killed meanwhile."""
    try:
        params, headers = {"who": f"person {n}"}, key(f"import-{n}")
        with httpx.Client(trust_env=False, timeout=10) as client:
            return client.post(f"{url}/api/v1/items", params=params, json=BODY, headers=headers)
    except httpx.TransportError:
        return None


def _await_a_deed(path: Path) -> None:
    """Returns in the moment that the first one is in the file."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        ends = time.monotonic() + PATIENCE_S
        while db.execute("SELECT count(*) FROM deeds").fetchone() == (0,):
            assert time.monotonic() < ends, "nothing was committed"
            time.sleep(0.0002)


def _answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", trust_env=False)
    except httpx.TransportError:
        return False
    return True
