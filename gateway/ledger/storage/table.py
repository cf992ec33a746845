"""One noun of the state: its rows by key, and which of them changed since they were last written."""

from collections.abc import Callable, Iterable
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

    def load(self, stored: Iterable[tuple[str, str]], compact: Callable[[Row], None] | None = None) -> None:
        """Take over the rows of the SQLite table; `compact` makes each share what it has in common with others."""
        decode, rows = self._decoder.decode, self.rows
        rows.clear()
        for key, body in stored:
            row = rows[key] = decode(body)
            if compact is not None:
                compact(row)

    def as_written(self, body: str) -> str:
        """The JSON of a row as it would be written now: an older version had fewer fields."""
        return _encoder.encode(self._decoder.decode(body)).decode()

    def written(self) -> tuple[list[tuple[str, str]], list[tuple[str]]]:
        """What to write (key, JSON) and the keys to delete; from now on they count as written."""
        encode, rows = _encoder.encode, self.rows
        puts = [(key, encode(rows[key]).decode()) for key in sorted(self.changed)]
        drops = [(key,) for key in sorted(self.gone)]
        self.changed.clear()
        self.gone.clear()
        return puts, drops
