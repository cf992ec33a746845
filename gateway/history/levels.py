"""Stock levels for the history, folded from the log with the ledger's own rules.

The fold is a second one, beside the ledger's: a level belongs to a place in the log, and the feed may be hours behind
the ledger or be sent back to the beginning. Rows of one commit have one record time; the level after the last of them
is the level at that time, so the points are a function of the log, however it is cut into batches.
"""

from collections.abc import Sequence

from contract.site import Site
from gateway.history.words import Point
from gateway.ledger.fold import fold
from gateway.ledger.house import House
from gateway.ledger.state import State
from gateway.records import LogEntry, LogRow


class Levels:
    """The units of every SKU in every zone after row `through` of the log. One thread at a time may use it."""

    def __init__(self, site: Site) -> None:
        self._site = site.site
        self._state = State(House(site))
        self._known: dict[str, dict[str, int]] = {}
        self.through = 0

    def advance(self, rows: Sequence[tuple[LogRow, LogEntry]]) -> list[Point]:
        """Apply the next rows; a point for every level that is another one at the end of a record time."""
        points: list[Point] = []
        for i, (row, entry) in enumerate(rows):
            assert row.id == self.through + 1, f"row {row.id} after row {self.through}"
            fold(self._state, row, entry)
            self.through = row.id
            if i + 1 == len(rows) or rows[i + 1][0].recorded_us != row.recorded_us:
                points += self._changed(row.recorded_us)
        return points

    def _changed(self, recorded_us: int) -> list[Point]:
        points: list[Point] = []
        for sku in sorted(self._state.stock.changed):
            before = self._known.get(sku, {})
            now = self._known[sku] = dict(self._state.stock.rows[sku].zones)
            points += [
                self._point(sku, zone, now.get(zone, 0), recorded_us)
                for zone in sorted(before.keys() | now.keys())
                if before.get(zone, 0) != now.get(zone, 0)
            ]
        self._forget_changes()
        return points

    def _point(self, sku: str, zone: str, units: int, recorded_us: int) -> Point:
        tags = (("site", self._site), ("sku", sku), ("zone", zone))
        return Point("level", tags, {"units": units}, recorded_us * 1000)

    def _forget_changes(self) -> None:
        """Nobody writes this state to disk."""
        for table in self._state.tables:
            table.changed.clear()
            table.gone.clear()
        self._state.shown.clear()
        self._state.due.clear()
