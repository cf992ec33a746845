"""Shipments: what was announced against what came through the doors.

A case is told apart by its EPC where the partner named it, else by its SKU: the units of a line that are not named are
filled by cases of that SKU that come through the door where the shipment stands, or by what somebody tells by hand.

The shipment at a door is the one whose case was last seen there, until it has ended and nothing of it came for the
settling time; else one whose ASN names the door, which has not ended and stands at no other. What is counted, and what
becomes an exception, stands in `tally`.
"""

from typing import Literal, NamedTuple

from gateway.errors import Misfit
from gateway.ledger.receiving import awaited, tally
from gateway.ledger.receiving.tally import Sighting
from gateway.ledger.rows import Case, Direction, Shipment, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import ExceptionReopened, LogRow, ShipmentClosed, ShipmentSettled

UNCLAIMED = 60
"""Cases without a shipment that a door remembers."""


CaseState = Literal["expected", "seen", "inferred", "unexpected", "over", "missing"]


class Crossing(NamedTuple):
    """One tag went through a door to the world."""

    epc: str
    sku: str | None
    door: str
    direction: Direction
    by: Stamp
    recorded_us: int
    newsworthy: bool
    """A stock unit that comes in and was not held, or goes out and was: if nobody expects it, it is unexpected."""
    inferred: bool = False
    """Not its own tag was seen but that of its pallet."""
    container: str | None = None
    """The logistic unit that it was seen to move with."""

    @property
    def sighting(self) -> Sighting:
        """What it says of the case."""
        return Sighting(self.by, self.recorded_us, self.door, self.container)


def settled(state: State, row: LogRow, record: ShipmentSettled) -> None:
    """Nothing came for so long that what is not seen is missing."""
    shipment = state.shipments.get(record.id)
    if shipment is None or not shipment.unsettled:
        return
    tally.settle(state, record.id, shipment, row.recorded_us)
    _leave_doors(state, record.id)
    tally.weigh(state, record.id, shipment, row.recorded_us)


def closed(state: State, row: LogRow, record: ShipmentClosed) -> None:
    """Somebody ends a shipment as it is, or takes that back."""
    shipment = state.shipments.get(record.id)
    if shipment is None:
        raise Misfit(f"shipment {record.id!r} was never announced")
    if record.reopened:
        _open_again(state, record.id, shipment, row.recorded_us)
    elif shipment.closed_us is None:
        shipment.closed_us, shipment.closed_by, shipment.closed_why = row.recorded_us, record.who, record.why
        shipment.settled_us = shipment.settled_us or row.recorded_us
        shipment.doubtful = []
        _leave_doors(state, record.id)
        for kind in ("missing", "short", "unexpected", "over"):
            exceptions.end(state, kind, record.id, row.recorded_us, record.why, record.who)
        tally.weigh(state, record.id, shipment, row.recorded_us)


def exception_reopened(state: State, row: LogRow, record: ExceptionReopened) -> None:
    """An exception is open again; one about a shipment says what the shipment is now."""
    exceptions.reopen(state, row, record)
    incident = state.exceptions.get(record.id)
    shipment = state.shipments.get(incident.subject) if incident is not None else None
    if incident is not None and shipment is not None:
        tally.weigh(state, incident.subject, shipment, row.recorded_us)


def turned_up(state: State, epc: str, by: Stamp, recorded_us: int, *, inferred: bool = False) -> None:
    """A tag, or (`inferred`) its pallet, is inside the house: an inbound shipment that waits for it has it."""
    waiting = state.index.expecting["inbound"].get(epc)
    if waiting:
        _tick_off(state, awaited.first(state, waiting), epc, Sighting(by, recorded_us), inferred=inferred)


def crossed(state: State, crossing: Crossing) -> None:
    """A tag came in from the world or went out to it."""
    waiting = state.index.expecting[crossing.direction].get(crossing.epc)
    if waiting:
        here = at_door(state, crossing.door, crossing.direction, crossing.recorded_us)
        its = here if here is not None and here in waiting else awaited.first(state, waiting)
        _tick_off(state, its, crossing.epc, crossing.sighting, inferred=crossing.inferred)
        stands_at(state, its, crossing.door, crossing.recorded_us)
    elif (told_late := _told_late(state, crossing)) is not None:
        tally.carried(state, *told_late, crossing.sighting)
    elif crossing.newsworthy and crossing.sku is not None:
        key = _shipment_for(state, crossing)
        if key is None:
            _remember(state, crossing)
        elif crossing.epc not in state.index.cases[key]:
            shipment = state.shipments.rows[key]
            tally.attribute(state, key, crossing.epc, crossing.sku, crossing.sighting)
            shipment.touched_us = crossing.recorded_us
            stands_at(state, key, crossing.door, crossing.recorded_us)
            tally.weigh(state, key, shipment, crossing.recorded_us)


def told_by_hand(state: State, key: str, epc: str, sku: str | None, sighting: Sighting, *, inferred: bool) -> None:
    """Somebody says that a tag came, or went, with a shipment."""
    shipment = state.shipments.rows[key]
    waiting = state.index.expecting[shipment.direction].get(epc, ())
    if key in waiting:
        _tick_off(state, key, epc, sighting, inferred=inferred)
    elif sku is not None and not inferred:
        tally.attribute(state, key, epc, sku, sighting)
        touch(state, key, sighting.now_us)


