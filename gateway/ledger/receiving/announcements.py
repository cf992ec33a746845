"""Announcements: what a partner says will come or go, and what has come of it already when he says so.

An announcement may come after the truck, twice, or changed after half of it was unloaded: each time the shipment is
what it would be, had it been announced like this before.
"""

import hashlib

import msgspec

from gateway.ledger.goods import containers, inventory, masterdata, quarantine, stock
from gateway.ledger.receiving import awaited, orders, shipments, tally
from gateway.ledger.receiving.tally import Sighting
from gateway.ledger.rows import Case, Line, Shipment, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import AsnCase, AsnReceived, LogRow


def announced(state: State, row: LogRow, asn: AsnReceived) -> None:
    """A partner announced a shipment. The same again changes nothing; a changed one replaces what is expected."""
    if same(state, asn):
        return
    old = state.shipments.get(asn.id)
    came = _withdraw(state, asn.id, old, row.recorded_us) if old is not None else []
    shipment = Shipment(
        content=_digest(asn),
        direction=asn.direction,
        partner=asn.partner,
        door=asn.door,
        order=asn.order,
        purpose=asn.purpose,
        announced_us=old.announced_us if old is not None else row.recorded_us,
        touched_us=row.recorded_us,
    )
    if old is not None:
        _keep(shipment, old)
    stood_on = {named.epc: item.container for named in asn.cases if (item := state.items.get(named.epc)) is not None}
    for named in asn.cases:
        _describe(state, row, asn, named)
    for line in asn.lines:
        masterdata.expiry(state, line.sku, line.lot, line.expires, row.recorded_us)
    state.shipments.put(asn.id, shipment)
    _expect(state, asn, shipment)
    awaited.enlist(state, asn.id, shipment)
    if old is not None:
        _count_again(state, asn.id, shipment, old, came, row.recorded_us)
    for named in asn.cases:
        _claim(state, asn.id, shipment, named.epc, stood_on.get(named.epc))
    tally.weigh(state, asn.id, shipment, row.recorded_us)


def same(state: State, asn: AsnReceived) -> bool:
    """Whether an ASN says what is known already."""
    shipment = state.shipments.get(asn.id)
    return shipment is not None and shipment.content == _digest(asn)


def _keep(shipment: Shipment, old: Shipment) -> None:
    """What people said of it, and what was learned from it, stands whatever is announced."""
    shipment.taught = old.taught
    shipment.closed_us, shipment.closed_by, shipment.closed_why = old.closed_us, old.closed_by, old.closed_why
    shipment.settled_us = old.closed_us
    shipment.late = old.late


def _describe(state: State, row: LogRow, asn: AsnReceived, named: AsnCase) -> None:
    """What the document says of a case: its lot, when that expires, and the pallet that it stands on."""
    quarantine.belongs(state, named.epc, named.lot, row.recorded_us)
    sku = state.house.tag(named.epc).sku
    if sku is not None:
        masterdata.expiry(state, sku, named.lot, named.expires, row.recorded_us)
    if named.sscc is not None and not _came_on_another(state, asn, named):
        containers.join(state, named.epc, named.sscc, inventory.stamp(row))


def _came_on_another(state: State, asn: AsnReceived, named: AsnCase) -> bool:
    """The truck was here before its document: a case that was seen to come on another pallet stands on that one."""
    item = state.items.get(named.epc)
    if item is None or asn.direction != "inbound" or item.zone is None or item.placed is None:
        return False
    return item.container not in (None, named.sscc)


def _expect(state: State, asn: AsnReceived, shipment: Shipment) -> None:
    """Lines and named cases of an ASN. A line that counts more than its named cases leaves room for unnamed ones."""
    for line in asn.lines:
        entry = shipment.lines.setdefault(line.sku, Line())
        entry.expected += max(line.units, 0)
        if line.lot is not None:
            entry.lots[line.lot] = entry.lots.get(line.lot, 0) + max(line.units, 0)
    for named in asn.cases:
        key = tally.case_key(asn.id, named.epc)
        if key in state.cases.rows:
            continue
        sku = state.house.tag(named.epc).sku or tally.UNIDENTIFIED
        shipment.lines.setdefault(sku, Line()).named += 1
        case = Case(asn.id, named.epc, sku, named.sscc, named=True, lot=named.lot, expires=named.expires)
        state.index.cases[asn.id][named.epc] = state.cases.put(key, case)
    for sku, entry in shipment.lines.items():
        entry.expected = max(entry.expected, entry.named)
        if shipment.direction == "inbound" and sku != tally.UNIDENTIFIED:
            stock.announced(state, sku)
    shipment.expected = sum(entry.expected for entry in shipment.lines.values())


def _withdraw(state: State, key: str, old: Shipment, now_us: int) -> list[Case]:
    """Take back what was expected; the cases that had come."""
    awaited.delist(state, key, old, state.index.cases[key].values())
    state.index.open_shipments.discard(key)
    cases = list(state.index.cases.pop(key, {}).values())
    for case in cases:
        state.cases.drop(tally.case_key(key, case.epc))
    if old.order is not None:
        state.index.shipments_of_order[old.order].discard(key)
        orders.refresh(state, old.order, now_us)
    for sku in old.lines:
        state.position_moved(sku)
    exceptions.end(state, "missing", key, now_us, "announced anew")
    exceptions.end(state, "short", key, now_us, "announced anew")
    return sorted((case for case in cases if case.by is not None), key=lambda case: (case.by, case.epc))


def _count_again(state: State, key: str, shipment: Shipment, old: Shipment, came: list[Case], now_us: int) -> None:
    """What had come, by the new announcement."""
    again = shipment.purpose == old.purpose
    for case in came:
        assert case.by is not None
        known = state.index.cases[key].get(case.epc)
        sighting = Sighting(case.by, now_us, case.door, case.seen_on, again, tally.marks(old, case))
        if case.seen_us is not None:
            tally.attribute(state, key, case.epc, case.sku, sighting)
            state.index.cases[key][case.epc].unread = case.unread
        elif known is not None:
            tally.infer(state, key, known, sighting)
    for sku, line in old.lines.items():
        if line.by_hand:
            by: Stamp = (old.last_seen_us or now_us, "", "", 0)
            tally.count_by_hand(state, key, sku, line.by_hand, Sighting(by, now_us, again=True))


def _claim(state: State, key: str, shipment: Shipment, epc: str, stood_on: str | None) -> None:
    """The ASN came after the truck: a named case that already crossed a dock, and belongs to no other, has come."""
    item = state.items.get(epc)
    case = state.index.cases[key][epc]
    if item is None or item.placed is None or item.dock is None or case.seen_us is not None:
        return
    if (item.zone is not None) != (shipment.direction == "inbound"):
        return
    if item.shipment is not None:
        other = state.index.cases[item.shipment].get(epc)
        if other is None or not other.unexpected:
            return
        tally.disown(state, item.shipment, epc, shipment.touched_us)
    tally.see(state, key, case, Sighting(item.placed, shipment.touched_us, item.dock, stood_on))
    shipments.stands_at(state, key, item.dock, shipment.touched_us)


def _digest(asn: AsnReceived) -> str:
    content = msgspec.structs.replace(asn, at_us=0)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
