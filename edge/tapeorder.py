"""`truecount record`: the raw reads of a live door, as a person orders them on the command line."""

import sys
import threading
import time
from pathlib import Path

from contract.portals import Door
from contract.site import Site
from edge.recorder import WRITE_EVERY_S
from edge.tapes import record


def file_now(door: str) -> Path:
    """Where a recording of this door goes that is given no name."""
    return Path(time.strftime(f"{door}-%Y%m%dT%H%M%S.jsonl.gz"))


def carried_out(site: Site, door: Door, out: Path, last_us: int | None, during_s: float | None) -> str:
    """Write what the door's agent recorded in the last so many microseconds and, unless that is all that is wanted,
    from now on for so long or until Ctrl-C; what there is to say then. Raises EdgeError, and OSError of `out`."""
    data = {agent.name: agent.data for agent in site.agents}[door.agent]
    now_us = time.time_ns() // 1000
    since_us = now_us - (last_us or 0)
    if during_s is not None or last_us is None:
        print(f"Recording {door.name}. Ctrl-C ends it.", file=sys.stderr, flush=True)
        _wait(during_s)
        time.sleep(2 * WRITE_EVERY_S)  # until the agent has brought it to the disk
    found = record(data, door.name, since_us, time.time_ns() // 1000, out)
    return f"{out}: {found.reads} reads of {found.tags} tags at {', '.join(found.doors)}"


def _wait(seconds: float | None) -> None:
    """Until the time is over, or Ctrl-C."""
    try:
        threading.Event().wait(seconds)
    except KeyboardInterrupt:
        print(file=sys.stderr, flush=True)
