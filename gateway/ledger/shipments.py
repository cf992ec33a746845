"""Shipments: what was announced against what came through the doors.

A case is told apart by its EPC where the partner named it, else by its SKU: the units of a line that are not named are
filled by cases of that SKU that come through the door where the shipment stands.

The shipment at a door is the one whose case was last seen there, until it has ended and nothing of it came for the
settling time; else one whose ASN names the door and which has not ended.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from gateway.ledger import exceptions, orders
from gateway.ledger.rows import Case, Direction, Shipment
from gateway.ledger.state import State
from gateway.records import LogRow, ShipmentSettled

UNIDENTIFIED = "unidentified"
"""Stands for the SKU of an announced tag that is no stock unit."""
UNCLAIMED = 60
"""Cases without a shipment that a door remembers."""


class Crossing(NamedTuple):
    """One tag went through a door to the world."""

    epc: str
    sku: str | None
    door: str
    direction: Direction
    at_us: int
    recorded_us: int
    newsworthy: bool
    """A stock unit that comes in and was not held, or goes out and was: if nobody expects it, it is unexpected."""


def settled(state: State, row: LogRow, record: ShipmentSettled) -> None:
    """Nothing came for so long that what is not seen is missing."""
    shipment = state.shipments.get(record.id)
    if shipment is None or shipment.ended:
        return
    shipment.settled_us = row.recorded_us
    state.shipments.touch(record.id)
    exceptions.begin(state, "missing", record.id, row.recorded_us, shipment.missing, _figures(shipment))
    for name, door in state.doors.rows.items():
        if door.shipment == record.id:
            door.shipment = None
            state.doors.touch(name)
    weigh(state, record.id, shipment, row.recorded_us)


def turned_up(state: State, epc: str, at_us: int, recorded_us: int) -> None:
    """A tag is inside the house: an inbound shipment that waits for it has it."""
    waiting = state.index.expecting["inbound"].get(epc)
    if waiting:
        _tick_off(state, first(state, waiting), epc, at_us, recorded_us)


def crossed(state: State, crossing: Crossing) -> None:
    """A tag came in from the world or went out to it."""
    waiting = state.index.expecting[crossing.direction].get(crossing.epc)
    if waiting:
        here = at_door(state, crossing.door, crossing.direction, crossing.recorded_us)
        its = here if here is not None and here in waiting else first(state, waiting)
        _tick_off(state, its, crossing.epc, crossing.at_us, crossing.recorded_us)
        stands_at(state, its, crossing.door, crossing.recorded_us)
    elif crossing.newsworthy and crossing.sku is not None:
        key = _shipment_for(state, crossing)
        if key is None:
            _remember(state, crossing)
        elif crossing.epc not in state.index.cases[key]:
            shipment = state.shipments.rows[key]
            attribute(state, key, crossing.epc, crossing.sku, crossing.at_us, crossing.recorded_us)
            shipment.touched_us = crossing.recorded_us
            stands_at(state, key, crossing.door, crossing.recorded_us)
            weigh(state, key, shipment, crossing.recorded_us)


def case_state(shipment: Shipment, case: Case) -> Literal["expected", "seen", "unexpected", "missing"]:
    """How a case stands; `missing` only once the shipment is settled."""
    if case.seen_us is None:
        return "expected" if shipment.settled_us is None else "missing"
    return "unexpected" if case.unexpected else "seen"


def at_door(state: State, door: str, direction: Direction | None, now_us: int) -> str | None:
    """The shipment that stands at a door."""
    row = state.doors.get(door)
    key = row.shipment if row is not None else None
    if key is not None:
        shipment = state.shipments.rows[key]
        if direction in (None, shipment.direction) and present(state, shipment, now_us):
            return key
    bound = [key for key in state.index.bound_for[door] if direction in (None, state.shipments.rows[key].direction)]
    return first(state, bound) if bound else None


def present(state: State, shipment: Shipment, now_us: int) -> bool:
    """It is still at its door: not ended, or something of it came lately."""
    return not shipment.ended or now_us - shipment.touched_us <= state.house.settle_us


def reindex(state: State) -> None:
    """Derive the indexes from the tables."""
    for case in state.cases.rows.values():
        state.index.cases[case.shipment][case.epc] = case
    for key, shipment in state.shipments.rows.items():
        enlist(state, key, shipment)


def case_key(shipment: str, epc: str) -> str:
    """Key of a case in its table."""
    return f"{epc} {shipment}"


def enlist(state: State, key: str, shipment: Shipment) -> None:
    """Into the indexes, as far as it still waits for something."""
    index = state.index
    expecting = index.expecting[shipment.direction]
    for case in index.cases[key].values():
        if case.named and case.seen_us is None:
            expecting.setdefault(case.epc, set()).add(key)
    if shipment.order is not None and shipment.direction == "inbound":
        index.shipments_of_order[shipment.order].add(key)
    if shipment.ended:
        return
    index.open_shipments.add(key)
    if shipment.door is not None:
        index.bound_for[shipment.door].add(key)
        state.shown.add(("doors", shipment.door))
    if shipment.direction == "inbound":
        for sku in shipment.lines:
            index.in_transit[sku].add(key)


def delist(state: State, key: str, shipment: Shipment, cases: Iterable[Case] = ()) -> None:
    """Out of the indexes of shipments that have not ended; `cases` are no longer waited for."""
    index = state.index
    index.open_shipments.discard(key)
    if shipment.door is not None:
        index.bound_for[shipment.door].discard(key)
        state.shown.add(("doors", shipment.door))
    for sku in shipment.lines:
        index.in_transit[sku].discard(key)
    for case in cases:
        _expect_no_more(state, shipment.direction, case.epc, key)


def _expect_no_more(state: State, direction: Direction, epc: str, key: str) -> None:
    expecting = state.index.expecting[direction]
    waiting = expecting.get(epc)
    if waiting and key in waiting:
        waiting.discard(key)
        if not waiting:
            del expecting[epc]


def _tick_off(state: State, key: str, epc: str, at_us: int, recorded_us: int) -> None:
    """A case that a shipment waits for is there."""
    shipment = state.shipments.rows[key]
    see(state, key, state.index.cases[key][epc], at_us)
    shipment.touched_us = recorded_us
    weigh(state, key, shipment, recorded_us)


def attribute(state: State, key: str, epc: str, sku: str, at_us: int, now_us: int) -> None:
    """A case came with a shipment: named, or one of a line's unnamed units, or unexpected."""
    shipment = state.shipments.rows[key]
    case = state.index.cases[key].get(epc)
    if case is not None and case.seen_us is not None:
        return  # it was counted when it came through another door, or the same one before
    if case is None:
        line = shipment.lines.get(sku)
        wanted = line is not None and line.room > 0
        case = Case(shipment=key, epc=epc, sku=sku, unexpected=not wanted)
        state.index.cases[key][epc] = state.cases.put(case_key(key, epc), case)
    see(state, key, case, at_us)
    if case.unexpected:
        exceptions.begin(state, "unexpected", key, now_us, shipment.unexpected)


