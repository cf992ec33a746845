"""The whole gateway process, as a task of this loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from ledgersite import SITE
from patience import PATIENCE_S
from serverprocess import free_port

from contract.site import Broker, Site
from gateway import app


def site(folder: Path, broker: Broker | None = None, base: Site = SITE) -> Site:
    """A site with its data in a folder, on free ports; its cloud is away."""
    parts = {
        "gateway": base.gateway.model_copy(update={"port": free_port(), "data": folder / "gateway"}),
        "cloud": base.cloud.model_copy(update={"url": f"http://127.0.0.1:{free_port()}"}),
        "broker": broker or base.broker.model_copy(update={"port": free_port()}),
    }
    return base.model_copy(update=parts)


@contextlib.asynccontextmanager
async def running(settings: Site) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway as a task that is cancelled at the end, as Ctrl-C does."""
    task = asyncio.create_task(app.run(settings))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.gateway.port}", timeout=10) as client:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not task.done():
                    with contextlib.suppress(httpx.ConnectError):
                        await client.get("/healthz")
                        break
                    await asyncio.sleep(0.02)
            yield client
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def until(client: httpx.AsyncClient, status: int) -> None:
    """Wait for this answer of its health."""
    async with asyncio.timeout(PATIENCE_S):
        while (await client.get("/healthz")).status_code != status:  # noqa: ASYNC110  # it is polled by nature
            await asyncio.sleep(0.05)
