"""Waiting for what nobody announces: another process's state, a database's content, an outcome seen from outside."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 30.0
"""Far more than anything here takes, so that a busy machine fails no test; a test that passes never waits so long."""


async def until(seen: Callable[[], bool]) -> None:
    """Return as soon as `seen` says so; raises TimeoutError when patience is at its end."""
    async with asyncio.timeout(PATIENCE_S):
        while not seen():  # noqa: ASYNC110  # there is no event to wait for: that is what this file is about
            await asyncio.sleep(0.01)
