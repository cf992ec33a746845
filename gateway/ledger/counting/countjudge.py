"""What a count says against the books, as of its own moment. It changes nothing.

Untagged units are compared with what the log gives for the time at which they were entered: what moved before the
counter came or after the entry is re-based exactly; what moved between may be in the number or not, and the line fails.
Tagged cases are compared one by one, so that movement never hurts them: a case that anything has seen since the sweep
began is no loss, one that was seen in the zone last before that, and was not found, is missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from gateway.ledger.counting.countrows import Count, Entry, Need
from gateway.ledger.counting.countsweeps import confidence, missing
from gateway.ledger.goods import stock
from gateway.ledger.goods.stock import Place
from gateway.ledger.rows import Bin
from gateway.ledger.state import State
from gateway.records.countrecords import CountedBin, Expected, ReasonCode, Verdict
from gateway.records.stockrecords import AbcClass, Disposition

Key = tuple[str, str, Disposition]
"""SKU, lot (empty: none, or all), disposition."""


class Judgement(NamedTuple):
    """A count against the books."""

    lines: list[Expected]
    bins: list[CountedBin]
    """What would be booked of untagged units."""
    needs: list[Need]


class Figure(NamedTuple):
    """Units of one bin at a moment, by the books."""

    lot: str
    untagged: int
    tagged: int
    """0 where they are not counted by number."""
    moved: bool
    failed: bool

    @property
    def units(self) -> int:
        """All that a number stands for."""
        return self.untagged + self.tagged


class _Sum:
    """One line as it grows."""

    def __init__(self) -> None:
        self.counted = self.expected = self.at_us = 0
        self.moved = self.failed = False
        self.missing: list[str] = []
        self.misplaced: list[str] = []


def judge(state: State, count: Count) -> Judgement:
    """Compare a count that was submitted with the books as they are known now."""
    sums: dict[Key, _Sum] = defaultdict(_Sum)
    if count.swept:
        _tags(state, count, sums)
    bins = list(_hands(state, count, sums)) if count.by_hand else []
    sure = confidence(state, count) if count.swept else 1.0
    lines = [_line(state, count, key, one, sure) for key, one in sorted(sums.items())]
    return Judgement(lines, bins, _needs(lines))


def abc_of(state: State, sku: str) -> AbcClass:
    """Class of a product; C without one."""
    product = state.house.products.get(sku)
    return (product.abc if product is not None else None) or "C"


def within(state: State, sku: str, counted: int, expected: int) -> bool:
    """Whether a difference is inside the tolerance of the product's class."""
    rules = state.house.told.counts
    percent = {"A": rules.a_pct, "B": rules.b_pct, "C": rules.c_pct}[abc_of(state, sku)]
    return abs(counted - expected) * 100 <= percent * abs(expected)


def reason_of(count: Count, sku: str, lot: str, disposition: str) -> ReasonCode | None:
    """What somebody said of a difference: of this line, or of all of its SKU."""
    return count.reasons.get(f"{sku}|{lot}|{disposition}") or count.reasons.get(sku)


# tagged cases


def _tags(state: State, count: Count, sums: dict[Key, _Sum]) -> None:
    for epc, found in state.index.finds.get(count.id, {}).items():
        item = state.items.get(epc)
        if item is None or item.sku is None or not count.covers(item.sku):
            continue
        one = sums[item.sku, item.lot or "", item.disposition]
        one.counted += 1
        one.at_us = max(one.at_us, found.first_us)
        if found.before == count.zone:
            one.expected += 1
        else:
            one.misplaced.append(epc)
    for epc in missing(state, count):
        item = state.items.rows[epc]
        one = sums[cast(str, item.sku), item.lot or "", item.disposition]
        one.expected += 1
        one.at_us = max(one.at_us, count.swept_us)
        one.missing.append(epc)


# units by hand


def _hands(state: State, count: Count, sums: dict[Key, _Sum]) -> Iterator[CountedBin]:
    groups: dict[tuple[str, Disposition], list[Entry]] = defaultdict(list)
    for entry in count.entries.values():
        groups[entry.sku, entry.disposition].append(entry)
    for found in _bins(state, count):
        groups.setdefault((found.sku, found.disposition), [])
    for (sku, disposition), entries in sorted(groups.items()):
        if any(entry.lot for entry in entries):
            lots = {entry.lot for entry in entries} | {one.lot for one in _bins_of(state, count, sku, disposition)}
            known = {entry.lot: entry for entry in entries}
            for lot in sorted(lots):
                yield from _number(state, count, sums, (sku, lot, disposition), [lot], known.get(lot))
        else:
            lots = {"", *(one.lot for one in _bins_of(state, count, sku, disposition))}
            yield from _number(state, count, sums, (sku, "", disposition), sorted(lots), next(iter(entries), None))


