"""EPCIS events out of a running gateway, to a file and to a partner's repository; a partner's document in."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from epcisrules import document_mistakes
from ledgersite import LEMON, SITE, Edge, case, door_pass, load_pass, now_us, pallet
from servedgateway import assert_problem, served

import truecount
from contract.site import Site
from gateway.epcis import exportorder
from gateway.epcis.capture import ATTEMPTS, MAX_EVENTS, Batch, Repository, batches
from gateway.epcis.document import Told
from gateway.epcis.document import told as rows_told
from gateway.epcis.logfile import LogFile
from gateway.epcis.names import Names
from gateway.errors import CaptureFailed, LedgerFailed

JSON_LD = {"Content-Type": "application/ld+json; charset=utf-8"}
CASES = [case(LEMON, serial) for serial in range(1, 13)]


def site_in(folder: Path) -> Site:
    """The example site, whose gateway keeps its data here."""
    return SITE.model_copy(update={"gateway": SITE.gateway.model_copy(update={"data": folder})})


def at_work(folder: Path, *passes: Any) -> None:
    """The gateway commits these, one batch each."""

    async def run() -> None:
        async with served(folder) as gateway:
            edge = Edge(gateway.ledger, epoch=f"epoch-{now_us()}")
            for one in passes:
                await edge.tell(one)

    asyncio.run(run())


class Partner:
    """A repository that answers as it is told: a status for each request, then 202."""

    def __init__(self, url: str, answers: list[int], limit: int) -> None:
        self.url = url
        self.answers = answers
        self.limit = limit
        self.documents: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.jobs: list[bytes] = []
        """What its capture job says, each time that it is asked; none: it does not name the job."""

    @property
    def ids(self) -> list[str]:
        """Of the events that it took."""
        return [event["eventID"] for document in self.documents for event in document["epcisBody"]["eventList"]]

    def answer(self, path: str, headers: dict[str, str], document: dict[str, Any]) -> int:
        self.headers.append(headers)
        too_large = len(document["epcisBody"]["eventList"]) > self.limit
        status = self.answers.pop(0) if self.answers else 413 if too_large else 202
        if status in (200, 201, 202):
            assert path == "/epcis/capture"
            assert document_mistakes(document) == []
            self.documents.append(document)
        return status


@contextmanager
def partner(*answers: int, limit: int = 10_000) -> Iterator[Partner]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = told.answer(self.path, dict(self.headers), json.loads(body))
            words = b'{"title": "too many apples"}'
            self.send_response(status)
            self.send_header("Content-Length", str(len(words)))
            self.send_header("Retry-After", "0")
            if status == 202 and told.jobs:
                self.send_header("Location", "/epcis/capture/1")
            self.end_headers()
            self.wfile.write(words)

        def do_GET(self) -> None:
            assert self.path == "/epcis/capture/1"
            words = told.jobs.pop(0)
            self.send_response(200 if words.startswith(b"{") else 404)
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of http.server
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told = Partner(f"http://127.0.0.1:{server.server_port}/epcis", list(answers), limit)
        threading.Thread(target=server.serve_forever).start()
        try:
            yield told
        finally:
            server.shutdown()


def test_the_log_is_exported_while_the_gateway_runs_and_gone_on_from(tmp_path: Path) -> None:
    async def run() -> None:
        async with served(tmp_path) as gateway:
            edge = Edge(gateway.ledger)
            await edge.tell(load_pass(pallet(1), CASES))
            out = tmp_path / "events.jsonld"
            first = await asyncio.to_thread(exportorder.export, site_in(tmp_path), 0, out)
            document = json.loads(out.read_bytes())
            assert document_mistakes(document) == []
            [event] = document["epcisBody"]["eventList"]
            assert (event["type"], len(event["childEPCs"]), first.events) == ("AggregationEvent", 12, 1)
            await edge.tell(door_pass(CASES[0], direction="outbound"))
            more = await asyncio.to_thread(exportorder.export, site_in(tmp_path), first.through, out)
            [event] = json.loads(out.read_bytes())["epcisBody"]["eventList"]
            assert (event["bizStep"], more.through > first.through) == ("shipping", True)

    asyncio.run(run())
    assert list(tmp_path.glob("*.part")) == []


def test_an_export_of_nothing_is_a_document_without_events(tmp_path: Path) -> None:
    at_work(tmp_path)
    done = exportorder.export(site_in(tmp_path), 10**6, tmp_path / "none.jsonld")
    assert document_mistakes(json.loads((tmp_path / "none.jsonld").read_bytes())) == []
    assert (done.events, done.through) == (0, 10**6)
    with pytest.raises(LedgerFailed, match="there is no ledger"):
        exportorder.export(site_in(tmp_path / "elsewhere"), 0, None)


def test_a_repository_gets_everything_once_and_the_next_time_only_what_is_new(tmp_path: Path) -> None:
    at_work(tmp_path, *map(door_pass, CASES[:3]))
    with partner(413, limit=2) as repository:
        done = exportorder.capture(site_in(tmp_path), repository.url, None, None, "secret")
        assert (done.events, len(repository.ids), len(set(repository.ids))) == (3, 3, 3)
        sent = repository.headers[0]
        assert (sent["Content-Type"], sent["GS1-EPCIS-Version"]) == ("application/ld+json", "2.0.0")
        assert sent["Authorization"] == "Bearer secret"
        at_work(tmp_path, door_pass(CASES[3]))
        again = exportorder.capture(site_in(tmp_path), repository.url, None, None, None)
        assert (again.events, len(repository.ids)) == (1, 4)
        assert exportorder.capture(site_in(tmp_path), repository.url, None, None, None).rows == 0
        anew = exportorder.capture(site_in(tmp_path), repository.url, 0, tmp_path / "other.json", None)
        assert anew.events == 4
        assert set(repository.ids[4:]) == set(repository.ids[:4])  # what is sent twice is the same


def test_a_refusal_is_told_in_the_repositorys_words_and_the_cursor_stays_before_it(tmp_path: Path) -> None:
    at_work(tmp_path, door_pass(CASES[0]))
    cursor = tmp_path / "cursor.json"
    with partner(400, 401, 302) as repository:
        for says in ("were not taken: 400 .*too many apples", "is the token right", "it does not say where"):
            with pytest.raises(CaptureFailed, match=says):
                exportorder.capture(site_in(tmp_path), repository.url, None, cursor, None)
        assert not cursor.exists()
        exportorder.capture(site_in(tmp_path), repository.url, None, cursor, None)
        assert len(repository.ids) == 1
        with pytest.raises(CaptureFailed, match="is the cursor of"):
            exportorder.capture(site_in(tmp_path), repository.url + "/2", None, cursor, None)
        cursor.write_text("{}")
        with pytest.raises(CaptureFailed, match="is no cursor"):
            exportorder.capture(site_in(tmp_path), repository.url, None, cursor, None)


BATCH = Batch(1, 9, tuple(b'{"type":"ObjectEvent","eventID":"%d"}' % n for n in range(9)))


def hasty(url: str) -> Repository:
    return Repository(url, now_us, pauses_s=(0.001, 0.002))


def test_a_repository_that_is_busy_is_asked_again_but_not_for_ever() -> None:
    with partner(503, 429, 500, limit=0) as repository, hasty(repository.url) as sender:
        with pytest.raises(CaptureFailed, match="413"):  # one event alone is too large
            sender.capture(BATCH)
        assert len(repository.headers) == 3 + 4  # three failures, then 9, 4, 2 events, and 1
    with partner(*[503] * ATTEMPTS) as repository, hasty(repository.url) as sender:
        with pytest.raises(CaptureFailed, match=f"rows 1 to 9 .* after {ATTEMPTS} attempts: 503"):
            sender.capture(BATCH)
        assert len(repository.headers) == ATTEMPTS
    with hasty(repository.url) as sender, pytest.raises(CaptureFailed, match="ConnectError"):
        sender.capture(BATCH)
    for url in ("nowhere", "ftp://example.org", "http://[::1"):
        with hasty(url) as sender, pytest.raises(CaptureFailed):
            sender.capture(BATCH)


RUNNING = b'{"captureID": "1", "running": true, "success": true}'


def test_a_capture_job_is_waited_for_and_its_failure_told(tmp_path: Path) -> None:
    at_work(tmp_path, door_pass(CASES[0]))
    with LogFile.open(tmp_path / "ledger.db") as log:
        [told] = batches(rows_told(log.rows(0), Names(SITE)))
    with partner() as repository, hasty(repository.url) as sender:
        repository.jobs = [RUNNING, RUNNING, b'{"running": false, "success": true}']
        sender.capture(told)
        assert repository.jobs == []
        repository.jobs = [RUNNING, b'{"running": false, "success": false, "errors": [{"title": "bad apple"}]}']
        with pytest.raises(CaptureFailed, match=r"of the log .*capture/1 failed: .*bad apple"):
            sender.capture(told)
        repository.jobs = [RUNNING] * ATTEMPTS
        with pytest.raises(CaptureFailed, match="has not ended"):
            sender.capture(told)
        repository.jobs = [b"who knows"]
        sender.capture(told)


def test_rows_stay_whole_in_batches_and_those_without_events_only_move_the_cursor() -> None:
    rows = [
        Told(1, ()),
        Told(2, (b"x",) * (MAX_EVENTS - 1)),
        Told(3, (b"x", b"x")),
        Told(4, ()),
        Told(5, (b"x" * 10**6,)),
    ]
    cut = [(batch.first, batch.last, len(batch.events)) for batch in batches(rows)]
    assert cut == [(1, 2, MAX_EVENTS - 1), (3, 4, 2), (5, 5, 1)]
    assert [(batch.first, batch.last) for batch in batches([Told(7, ()), Told(8, ())])] == [(7, 8)]
    assert list(batches([])) == []


def test_a_partners_document_announces_its_shipment(tmp_path: Path) -> None:
    urn = "urn:epc:id:sgtin:9506000.013435."
    event = {
        "type": "ObjectEvent",
        "eventTime": "2026-11-22T10:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "epcList": [f"{urn}{serial}" for serial in range(1, 13)],
        "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:9506000111117:4711"}],
        "sourceList": [{"type": "possessing_party", "source": "urn:epc:id:pgln:9506000.11111"}],
    }
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-22T10:00:00Z",
        "epcisBody": {"eventList": [event]},
    }

    async def run() -> None:
        async with served(tmp_path) as gateway:

            async def post(body: bytes, query: str = "") -> Any:
                return await gateway.client.post(f"/api/v1/shipments{query}", content=body, headers=JSON_LD)

            made = await post(json.dumps(document).encode(), "?case_filter=1")
            assert made.status_code == 201, made.text
            [shipment] = made.json()["shipments"]
            assert (shipment["id"], shipment["expected"]) == ("9506000111117:4711", 12)
            await Edge(gateway.ledger).tell(load_pass(pallet(1), CASES))
            detail = (await gateway.client.get(f"/api/v1/shipments/{shipment['id']}")).json()
            assert {one["state"] for one in detail["cases"]} == {"seen"}
            event["epcList"] = ["urn:epc:id:sgtin:9506000.099999.1"]
            problem = assert_problem(await post(json.dumps(document).encode()), 422, "invalid-body")
            assert problem["mistakes"][0]["where"] == "epcisBody.eventList[0].epcList[0]"
            assert_problem(await post(b"<epcis/>"), 422, "invalid-body")
            assert_problem(await post(b" " * (5 * 2**20 + 1)), 413, "body-too-large")
            assert_problem(await post(b"{}", "?case_filter=8"), 422, "invalid-request")
            items = await gateway.client.post("/api/v1/items", content=b"{}", headers=JSON_LD)
            assert_problem(items, 415, "unsupported-media-type")

    asyncio.run(run())


def test_the_command_writes_a_document_and_tells_how_far_it_got(tmp_path: Path) -> None:
    at_work(tmp_path / "gateway", door_pass(CASES[0]))
    text = (Path(truecount.__file__).parent / "configs/site.yaml").read_text()
    path = tmp_path / "site.yaml"
    path.write_text(text.replace("gateway: {port: 8080}", f"gateway: {{port: 8080, data: {tmp_path / 'gateway'}}}"))

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, truecount.__file__, "epcis", *map(str, arguments), "--config", str(path)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    shown = command("export")
    assert document_mistakes(json.loads(shown.stdout)) == []
    assert shown.stderr.startswith("1 events of ")
    missing = command("export", "--out", tmp_path / "no" / "events.jsonld")
    assert (missing.returncode, "events.jsonld" in missing.stderr) == (2, True)
    with partner(400) as repository:
        refused = command("capture", repository.url)
        assert (refused.returncode, "too many apples" in refused.stderr) == (1, True)
        taken = command("capture", repository.url)
        assert (taken.returncode, taken.stdout.startswith("1 events of "), len(repository.ids)) == (0, True, 1)
