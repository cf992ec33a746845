"""`truecount epcis export` and `truecount epcis capture`, as a person orders them on the command line.

Both read the ledger's file beside the running gateway. How far a repository has got stands in a cursor file,
`epcis-{digest of its URL}.json` in the gateway's data folder: {"url", "after"}.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from contract.site import Site
from gateway.epcis.capture import Repository, batches
from gateway.epcis.document import Told, document, told
from gateway.epcis.logfile import LogFile
from gateway.epcis.names import Names
from gateway.errors import CaptureFailed


class Exported(Struct):
    """What was done: rows read, events made of them, and the last row."""

    rows: int = 0
    events: int = 0
    through: int = 0

    def counted(self, all_told: Iterable[Told]) -> Iterator[Told]:
        """The same rows, each counted."""
        for one in all_told:
            self.rows += 1
            self.events += len(one.events)
            self.through = one.row
            yield one

    def __str__(self) -> str:
        return f"{self.events} events of {self.rows} rows, up to row {self.through}"


class Cursor(Struct, frozen=True):
    """How far a repository has got."""

    url: str
    after: int


def export(site: Site, after: int, out: Path | None) -> Exported:
    """The events behind a row of the log as one document: a file, or standard output.

    A file is there whole or not at all. Raises `LedgerFailed`, and OSError where it cannot be written.
    """
    done = Exported(through=after)
    with LogFile.open(_ledger(site)) as log:
        rows = done.counted(told(log.rows(after), Names(site, log.gtins())))
        pieces = document((event for row in rows for event in row.events), _now_us())
        if out is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            _write_whole(out, lambda file: file.writelines(pieces))
    return done


def capture(site: Site, url: str, after: int | None, cursor: Path | None, token: str | None) -> Exported:
    """The events to a repository, from a row of the log or from where its cursor stands.

    Raises `LedgerFailed`, `CaptureFailed`, and OSError where the cursor cannot be written; what was taken by then is
    behind the cursor.
    """
    kept_at = cursor or site.gateway.data / f"epcis-{hashlib.sha256(url.encode()).hexdigest()[:8]}.json"
    begin = after if after is not None else _read_cursor(kept_at, url)
    done = Exported(through=begin)
    with LogFile.open(_ledger(site)) as log, Repository(url, _now_us, token=token) as repository:
        names = Names(site, log.gtins())
        for batch in batches(done.counted(told(log.rows(begin), names))):
            repository.capture(batch)
            _write_cursor(kept_at, Cursor(url, batch.last))
    return done


def _ledger(site: Site) -> Path:
    return site.gateway.data / "ledger.db"


def _now_us() -> int:
    return time.time_ns() // 1000


def _read_cursor(path: Path, url: str) -> int:
    if not path.exists():
        return 0
    try:
        cursor = msgspec.json.decode(path.read_bytes(), type=Cursor)
    except msgspec.DecodeError as error:
        raise CaptureFailed(f"{path} is no cursor: {error}. Name the row to begin behind with --after") from error
    if cursor.url != url:
        raise CaptureFailed(f"{path} is the cursor of {cursor.url}, not of {url}: name another with --cursor")
    return cursor.after


def _write_cursor(path: Path, cursor: Cursor) -> None:
    _write_whole(path, lambda file: file.write(msgspec.json.encode(cursor) + b"\n"))


def _write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Beside it, on disk, then in its place."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
