"""Cancellation that others swallow, and work that cannot be cancelled."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def heed_cancellation() -> None:
    """Raise the cancellation of this task again if somebody swallowed it; a loop around it would never end.

    Call it after awaiting pymodbus or aiomqtt: both wait with `asyncio.wait_for`, which before Python 3.12 forgets a
    cancellation that comes in the same moment as the result (python/cpython#86296). Call it, too, after awaiting a task
    that may end by an exception of its own while it is being cancelled. Never call it in a task that has itself held a
    TaskGroup: before Python 3.13 a group that failed leaves its task marked as being cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def whole_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `asyncio.to_thread`; but when it is cancelled meanwhile it raises that only when the work is done."""
    doing = asyncio.create_task(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise
