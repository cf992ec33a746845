"""The books of a system that adds up what its doors report: each event moves so many of a SKU, as often as it comes.

It has the same opening balance and the same directions as Truecount. It keeps no item, expects nothing, counts nothing,
and takes what is delivered twice twice. Ceiling readers only repeat what it has.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from contract import wire
from contract.events import DoorPass
from contract.portals import Door
from contract.wire import Batch


class NaiveBooks:
    """Units by SKU and zone."""

    def __init__(self, doors: Iterable[Door], sku_of: Callable[[str], str | None]) -> None:
        self.stock: Counter[tuple[str, str]] = Counter()
        self._doors = {door.name: door for door in doors}
        self._sku_of = sku_of

    def open(self, standing: Iterable[tuple[str, str]]) -> None:
        """The opening balance: EPC and zone."""
        for epc, zone in standing:
            self._add(epc, zone, 1)

    def take(self, batch: Batch) -> None:
        """A batch as it arrives."""
        for body in batch.events:
            event = wire.decode_event(body)
            if not isinstance(event, DoorPass) or event.direction == "unknown":
                continue
            door = self._doors[event.door]
            sign = 1 if event.direction == "inbound" else -1
            for epc in event.epcs:
                self._add(epc, door.inside, sign)
                self._add(epc, door.outside, -sign)

    def _add(self, epc: str, zone: str | None, units: int) -> None:
        sku = self._sku_of(epc)
        if sku is not None and zone is not None:
            self.stock[sku, zone] += units
