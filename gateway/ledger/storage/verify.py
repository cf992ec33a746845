"""Verifying a ledger: the log is hashed and folded again, and must give the hashes and the state that the file holds.

snapshot (or the beginning) --+-- rows of the log --> hash after each commit == seal?
                              `-- fold -----------> state and postings == tables?
"""

from collections.abc import Callable, Iterator
from itertools import chain as chained
from typing import Any, Final, NamedTuple

import msgspec

from contract.site import Site
from gateway import records
from gateway.ledger.group import apply
from gateway.ledger.state import State
from gateway.ledger.storage import chain, opening, snapshots
from gateway.ledger.storage.posting import Posting
from gateway.ledger.storage.reader import Reader
from gateway.ledger.storage.table import Table
from gateway.records import LogRow

STEP: Final = 5_000
"""Rows that are checked at a time."""
TOLD: Final = 20
"""Differences of one kind that are told."""

Progress = Callable[[int, int], None]
"""Told now and then: rows checked, and rows in all."""


class Fault(NamedTuple):
    """Something that is not as the log says."""

    what: str
    place: str
    text: str


class Verdict(NamedTuple):
    """What was found."""

    first: int
    last: int
    """Rows of the log that were hashed and folded."""
    head: str
    """SHA-256 of the log, in hexadecimal."""
    faults: list[Fault]


def verify(reader: Reader, found: snapshots.Snapshots, site: Site, progress: Progress) -> Verdict:
    """Check a file. `reader` must see one commit of it (`Reader.open`). Raises `LedgerFailed`."""
    faults = [Fault("file", "SQLite", text) for text in _damage(reader)]
    cut, (last, _) = reader.cut_at(), reader.last()
    state = _base(reader, found, site, cut, faults)
    head = reader.seal(cut) if cut else chain.BEGINNING
    if head is None:
        faults.append(Fault("hash", f"row {cut}", "the seal at which the log was cut is gone"))
        head = chain.BEGINNING
    after = cut
    while after < last:
        rows = reader.rows(after, STEP)
        ids = [row.id for row in rows]
        if ids != list(range(after + 1, after + 1 + len(ids))) or not ids:
            missing = next((n for n in range(after + 1, last + 1) if n not in set(ids)), after + 1)
            faults.append(Fault("log", f"row {missing}", "is not there"))
            break
        head = _hashed(reader, head, rows, faults)
        if state is not None:
            _folded(reader, state, rows, faults)
        after = ids[-1]
        progress(after - cut, last - cut)
    if state is not None:
        faults += list(chained.from_iterable(_differences(reader, table) for table in state.tables))
    return Verdict(cut + 1, last, head.hex(), faults)


def _damage(reader: Reader) -> Iterator[str]:
    for (text,) in reader.read("PRAGMA quick_check"):
        if text != "ok":
            yield str(text)


def _base(reader: Reader, found: snapshots.Snapshots, site: Site, cut: int, faults: list[Fault]) -> State | None:
    """The state from which the log goes on; None if it is lost."""
    if not cut:
        return opening.beginning(reader, site)
    base = next((one for one in found.all() if one.through == cut), None)
    if base is None:
        text = f"the log was cut there, and {found.folder} has no snapshot of it"
        faults.append(Fault("snapshot", f"row {cut}", text))
        return None
    with Reader.open(base.path) as file:
        if file.seal(cut) != reader.seal(cut):
            faults.append(Fault("snapshot", str(base.path), "is of another log"))
        return opening.loaded(file, site)


def _hashed(reader: Reader, head: bytes, rows: list[LogRow], faults: list[Fault]) -> bytes:
    """The hash after these rows; every seal among them must be what it is there."""
    seals = {through: sealed for through, _, sealed in reader.seals(rows[0].id - 1, len(rows))}
    told = any(fault.what == "hash" for fault in faults)
    for row in rows:
        head = chain.after(head, (row,))
        if row.id in seals and seals[row.id] != head and not told:
            faults.append(Fault("hash", f"row {row.id}", "the rows up to here are not those that were sealed"))
            told = True
    return head


def _folded(reader: Reader, state: State, rows: list[LogRow], faults: list[Fault]) -> None:
    """What the rows give, and whether they changed the balances as the postings say."""
    for row in rows:
        apply(state, row, records.decode(row.body))
    gave, held = state.take_postings(), reader.postings(rows[0].id - 1, rows[-1].id)
    if gave == held:
        return
    wrong: Posting | None = next((one for one, other in zip(gave, held, strict=False) if one != other), None)
    row_id = wrong.row if wrong is not None else rows[-1].id
    if sum(fault.what == "posting" for fault in faults) < TOLD:
        faults.append(Fault("posting", f"row {row_id}", "the balances were changed otherwise than the log says"))


def _differences(reader: Reader, table: Table[Any]) -> Iterator[Fault]:
    held = {key: table.as_written(body) for key, body in reader.each(table.name)}
    gave = {key: msgspec.json.encode(row).decode() for key, row in table.rows.items()}
    differing = sorted(key for key in held.keys() | gave.keys() if held.get(key) != gave.get(key))
    for key in differing[:TOLD]:
        yield Fault(table.name, key.replace("\x1f", " "), f"holds {held.get(key)}, and the log says {gave.get(key)}")
    if len(differing) > TOLD:
        yield Fault(table.name, "", f"{len(differing) - TOLD} more differ")
