"""The books, asked: what stands where of a SKU, first expired first out, and why a balance is what it is."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.ledger.goods import stock
from gateway.ledger.goods.stock import Standing
from gateway.ledger.rows import Bin, StockLot
from gateway.ledger.state import State
from gateway.ledger.storage.posting import Posting
from gateway.ledger.storage.reader import Reader
from gateway.records import LogRow

_LAST_DAY = "9999-12-31"


class Shelf(NamedTuple):
    """Units of one SKU, lot and disposition in one zone."""

    bin: Bin
    lot: StockLot | None
    standing: Standing
    """What may become of them: people's word, or that of their lot."""


class Cause(NamedTuple):
    """What one row of the log changed in a balance; the row is None where the log was cut meanwhile."""

    posting: Posting
    """The sum of its postings of one zone, lot and disposition."""
    postings: int
    """How many they are."""
    row: LogRow | None


class Books:
    """One ledger's. `shelves` and `lots` are for the event loop, `why` for any thread."""

    def __init__(self, state: State, reader: Reader) -> None:
        self._state = state
        self._reader = reader

    def shelves(self, sku: str) -> list[Shelf]:
        """Everything that there is of a SKU in the house; what expires first, then what came first, stands first."""
        return shelves(self._state, sku)

    def lots(self, before_day: str) -> list[StockLot]:
        """Lots that expire before a day (ISO 8601), the first to expire first."""
        due = (
            lot for lot in self._state.stocklots.rows.values() if lot.expires is not None and lot.expires < before_day
        )
        return sorted(due, key=lambda lot: (lot.expires, lot.sku, lot.lot))

    def why(self, sku: str, *, zone: str | None = None, lot: str | None = None, before: int, rows: int) -> list[Cause]:
        """What the last so many rows below `before` changed in a balance, newest first."""
        found = self._reader.changes_of(sku, zone=zone, lot=lot, before=before, rows=rows)
        logged = _rows(self._reader, {one.row for one, _ in found})
        return [Cause(one, count, logged.get(one.row)) for one, count in found]


def shelves(state: State, sku: str) -> list[Shelf]:
    """As `Books.shelves`, of any state."""
    found = []
    for key in state.index.bins_of_sku.get(sku, ()):
        one = state.bins.rows[key]
        if one.zone and one.units:
            lot = stock.known_lot(state, sku, one.lot)
            found.append(Shelf(one, lot, stock.standing(state, one)))
    return sorted(found, key=_first_out)


def _first_out(shelf: Shelf) -> tuple[str, int, str, str, str]:
    lot = shelf.lot
    expires = lot.expires if lot is not None and lot.expires is not None else _LAST_DAY
    came_us = lot.first_us if lot is not None and lot.first_us is not None else 0
    return (expires, came_us, shelf.bin.lot, shelf.bin.zone, shelf.bin.disposition)


def _rows(reader: Reader, ids: Iterable[int]) -> dict[int, LogRow]:
    wanted: Sequence[int] = sorted(ids)
    found: dict[int, LogRow] = {}
    for one in wanted:
        found |= {row.id: row for row in reader.rows(one - 1, 1) if row.id == one}
    return found
