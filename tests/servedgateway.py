"""A gateway's HTTP surface over a real ledger and history, on a free port of this loop."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from ledgersite import SITE, now_us

from contract.site import Site
from gateway.api.build import build
from gateway.api.parts import Parts
from gateway.documents.itemmaster import ItemMaster
from gateway.evidence.belts import Belts
from gateway.evidence.pictures import Pictures
from gateway.figures import Figures
from gateway.history.local import LocalHistory
from gateway.ledger.ledger import Ledger
from gateway.live import MAX_CLIENTS, Live
from gateway.server import listening, serve
from gateway.views import LinkView, SiteView, TitleView

OK = LinkView(state="ok", waiting=0)
CSV = {"Content-Type": "text/csv; charset=utf-8"}


@dataclass
class Links:
    """What the broker, the history, the cloud and the pictures' disk say of themselves; a test may change it."""

    broker: LinkView = OK
    history: LinkView = OK
    cloud: LinkView = OK
    pictures_kept: bool = True


@dataclass
class Served:
    """A gateway that serves."""

    url: str
    ledger: Ledger
    live: Live
    history: LocalHistory
    pictures: Pictures
    belts: Belts
    client: httpx.AsyncClient
    links: Links = field(default_factory=Links)


@contextlib.asynccontextmanager
async def served(folder: Path, site: Site = SITE, *, max_clients: int = MAX_CLIENTS) -> AsyncIterator[Served]:
    """Serve until the block ends."""
    links = Links()
    history = LocalHistory(folder / "history.db")
    belts = Belts()
    with (
        Ledger.open(folder / "ledger.db", site, now_us) as ledger,
        Pictures.open(folder / "evidence", site.gateway.evidence_megabytes * 1_000_000) as pictures,
        listening("127.0.0.1", 0) as listener,
    ):

        def site_view() -> SiteView:
            title = TitleView(en=site.title.en, zh=site.title.zh)
            return SiteView(
                name=site.site, title=title, version="test", started_us=1, committed=ledger.last_id, **vars(links)
            )

        live = Live(site, ledger, site_view, now_us, max_clients=max_clients)
        parts = Parts(
            site=site,
            master=ItemMaster(ledger.house),
            ledger=ledger,
            live=live,
            history=history,
            pictures=pictures,
            belts=belts,
            site_view=site_view,
            registry=Figures(ledger, live, pictures, site_view, now_us).registry,
            page=folder / "dist",
            clock=now_us,
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        await history.ready()
        async with httpx.AsyncClient(base_url=url, timeout=10) as client, asyncio.TaskGroup() as group:
            tasks = [group.create_task(live.run()), group.create_task(serve(build(parts), listener))]
            try:
                yield Served(url, ledger, live, history, pictures, belts, client, links)
            finally:
                for task in tasks:
                    task.cancel()
        await history.close()


def assert_problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem that an answer is."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == f"urn:truecount:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


@dataclass(frozen=True)
class ServerSent:
    """One server-sent event."""

    event: str
    data: Any
    id: str


@contextlib.asynccontextmanager
async def listening_to(
    client: httpx.AsyncClient, last_event_id: str | None = None
) -> AsyncIterator[AsyncIterator[ServerSent]]:
    """The events of one live stream."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with client.stream("GET", "/api/v1/live", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[ServerSent]:
    """Parsed as the WHATWG standard says, for the fields that this gateway sends."""
    fields: dict[str, str] = {}
    event_id = ""
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        event_id = fields.get("id", event_id)
        if "data" in fields:
            yield ServerSent(fields.get("event", "message"), json.loads(fields["data"]), event_id)
        fields.clear()
