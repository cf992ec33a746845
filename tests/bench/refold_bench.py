"""A sorting line's log: what a fruit costs on disk, and how fast a log of 100,000 inspections is folded again.

That is what a gateway does at its start when the item master changed. Beside it: opening the same file with its state.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from figures import Figure, show
from ledgersite import Edge, now_us
from linesite import LINE, LINED, SORTER, Belt, begun

from gateway import records
from gateway.history.local import LocalHistory
from gateway.history.measurements import points_of
from gateway.ledger.ledger import Ledger
from gateway.ledger.storage.opening import open_store, refold
from gateway.records import LogRow

FRUIT = 100_000
BATCH = 100
IN_HISTORY = 20_000
LOTS = 20
FRUIT_A_DAY = 10 * 86_400
"""Of a belt at 10 a second."""


def measure() -> list[Figure]:
    """Bytes a fruit in the log, rows folded a second, and the time to open the file without folding."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        asyncio.run(_sort(path))
        size = path.stat().st_size
        began_s = time.perf_counter()
        store, _ = open_store(path, LINED, now_us())
        opened_s = time.perf_counter() - began_s
        began_s = time.process_time()
        refold(store, LINED)
        folded_s = time.process_time() - began_s
        rows, _ = store.last()
        history = Path(folder) / "history.db"
        asyncio.run(_remember(history, store.rows(0, IN_HISTORY)))
        kept = history.stat().st_size / IN_HISTORY
        store.close()
    return [
        Figure("a fruit in the ledger's file", size / FRUIT, "bytes", "in the local history", kept),
        Figure("a day of a line at 10 fruit/s", size / FRUIT * FRUIT_A_DAY / 1e6, "MB"),
        Figure("inspections folded again", rows / folded_s, "rows/s", "needed for a day of a line in 5 min", 2880.0),
        Figure(f"the log of {FRUIT:,} folded again", folded_s, "s", "opened with its state", opened_s),
    ]


async def _remember(path: Path, rows: list[LogRow]) -> None:
    history = LocalHistory(path)
    await history.write([point for row in rows for point in points_of("north", row, records.decode(row.body))])
    await history.close()


async def _sort(path: Path) -> None:
    belt = Belt()
    with Ledger.open(path, LINED, now_us) as ledger:
        sorter = Edge(ledger, SORTER)
        for lot in range(LOTS):
            await ledger.record(begun(LINE, f"L{lot}"))
            belt.begin(f"L{lot}")
            for _ in range(FRUIT // LOTS // BATCH):
                await sorter.tell(*belt.run(good=BATCH - 5, defective=4), belt.fruit("unsure"))


if __name__ == "__main__":
    show("the log of a sorting line", measure())
