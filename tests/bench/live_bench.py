"""What the live stream costs: 200 clients at 10 updates a second, against the same stream encoded for every client."""

import asyncio
import contextlib
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
from figures import Figure, show
from ledgersite import Edge, case, door_pass
from servedgateway import Served, served

from gateway.ledger.ledger import Commit
from gateway.views import Delta

CLIENTS = 200
UPDATES_PER_S = 10
EVENTS_PER_UPDATE = 4
SECONDS = 5.0


def measure() -> list[Figure]:
    """Shares of one core of the whole gateway process with its ledger, and what an update weighs."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with served(Path(folder)) as gateway:
            edge = Edge(gateway.ledger)
            alone = await _cost(edge)
            async with _listeners(gateway):
                idle = await _cost(None)
                once = await _cost(edge)
                delta = await _one_delta(gateway, edge)
                stop = gateway.ledger.subscribe(_encoding_for_everyone(delta))
                each = await _cost(edge)
                stop()
    unit, clients = "% of a core", f"{CLIENTS} clients"
    update, whole = (len(view.model_dump_json()) for view in (delta, gateway.live.snapshot()))
    return [
        Figure(f"{clients}, {UPDATES_PER_S} updates/s", once, unit, "encoded for each client", each, "<= 15 %"),
        Figure("the same without clients", alone, unit, f"with {clients}", once),
        Figure(f"{clients}, nothing happens", idle, unit, f"{UPDATES_PER_S} updates/s", once),
        Figure(f"an update of {EVENTS_PER_UPDATE} events", update, "bytes", "the whole snapshot", whole),
    ]


async def _cost(edge: Edge | None) -> float:
    """CPU time of this process over wall time, while the edge tells of passes at the given rate."""
    began, used, serial = time.monotonic(), time.process_time(), 0
    while (now := time.monotonic()) < began + SECONDS:
        if edge is not None:
            await edge.tell(*(door_pass(case(item, serial)) for item in range(EVENTS_PER_UPDATE)))
            serial += 1
        await asyncio.sleep(max(0.0, 1 / UPDATES_PER_S - (time.monotonic() - now)))
    return 100 * (time.process_time() - used) / (time.monotonic() - began)


async def _one_delta(gateway: Served, edge: Edge) -> Delta:
    """What one update looks like."""
    stream = gateway.live.stream()
    async for frame in stream:
        if b"event: snapshot" in frame:
            await edge.tell(*(door_pass(case(item, 9999)) for item in range(EVENTS_PER_UPDATE)))
        if b"event: delta" in frame and b"door_pass" in frame:
            return Delta.model_validate_json(frame.split(b"data: ", 1)[1].split(b"\n\n")[0])
    raise AssertionError("the stream ended")


def _encoding_for_everyone(delta: Delta) -> Callable[[Commit], None]:
    """The alternative: what a server pays more that serialises each update for each of its clients."""

    def encode(_: Commit) -> None:
        for _ in range(CLIENTS - 1):
            delta.model_dump_json()

    return encode


@contextlib.asynccontextmanager
async def _listeners(gateway: Served) -> AsyncIterator[None]:
    """The clients, in a process of their own."""
    port = str(httpx.URL(gateway.url).port)
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, port)
    try:
        async with asyncio.timeout(30):
            while gateway.live.clients < CLIENTS:  # noqa: ASYNC110  # nobody tells when a client has come
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        yield
    finally:
        process.kill()
        await process.wait()


def _listen(port: int) -> None:
    selector = selectors.DefaultSelector()
    for _ in range(CLIENTS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: bench\r\n\r\n")
        selector.register(connection, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            if not connection.recv(65536):
                return


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _listen(int(sys.argv[1]))
    else:
        show(f"live stream: {CLIENTS} pages at once", measure())
