"""What it costs to keep the raw reads of eight readers at a thousand reads a second each, beside keeping none.

The same reports go to the same doors, with a tape and without one, as fast as they are taken; the recorder's thread
writes to a real disk. Times are of the processor, of the event loop's thread and of the whole process.

python tests/bench recorder
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from figures import Figure, show

from contract.portals import Door, LlrpReader
from contract.site import Recordings
from contract.sitepart import Title
from edge.llrp.read import Read
from edge.portal.neighbours import Neighbours
from edge.recorder import Recorder
from edge.recording import entry_line, reads_entry

READERS = 8
READS_S = 1000
SECONDS = 60
REPORT_S = 0.05
TAGS = 40
START_US = 1_790_000_000_000_000


class Spent(NamedTuple):
    """For one second of reads of all readers."""

    loop_s: float
    """Processor time of the event loop."""
    all_s: float
    """Of the process: the writer's thread besides."""


def measure() -> list[Figure]:
    """Recorder on and off, the same reads."""
    with tempfile.TemporaryDirectory() as folder:
        without = asyncio.run(_spend(None))
        recorded = asyncio.run(_spend(Path(folder)))
        octets = sum(path.stat().st_size for path in Path(folder).rglob("*.gz"))
    reads = READERS * READS_S * SECONDS
    load = f"{READERS} readers x {READS_S:,} reads/s"
    return [
        Figure(f"event loop, {load}", 100 * recorded.loop_s, "% of a core", "no recorder", 100 * without.loop_s),
        Figure("the thread that packs and writes", 100 * (recorded.all_s - recorded.loop_s), "% of a core"),
        Figure("on disk", octets / reads, "bytes", "a line of JSON", _line_octets()),
        Figure("an hour of one such reader", octets / reads * READS_S * 3600 / 2**20, "MiB"),
    ]


async def _spend(folder: Path | None) -> Spent:
    clock = _Clock()
    recorder = Recorder(folder or Path(), Recordings(days=8 if folder else 0), clock)
    doors = [_door(number) for number in range(READERS)]
    rows = [(Neighbours([door]), recorder.tape([door])) for door in doors]
    seconds = [_second(number) for number in range(SECONDS)]
    loop_s, all_s = time.thread_time(), time.process_time()
    for reports in seconds:
        for at_us, parts in reports:
            clock.now_us = at_us
            for (row, tape), reads in zip(rows, parts, strict=True):
                row.feed(reads)
                if tape:
                    tape.reads(reads)
                row.due(at_us)
        if folder:
            await asyncio.to_thread(recorder.write)
    return Spent((time.thread_time() - loop_s) / SECONDS, (time.process_time() - all_s) / SECONDS)


def _second(number: int) -> list[tuple[int, list[Sequence[Read]]]]:
    """The reports of one second: when they come, and of each reader its reads."""
    random = Random(number)
    begin_us, step_us = START_US + number * 1_000_000, round(REPORT_S * 1e6)
    return [
        (moment_us + step_us, [_report(random, reader, moment_us, step_us) for reader in range(READERS)])
        for moment_us in range(begin_us, begin_us + 1_000_000, step_us)
    ]


def _report(random: Random, reader: int, begin_us: int, length_us: int) -> list[Read]:
    count = round(READS_S * REPORT_S)
    return [
        Read(
            begin_us + n * length_us // count + random.randrange(900),
            f"3034257bf400b7800004{(reader << 8) + random.randrange(TAGS):04x}",
            random.randrange(1, 5),
            -random.randrange(4500, 7500) / 100,
            f"reader-dock-{reader}",
            random.randrange(1, 51),
            random.randrange(4096),
        )
        for n in range(count)
    ]


def _line_octets() -> float:
    """Of a read in a line, unpacked."""
    reads = _report(Random(0), 0, START_US, 50_000)
    return len(entry_line(reads_entry(START_US, reads))) / len(reads)


def _door(number: int) -> Door:
    reader = LlrpReader(name=f"reader-dock-{number}", inside=[1, 4], outside=[2, 3])
    title = Title(en=f"Dock {number}", zh=f"{number} 号门")
    return Door(name=f"dock-{number}", title=title, agent="dock-edge", inside="cold", readers=[reader])


class _Clock:
    """The moment of the report that is being told."""

    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us


if __name__ == "__main__":
    show("Recorder: the raw reads of all doors on disk, beside none", measure())
