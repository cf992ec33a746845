"""One noun of the state: its rows by key, and which of them changed since they were last written."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

Row = TypeVar("Row")

_encoder = msgspec.json.Encoder()


class Table(Generic[Row]):
    """Rows by key. A row is a struct that is changed in place and then `touch`ed, or replaced by `put`.

    Invariant between two group commits: `rows` is what the SQLite table of the same name holds (but for what was
    `forget`-ed here on purpose), and `changed` and `gone` are empty.
    """

    __slots__ = ("_decoder", "changed", "gone", "name", "rows")

    def __init__(self, name: str, row: type[Row]) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self.changed: set[str] = set()
        self.gone: set[str] = set()
        self._decoder = msgspec.json.Decoder(row)

    def get(self, key: str) -> Row | None:
        """The row, or None."""
        return self.rows.get(key)

    def put(self, key: str, row: Row) -> Row:
        """Insert or replace a row."""
        self.rows[key] = row
        self.changed.add(key)
        self.gone.discard(key)
        return row

    def touch(self, key: str) -> None:
        """The row was changed in place."""
        self.changed.add(key)

    def drop(self, key: str) -> None:
        """Delete a row."""
        self.rows.pop(key, None)
        self.changed.discard(key)
        self.gone.add(key)

    def forget(self, key: str) -> None:
        """Let a written row leave the memory and stay on disk."""
        assert key not in self.changed, f"{self.name} {key}: not yet written"
        self.rows.pop(key, None)

    def load(self, stored: Iterator[tuple[str, str]]) -> None:
        """Take over the rows of the SQLite table."""
        decode = self._decoder.decode
        self.rows = {key: decode(body) for key, body in stored}

    def written(self) -> tuple[list[tuple[str, str]], list[tuple[str]]]:
        """What to write (key, JSON) and the keys to delete; from now on they count as written."""
        encode, rows = _encoder.encode, self.rows
        puts = [(key, encode(rows[key]).decode()) for key in sorted(self.changed)]
        drops = [(key,) for key in sorted(self.gone)]
        self.changed.clear()
        self.gone.clear()
        return puts, drops
