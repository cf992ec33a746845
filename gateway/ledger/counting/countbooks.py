"""A count that was accepted, booked: as of its own moment, so that what moved since comes on top.

Untagged units are anchored at the time at which they were entered (`stock.counted`). Of tagged cases a sweep is an
observation too: whatever was seen in the zone last before it began, and no more since, is not there, also when that is
told later. A case that anything sees afterwards, or was seen elsewhere before, is where that says (`inventory.told`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from gateway.ledger.counting import countjudge, counts, countsweeps, findrate
from gateway.ledger.counting.countrows import Audit, Count, FindRate, Sweeps
from gateway.ledger.goods import containers, inventory, stock
from gateway.ledger.goods.stock import Place
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import GATEWAY, LogRow
from gateway.records.countrecords import CountCompleted, Expected


def completing(state: State, now_us: int) -> Iterator[CountCompleted]:
    """The counts that were accepted in this commit, as they are booked."""
    for key in sorted(state.index.accepted):
        count = state.counts.rows[key]
        judged = countjudge.judge(state, count)
        yield CountCompleted(
            at_us=now_us,
            id=key,
            as_of_us=count.submitted_us or count.begun_us,
            lines=tuple(judged.lines),
            bins=tuple(judged.bins),
            swept_us=count.swept_us if count.swept else None,
            swept=tuple(count.skus) if count.swept else (),
        )


def completed(state: State, row: LogRow, record: CountCompleted) -> None:
    """The accepted differences are booked."""
    count = state.counts.get(record.id)
    if count is None or count.state != "reviewed":
        return
    for one in record.bins:
        place = Place(count.zone, one.lot or "", one.disposition)
        stock.counted(state, one.sku, place, one.units, one.at_us, with_tagged=one.with_tagged)
    if record.swept_us is not None:
        _learn(state, count)
        _write_off(state, count.zone, record, row)
    _audit(state, count, record.lines)
    count.lines = list(record.lines)
    exceptions.end(state, "count_variance", record.id, row.recorded_us, "counted, reviewed and booked")
    counts.ended(state, record.id, count, "completed", row, GATEWAY)


def _write_off(state: State, zone: str, record: CountCompleted, row: LogRow) -> None:
    began_us = record.swept_us or 0
    sweeps = state.sweeps.get(zone) or state.sweeps.put(zone, Sweeps())
    for sku in record.swept or ("",):
        sweeps.began_us[sku] = max(began_us, sweeps.began_us.get(sku, 0))
    state.sweeps.touch(zone)
    state.index.swept[zone] = dict(sweeps.began_us)
    lost: Counter[tuple[str, str]] = Counter()
    for line in record.lines:
        for epc in line.missing:
            containers.part(state, epc)
        lost[line.sku, stock.key_of(line.sku, Place(zone, line.lot or "", line.disposition))] += len(line.missing)
    for (sku, key), units in lost.items():
        found = state.bins.get(key)
        if found is not None and found.with_tagged_us is not None and found.untagged < 0:
            # a count by number has taken them off already, when nobody knew which ones they were
            place = Place(zone, found.lot, found.disposition)
            stock.change(state, sku, place, min(units, -found.untagged), inventory.stamp(row)[0])


def _learn(state: State, count: Count) -> None:
    """How often each pass found what the others found."""
    walks = countsweeps.done(state, count)
    for one, (found, of) in zip(walks, findrate.recaptured(walks), strict=True):
        if of:
            key = f"{count.zone}\x1f{countsweeps.method_of(state, count.zone, one.agent)}"
            known = state.findrates.get(key) or state.findrates.put(key, FindRate())
            known.found, known.of = known.found + found, known.of + of
            if known.of > findrate.MEMORY:
                known.found, known.of = known.found / 2, known.of / 2
            state.findrates.touch(key)


def _audit(state: State, count: Count, lines: Iterable[Expected]) -> None:
    """Records of the books were looked at: were they right?"""
    of_sku: dict[str, list[Expected]] = {sku: [] for sku in count.skus}
    for line in lines:
        of_sku.setdefault(line.sku, []).append(line)
    for sku, found in of_sku.items():
        if any(line.verdict == "failed" for line in found):
            continue
        right = all(countjudge.within(state, sku, line.counted, line.expected) for line in found)
        off = sum(abs(line.counted - line.expected) for line in found)
        counted_us = max((line.at_us for line in found), default=count.submitted_us or count.begun_us)
        key = f"{sku}\x1f{count.zone}"
        before = state.audits.get(key)
        audit = Audit(counted_us, right, off, countjudge.abc_of(state, sku), count.plan, right)
        if before is not None and before.plan is not None and count.plan in (before.plan, None):
            audit.plan, audit.first_right = before.plan, before.first_right
        if before is None or before.counted_us <= counted_us:
            state.audits.put(key, audit)
