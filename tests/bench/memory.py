"""What processes hold in memory, beside a Python interpreter that has imported nothing."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache

import psutil
from figures import Figure

from firmware_sim.processes import Process


def of_processes(parts: Mapping[str, Process]) -> Iterator[Figure]:
    """A line for each that runs."""
    for name, part in parts.items():
        if part.pid is not None:
            yield Figure(f"memory of {name}", rss_mib(part.pid), "MiB", "a bare interpreter", bare_mib())


def rss_mib(pid: int) -> float:
    """Resident memory of a process and its children."""
    process = psutil.Process(pid)
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 2**20


@cache
def bare_mib() -> float:
    """Resident memory of `python -c ''`, as it waits for its input."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        mib = rss_mib(child.pid)
        child.stdin.write(b"\n")
    return mib
