"""The entries that are gathered for the next tag report."""

from collections.abc import Callable

from firmware_sim.llrp.report import Seen

MAX_PENDING = 10_000
"""Entries gathered for one report; what comes after is lost."""


class Batch:
    """Entries in order. With `gather` the reads of one tag at one antenna become one entry with a count, as the
    standard allows (except those that carry results); without it each read is an entry.

    `lost` is called for an entry that found `MAX_PENDING` before it.
    """

    def __init__(self, lost: Callable[[], None], *, gather: bool) -> None:
        self._lost, self._gather = lost, gather
        self._entries: list[Seen] = []
        self._places: dict[tuple[bytes, int], int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, seen: Seen) -> None:
        """One more singulation."""
        place = None if seen.results else self._places.get((seen.epc, seen.antenna))
        if place is not None:
            first = self._entries[place]
            rssi_cdbm = max(first.rssi_cdbm, seen.rssi_cdbm)
            self._entries[place] = first._replace(rssi_cdbm=rssi_cdbm, last_us=seen.last_us, times=first.times + 1)
        elif len(self._entries) >= MAX_PENDING:
            self._lost()
        else:
            if self._gather and not seen.results:
                self._places[seen.epc, seen.antenna] = len(self._entries)
            self._entries.append(seen)

    def take(self) -> list[Seen]:
        """All entries; the batch is empty then."""
        entries, self._entries = self._entries, []
        self._places.clear()
        return entries
