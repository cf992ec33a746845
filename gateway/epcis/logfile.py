"""The ledger's log, read beside the gateway that writes it: SQLite lets one write and others read (WAL)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from gateway import records
from gateway.errors import LedgerFailed
from gateway.records import LogRow
from gateway.records.stockrecords import ProductsImported, SiteDescribed

PAGE: Final = 500
"""Rows that are held at once."""
_COLUMNS: Final = ("id", "agent", "epoch", "seq", "kind", "at_us", "decided_us", "recorded_us", "body")
_ROWS: Final = f"SELECT {', '.join(_COLUMNS)} FROM log WHERE id > ? ORDER BY id LIMIT ?"
_PRODUCTS: Final = "SELECT body FROM log WHERE kind IN ('site_described', 'products_imported') ORDER BY id"


class LogFile:
    """One ledger's file, which is never written. Make it by `open`."""

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["LogFile"]:
        """Open the file of a ledger; raises `LedgerFailed` where there is none."""
        if not path.is_file():
            raise LedgerFailed(f"{path}: there is no ledger")
        try:
            db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
        except sqlite3.Error as error:
            raise LedgerFailed(f"{path}: {error}") from error
        with closing(db):
            yield cls(path, db)

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db

    def rows(self, after: int) -> Iterator[LogRow]:
        """All rows behind a place, a page at a time."""
        while page := [self._row(found) for found in self._all(_ROWS, after, PAGE)]:
            yield from page
            after = page[-1].id

    def gtins(self) -> dict[str, str]:
        """GTIN-14 by SKU, as the log last told."""
        found: dict[str, str] = {}
        for (body,) in self._all(_PRODUCTS):
            entry = records.decode(body)
            if isinstance(entry, SiteDescribed | ProductsImported):
                found |= {product.sku: product.gtin for product in entry.products}
        return found

    def _all(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise LedgerFailed(f"{self._path}: {error}") from error

    @staticmethod
    def _row(found: tuple[Any, ...]) -> LogRow:
        return LogRow(**dict(zip(_COLUMNS, found, strict=True)))
