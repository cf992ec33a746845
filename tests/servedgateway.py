"""A gateway's HTTP surface over a real ledger and history, on a free port of this loop."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from contract import events, wire
from contract.site import Site, load
from gateway.api.build import build
from gateway.api.parts import Parts
from gateway.figures import Figures
from gateway.history.local import LocalHistory
from gateway.itemmaster import ItemMaster
from gateway.ledger.ledger import Ledger
from gateway.live import MAX_CLIENTS, Live
from gateway.server import listening, serve
from gateway.views import LinkView, SiteView, TitleView

SITE: Site = load(Path(__file__).parent.parent / "configs" / "site.yaml")
OK = LinkView(state="ok", waiting=0)


def now_us() -> int:
    return time.time_ns() // 1000


def case(item: int, serial: int) -> str:
    """SGTIN-96 of one of the site's items."""
    gtin = SITE.items[item].gtin
    value = (0x30 << 88) | (1 << 85) | (5 << 82) | (int(gtin[1:8]) << 58) | (int(gtin[0] + gtin[8:13]) << 38) | serial
    return f"{value:024x}"


def door_pass(epc: str, door: str = "dock-1", direction: events.Direction = "inbound") -> events.DoorPass:
    at = now_us()
    side = events.SideEvidence(reads=5, centroid_us=at)
    evidence = events.PassEvidence(first_read_us=at, last_read_us=at, inside=side, outside=side, margin_s=1.0)
    return events.DoorPass(
        at_us=at, decided_us=at, door=door, direction=direction, confidence=0.9, epcs=(epc,), evidence=evidence
    )


class Edge:
    """An agent that hands its batches to the ledger itself."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._next = 1

    async def tell(self, *told: events.Event) -> None:
        first = self._next
        self._next += len(told)
        data = wire.encode_batch("dock-edge", "e1", first, 1, tuple(wire.encode(one) for one in told))
        ack = await self._ledger.take("dock-edge", wire.decode_batch(data))
        assert ack.through >= first + len(told) - 1


@dataclass
class Links:
    """What the broker, the history and the cloud say of themselves; a test may change it."""

    broker: LinkView = OK
    history: LinkView = OK
    cloud: LinkView = OK


@dataclass
class Served:
    """A gateway that serves."""

    url: str
    ledger: Ledger
    live: Live
    history: LocalHistory
    client: httpx.AsyncClient
    links: Links = field(default_factory=Links)


@contextlib.asynccontextmanager
async def served(folder: Path, site: Site = SITE, *, max_clients: int = MAX_CLIENTS) -> AsyncIterator[Served]:
    """Serve until the block ends."""
    links = Links()
    history = LocalHistory(folder / "history.db")
    with Ledger.open(folder / "ledger.db", site, now_us) as ledger, listening("127.0.0.1", 0) as listener:

        def site_view() -> SiteView:
            title = TitleView(en=site.title.en, zh=site.title.zh)
            return SiteView(
                name=site.site, title=title, version="test", started_us=1, committed=ledger.last_id, **vars(links)
            )

        live = Live(site, ledger, site_view, now_us, max_clients=max_clients)
        parts = Parts(
            site=site,
            master=ItemMaster(site),
            ledger=ledger,
            live=live,
            history=history,
            site_view=site_view,
            registry=Figures(ledger, live, site_view, now_us).registry,
            page=folder / "dist",
            clock=now_us,
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        await history.ready()
        async with httpx.AsyncClient(base_url=url, timeout=10) as client, asyncio.TaskGroup() as group:
            tasks = [group.create_task(live.run()), group.create_task(serve(build(parts), listener))]
            try:
                yield Served(url, ledger, live, history, client, links)
            finally:
                for task in tasks:
                    task.cancel()
        await history.close()


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
