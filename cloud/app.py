"""The cloud process: the only place where its parts are put together."""

import asyncio
import socket
import time

import structlog
import uvicorn

from cloud.api import build
from cloud.book import OrderBook
from cloud.db import open_database
from cloud.errors import NoListener
from contract.site import Cloud

_log = structlog.get_logger("cloud.app")


async def run(cloud: Cloud) -> None:
    """Serve until cancelled, then end the requests that are under way.

    Raises `NoDatabase` or `NoListener` where it cannot begin. Signals are left to the caller.
    """
    engine = await asyncio.to_thread(open_database, cloud.database)
    try:
        with _listen(cloud.host, cloud.port) as listener:
            book = OrderBook(engine, cloud.supplier, _now_us)
            config = uvicorn.Config(
                build(book), lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=3
            )
            await _serve(config, listener)
    finally:
        engine.dispose()


async def _serve(config: uvicorn.Config, listener: socket.socket) -> None:
    """`uvicorn.Server.serve` without its signal handlers, which would take Ctrl-C from the caller."""
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    _log.info("cloud serves", address=listener.getsockname()[:2])
    try:
        await server.main_loop()
    finally:
        await server.shutdown(sockets=[listener])
        _log.info("cloud ended")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise NoListener(f"cloud API at {host}:{port}: {error.strerror or error}") from error
    # Connections inherit it. asyncio sets it only on sockets that were made with their protocol's number: without it
    # the body of every answer waits 40 ms for the client to acknowledge its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _now_us() -> int:
    return time.time_ns() // 1000