def unentered(state: State, count: Count) -> set[Key]:
    """SKUs and dispositions that the books have there, and of which nobody entered anything."""
    listed = {(entry.sku, entry.disposition) for entry in count.entries.values()}
    return {
        (one.sku, "", one.disposition)
        for one in _bins(state, count)
        if (one.untagged or (one.tagged and not count.swept)) and (one.sku, one.disposition) not in listed
    }


def absent(count: Count, key: Key, at_us: int) -> Entry:
    """What nobody entered is not there."""
    return Entry(*key, 0, count.begun_us, at_us, noted=True)


def _number(
    state: State, count: Count, sums: dict[Key, _Sum], key: Key, lots: list[str], entry: Entry | None
) -> Iterator[CountedBin]:
    """One number, which stands for the bins of these lots."""
    said = entry or absent(count, key, count.submitted_us or count.begun_us)
    figures = [_figure(state, count, key, lot, said) for lot in lots]
    expected = sum(figure.units for figure in figures)
    if entry is None and not expected and not any(figure.failed for figure in figures):
        return
    one = sums[key]
    one.counted += said.units
    one.expected += expected
    one.at_us = max(one.at_us, said.at_us)
    one.moved |= any(figure.moved for figure in figures)
    one.failed |= any(figure.failed for figure in figures)
    if one.failed:
        return
    for figure, units in zip(figures, _share(state, key[0], figures, said.units), strict=True):
        yield CountedBin(
            sku=key[0],
            lot=figure.lot or None,
            disposition=key[2],
            units=units - figure.tagged,
            at_us=said.at_us,
            with_tagged=not count.swept,
        )


def _figure(state: State, count: Count, key: Key, lot: str, said: Entry) -> Figure:
    sku, _, disposition = key
    found = state.bins.get(stock.key_of(sku, Place(count.zone, lot, disposition)))
    untagged = stock.untagged_at(found, said.at_us)
    moves = [] if found is None else [when for when, _ in found.recent]
    tagged = 0
    if not count.swept:
        of_it = [(when, units) for when, *what, units in count.moves if what == [sku, lot, disposition]]
        tagged = (0 if found is None else found.tagged) - sum(units for when, units in of_it if when > said.at_us)
        moves += [when for when, _ in of_it]
    under = any(said.begun_us < when <= said.at_us for when in moves) or (
        found is not None and found.merged_us > said.begun_us
    )
    failed = untagged is None or under or (count.crowded and not count.swept)
    return Figure(lot, untagged or 0, tagged, under or any(when > said.at_us for when in moves), failed)


def _share(state: State, sku: str, figures: list[Figure], units: int) -> list[int]:
    """Share a number among lots that nobody looked at: what is too many is of no known lot, and what is lacking is of
    none first, then of those that expire first."""
    shares = [max(figure.units, 0) for figure in figures]
    over = units - sum(shares)
    if over >= 0:
        shares[0] += over
        return shares

    def leaving(i: int) -> tuple[bool, str, str]:
        lot = figures[i].lot
        known = stock.known_lot(state, sku, lot)
        return bool(lot), (known.expires if known else None) or "9999", lot

    for i in sorted(range(len(figures)), key=leaving):
        taken = min(shares[i], -over)
        shares[i], over = shares[i] - taken, over + taken
    return shares


def _bins(state: State, count: Count) -> Iterable[Bin]:
    """Bins in its zone that a number by hand would stand for."""
    rows = state.bins.rows
    if count.skus:
        found: Iterable[Bin] = (rows[key] for sku in count.skus for key in state.index.bins_of_sku.get(sku, ()))
    else:
        found = rows.values()
    return [one for one in found if one.zone == count.zone]


def _bins_of(state: State, count: Count, sku: str, disposition: str) -> Iterator[Bin]:
    for key in state.index.bins_of_sku.get(sku, ()):
        found = state.bins.rows[key]
        if found.zone == count.zone and found.disposition == disposition:
            yield found


# lines


def _line(state: State, count: Count, key: Key, one: _Sum, sure: float) -> Expected:
    sku, lot, disposition = key
    verdict: Verdict
    if one.failed:
        verdict = "failed"
    elif one.missing and sure < state.house.told.counts.min_confidence:
        verdict = "unsure"
    elif one.counted == one.expected:
        verdict = "exact"
    else:
        verdict = "within" if within(state, sku, one.counted, one.expected) else "beyond"
    return Expected(
        sku=sku,
        lot=lot or None,
        disposition=disposition,
        counted=one.counted,
        expected=one.expected,
        at_us=one.at_us,
        verdict=verdict,
        moved=one.moved,
        missing=tuple(sorted(one.missing)),
        misplaced=tuple(sorted(one.misplaced)),
        confidence=round(sure, 6) if one.missing else 1.0,
        reason=reason_of(count, sku, lot, disposition),
    )


def _needs(lines: Iterable[Expected]) -> list[Need]:
    found: set[Need] = set()
    for line in lines:
        if line.verdict == "failed":
            found.add("recount")
        elif line.reason is None and line.verdict in ("unsure", "beyond"):
            found.add("sweep" if line.verdict == "unsure" else "reasons")
    return sorted(found)
