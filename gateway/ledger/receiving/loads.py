"""Loads: what the pallets of a shipment teach of a door's read rate, and which of them are hard to believe.

A load is the cases that were announced on one pallet. When its shipment has settled and the pallet came through a door
to the world, the cases of it that nobody read are there by inference alone. If that many went unread at a door that
reads most, they stay in the books, and somebody should count that pallet. A load that is believed, or of which every
case was seen (in the end), teaches the door's read rate, once.
"""

from gateway.ledger.receiving import readrate
from gateway.ledger.rows import Case, Shipment
from gateway.ledger.state import State


def judge(state: State, key: str, shipment: Shipment) -> None:
    """The shipment has settled: what is to be thought of each of its loads."""
    shipment.doubtful = []
    for sscc, cases in _loads(state, key).items():
        door = _door(cases)
        if door is None or sscc in shipment.taught or any(_missing(case) for case in cases):
            continue
        seen = sum(case.seen_us is not None for case in cases)
        known = state.doors.rows[door]
        if readrate.doubtful(seen, len(cases), known.read, known.unread_cases):
            shipment.doubtful.append(sscc)
        else:
            _teach(state, shipment, sscc, door, cases)


def learn(state: State, key: str, shipment: Shipment) -> None:
    """The shipment has ended. If every case of it was seen, there is nothing to wait for."""
    if shipment.inferred or shipment.missing or shipment.closed_us is not None:
        return
    for sscc, cases in _loads(state, key).items():
        door = _door(cases)
        if door is not None and sscc not in shipment.taught:
            _teach(state, shipment, sscc, door, cases)


def confirm(state: State, key: str, shipment: Shipment, sscc: str) -> None:
    """One more case of a doubtful load was seen: if it was the last, nothing of it is in doubt."""
    cases = _loads(state, key).get(sscc, [])
    if any(case.seen_us is None for case in cases):
        return
    shipment.doubtful = [one for one in shipment.doubtful if one != sscc]
    door = _door(cases)
    if door is not None:
        _teach(state, shipment, sscc, door, cases)


def doubted(state: State, key: str, shipment: Shipment) -> int:
    """Cases that are believed to be there by inference alone, and hardly."""
    if not shipment.doubtful:
        return 0
    return sum(
        case.inferred_us is not None and case.sscc in shipment.doubtful for case in state.index.cases[key].values()
    )


def _loads(state: State, key: str) -> dict[str, list[Case]]:
    """Cases by pallet, both in order of their tags: the index stands in another order after a restart."""
    loads: dict[str, list[Case]] = {}
    for _, case in sorted(state.index.cases[key].items()):
        if case.named and case.sscc is not None:
            loads.setdefault(case.sscc, []).append(case)
    return dict(sorted(loads.items()))


def _missing(case: Case) -> bool:
    return case.seen_us is None and case.inferred_us is None


def _door(cases: list[Case]) -> str | None:
    """The door to the world that the load came through."""
    return next((case.door for case in cases if case.door is not None), None)


def _teach(state: State, shipment: Shipment, sscc: str, door: str, cases: list[Case]) -> None:
    known = state.doors.rows[door]
    unread = sum(case.unread for case in cases)
    known.read += len(cases) - unread
    known.unread_cases += unread
    state.doors.touch(door)
    shipment.taught.append(sscc)
