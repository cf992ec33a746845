"""Movements that people tell: tagged cases by EPC, untagged units by number; and what may be sold of both."""

from gateway.errors import Misfit
from gateway.ledger.goods import containers, inventory, quarantine, stock
from gateway.ledger.goods.stock import Place
from gateway.ledger.goods.zones import known
from gateway.ledger.receiving import shipments
from gateway.ledger.receiving.tally import Sighting
from gateway.ledger.rows import Stamp
from gateway.ledger.state import State
from gateway.records import LogRow
from gateway.records.stockrecords import DispositionSet, MovedLine, StockMoved

BY_HAND = "by hand"
"""Where a tag was seen, when a person told of it."""


def moved(state: State, row: LogRow, record: StockMoved) -> None:
    """Somebody moved stock. A tagged case is where the newest sighting says, and this is one.

    What came or went with a shipment counts for it: tagged cases as if they had been seen, units for their line.
    """
    for zone in {zone for line in record.lines for zone in (line.origin, line.target)} - {None}:
        known(state, zone or "")
    if record.shipment is not None and record.shipment not in state.shipments.rows:
        raise Misfit(f"shipment {record.shipment!r} was never announced")
    by = inventory.stamp(row)
    for line in record.lines:
        for epc in dict.fromkeys(line.epcs):
            _tagged(state, row, record, line, epc, by)
        if line.units:
            _untagged(state, line, by)
            if _counts_for(state, record, line) and record.shipment is not None and line.sku is not None:
                sighting = Sighting(by, row.recorded_us)
                shipments.units_by_hand(state, record.shipment, line.sku, line.units, sighting)


def set_disposition(state: State, row: LogRow, record: DispositionSet) -> None:
    """Somebody says what may be sold."""
    if record.zone is not None:
        known(state, record.zone)
    for epc in dict.fromkeys(record.epcs):
        if epc not in state.items.rows:
            raise Misfit(f"tag {epc} was never seen")
    for epc in dict.fromkeys(record.epcs):
        inventory.labelled(state, epc, disposition=record.disposition)
    if record.units and record.sku is not None and record.zone is not None:
        at_us, lot = inventory.stamp(row)[0], record.lot or ""
        stock.change(state, record.sku, Place(record.zone, lot, record.was), -record.units, at_us)
        stock.change(state, record.sku, Place(record.zone, lot, record.disposition), record.units, at_us)


def _tagged(state: State, row: LogRow, record: StockMoved, line: MovedLine, epc: str, by: Stamp) -> None:
    inferred = containers.sighted(state, epc, line.target, by, line.target or BY_HAND)
    if epc not in state.items.rows:
        return  # it was told too late
    quarantine.belongs(state, epc, line.lot, row.recorded_us)
    if record.reason == "return":
        inventory.labelled(state, epc, disposition="quarantined")
    if _counts_for(state, record, line) and record.shipment is not None:
        sighting = Sighting(by, row.recorded_us)
        for one in (epc, *inferred):
            sku = state.items.rows[one].sku
            shipments.told_by_hand(state, record.shipment, one, sku, sighting, inferred=one != epc)
    elif line.target is not None:
        shipments.turned_up(state, epc, by, row.recorded_us)
        for child in inferred:
            shipments.turned_up(state, child, by, row.recorded_us, inferred=True)


def _counts_for(state: State, record: StockMoved, line: MovedLine) -> bool:
    """It came in with an inbound shipment, or went out with an outbound one."""
    if record.shipment is None:
        return False
    inbound = state.shipments.rows[record.shipment].direction == "inbound"
    return (inbound and line.origin is None and line.target is not None) or (not inbound and line.target is None)


def _untagged(state: State, line: MovedLine, by: Stamp) -> None:
    """Out of one zone and into another; what comes from outside, or goes there, is one change only."""
    if line.sku is None:
        raise Misfit("untagged units without a SKU")
    for zone, units in ((line.origin, -line.units), (line.target, line.units)):
        if zone is not None:
            stock.change(state, line.sku, Place(zone, line.lot or "", line.disposition), units, by[0])
