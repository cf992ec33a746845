"""The tally of a shipment: what came of what was announced, case by case, and the exceptions that follow from it.

    seen          its own tag was seen (or somebody told it by hand)
    inferred      only its pallet was seen
    unexpected    it came and nobody had announced it
    over          it came and is one more than was announced of its SKU by number
    missing       nothing of it was seen when the shipment had settled

Of those that came, a case may have been seen to move with another pallet than announced (`wrong_pallet`), or have come
through another door (`wrong_door`): both count as come.

What the exceptions mean, so that no fact is told twice:

    missing       cases known by their tags, once nothing of the shipment came for so long; with `doubtful`, cases that
                  are there by inference that is hard to believe (`loads`)
    short         units that were announced only by number and did not come, at the same moment
    unexpected    tags that were not announced; of a shipment that was closed, whatever still comes (`late`)
    over          units beyond what was announced by number

Somebody may close a shipment as it is, short or over: that ends these four, and nothing is waited for any more.
"""

from typing import NamedTuple

from gateway.ledger.goods import inventory, quarantine
from gateway.ledger.receiving import awaited, loads, orders
from gateway.ledger.rows import Case, ExceptionKind, Line, Param, Shipment, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions

UNIDENTIFIED = "unidentified"
"""Stands for the SKU of an announced tag that is no stock unit."""


class Sighting(NamedTuple):
    """Where a case, or its pallet, was seen."""

    by: Stamp
    now_us: int
    """Record time."""
    door: str | None = None
    """The door to the world that it went through."""
    on: str | None = None
    """EPC of the logistic unit that it moved with."""
    again: bool = False
    """It counted before; only the announcement is another one."""
    marked: tuple[bool, bool] = (False, False)
    """By that one before it was on the wrong pallet, and came through the wrong door."""


def case_key(shipment: str, epc: str) -> str:
    """Key of a case in its table."""
    return f"{epc} {shipment}"


def attribute(state: State, key: str, epc: str, sku: str, sighting: Sighting) -> None:
    """A case came with a shipment: named, or one of a line's unnamed units, or one that nobody announced."""
    shipment = state.shipments.rows[key]
    case = state.index.cases[key].get(epc)
    if case is not None and case.seen_us is not None:
        return  # it was counted when it came through another door, or the same one before
    if case is None:
        line = shipment.lines.get(sku)
        wanted = line is not None and line.room > 0
        over = line is not None and line.by_number and not wanted
        case = Case(shipment=key, epc=epc, sku=sku, unexpected=not wanted, over=over)
        state.index.cases[key][epc] = state.cases.put(case_key(key, epc), case)
        if line is not None and wanted:
            _label(state, line, epc, sighting.now_us)
    see(state, key, case, sighting)


def see(state: State, key: str, case: Case, sighting: Sighting) -> None:
    """A case of a shipment was seen: in its figures, and in the item's own row."""
    shipment = state.shipments.rows[key]
    before = marks(shipment, case)
    was_inferred = case.inferred_us is not None
    _with(state, key, shipment, case, sighting)
    case.seen_us, case.by = sighting.by[0], sighting.by
    if was_inferred:
        case.inferred_us = None
        shipment.inferred -= 1
        shipment.lines[case.sku].inferred -= 1
    if sighting.door is not None:
        case.door, case.unread = sighting.door, False
    case.seen_on = sighting.on
    state.cases.touch(case_key(key, case.epc))
    awaited.expect_no_more(state, shipment.direction, case.epc, key)
    _count(state, shipment, case)
    _here(shipment, case.seen_us)
    _remark(state, key, shipment, case, before, sighting)
    if was_inferred and case.sscc in shipment.doubtful:
        loads.confirm(state, key, shipment, case.sscc or "")
    if shipment.closed_us is not None and not sighting.again:
        case.late = True
        _late(state, key, shipment, 1, sighting.now_us)
    elif case.unexpected:
        kind: ExceptionKind = "over" if case.over else "unexpected"
        exceptions.begin(state, kind, key, sighting.now_us, *_now(state, key, shipment, kind))


