"""Looking after a ledger's file from the command line: verify it, copy its state, tell what it held at a moment.

The gateway may be running: what is read is one commit of its file.
"""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contract.site import Site
from gateway.ledger.house import House
from gateway.ledger.state import State
from gateway.ledger.storage.past import state_at
from gateway.ledger.storage.reader import Reader
from gateway.ledger.storage.snapshots import Snapshot, Snapshots
from gateway.ledger.storage.verify import Verdict, verify

LEDGER = "ledger.db"


def verified(site: Site, file: Path | None, bar: Progress) -> Verdict:
    """Hash and fold the log again, and compare; raises `LedgerFailed` where the file cannot be read."""
    path = file or site.gateway.data / LEDGER
    with Reader.open(path) as reader, bar:
        task = bar.add_task("rows")
        return verify(reader, _snapshots(path, site), site, lambda done, of: bar.update(task, completed=done, total=of))


def progress() -> Progress:
    """A bar of rows on standard error; nothing where nobody looks."""
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def told(verdict: Verdict) -> Iterator[str]:
    """What was found, in lines for people."""
    for fault in verdict.faults:
        yield f"{fault.what}: {fault.place}: {fault.text}"
    rows = f"rows {verdict.first:,} to {verdict.last:,}" if verdict.last >= verdict.first else "an empty log"
    if verdict.faults:
        yield f"{rows}: {len(verdict.faults)} faults"
    else:
        yield f"{rows}: the log gives the hashes, the state and the postings that the file holds"
    yield f"SHA-256 of the log: {verdict.head}"


def snapshot(site: Site, file: Path | None) -> Snapshot | None:
    """Copy the state as it is now; None of an empty log. Raises `LedgerFailed`."""
    path = file or site.gateway.data / LEDGER
    return _snapshots(path, site).take()


def levels_at(site: Site, file: Path | None, recorded_us: int) -> Iterator[tuple[str, str, int]]:
    """(SKU, zone, units) as the books had it at a moment; raises `NoPast` or `LedgerFailed`."""
    path = file or site.gateway.data / LEDGER
    with Reader.open(path) as reader:
        state = state_at(reader, _snapshots(path, site), site, reader.row_at(recorded_us))
    for sku, stock in sorted(state.stock.rows.items()):
        yield from ((sku, zone, units) for zone, units in sorted(stock.zones.items()))


def _snapshots(path: Path, site: Site) -> Snapshots:
    return Snapshots(path, [table.name for table in State(House.untold(site)).tables])
