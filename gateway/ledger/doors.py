"""Doors: what passed through each, and what a pass means for the items, the stock and the shipment at the door."""

from contract.events import DoorPass, EmptyPass
from contract.portals import Door as DoorOfSite
from gateway.errors import Misfit
from gateway.ledger import exceptions, inventory, quarantine, shipments
from gateway.ledger.house import Tag
from gateway.ledger.rows import Door, Stamp
from gateway.ledger.state import State
from gateway.records import LogRow


def passed(state: State, row: LogRow, event: DoorPass) -> None:
    """Tags went through a door. Inbound: they are inside now; outbound: outside; unknown: where they were."""
    site_door = state.house.doors.get(event.door)
    if site_door is None:
        raise Misfit(f"door {event.door!r} is not in the site file")
    door = of(state, event.door)
    state.doors.changed.add(event.door)
    by = inventory.stamp(row)
    if door.last_pass_us is None or by[0] > door.last_pass_us:
        door.last_pass_us = by[0]
    epcs = event.epcs if len(event.epcs) == 1 else tuple(dict.fromkeys(event.epcs))
    count = 0
    for epc in epcs:
        tag = state.house.tag(epc)
        count += tag.kind != "container"
        if event.direction == "unknown":
            inventory.observe(state, epc, by, event.door)
        elif site_door.outside is None:
            _cross(state, row, site_door, epc, tag, by, inbound=event.direction == "inbound")
        else:
            zone = site_door.inside if event.direction == "inbound" else site_door.outside
            inventory.place(state, epc, zone, by, event.door, row.recorded_us)
            shipments.turned_up(state, epc, by[0], row.recorded_us)
    setattr(door, event.direction, getattr(door, event.direction) + count)
    if event.direction == "unknown" and count:
        exceptions.add(state, "unknown_direction", event.door, row.recorded_us, count)


def passed_empty(state: State, row: LogRow, event: EmptyPass) -> None:
    """Something went through a door unread: nobody knows what, so it moves nothing and somebody should look."""
    if event.door not in state.house.doors:
        raise Misfit(f"door {event.door!r} is not in the site file")
    of(state, event.door).unread += 1
    state.doors.changed.add(event.door)
    exceptions.add(state, "empty_pass", event.door, row.recorded_us)


def of(state: State, name: str) -> Door:
    """A door's counters, empty if nothing has passed."""
    return state.doors.rows.get(name) or state.doors.put(name, Door())


def _cross(state: State, row: LogRow, door: DoorOfSite, epc: str, tag: Tag, by: Stamp, *, inbound: bool) -> None:
    """A tag came into the house, or left it, by a door to the world."""
    known = state.items.rows.get(epc)
    held = known is not None and known.zone is not None and known.entered_us is not None and known.entered_us < by[0]
    gone = known is not None and known.zone is None and known.placed is not None
    item = inventory.place(state, epc, door.inside if inbound else None, by, door.name, row.recorded_us)
    if item.placed == by:
        item.dock = door.name
        item.shipment = None
    expected_here = held != inbound
    shipments.crossed(
        state,
        shipments.Crossing(
            epc=epc,
            sku=item.sku,
            door=door.name,
            direction="inbound" if inbound else "outbound",
            at_us=by[0],
            recorded_us=row.recorded_us,
            newsworthy=tag.kind == "unit" and expected_here,
        ),
    )
    if not inbound and not gone and item.placed == by:
        quarantine.shipped(state, epc, door.name, row.recorded_us)
