"""What is kept on disk of the state, read page by page: it may be far more than the memory or an answer should hold.

A page costs the same whatever the house holds. It is what was committed last, which is what anybody has been told.
"""

from typing import Final, NamedTuple

import msgspec

from gateway.ledger.rows import Incident, Item
from gateway.ledger.storage.reader import DeadLetter, Reader
from gateway.records import LogRow

SCANNED: Final = 2_000
"""Items that are read at a time, while other readers of the file wait."""
SCANS: Final = 50
"""So many times for one page."""

_ITEMS: Final = "SELECT key, body FROM items WHERE key > ? ORDER BY key LIMIT ?"
_EXCEPTIONS = """
SELECT key, body FROM exceptions
WHERE (body ->> 'opened_us', key) < (?1, ?2) AND (?3 IS NULL OR body ->> 'open' = ?3)
ORDER BY body ->> 'opened_us' DESC, key DESC LIMIT ?4
"""
_DEAD_LETTERS = f"SELECT id, {', '.join(DeadLetter._fields)} FROM dead_letters WHERE id < ? ORDER BY id DESC LIMIT ?"

_item: Final = msgspec.json.Decoder(Item)
_incident: Final = msgspec.json.Decoder(Incident)


class Wanted(NamedTuple):
    """Which items; None for any."""

    zone: str | None = None
    sku: str | None = None
    lot: str | None = None

    def has(self, item: Item) -> bool:
        """Whether it is one of these."""
        asked = ((self.zone, item.zone), (self.sku, item.sku), (self.lot, item.lot))
        return (item.seen is not None or item.known) and all(wish in (None, found) for wish, found in asked)


class Kept:
    """One ledger's file. From any thread."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    def items(self, wanted: Wanted, after: str, limit: int) -> tuple[list[tuple[str, Item]], str | None]:
        """Tags of which something is known, with an EPC above `after`, by EPC; and the EPC after which to go on, None
        at the end.

        So few of very many may be wanted that a page holds fewer than `limit`, or none, and is not the last.
        """
        found: list[tuple[str, Item]] = []
        step = SCANNED if any(wanted) else limit + 1
        for _ in range(SCANS):
            rows = self._store.read(_ITEMS, after, step)
            items = ((key, _item.decode(body)) for key, body in rows)
            found += [(key, item) for key, item in items if wanted.has(item)]
            if len(found) > limit:
                return found[:limit], found[limit - 1][0]
            if len(rows) < step:
                return found, None
            after = rows[-1][0]
        return found, after

    def exceptions(self, open_: bool | None, before: tuple[int, str], limit: int) -> list[tuple[str, Incident]]:
        """Exceptions, open or resolved ones or all (None), that were opened before a time, or at it with a smaller id;
        the last opened first."""
        rows = self._store.read(_EXCEPTIONS, *before, open_, limit)
        return [(key, _incident.decode(body)) for key, body in rows]

    def exception(self, key: str) -> Incident | None:
        """One exception, however long ago it was resolved."""
        rows = self._store.read("SELECT body FROM exceptions WHERE key = ?", key)
        return _incident.decode(rows[0][0]) if rows else None

    def row(self, agent: str, epoch: str, seq: int) -> LogRow | None:
        """The row of the log with these numbers; None where the log does not reach back so far."""
        rows = self._store.read("SELECT * FROM log WHERE agent = ? AND epoch = ? AND seq = ?", agent, epoch, seq)
        return LogRow(**dict(zip(LogRow.__struct_fields__, rows[0], strict=True))) if rows else None

    def dead_letters(self, before: int, limit: int) -> list[tuple[int, DeadLetter]]:
        """Messages that could not be read with an id below `before`, with their ids; the newest first."""
        return [(id_, DeadLetter(*row)) for id_, *row in self._store.read(_DEAD_LETTERS, before, limit)]
