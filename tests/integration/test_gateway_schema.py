"""What the OpenAPI promises, tried by a machine: schemathesis against the running gateway, with few examples each."""

import asyncio
import threading
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from ledgersite import Edge, case, door_pass, now_us
from linesite import LINED, SORTER, Belt, evidence
from schemathesis import checks
from servedgateway import served

from gateway.api.build import bare
from gateway.api.links import LINKS, Link

UNTRIED = ["getLive", "getMetrics"]
"""The stream never ends, and the metrics are Prometheus' text."""

SHIPMENT = {"id": "A", "direction": "inbound", "partner": "P", "cases": [{"epc": case(0, 4)}]}

PROMISED = bare().openapi()
schema = schemathesis.openapi.from_dict(PROMISED).exclude(operation_id=UNTRIED)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a gateway that serves in a thread of its own."""
    found: list[str] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with served(tmp_path_factory.mktemp("gateway"), LINED) as gateway:
            await Edge(gateway.ledger).tell(door_pass(case(0, 1)), door_pass(case(0, 2), direction="unknown"))
            belt = Belt()
            belt.begin("L1")
            unsure = belt.fruit("unsure")
            await Edge(gateway.ledger, SORTER).tell(unsure, *belt.run(good=5, defective=9))
            gateway.pictures.put([evidence(unsure)], {}, now_us())
            for noun, body in (("shipments", SHIPMENT), ("items", [{"epc": case(0, 5), "zone": "cold-room"}])):
                assert (await gateway.client.post(f"/api/v1/{noun}", json=body)).status_code == httpx.codes.CREATED
            found.append(gateway.url)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10), "the gateway did not begin"
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join(10)
    loop.close()


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_gateway_keeps_what_its_openapi_promises(case: schemathesis.Case, url: str) -> None:
    # Well-formed bodies may name what this site does not know, and refusing them is right.
    case.call_and_validate(base_url=url, excluded_checks=[checks.positive_data_acceptance])


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.source}-{link.target}")
def test_what_an_answer_names_is_found_as_its_link_says(link: Link, url: str) -> None:
    paths = PROMISED["paths"].items()
    at = {one["operationId"]: (method, path) for path, methods in paths for method, one in methods.items()}
    method, path = at[link.source]
    answer = httpx.request(method, url + path, json=SHIPMENT if method == "post" else None, trust_env=False)
    word = answer.json()
    for step in link.pointer.removeprefix("/").split("/"):
        word = word[int(step) if step.isdigit() else step]
    found = httpx.get(url + at[link.target][1].replace(f"{{{link.parameter}}}", quote(word, safe="")), trust_env=False)
    assert found.status_code == httpx.codes.OK, found.text
