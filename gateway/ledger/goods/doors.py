"""Doors: what passed through each, and what a pass means for the items, the stock and the shipment at the door."""

from collections.abc import Iterable

from contract.events import DoorPass, EmptyPass
from gateway.errors import Misfit
from gateway.ledger.goods import containers, inventory, quarantine
from gateway.ledger.goods.looks import Look
from gateway.ledger.house import Tag
from gateway.ledger.receiving import shipments
from gateway.ledger.rows import Door, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow
from gateway.records.stockrecords import DoorOf


def passed(state: State, row: LogRow, event: DoorPass) -> None:
    """Tags went through a door. Inbound: they are inside now; outbound: outside; unknown: where they were."""
    portal = _portal(state, event.door)
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
        elif portal.outside is None:
            on = event.container if event.container != epc else None
            _cross(state, row, portal, epc, tag, by, on, Look(event.confidence), inbound=event.direction == "inbound")
        else:
            zone = portal.inside if event.direction == "inbound" else portal.outside
            inferred = containers.sighted(state, epc, zone, by, event.door, Look(event.confidence))
            shipments.turned_up(state, epc, by, row.recorded_us)
            for child in inferred:
                shipments.turned_up(state, child, by, row.recorded_us, inferred=True)
    _load(state, event, epcs, by)
    setattr(door, event.direction, getattr(door, event.direction) + count)
    if event.direction == "unknown" and count:
        exceptions.add(state, "unknown_direction", event.door, row.recorded_us, count)


def passed_empty(state: State, row: LogRow, event: EmptyPass) -> None:
    """Something went through a door unread: nobody knows what, so it moves nothing and somebody should look."""
    _portal(state, event.door)
    of(state, event.door).unread += 1
    state.doors.changed.add(event.door)
    exceptions.add(state, "empty_pass", event.door, row.recorded_us)


def of(state: State, name: str) -> Door:
    """A door's counters, empty if nothing has passed."""
    return state.doors.rows.get(name) or state.doors.put(name, Door())


def _portal(state: State, name: str) -> DoorOf:
    portal = state.house.portals.get(name)
    if portal is None:
        raise Misfit(f"door {name!r} is none of this house")
    return portal


def _load(state: State, event: DoorPass, epcs: Iterable[str], by: Stamp) -> None:
    """What moved together with a logistic unit stands on it."""
    if event.container is None or event.direction == "unknown":
        return
    for epc in epcs:
        if epc != event.container and state.house.tag(epc).kind == "unit":
            containers.join(state, epc, event.container, by)


def _cross(
    state: State,
    row: LogRow,
    portal: DoorOf,
    epc: str,
    tag: Tag,
    by: Stamp,
    on: str | None,
    look: Look,
    *,
    inbound: bool,
) -> None:
    """A tag came into the house, or left it, by a door to the world; `on`: with this logistic unit."""
    known = state.items.rows.get(epc)
    held = known is not None and known.zone is not None and known.entered_us is not None and known.entered_us < by[0]
    gone = known is not None and known.known and known.zone is None
    inferred = containers.sighted(state, epc, portal.inside if inbound else None, by, portal.name, look)
    item = state.items.rows.get(epc)
    if item is None:
        return  # it was told too late
    if item.placed == by:
        item.dock = portal.name
        item.shipment = None
    expected_here = held != inbound
    crossing = shipments.Crossing(
        epc=epc,
        sku=item.sku,
        door=portal.name,
        direction="inbound" if inbound else "outbound",
        by=by,
        recorded_us=row.recorded_us,
        newsworthy=tag.kind == "unit" and expected_here,
        container=on,
    )
    shipments.crossed(state, crossing)
    if not inbound and not gone and item.placed == by:
        quarantine.shipped(state, epc, portal.name, row.recorded_us)
    for child in inferred:
        sku = state.items.rows[child].sku
        shipments.crossed(state, crossing._replace(epc=child, sku=sku, newsworthy=False, inferred=True))