def units_by_hand(state: State, key: str, sku: str, units: int, sighting: Sighting) -> None:
    """Somebody says that untagged units came, or went, with a shipment."""
    tally.count_by_hand(state, key, sku, units, sighting)
    touch(state, key, sighting.now_us)


def touch(state: State, key: str, now_us: int) -> None:
    """Something of a shipment came."""
    shipment = state.shipments.rows[key]
    shipment.touched_us = now_us
    tally.weigh(state, key, shipment, now_us)


def case_state(shipment: Shipment, case: Case) -> CaseState:
    """How a case stands; `missing` only once the shipment is settled."""
    if case.inferred_us is not None:
        return "inferred"
    if case.seen_us is None:
        return "expected" if shipment.settled_us is None else "missing"
    if case.unexpected:
        return "over" if case.over else "unexpected"
    return "seen"


def at_door(state: State, door: str, direction: Direction | None, now_us: int) -> str | None:
    """The shipment that stands at a door."""
    row = state.doors.get(door)
    key = row.shipment if row is not None else None
    if key is not None:
        shipment = state.shipments.get(key)
        if shipment and direction in (None, shipment.direction) and present(state, shipment, now_us):
            return key
    elsewhere = {row.shipment for name, row in state.doors.rows.items() if name != door}
    bound = [key for key in _bound_for(state, door, direction) if key not in elsewhere]
    return awaited.first(state, bound) if bound else None


def present(state: State, shipment: Shipment, now_us: int) -> bool:
    """It is still at its door: not ended, or something of it came lately."""
    return not shipment.ended or now_us - shipment.touched_us <= state.house.settle_us


def stands_at(state: State, key: str, name: str, now_us: int) -> None:
    """The shipment is at the door. What came in there just before without a shipment came with it."""
    door = state.doors.rows[name]
    if door.shipment == key:
        return
    door.shipment = key
    state.doors.touch(name)
    shipment = state.shipments.rows[key]
    if shipment.door is not None:
        state.shown.add(("doors", shipment.door))
    if shipment.direction != "inbound":
        return
    came = [epc for epc, recorded_us in door.unclaimed if now_us - recorded_us <= state.house.settle_us]
    door.unclaimed = []
    for epc in came:
        item = state.items.get(epc)
        if item is None or item.shipment is not None or item.dock != name:
            continue
        if item.sku is not None and item.placed is not None:
            tally.attribute(state, key, epc, item.sku, Sighting(item.placed, now_us, name, item.container))
    if came:
        tally.weigh(state, key, shipment, now_us)


def _tick_off(state: State, key: str, epc: str, sighting: Sighting, *, inferred: bool) -> None:
    """A case that a shipment waits for is there, or its pallet is."""
    case = state.index.cases[key][epc]
    (tally.infer if inferred else tally.see)(state, key, case, sighting)
    touch(state, key, sighting.now_us)


def _told_late(state: State, crossing: Crossing) -> tuple[str, Case] | None:
    """A case that was ticked off where a zone's reader saw it, of which only now it is told how it had come in."""
    item = state.items.get(crossing.epc)
    key = item.shipment if item is not None else None
    shipment = state.shipments.get(key) if key is not None else None
    if key is None or shipment is None or shipment.direction != crossing.direction or crossing.inferred:
        return None
    case = state.index.cases[key].get(crossing.epc)
    return (key, case) if case is not None and case.seen_us is not None and case.door is None else None


def _leave_doors(state: State, key: str) -> None:
    for name, door in state.doors.rows.items():
        if door.shipment == key:
            door.shipment = None
            state.doors.touch(name)


def _open_again(state: State, key: str, shipment: Shipment, now_us: int) -> None:
    """It is waited for again, until nothing comes for as long as a shipment needs to settle."""
    if shipment.closed_us is None:
        return
    shipment.closed_us = shipment.closed_by = shipment.closed_why = shipment.settled_us = None
    shipment.late = 0
    exceptions.end(state, "unexpected", key, now_us, "the shipment is open again")
    shipment.touched_us = now_us
    awaited.enlist(state, key, shipment)
    for sku in shipment.lines:
        state.position_moved(sku)
    tally.weigh(state, key, shipment, now_us)


def _shipment_for(state: State, crossing: Crossing) -> str | None:
    """The shipment that a case which nobody named belongs to: of several bound for the door, one that wants its SKU."""
    here = at_door(state, crossing.door, crossing.direction, crossing.recorded_us)
    row = state.doors.get(crossing.door)
    if here is None or (row is not None and row.shipment == here):
        return here
    bound = _bound_for(state, crossing.door, crossing.direction)
    wanting = [key for key in bound if _wants(state.shipments.rows[key], crossing)]
    return awaited.first(state, wanting) if wanting else here


def _bound_for(state: State, door: str, direction: Direction | None) -> list[str]:
    """Shipments that have not ended and whose announcement names a door."""
    return [key for key in state.index.bound_for[door] if direction in (None, state.shipments.rows[key].direction)]


def _wants(shipment: Shipment, crossing: Crossing) -> bool:
    line = shipment.lines.get(crossing.sku or "")
    return line is not None and line.room > 0


def _remember(state: State, crossing: Crossing) -> None:
    """A case came in without any shipment at the door: its own may only begin to be seen."""
    if crossing.direction == "inbound":
        door = state.doors.rows[crossing.door]
        door.unclaimed.append((crossing.epc, crossing.recorded_us))
        del door.unclaimed[:-UNCLAIMED]
