"""The lots that run over a line: which fruit belongs to which, and how many of each verdict it has had."""

import contextlib
import math
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog
from msgspec import Struct, structs

from contract.events import Tally, Verdict
from contract.wire import LotOrder
from edge.drafts import replace_file
from edge.vision.line.eye import EyeSeen

_REMEMBERED: Final = 8
"""Runs; fruit of the ones before is still on the belt when the next one begins."""
_LIVES: Final = 0x10000

log = structlog.get_logger(__name__)


class Run(Struct, frozen=True):
    """One lot on the line, from when it began until another one did."""

    order: LotOrder | None
    """None: nobody has said what runs."""
    since_us: int
    tally: Tally = Tally()
    """Of the whole lot so far, in the newest of its runs."""

    @property
    def lot(self) -> str | None:
        """The name of its lot."""
        return self.order.lot if self.order else None


class LineRecord(Struct, frozen=True):
    """What a line knows for longer than its agent lives."""

    runs: tuple[Run, ...] = (Run(None, 0),)
    """The newest last."""
    eye: EyeSeen | None = None
    life: int | None = None
    """How often the line began, from a number drawn by chance, up to 65,535 and then from 0: the fruit of each life has
    names of its own."""

    def shifted(self, by_us: int, latest_us: float = math.inf) -> "LineRecord":
        """The same by another clock, which is ahead by so much; by less, where else something were later than
        `latest_us`."""
        newest_us = max([run.since_us for run in self.runs] + ([self.eye.at_us] if self.eye else []))
        by_us = round(min(by_us, latest_us - newest_us))
        runs = tuple(structs.replace(run, since_us=run.since_us + by_us) for run in self.runs)
        return structs.replace(self, runs=runs, eye=self.eye and self.eye._replace(at_us=self.eye.at_us + by_us))


class Lots:
    """The runs of one line, and the counts of each."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = list(runs) or [Run(None, 0)]

    @property
    def runs(self) -> tuple[Run, ...]:
        """The newest last."""
        return tuple(self._runs)

    def begin(self, order: LotOrder, now_us: int) -> None:
        """This lot runs from now on. The one that runs already goes on; one that ran lately counts on from where it
        was, and fruit of its run before is still on the belt."""
        at = self._newest(order.lot)
        if at == len(self._runs) - 1:
            self._runs[at] = structs.replace(self._runs[at], order=order)
            return
        self._runs.append(Run(order, now_us, Tally() if at is None else self._runs[at].tally))
        if len(self._runs) > _REMEMBERED:
            del self._runs[self._needed_least()]

    def of(self, born_us: int) -> LotOrder | None:
        """The lot of fruit that was first seen then: what was on the belt already belongs to the lot before."""
        return next((run for run in reversed(self._runs) if run.since_us <= born_us), self._runs[0]).order

    def count(self, order: LotOrder | None, verdict: Verdict, missed: bool) -> Tally:
        """One more fruit of that lot; its tally with it."""
        at = self._newest(order.lot if order else None)
        if at is None:
            return _with(Tally(), verdict, missed)
        tally = _with(self._runs[at].tally, verdict, missed)
        self._runs[at] = structs.replace(self._runs[at], tally=tally)
        return tally

    def _newest(self, lot: str | None) -> int | None:
        """Where the newest run of this lot stands, which has its tally."""
        return next((at for at in reversed(range(len(self._runs))) if self._runs[at].lot == lot), None)

    def _needed_least(self) -> int:
        """The oldest run whose lot has run again, whose tally is of no use; else the oldest."""
        return next((at for at, run in enumerate(self._runs) if self._newest(run.lot) != at), 0)


def _with(tally: Tally, verdict: Verdict, missed: bool) -> Tally:
    counts = {verdict: getattr(tally, verdict) + 1, "missed": tally.missed + missed}
    return structs.replace(tally, **counts)


class LotsFile:
    """The records of an agent's lines in one JSON file, by the clock on the wall; use it from any thread.

    Only what `begin` writes is forced to the disk: after a power cut the tallies may be some seconds old. The gateway
    counts for itself.
    """

    def __init__(self, path: Path) -> None:
        """A file that cannot be read is set aside as `lots.json.bad`, and the lines begin anew."""
        self._path = path
        self._lock = threading.Lock()
        self._records = dict(_load(path))

    def record(self, line: str) -> LineRecord:
        """What is known of a line."""
        return self._records.get(line, LineRecord())

    def begin(self, line: str) -> tuple[LineRecord, int]:
        """What is known of a line that begins another life, and which one it is; waits until the disk has that, so that
        no later one has the same, whatever is cut off. Where the disk refuses, the life is drawn by chance: the next
        one will find the record of the last that could be kept."""
        record = self.record(line)
        by_chance = secrets.randbelow(_LIVES)
        life = by_chance if record.life is None else (record.life + 1) % _LIVES
        try:
            self._keep(line, structs.replace(record, life=life), durable=True)
        except OSError:  # whoever saves the next record says so
            life = by_chance
        return record, life

    def save(self, line: str, record: LineRecord) -> None:
        """Keep it; waits for the disk. Raises OSError where that will not take it; then it is as it was before."""
        self._keep(line, record, durable=False)

    def _keep(self, line: str, record: LineRecord, *, durable: bool) -> None:
        with self._lock:
            if self._records.get(line) != record:
                records = self._records | {line: record}
                replace_file(self._path, msgspec.json.encode(records), durable=durable)
                self._records = records


def _load(path: Path) -> Mapping[str, LineRecord]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, LineRecord])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.error("lots set aside: the lines wait for their orders", file=str(path), error=str(error))
        with contextlib.suppress(OSError):
            os.replace(path, path.with_suffix(".json.bad"))
        return {}
