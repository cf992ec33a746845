"""Zones: tags that shelf, ceiling and handheld readers see in one, or no longer see there, and imported ones."""

from contract.events import TagCount, ZoneLeft, ZoneSeen
from gateway.errors import Misfit
from gateway.ledger import inventory, quarantine, shipments
from gateway.ledger.state import State
from gateway.records import ItemsImported, LogRow


def seen(state: State, row: LogRow, event: ZoneSeen | TagCount) -> None:
    """Tags are in a zone. A step of a cycle count says the same of the tags that it found."""
    _known(state, event.zone)
    by = inventory.stamp(row)
    for epc in dict.fromkeys(event.epcs):
        inventory.place(state, epc, event.zone, by, event.zone, row.recorded_us)
        shipments.turned_up(state, epc, by[0], row.recorded_us)


def left(state: State, row: LogRow, event: ZoneLeft) -> None:
    """Tags are no longer seen in a zone: noted, but the books move them only when they are seen elsewhere."""
    _known(state, event.zone)
    by = inventory.stamp(row)
    for epc in dict.fromkeys(event.epcs):
        inventory.miss(state, epc, by)


def imported(state: State, row: LogRow, record: ItemsImported) -> None:
    """Somebody says where items are."""
    for item in record.items:
        _known(state, item.zone)
    by = inventory.stamp(row)
    for item in record.items:
        inventory.place(state, item.epc, item.zone, by, item.zone, row.recorded_us)
        quarantine.belongs(state, item.epc, item.lot, row.recorded_us)


def _known(state: State, zone: str) -> None:
    if zone not in state.house.zones:
        raise Misfit(f"zone {zone!r} is not in the site file")
