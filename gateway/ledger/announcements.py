"""Announcements: what a partner says will come or go, and what has come of it already when he says so.

An announcement may come after the truck, twice, or changed after half of it was unloaded: each time the shipment is
what it would be, had it been announced like this before.
"""

import hashlib

import msgspec

from gateway.ledger import exceptions, orders, quarantine, shipments, stock
from gateway.ledger.rows import Case, Line, Shipment
from gateway.ledger.state import State
from gateway.records import AsnReceived, LogRow


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
        announced_us=old.announced_us if old is not None else row.recorded_us,
        touched_us=row.recorded_us,
    )
    for named in asn.cases:
        quarantine.belongs(state, named.epc, named.lot, row.recorded_us)
    state.shipments.put(asn.id, shipment)
    _expect(state, asn, shipment)
    shipments.enlist(state, asn.id, shipment)
    for case in came:
        if case.seen_us is not None:
            shipments.attribute(state, asn.id, case.epc, case.sku, case.seen_us, row.recorded_us)
    for named in asn.cases:
        _claim(state, asn.id, shipment, named.epc)
    shipments.weigh(state, asn.id, shipment, row.recorded_us)


def same(state: State, asn: AsnReceived) -> bool:
    """Whether an ASN says what is known already."""
    shipment = state.shipments.get(asn.id)
    return shipment is not None and shipment.content == _digest(asn)


def _expect(state: State, asn: AsnReceived, shipment: Shipment) -> None:
    """Lines and named cases of an ASN. A line that counts more than its named cases leaves room for unnamed ones."""
    for line in asn.lines:
        entry = shipment.lines.setdefault(line.sku, Line())
        entry.expected += max(line.units, 0)
    for named in asn.cases:
        key = shipments.case_key(asn.id, named.epc)
        if key in state.cases.rows:
            continue
        sku = state.house.tag(named.epc).sku or shipments.UNIDENTIFIED
        shipment.lines.setdefault(sku, Line()).named += 1
        case = Case(shipment=asn.id, epc=named.epc, sku=sku, sscc=named.sscc, named=True)
        state.index.cases[asn.id][named.epc] = state.cases.put(key, case)
    for sku, entry in shipment.lines.items():
        entry.expected = max(entry.expected, entry.named)
        if shipment.direction == "inbound" and sku != shipments.UNIDENTIFIED:
            stock.announced(state, sku)
    shipment.expected = sum(entry.expected for entry in shipment.lines.values())


def _withdraw(state: State, key: str, old: Shipment, now_us: int) -> list[Case]:
    """Take back what was expected; the cases that had come."""
    shipments.delist(state, key, old, state.index.cases[key].values())
    cases = list(state.index.cases.pop(key, {}).values())
    for case in cases:
        state.cases.drop(shipments.case_key(key, case.epc))
    if old.order is not None:
        state.index.shipments_of_order[old.order].discard(key)
        orders.refresh(state, old.order, now_us)
    for sku in old.lines:
        state.position_moved(sku)
    exceptions.end(state, "missing", key, now_us, "announced anew")
    return sorted((case for case in cases if case.seen_us is not None), key=lambda case: (case.seen_us, case.epc))


def _claim(state: State, key: str, shipment: Shipment, epc: str) -> None:
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
        _disown(state, item.shipment, epc, shipment.touched_us)
    shipments.see(state, key, case, item.placed[0])
    shipments.stands_at(state, key, item.dock, shipment.touched_us)


def _disown(state: State, key: str, epc: str, now_us: int) -> None:
    """A case that came unexpected with a shipment belongs to another one."""
    shipment = state.shipments.rows[key]
    shipment.unexpected -= 1
    del state.index.cases[key][epc]
    state.cases.drop(shipments.case_key(key, epc))
    shipments.weigh(state, key, shipment, now_us)


def _digest(asn: AsnReceived) -> str:
    content = msgspec.structs.replace(asn, at_us=0)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
