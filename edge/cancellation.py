"""Cancellation that others swallow."""

import asyncio


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
