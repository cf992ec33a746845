"""A house of a million tagged items: how fast a gateway begins, answers, copies its state, and what it holds in memory.

Each size runs in a process of its own. The cost of one event is measured at a thousand, a hundred thousand and a
million items: it must not depend on how many there are.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import psutil
from figures import Figure, show
from ledgersite import SITE, Edge, case, door_pass, now_us
from servedgateway import served

from contract.site import Site
from gateway import records
from gateway.ledger.ledger import Ledger
from gateway.ledger.storage.opening import rebuild
from gateway.records import GATEWAY, LogRow, Record
from gateway.records.premises import described

SIZES = (1_000, 100_000, 1_000_000)
LOTS = 200
IN_A_ROW = 1_000
EVENTS = 4_000
BATCH = 100
ASKED = 20


def measure() -> list[Figure]:
    """Cold start, answers, snapshot and memory of the largest house; the cost of an event at every size."""
    with tempfile.TemporaryDirectory() as folder:
        found = {size: _in_a_process(Path(folder) / f"{size}", size) for size in SIZES}
    least, most = found[SIZES[0]], found[SIZES[-1]]
    return [
        Figure("a million items: cold start", most["open_s"], "s", "a thousand items", least["open_s"], "<= 10 s"),
        Figure(
            "stock of all SKUs, over HTTP", most["stock_ms"], "ms", "a thousand items", least["stock_ms"], "<= 50 ms"
        ),
        Figure("stock of one SKU by lot", most["sku_ms"], "ms", "a thousand items", least["sku_ms"], "<= 50 ms"),
        Figure("snapshot of the state", most["snapshot_s"], "s", "a thousand items", least["snapshot_s"], "<= 1 s"),
        Figure("its size", most["snapshot_mb"], "MB"),
        Figure("memory", most["rss_mib"], "MiB", "a thousand items", least["rss_mib"], "<= 1,024 MiB"),
        *(
            Figure(f"one event among {size:,} items", found[size]["event_us"], "us", "1,000 items", least["event_us"])
            for size in SIZES[1:]
        ),
    ]


def _in_a_process(folder: Path, size: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, str(folder), str(size)], stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


async def _measure(folder: Path, size: int) -> dict[str, float]:
    path = folder / "ledger.db"
    await asyncio.to_thread(subprocess.run, [sys.executable, __file__, "fill", str(path), str(size)], check=True)
    began_s = time.perf_counter()
    with Ledger.open(path, SITE, now_us) as ledger:
        found = {"open_s": time.perf_counter() - began_s}
        found["event_us"] = await _events(ledger, size)
        found["rss_mib"] = psutil.Process().memory_info().rss / 2**20
        began_s = time.perf_counter()
        taken = await asyncio.to_thread(ledger.snapshots.take)
        found["snapshot_s"] = time.perf_counter() - began_s
        assert taken is not None
        found["snapshot_mb"] = taken.path.stat().st_size / 1e6
    async with served(folder, SITE) as house:
        found["stock_ms"] = await _asked(house.client, "/api/v1/stock")
        found["sku_ms"] = await _asked(house.client, "/api/v1/stock/lemon-4kg")
    return found


def _log(site: Site, size: int) -> Iterator[LogRow]:
    """A log of opening balances of a thousand items each, spread over all products, zones and lots."""
    now = now_us() - 3_600_000_000
    yield _row(1, now, described(site, now))
    zones = [zone.name for zone in site.zones]
    for n in range(0, size, IN_A_ROW):
        items = tuple(
            records.ImportedItem(epc=case(i % len(site.items), i), zone=zones[i % len(zones)], lot=f"L{i % LOTS}")
            for i in range(n, min(n + IN_A_ROW, size))
        )
        yield _row(2 + n // IN_A_ROW, now + n, records.ItemsImported(at_us=now + n, who="bench", items=items))


def _row(number: int, at_us: int, record: Record) -> LogRow:
    return LogRow(
        id=number,
        agent=GATEWAY,
        epoch="bench",
        seq=number,
        kind=str(record.__struct_config__.tag),
        at_us=at_us,
        decided_us=at_us,
        recorded_us=at_us,
        body=msgspec.json.encode(record),
    )


async def _events(ledger: Ledger, size: int) -> float:
    """Processor time of one door pass of an item that is known, all threads, in microseconds."""
    edge = Edge(ledger)
    told = [door_pass(case(i % 4, i * 7 % size), now_us() - EVENTS + i, "dock-1", "outbound") for i in range(EVENTS)]
    began_s = time.process_time()
    for first in range(0, EVENTS, BATCH):
        await edge.tell(*told[first : first + BATCH])
    return (time.process_time() - began_s) / EVENTS * 1e6


async def _asked(client: httpx.AsyncClient, path: str) -> float:
    """The slowest of some answers after the first, which connects, in milliseconds."""
    assert (await client.get(path)).status_code == 200
    times = []
    for _ in range(ASKED):
        began_s = time.perf_counter()
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        times.append((time.perf_counter() - began_s) * 1e3)
    return max(times)


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:  # in a process of its own: what it took must not count
        rebuild(Path(sys.argv[2]), SITE, "bench", _log(SITE, int(sys.argv[3])))
    elif len(sys.argv) == 3:
        folder = Path(sys.argv[1])
        folder.mkdir()
        print(json.dumps(asyncio.run(_measure(folder, int(sys.argv[2])))))
    else:
        show("a million items", measure())
