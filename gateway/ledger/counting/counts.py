"""Cycle counts: a state machine in which each step is a record with who and when.

    requested         somebody, or the plan, asks for it
    counting          a counter goes; entries and steps of sweeps come in             (round 1, 2, ...)
    counted           submitted, and something lacks (`countrows.Need`); nobody is shown what the books say
    investigating     somebody looks into it: from here on the figures are shown, and who had to do with it may not
                      count it any more
    ready_for_review  every difference is inside the tolerance, or has a reason
    reviewed          another person than the counters accepts it
    completed         the gateway booked it, in the same commit
    cancelled         given up

A step out of turn is refused at the API; one that stands in the log all the same is a `Misfit`. A late event never
takes a step back: what it changes is judged again when the count is reviewed.
"""

from collections.abc import Iterable
from typing import Final

from contract.events import TagCount
from gateway.errors import Misfit
from gateway.ledger.counting import countjudge
from gateway.ledger.counting.countrows import Count, CountState, Entry, Found, Turn
from gateway.ledger.counting.countturns import Step, clash, person, refused
from gateway.ledger.goods import inventory, looks, zones
from gateway.ledger.goods.inventory import CLOCK_SLACK_US
from gateway.ledger.rows import Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow
from gateway.records.countrecords import (
    CountBegun,
    CountCancelled,
    CountEntered,
    CountInvestigated,
    CountRequested,
    CountReviewed,
    CountSubmitted,
)

MAX_MOVES: Final = 1_000
"""Tagged cases that may come and go while a zone is counted by number; with more the count fails."""
MAX_STEPS: Final = 2_000
"""Steps of the sweeps of one count; what later ones find is still seen, and counts as there."""


def requested(state: State, row: LogRow, record: CountRequested) -> None:
    """Somebody asks for a count."""
    zones.known(state, record.zone)
    if refusal := clash(state, record):
        raise Misfit(f"count {record.id!r}: {refusal.text}")
    count = Count(
        record.id,
        record.zone,
        sorted(set(record.skus)),
        sorted(set(record.methods)),
        requested_us=record.at_us,
        requested_by=record.who,
        plan=record.plan,
    )
    state.counts.put(record.id, count)
    state.index.open_counts[record.zone].add(record.id)
    _turn(state, record.id, count, "requested", row, record.who)


def begun(state: State, row: LogRow, record: CountBegun) -> None:
    """A counter goes to count. What earlier rounds found is put away, but for a recount of some SKUs."""
    count = _count(state, record)
    at_us = inventory.stamp(row)[0]
    count.since_us = max(at_us - CLOCK_SLACK_US, count.submitted_us or 0)
    count.round, count.counter, count.begun_us = record.round, record.counter, at_us
    if person(record.counter) not in map(person, count.counters):
        count.counters.append(record.counter)
    if record.skus:
        count.entries = {key: entry for key, entry in count.entries.items() if entry.sku not in record.skus}
    else:
        _forget(state, count)
        count.entries, count.steps = {}, []
    count.submitted_us, count.reasons, count.needs = None, {}, []
    _turn(state, record.id, count, "counting", row, record.counter)


def entered(state: State, row: LogRow, record: CountEntered) -> None:
    """What a counter found so far."""
    count = _count(state, record)
    at_us = inventory.stamp(row)[0]
    for line in record.lines:
        if count.covers(line.sku):
            entry = Entry(line.sku, line.lot or "", line.disposition, line.units, count.begun_us, at_us)
            count.entries[f"{line.sku}\x1f{entry.lot}\x1f{line.disposition}"] = entry
    if record.epcs:
        _step(state, count, record.epcs, inventory.stamp(row), record.counter)
        zones.sighted(state, row, count.zone, record.epcs)
    state.counts.touch(record.id)


def swept(state: State, row: LogRow, event: TagCount) -> None:
    """A step of a sweep: the count notes where the books had what it found, before they follow. For a count that is not
    under way, or of another zone, it is a sighting like any other."""
    count, by = state.counts.get(event.count), inventory.stamp(row)
    wanted = count is not None and count.under_way and count.swept and count.zone == event.zone
    if count is not None and wanted and by[0] >= count.since_us:
        _step(state, count, event.epcs, by, row.agent)
        state.counts.touch(event.count)
    zones.seen(state, row, event)


def submitted(state: State, row: LogRow, record: CountSubmitted) -> None:
    """The counter has finished: is it inside the tolerance, or what does it lack? Again after another sweep."""
    count = _count(state, record)
    if count.state == "counting":
        count.submitted_us = inventory.stamp(row)[0]
        _note_unlisted(state, count)
    _judge(state, record.id, count, row)
    _turn(state, record.id, count, "counted" if count.needs else "ready_for_review", row, record.counter)


def investigated(state: State, row: LogRow, record: CountInvestigated) -> None:
    """Somebody looked into the differences, and may say why."""
    count = _count(state, record)
    _inform(count, record.who)
    if record.epcs:
        at_us = inventory.stamp(row)[0]
        for epc in record.epcs:
            if epc not in state.index.finds.get(count.id, {}):
                _find(state, count, epc, at_us)
        zones.sighted(state, row, count.zone, record.epcs)
    count.reasons |= record.reasons
    _judge(state, record.id, count, row)
    _turn(state, record.id, count, "investigating" if count.needs else "ready_for_review", row, record.who, record.note)


def reviewed(state: State, row: LogRow, record: CountReviewed) -> None:
    """Another person accepts it (then `countbooks.completing` books it in the same commit), or wants it recounted."""
    count = _count(state, record)
    _inform(count, record.approver)
    to: CountState = "reviewed" if record.verdict == "accept" else "requested"
    if to == "reviewed":
        state.index.accepted.add(record.id)
    _turn(state, record.id, count, to, row, record.approver, record.note)


