"""What the tests of the simulated site share: its configuration on free ports, and small offices to talk to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from contract import site_file
from firmware_sim.config import WorldConfig
from firmware_sim.truth import listening

SITE = Path(__file__).parents[1] / "configs" / "site.yaml"


def config(doors: int = 3, url: str = "http://127.0.0.1:9", **simulation: float) -> WorldConfig:
    """The example site: its first doors, free ports, both offices at `url`, other figures where they are given."""
    tree: dict[str, Any] = site_file.load(SITE).model_dump(mode="json")
    tree["doors"], tree["lines"] = tree["doors"][:doors], []
    readers = [*tree["zone_readers"], *(reader for door in tree["doors"] for reader in door["readers"])]
    for device in [*tree["modbus"], *readers]:
        device["port"] = 0
    host, port = url.removeprefix("http://").split(":")
    tree["gateway"] |= {"host": host, "port": int(port)}
    tree["cloud"]["url"] = url
    tree["simulation"] |= {"judge_port": 0, **simulation}
    return msgspec.convert(tree, WorldConfig)


class Office:
    """A gateway and a cloud in one small server: it keeps what it is told, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.failing = 0
        """So many of the next requests get 503."""
        self.failing_lots = 0
        """The same, of the lots."""
        self.refusing = False
        """Despatch advices get 422, lots 404."""
        self.items: list[str] = []
        self.shipments: list[dict[str, Any]] = []
        self.lots: list[dict[str, Any]] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.steps: list[tuple[str, str]] = []
        self.told = asyncio.Event()

    def order(self, number: str, sku: str, units: int, **other: str) -> None:
        """Somebody places an order."""
        order = {"number": number, "sku": sku, "units": units, "site": "north", "state": "placed", "key": number}
        self.orders[number] = order | other

    async def until_told(self, shipments: int) -> None:
        """Wait for so many despatch advices."""
        async with asyncio.timeout(20):
            while len(self.shipments) < shipments:
                self.told.clear()
                await self.told.wait()

    def app(self) -> FastAPI:
        """Its HTTP face."""
        app = FastAPI()

        @app.middleware("http")
        async def fail(request: Request, call: Any) -> Any:
            if self.failing > 0:
                self.failing -= 1
                return Response(status_code=503)
            return await call(request)

        @app.post("/api/v1/items", status_code=201)
        async def items(request: Request) -> None:
            self.items += (await request.body()).decode().splitlines()[1:]

        @app.post("/api/v1/shipments", status_code=201)
        async def shipments(request: Request) -> Response:
            if self.refusing:
                return Response("unknown door", status_code=422)
            self.shipments.append(await request.json())
            self.told.set()
            return Response(status_code=201)

        @app.post("/api/v1/lines/{line}/lot", status_code=201)
        async def lot(line: str, request: Request) -> Response:
            if self.refusing:
                return Response("unknown line", status_code=404)
            if self.failing_lots > 0:
                self.failing_lots -= 1
                return Response(status_code=503)
            self.lots.append(await request.json() | {"line": line})
            return Response(status_code=201)

        @app.get("/api/v1/orders")
        async def orders(supplier: str, state: str) -> dict[str, Any]:
            return {"orders": [one for one in self.orders.values() if one["state"] == state], "cursor": supplier}

        @app.post("/api/v1/orders/{number}/state")
        async def advance(number: str, request: Request) -> Response:
            if self.orders[number]["state"] == "cancelled":
                return Response("cancelled", status_code=409)
            state = (await request.json())["state"]
            self.orders[number]["state"] = state
            self.steps.append((number, state))
            return Response(status_code=200)

        return app


@asynccontextmanager
async def open_office(office: Office, port: int = 0) -> AsyncIterator[str]:
    """The office's address while it is open."""
    async with listening(office.app(), "127.0.0.1", port) as (server, opened), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.main_loop())
        try:
            yield f"http://127.0.0.1:{opened}"
        finally:
            serving.cancel()
