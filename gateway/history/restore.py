"""A ledger again, from the measurement `log` of an InfluxDB alone, after the gateway's disk is gone.

    InfluxDB --pages by time--> staged log (SQLite, by row) --1..n, none missing, none twice--> rebuild --> ledger.db

Rows come in the order of their record times, which a clock that was set back, or rows of one moment in several shards,
make another one than that of the log; so all are staged first. Everything is made in a folder of its own beside the
new file, which gets its name in one step at the end: a restore that fails leaves nothing behind.
"""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

from contract.site import InfluxHistory as InfluxConfig
from contract.site import Site
from gateway.errors import HistoryDown, RestoreFailed
from gateway.history import logpages
from gateway.history.influx import LOG_POLICY
from gateway.history.influxlink import InfluxLink, Series
from gateway.history.logpages import Asked
from gateway.history.staged import Staged
from gateway.ledger.storage import opening
from gateway.ledger.storage.store import Store
from gateway.records import LogRow

TIMEOUT_MS = (5_000, 60_000)
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""A question that is not answered is asked again after these."""
FED_AGAIN = 10_000
"""Rows before the end that the gateway feeds to InfluxDB once more: their charts may not have reached it."""

Stage = Literal["reading", "folding"]
Told = Callable[[Stage, int, int], None]
"""Called after each page with what is done and how much there is, in rows."""


class Restored(NamedTuple):
    """What a restore made."""

    rows: int
    epoch: str
    newest_us: int
    """Record time of the last row."""


class _Patient:
    """Asks again before it gives up."""

    def __init__(self, link: InfluxLink, pauses_s: Sequence[float]) -> None:
        self._link = link
        self._pauses_s = pauses_s

    def ask(self, query: str) -> list[Series]:
        for pause_s in self._pauses_s:
            try:
                return self._link.ask(query)
            except HistoryDown:
                time.sleep(pause_s)
        return self._link.ask(query)


def restore(
    site: Site,
    config: InfluxConfig,
    out: Path,
    told: Told,
    *,
    cut: bool = False,
    pauses_s: Sequence[float] = PAUSES_S,
) -> Restored:
    """Make the ledger `out` from the InfluxDB of the site; `cut`: only of the rows before the first missing one.

    Raises `RestoreFailed` where the file is there already or the log in InfluxDB has not all of its rows, `HistoryDown`
    where InfluxDB does not answer, `LedgerFailed` where the disk does not take the new file; then nothing was made.
    """
    _refuse_overwriting(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.restoring-", dir=out.parent) as folder:
        link = InfluxLink(config, TIMEOUT_MS)
        patient = _Patient(link, pauses_s)
        try:
            with closing(Staged(Path(folder) / "log.db")) as staged:
                policies = () if config.retention_days is None else (LOG_POLICY,)
                _stage(logpages.sources(patient, site.site, policies), patient, site.site, staged, told)
                if cut:
                    staged.cut()
                staged.check()
                made = Path(folder) / out.name
                done = _rebuilt(site, made, staged, told)
        except sqlite3.Error as error:
            raise RestoreFailed(f"{folder}: {error}") from error
        finally:
            link.close()
        _publish(made, out)
    return done


def _stage(found: Mapping[str, int], link: Asked, site: str, staged: Staged, told: Told) -> None:
    """Read the whole log of a site, wherever in the database it is."""
    if not found:
        raise RestoreFailed(f"InfluxDB has no log of site {site!r}: is it the right server and database?")
    count, done = sum(found.values()), 0
    for source in found:
        for rows in logpages.pages(link, source, site):
            staged.put(rows)
            done += len(rows)
            told("reading", done, max(count, done))


def _rebuilt(site: Site, path: Path, staged: Staged, told: Told) -> Restored:
    epoch = staged.epoch()
    last = staged.last()

    def counted() -> Iterator[LogRow]:
        for n, row in enumerate(staged.rows(), 1):
            yield row
            if n % 1000 == 0 or n == last.id:
                told("folding", n, last.id)

    opening.rebuild(path, site, epoch, counted())
    with closing(Store(path, ())) as store:
        store.move_cursor("history", staged.end_of_a_commit(last.id - FED_AGAIN))
    return Restored(last.id, epoch, last.recorded_us)


def _refuse_overwriting(out: Path) -> None:
    for path in (out, out.with_name(out.name + "-wal")):
        if path.exists():
            raise RestoreFailed(f"{path} is there already: move it away, or name another file with --out")


def _publish(made: Path, out: Path) -> None:
    """The finished file gets its name, and never takes that of another one."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(made, out)
    except FileExistsError:
        raise RestoreFailed(f"{out} was made by somebody else meanwhile: nothing was changed") from None
    except OSError:  # a file system without hard links
        _refuse_overwriting(out)
        made.rename(out)
    folder = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
