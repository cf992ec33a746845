"""The gateway process: the only place where its parts are put together."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from contract import site as site_file
from contract.site import Site
from gateway.api.build import build
from gateway.api.parts import Parts
from gateway.cloud_link import CloudLink
from gateway.disk import Disk
from gateway.documents.itemmaster import ItemMaster
from gateway.evidence.belts import Belts
from gateway.evidence.link import EvidenceLink
from gateway.evidence.pictures import Pictures
from gateway.figures import Figures
from gateway.history.feed import HistoryFeed
from gateway.history.local import LocalHistory
from gateway.history.words import History
from gateway.intake import Intake
from gateway.keeping import Keeper
from gateway.ledger.ledger import Ledger
from gateway.live import Live
from gateway.server import listening, serve
from gateway.views import SiteView, TitleView

PAGE = Path(__file__).parent / "dashboard" / "dist"
TICK_S = 1.0
"""How often the ledger looks what has become due by the passing of time."""


async def run(site: Site) -> None:
    """Serve one site until cancelled. Broker, history and cloud may come and go.

    Raises `GatewayError` where it cannot begin. A part that fails for good ends the process (as an exception group):
    whoever started it starts it again, and the ledger knows where it was. Signals are left to the caller.
    """
    folder = site.gateway.data
    with (
        listening(site.gateway.host, site.gateway.port) as listener,
        Ledger.open(folder / "ledger.db", site, _now_us) as ledger,
        Pictures.open(folder / "evidence", site.gateway.evidence_megabytes * 1_000_000) as pictures,
    ):
        disk = Disk(folder, site.gateway.disk_reserve_megabytes * 1_000_000)
        async with _history(site, folder, disk) as history, asyncio.TaskGroup() as group:
            intake, belts = Intake(site, ledger), Belts()
            feed = HistoryFeed(site, ledger, history)
            cloud = CloudLink(site, ledger, _now_us, time.monotonic)
            evidence = EvidenceLink(site, ledger, pictures, belts, _now_us, lambda: disk.scarce)
            site_view = _site_view(site, ledger, intake, feed, cloud, evidence)
            live = Live(site, ledger, site_view, _now_us)
            parts = Parts(
                site=site,
                master=ItemMaster(ledger.house),
                ledger=ledger,
                live=live,
                history=history,
                pictures=pictures,
                belts=belts,
                site_view=site_view,
                registry=Figures(ledger, live, pictures, site_view, _now_us).registry,
                page=PAGE,
                clock=_now_us,
            )
            for work in (
                intake.run(),
                evidence.run(),
                feed.run(),
                cloud.run(),
                live.run(),
                _ticks(ledger),
                disk.run(ledger, _now_us),
                Keeper(site, ledger, _now_us, lambda: disk.scarce).run(),
                serve(build(parts), listener),
            ):
                group.create_task(work)


@contextlib.asynccontextmanager
async def _history(site: Site, folder: Path, disk: Disk) -> AsyncIterator[History]:
    settings = site.gateway.history
    history: History
    if isinstance(settings, site_file.InfluxHistory):
        from gateway.history.influx import InfluxHistory  # its library takes a second and 24 MiB

        history = InfluxHistory(settings)
    else:
        history = LocalHistory(folder / "history.db", settings, scarce=lambda: disk.scarce)
    try:
        yield history
    finally:
        await history.close()


def _site_view(
    site: Site, ledger: Ledger, intake: Intake, feed: HistoryFeed, cloud: CloudLink, evidence: EvidenceLink
) -> Callable[[], SiteView]:
    title = TitleView(en=site.title.en, zh=site.title.zh)
    started_us, ours = _now_us(), _version()

    def view() -> SiteView:
        return SiteView(
            name=site.site,
            title=title,
            version=ours,
            started_us=started_us,
            committed=ledger.last_id,
            broker=intake.link,
            history=feed.link,
            cloud=cloud.link,
            pictures_kept=evidence.keeps,
        )

    return view


async def _ticks(ledger: Ledger) -> None:
    while True:
        await ledger.tick(_now_us())
        await asyncio.sleep(TICK_S)


def _version() -> str:
    try:
        return version("truecount")
    except PackageNotFoundError:  # run from its folder, without having been installed
        return "unknown"


def _now_us() -> int:
    return time.time_ns() // 1000