def infer(state: State, key: str, case: Case, sighting: Sighting) -> None:
    """The pallet of a case was seen, and the case itself was not: it goes on being waited for."""
    shipment = state.shipments.rows[key]
    before = marks(shipment, case)
    _with(state, key, shipment, case, sighting)
    if case.inferred_us is None:
        shipment.inferred += 1
        shipment.lines[case.sku].inferred += 1
        state.position_moved(case.sku)
    case.inferred_us, case.by = sighting.by[0], sighting.by
    _here(shipment, case.inferred_us)
    if sighting.door is not None and case.door is None:
        case.door, case.unread = sighting.door, True
    state.cases.touch(case_key(key, case.epc))
    _remark(state, key, shipment, case, before, sighting)


def carried(state: State, key: str, case: Case, sighting: Sighting) -> None:
    """A case that has come turns out to have come through this door, on this pallet: it was told late."""
    if case.door is None and case.seen_us is not None:
        before = marks(state.shipments.rows[key], case)
        case.door, case.seen_on = sighting.door, sighting.on
        state.cases.touch(case_key(key, case.epc))
        _remark(state, key, state.shipments.rows[key], case, before, sighting)


def count_by_hand(state: State, key: str, sku: str, units: int, sighting: Sighting) -> None:
    """Somebody told of untagged units that came with a shipment, or went with it."""
    shipment = state.shipments.rows[key]
    line = shipment.lines.setdefault(sku, Line())
    fitting = min(units, max(0, line.room))
    line.by_hand += units
    line.unnamed_seen += fitting
    line.seen += fitting
    shipment.seen += fitting
    line.over += units - fitting
    shipment.over += units - fitting
    _here(shipment, sighting.by[0])
    state.position_moved(sku)
    if shipment.closed_us is not None and not sighting.again:
        _late(state, key, shipment, units, sighting.now_us)
    elif units > fitting:
        exceptions.begin(state, "over", key, sighting.now_us, *_now(state, key, shipment, "over"))


def disown(state: State, key: str, epc: str, now_us: int) -> None:
    """A case that came unexpected with a shipment belongs to another one."""
    shipment = state.shipments.rows[key]
    case = state.index.cases[key].pop(epc)
    if case.over:
        shipment.over -= 1
        shipment.lines[case.sku].over -= 1
    else:
        shipment.unexpected -= 1
    state.cases.drop(case_key(key, epc))
    weigh(state, key, shipment, now_us)


def settle(state: State, key: str, shipment: Shipment, now_us: int) -> None:
    """What is not seen is missing, or short; what is only inferred is believed, or not. Once more, if pallets came
    after that: of what was missing then somebody may have said already what becomes of it."""
    again = shipment.settled_us is not None
    shipment.settled_us = now_us
    loads.judge(state, key, shipment)
    for kind in ("missing", "short"):
        count, params = _now(state, key, shipment, kind)
        if count and (not again or params.get("doubtful")):
            exceptions.begin(state, kind, key, now_us, count, params)


def weigh(state: State, key: str, shipment: Shipment, now_us: int) -> None:
    """After any change: exceptions, order and indexes say what the figures say."""
    state.shipments.touch(key)
    for kind, why in _ENDS.items():
        if (kind, key) in state.index.open_exceptions:
            count, params = _now(state, key, shipment, kind)
            if count:
                exceptions.update(state, kind, key, now_us, count, params)
            else:
                exceptions.end(state, kind, key, now_us, why)
    if shipment.ended:
        loads.learn(state, key, shipment)
        awaited.delist(state, key, shipment)
        for sku in shipment.lines:
            state.position_moved(sku)
    if shipment.order is not None:
        orders.refresh(state, shipment.order, now_us)


_ENDS: dict[ExceptionKind, str] = {
    "missing": "seen",
    "short": "the units came",
    "unexpected": "belongs to another shipment",
    "over": "announced since",
    "wrong_pallet": "announced so since",
    "wrong_door": "announced so since",
}
"""Exceptions about a shipment, and why each ends by itself."""