def see(state: State, key: str, case: Case, at_us: int) -> None:
    """A case of a shipment was seen: in its figures, and in the item's own row."""
    shipment = state.shipments.rows[key]
    case.seen_us = at_us
    state.cases.touch(case_key(key, case.epc))
    _expect_no_more(state, shipment.direction, case.epc, key)
    if case.unexpected:
        shipment.unexpected += 1
    else:
        line = shipment.lines[case.sku]
        line.seen += 1
        line.unnamed_seen += not case.named
        shipment.seen += 1
        state.position_moved(case.sku)
    shipment.first_seen_us = min(shipment.first_seen_us or at_us, at_us)
    shipment.last_seen_us = max(shipment.last_seen_us or at_us, at_us)
    item = state.items.get(case.epc)
    if item is not None:
        item.shipment = key
        state.items.touch(case.epc)


def weigh(state: State, key: str, shipment: Shipment, now_us: int) -> None:
    """After any change: exceptions, order and indexes say what the figures say."""
    state.shipments.touch(key)
    if shipment.unexpected:
        exceptions.update(state, "unexpected", key, now_us, shipment.unexpected)
    else:
        exceptions.end(state, "unexpected", key, now_us, "belongs to another shipment")
    if shipment.missing:
        exceptions.update(state, "missing", key, now_us, shipment.missing, _figures(shipment))
    else:
        exceptions.end(state, "missing", key, now_us, "seen")
    if shipment.ended:
        delist(state, key, shipment)
        for sku in shipment.lines:
            state.position_moved(sku)
    if shipment.order is not None:
        orders.refresh(state, shipment.order, now_us)


def _figures(shipment: Shipment) -> dict[str, str | int | float]:
    return {"expected": shipment.expected, "seen": shipment.seen}


def _shipment_for(state: State, crossing: Crossing) -> str | None:
    """The shipment that a case which nobody named belongs to: of several bound for the door, one that wants its SKU."""
    here = at_door(state, crossing.door, crossing.direction, crossing.recorded_us)
    row = state.doors.get(crossing.door)
    if here is None or (row is not None and row.shipment == here):
        return here
    wanting = [key for key in state.index.bound_for[crossing.door] if _wants(state.shipments.rows[key], crossing)]
    return first(state, wanting) if wanting else here


def _wants(shipment: Shipment, crossing: Crossing) -> bool:
    line = shipment.lines.get(crossing.sku or "")
    return shipment.direction == crossing.direction and line is not None and line.room > 0


def first(state: State, keys: Iterable[str]) -> str:
    """The shipment that was announced first."""
    return min(keys, key=lambda key: (state.shipments.rows[key].announced_us, key))


def stands_at(state: State, key: str, name: str, now_us: int) -> None:
    """The shipment is at the door. What came in there just before without a shipment came with it."""
    door = state.doors.rows[name]
    if door.shipment == key:
        return
    door.shipment = key
    state.doors.touch(name)
    shipment = state.shipments.rows[key]
    if shipment.direction != "inbound":
        return
    came = [epc for epc, recorded_us in door.unclaimed if now_us - recorded_us <= state.house.settle_us]
    door.unclaimed = []
    for epc in came:
        item = state.items.rows[epc]
        if item.shipment is None and item.dock == name and item.sku is not None and item.placed is not None:
            attribute(state, key, epc, item.sku, item.placed[0], now_us)
    if came:
        weigh(state, key, shipment, now_us)


def _remember(state: State, crossing: Crossing) -> None:
    """A case came in without any shipment at the door: its own may only begin to be seen."""
    if crossing.direction == "inbound":
        door = state.doors.rows[crossing.door]
        door.unclaimed.append((crossing.epc, crossing.recorded_us))
        del door.unclaimed[:-UNCLAIMED]
