"""EPCIS events of what people did with stock and found in it: imports, moves, lots, dispositions and counts."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from gateway import records
from gateway.epcis.events import Disposition, EpcisEvent, Quantity
from gateway.epcis.names import Names
from gateway.epcis.observed import COUNTED, STORED, Why, documents, quantities, seen
from gateway.records import LogRow, countrecords, stockrecords


def items_imported(names: Names, row: LogRow, record: records.ItemsImported) -> Iterator[EpcisEvent]:
    why = Why("stock_taking", "in_progress")
    zones = [item.zone for item in record.items] + [units.zone for units in record.units]
    for zone in dict.fromkeys(zones):
        amounts: Counter[str] = Counter()
        for units in record.units:
            if units.zone == zone:
                amounts[names.product(units.sku, units.lot)] += units.units
        epcs = [item.epc for item in record.items if item.zone == zone]
        uri = names.zone(zone)
        yield from seen(row, why, epcs=epcs, quantities=quantities(amounts), read_point=uri, location=uri)


def lot_begun(names: Names, row: LogRow, record: records.LotBegun) -> Iterator[EpcisEvent]:
    """A lot goes to be inspected, where it is known of what; how much of it is not known then."""
    if record.sku is not None:
        lot = Quantity(epc_class=names.product(record.sku, record.lot))
        yield from seen(row, Why("inspecting", None), quantities=(lot,), read_point=names.line(record.line))


def lot_expired(names: Names, row: LogRow, record: stockrecords.LotExpired) -> Iterator[EpcisEvent]:
    lot = Quantity(epc_class=names.product(record.sku, record.lot))
    yield from seen(row, Why(None, "expired"), quantities=(lot,), location=names.site)


_MOVED: Final[dict[str, Why]] = {
    "receipt": Why("receiving", "in_progress"),
    "return": Why("receiving", "returned"),
    "putaway": STORED,
    "transfer": STORED,
    "pick": Why("picking", "in_progress"),
    "shipment": Why("shipping", "in_transit"),
    "sale": Why("retail_selling", "retail_sold"),
    "scrap": Why("destroying", "destroyed"),
    "found": Why("stock_taking", "in_progress"),
    "lost": Why("stock_taking", "unknown"),
}
"""By the reason. A correction of the books is nothing that happened to objects."""


def stock_moved(names: Names, row: LogRow, record: stockrecords.StockMoved) -> Iterator[EpcisEvent]:
    why = _MOVED.get(record.reason)
    if why is None:
        return
    for origin, target in dict.fromkeys((line.origin, line.target) for line in record.lines):
        lines = [line for line in record.lines if (line.origin, line.target) == (origin, target)]
        amounts: Counter[str] = Counter()
        for line in lines:
            if line.sku is not None and not line.epcs:
                amounts[names.product(line.sku, line.lot)] += line.units
        read_at = origin or target
        yield from seen(
            row,
            why,
            epcs=(epc for line in lines for epc in line.epcs),
            quantities=quantities(amounts),
            read_point=names.zone(read_at) if read_at is not None else None,
            location=names.zone(target) if target is not None else None,
            documents=documents(names, record.shipment),
        )


_SAID_TO_BE: Final[dict[str, Disposition]] = {
    "sellable": "sellable_not_accessible",
    "quarantined": "non_sellable_other",
    "damaged": "damaged",
}
"""What may be sold stands in a warehouse: no customer can take it (CBV 2.0, section 7.2)."""


def disposition_set(names: Names, row: LogRow, record: stockrecords.DispositionSet) -> Iterator[EpcisEvent]:
    amounts: Counter[str] = Counter()
    if record.sku is not None:
        amounts[names.product(record.sku, record.lot)] = record.units
    where = names.zone(record.zone) if record.zone is not None else names.site
    why = Why("inspecting", _SAID_TO_BE[record.disposition])
    yield from seen(row, why, epcs=record.epcs, quantities=quantities(amounts), location=where)


def count_entered(names: Names, row: LogRow, record: countrecords.CountEntered) -> Iterator[EpcisEvent]:
    """The tags of a sweep. What was counted by hand may still be entered anew: it is told once it is accepted."""
    yield from seen(row, COUNTED, epcs=record.epcs, location=names.site)


def count_completed(names: Names, row: LogRow, record: countrecords.CountCompleted) -> Iterator[EpcisEvent]:
    amounts: Counter[str] = Counter()
    for line in record.lines:
        amounts[names.product(line.sku, line.lot)] += line.counted
    amount = quantities(amounts)
    yield from seen(row, COUNTED, quantities=amount, location=names.site, at_us=record.as_of_us)