def _now(state: State, key: str, shipment: Shipment, kind: ExceptionKind) -> tuple[int, dict[str, Param]]:
    """How many an exception about a shipment stands for at the moment, and its params."""
    figures: dict[str, Param] = {"expected": shipment.expected, "seen": shipment.seen, "inferred": shipment.inferred}
    closed = shipment.closed_us is not None
    match kind:
        case "missing" if not closed:
            doubted = loads.doubted(state, key, shipment)
            open_one = exceptions.current(state, "missing", key)
            if doubted or (open_one is not None and "doubtful" in open_one.params):
                figures |= {"doubtful": doubted, "pallet": ", ".join(shipment.doubtful[:3])}
            return shipment.missing - shipment.lacking + doubted, figures
        case "short" if not closed:
            return shipment.lacking, figures
        case "unexpected" if closed:
            return shipment.late, {"late": shipment.late}
        case "unexpected":
            return shipment.unexpected, {}
        case "over" if not closed:
            return shipment.over, {}
        case "wrong_pallet":
            return shipment.wrong_pallet, {}
        case "wrong_door":
            return shipment.wrong_door, {"door": shipment.door or ""}
    return 0, {}


def _count(state: State, shipment: Shipment, case: Case) -> None:
    """One more case was seen."""
    if case.over:
        shipment.over += 1
        shipment.lines[case.sku].over += 1
    elif case.unexpected:
        shipment.unexpected += 1
    else:
        line = shipment.lines[case.sku]
        line.seen += 1
        line.unnamed_seen += not case.named
        shipment.seen += 1
        state.position_moved(case.sku)


def _here(shipment: Shipment, at_us: int) -> None:
    """Something of it was seen, be it only a pallet."""
    shipment.first_seen_us = min(shipment.first_seen_us or at_us, at_us)
    shipment.last_seen_us = max(shipment.last_seen_us or at_us, at_us)


def _late(state: State, key: str, shipment: Shipment, units: int, now_us: int) -> None:
    """Somebody had closed it already."""
    shipment.late += units
    exceptions.begin(state, "unexpected", key, now_us, *_now(state, key, shipment, "unexpected"))


def _with(state: State, key: str, shipment: Shipment, case: Case, sighting: Sighting) -> None:
    """The item's own row says with which shipment it came; what comes back is not sold until somebody looked at it."""
    item = state.items.get(case.epc)
    if item is None:
        return
    item.shipment = key
    state.items.touch(case.epc)
    comes = case.seen_us is None and case.inferred_us is None and not sighting.again
    if comes and shipment.purpose == "return" and shipment.direction == "inbound":
        inventory.labelled(state, case.epc, disposition="quarantined")


def _label(state: State, line: Line, epc: str, now_us: int) -> None:
    """Of a line by number that is of one lot, every case is of that lot, unless its own document said another."""
    lots = list(line.lots.items())
    if len(lots) == 1 and lots[0][1] == line.expected - line.named and inventory.of(state, epc).lot is None:
        quarantine.belongs(state, epc, lots[0][0], now_us)


def marks(shipment: Shipment, case: Case) -> tuple[bool, bool]:
    """Whether it is on the wrong pallet, and whether it came through the wrong door."""
    came = case.seen_us is not None or case.inferred_us is not None
    pallet = None not in (case.seen_us, case.sscc, case.seen_on) and case.seen_on != case.sscc
    door = came and not case.unexpected and None not in (shipment.door, case.door) and case.door != shipment.door
    return pallet, door


def _remark(
    state: State, key: str, shipment: Shipment, case: Case, before: tuple[bool, bool], sighting: Sighting
) -> None:
    pallet, door = marks(shipment, case)
    shipment.wrong_pallet += pallet - before[0]
    shipment.wrong_door += door - before[1]
    state.shipments.touch(key)
    if pallet and not before[0] and not sighting.marked[0]:
        evidence: dict[str, Param] = {"epc": case.epc, "announced": case.sscc or "", "pallet": case.seen_on or ""}
        exceptions.begin(state, "wrong_pallet", key, sighting.now_us, shipment.wrong_pallet, evidence)
    if door and not before[1] and not sighting.marked[1]:
        where: dict[str, Param] = {"door": shipment.door or "", "came": case.door or ""}
        exceptions.begin(state, "wrong_door", key, sighting.now_us, shipment.wrong_door, where)
