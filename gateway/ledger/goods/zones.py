"""Zones: tags that shelf, ceiling and handheld readers see in one, or no longer see there, and imported stock."""

from collections.abc import Iterable

from contract.events import TagCount, ZoneLeft, ZoneSeen
from gateway.errors import Misfit
from gateway.ledger.goods import containers, inventory, looks, masterdata, quarantine, stock
from gateway.ledger.goods.looks import Look
from gateway.ledger.goods.stock import Place
from gateway.ledger.receiving import shipments
from gateway.ledger.rows import Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import GATEWAY, ItemsImported, LogRow

LATELY_US = 3_600_000_000
"""Who puts a case away tells of it within this time; one that a reader then sees elsewhere is misplaced."""


def seen(state: State, row: LogRow, event: ZoneSeen | TagCount) -> None:
    """Tags are in a zone. A step of a cycle count says the same of the tags that it found."""
    known(state, event.zone)
    sighted(state, row, event.zone, event.epcs, looks.of_zone(event))


def sighted(state: State, row: LogRow, zone: str, epcs: Iterable[str], look: Look = looks.FOUND) -> None:
    """Tags are in a zone, a reader or a person says."""
    by = inventory.stamp(row)
    for epc in dict.fromkeys(epcs):
        if (said := _said_elsewhere(state, epc, zone, by)) is not None:
            exceptions.add(state, "misplaced", zone, row.recorded_us, 1, {"epc": epc, "said": said})
        inferred = containers.sighted(state, epc, zone, by, zone, look)
        shipments.turned_up(state, epc, by, row.recorded_us)
        for child in inferred:
            shipments.turned_up(state, child, by, row.recorded_us, inferred=True)


def _said_elsewhere(state: State, epc: str, zone: str, by: Stamp) -> str | None:
    """The zone that somebody lately said a tag is in, where a reader sees it in another one now."""
    item = state.items.rows.get(epc)
    if item is None or item.placed is None or by[1] == GATEWAY or item.placed[1] != GATEWAY or item.placed_in == zone:
        return None
    return item.placed_in if 0 < by[0] - item.placed[0] <= LATELY_US else None


def left(state: State, row: LogRow, event: ZoneLeft) -> None:
    """Tags are no longer seen in a zone: noted, but the books move them only when they are seen elsewhere."""
    known(state, event.zone)
    by = inventory.stamp(row)
    for epc in dict.fromkeys(event.epcs):
        inventory.miss(state, epc, event.zone, by)


def imported(state: State, row: LogRow, record: ItemsImported) -> None:
    """Somebody says where stock is."""
    for zone in {line.zone for line in record.items} | {line.zone for line in record.units}:
        known(state, zone)
    by = inventory.stamp(row)
    for item in record.items:
        containers.sighted(state, item.epc, item.zone, by, item.zone)
        quarantine.belongs(state, item.epc, item.lot, row.recorded_us)
        sku = state.items.rows[item.epc].sku
        if sku is not None:
            masterdata.expiry(state, sku, item.lot, item.expires, row.recorded_us)
    for units in record.units:
        masterdata.expiry(state, units.sku, units.lot, units.expires, row.recorded_us)
        stock.change(state, units.sku, Place(units.zone, units.lot or ""), units.units, by[0])


def known(state: State, zone: str) -> None:
    """Raises `Misfit` for a zone that nobody has told of."""
    if zone not in state.house.zones:
        raise Misfit(f"zone {zone!r} is none of this house")
