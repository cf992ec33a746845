"""The gateway's listening socket, and uvicorn on it."""

import contextlib
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from fastapi import FastAPI

from gateway.errors import CannotListen

DEAD_AFTER_S = 30
"""A client that takes nothing for this long is hung up on: its network is gone, or it is stuck."""
GRACE_S = 1
"""Requests that are under way when the gateway stops have this long to end."""

_log = structlog.get_logger(__name__)


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket; raises `CannotListen`."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise CannotListen(f"gateway at {host}:{port}: {error.strerror or error}") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # connections inherit all of these
        # asyncio sets this only on sockets that were made with their protocol's number: without it the body of every
        # answer waits 40 ms for the client to acknowledge its headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in (("TCP_KEEPIDLE", DEAD_AFTER_S), ("TCP_USER_TIMEOUT", DEAD_AFTER_S * 1000)):
            if option := getattr(socket, name, None):  # Linux has both, others not
                listener.setsockopt(socket.IPPROTO_TCP, option, value)
        yield listener


async def serve(app: FastAPI, listener: socket.socket) -> None:
    """Serve until cancelled; then requests under way end.

    `uvicorn.Server.serve` without its signal handlers, which would take Ctrl-C from the caller.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ws="none",
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    _log.info("gateway serves", address=listener.getsockname()[:2])
    try:
        await server.main_loop()
    finally:
        await server.shutdown(sockets=[listener])
        _log.info("gateway ended")
