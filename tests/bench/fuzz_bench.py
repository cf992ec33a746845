"""Mutated LLRP frames by the million, on every core: what is rejected and why, and what becomes of time and memory.

python tests/bench fuzz          FUZZ_FRAMES (ten million) says how many, FUZZ_SEED (1) where the chance begins
"""

import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from random import Random
from typing import NamedTuple

import psutil
from figures import Figure, show
from llrpfuzz import BATCH, Mutator, Readings, seeds

FRAMES = int(os.environ.get("FUZZ_FRAMES", "10000000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
WARM_UP = 0.1
"""Part of the frames after which memory should not grow any more."""


class Share(NamedTuple):
    """What one process saw."""

    frames: int
    octets: int
    slowest_us: float
    """Processor time of an octet in the worst batch."""
    missed: int
    most_waiting: int
    rejected: Counter[str]
    ended: Counter[str]
    grown_mib: float
    """Resident memory at the end, less that after the warm-up."""
    blocks: int
    """The same, in blocks of Python's allocator."""


def measure() -> list[Figure]:
    """What was seen; prints the counts by reason."""
    cores = os.cpu_count() or 1
    begun_s = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        shares = pool.starmap(send, [(SEED * 1000 + core, FRAMES // cores) for core in range(cores)])
    wall_s = time.perf_counter() - begun_s
    frames, octets = sum(share.frames for share in shares), sum(share.octets for share in shares)
    for what in ("rejected", "ended"):
        counts: Counter[str] = sum((getattr(share, what) for share in shares), Counter())
        print(f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in counts.most_common()))
    missed = sum(share.missed for share in shares)
    print(
        f"{frames:,} spoilt frames, {octets:,} octets, seeds {SEED * 1000}..{SEED * 1000 + cores - 1}, {wall_s:.0f} s"
    )
    return [
        Figure("spoilt frames, good ones between them", frames / wall_s, "frames/s", f"on {cores} cores"),
        Figure("good frames lost beyond the first behind garbage", missed, "frames", target="0"),
        Figure("an octet in the slowest batch", max(share.slowest_us for share in shares), "us"),
        Figure("octets waiting, at most", max(share.most_waiting for share in shares), "bytes"),
        Figure("memory grown since the warm-up", max(share.grown_mib for share in shares), "MiB", target="flat"),
        Figure("blocks of memory grown since", max(share.blocks for share in shares), "blocks", target="flat"),
    ]


def send(seed: int, count: int) -> Share:
    """Send so many, in batches."""
    chance = Random(seed)
    mutator, readings, process = Mutator(chance, seeds(chance)), Readings(), psutil.Process()
    octets, slowest_us = 0, 0.0
    batches = max(2, count // BATCH)
    warm = 0, 0
    for number in range(batches):
        spoilt = [mutator.spoilt() for _ in range(BATCH)]
        size, before_s = sum(map(len, spoilt)), time.process_time()
        readings.batch(spoilt)
        octets, slowest_us = octets + size, max(slowest_us, (time.process_time() - before_s) / size * 1e6)
        if number == round(WARM_UP * batches):
            warm = _memory(process)
    rss, blocks = (end - begin for end, begin in zip(_memory(process), warm, strict=True))
    return Share(
        batches * BATCH, octets, slowest_us, readings.missed, readings.most_waiting,
        readings.rejected, readings.ended, rss / 2**20, blocks,
    )  # fmt: skip


def _memory(process: psutil.Process) -> tuple[int, int]:
    gc.collect()
    return process.memory_info().rss, sys.getallocatedblocks()


if __name__ == "__main__":
    figures = measure()
    show("Mutated LLRP frames", figures)
    sys.exit(any(figure.ours for figure in figures if figure.target == "0"))