def cancelled(state: State, row: LogRow, record: CountCancelled) -> None:
    """Somebody gives it up."""
    count = _count(state, record)
    exceptions.end(state, "count_variance", record.id, row.recorded_us, record.why, record.who)
    ended(state, record.id, count, "cancelled", row, record.who, record.why)


def ended(state: State, key: str, count: Count, how: CountState, row: LogRow, who: str, note: str = "") -> None:
    """It is over: what it gathered is put away."""
    _forget(state, count)
    state.index.open_counts[count.zone].discard(key)
    if not state.index.open_counts[count.zone]:
        del state.index.open_counts[count.zone]
    state.index.accepted.discard(key)
    count.entries, count.steps, count.moves, count.needs = {}, [], [], []
    _turn(state, key, count, how, row, who, note)


def moved(state: State, row: LogRow, first: int) -> None:
    """Postings from this one on may have moved tagged stock that is being counted by number."""
    at_us = inventory.stamp(row)[0]
    for posting in state.postings[first:]:
        for key in state.index.open_counts.get(posting.zone, ()) if posting.epc else ():
            count = state.counts.rows[key]
            if count.under_way and not count.swept and count.covers(posting.sku):
                if len(count.moves) >= MAX_MOVES:
                    count.crowded = True
                else:
                    count.moves.append((at_us, posting.sku, posting.lot, posting.disposition, posting.change))
                state.counts.touch(key)


def trim(state: State, before_us: int) -> None:
    """Counts that ended before a moment leave the books; when each record was counted last stays (`Audit`)."""
    for key, count in list(state.counts.rows.items()):
        if not count.open and count.turns[-1].at_us < before_us:
            state.counts.drop(key)


def reindex(state: State) -> None:
    """Derive the indexes from the tables."""
    for key, count in state.counts.rows.items():
        if count.open:
            state.index.open_counts[count.zone].add(key)
        if count.state == "reviewed":
            state.index.accepted.add(key)
    for found in state.finds.rows.values():
        _enlist(state, found)
    for zone, sweeps in state.sweeps.rows.items():
        state.index.swept[zone] = dict(sweeps.began_us)


def _count(state: State, record: Step) -> Count:
    count = state.counts.get(record.id)
    if count is None:
        raise Misfit(f"nobody asked for a count {record.id!r}")
    if refusal := refused(state, count, record):
        raise Misfit(f"count {record.id!r}: {refusal.text}")
    return count


def _turn(state: State, key: str, count: Count, to: CountState, row: LogRow, who: str, note: str = "") -> None:
    count.state = to
    count.revealed |= count.shown
    turn, last = Turn(to, row.at_us, who, count.round, note), count.turns[-1] if count.turns else None
    if last is None or (last.state, last.who, last.round, last.note) != (to, who, count.round, note):
        count.turns.append(turn)
    state.counts.touch(key)


def _inform(count: Count, who: str) -> None:
    if person(who) not in map(person, count.informed):
        count.informed.append(who)


def _judge(state: State, key: str, count: Count, row: LogRow) -> None:
    """What it lacks; and the exception, which tells no figure: another round must be as blind as the first."""
    judged = countjudge.judge(state, count)
    count.needs = judged.needs
    for line in judged.lines:
        for epc in line.missing:  # it was looked for in vain, which belief must know
            looks.searched(state, epc, inventory.stamp(row)[0], line.confidence)
    off = sum(line.verdict not in ("exact", "within") for line in judged.lines)
    if off:
        figures: dict[str, str | int | float] = {"zone": count.zone, "round": count.round}
        exceptions.begin(state, "count_variance", key, row.recorded_us, off, figures)
    else:
        exceptions.end(state, "count_variance", key, row.recorded_us, "counted again, it is inside the tolerance")


def _note_unlisted(state: State, count: Count) -> None:
    """Stock of which nobody entered anything is not there, as of this moment and of this round."""
    if count.by_hand and count.submitted_us is not None:
        for key in sorted(countjudge.unentered(state, count)):
            count.entries["\x1f".join(key)] = countjudge.absent(count, key, count.submitted_us)


def _step(state: State, count: Count, epcs: Iterable[str], by: Stamp, agent: str) -> None:
    if len(count.steps) >= MAX_STEPS:
        return
    count.steps.append((by[0], agent))
    known = state.index.finds.get(count.id, {})
    for epc in dict.fromkeys(epcs):
        found = known.get(epc) or _find(state, count, epc, by[0])
        found.first_us = min(found.first_us, by[0])
        found.steps.append(len(count.steps) - 1)
        state.finds.touch(f"{epc} {count.id}")


def _find(state: State, count: Count, epc: str, at_us: int) -> Found:
    """A tag is found for the first time: to be noted before the books follow."""
    item = state.items.get(epc)
    found = state.finds.put(f"{epc} {count.id}", Found(count.id, epc, at_us))
    if item is not None and item.known:
        last = item.inferred or item.placed
        found.before_us, found.before = last[0] if last else 0, item.zone
    count.tags += 1
    _enlist(state, found)
    return found


def _enlist(state: State, found: Found) -> None:
    state.index.finds.setdefault(found.count, {})[found.epc] = found
    state.index.sought[found.epc].add(found.count)


def _forget(state: State, count: Count) -> None:
    """What was found so far does not matter any more."""
    for epc in state.index.finds.pop(count.id, {}):
        state.finds.drop(f"{epc} {count.id}")
        state.index.sought[epc].discard(count.id)
        if not state.index.sought[epc]:
            del state.index.sought[epc]
    count.tags = 0
