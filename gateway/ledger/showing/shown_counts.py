"""Cycle counts as they are shown: blind until they are submitted and, if one is to be counted again, from then on."""

from collections.abc import Iterator, Mapping, Sequence

from gateway import sampling
from gateway.ledger.counting import countjudge, countturns, findrate
from gateway.ledger.counting.countrows import Count
from gateway.ledger.counting.countturns import Refusal, Step
from gateway.ledger.state import State
from gateway.records.countrecords import CountRequested, Expected
from gateway.sampling import Proof, Record
from gateway.views import CountLineView, CountView


class Counts:
    """What may be asked of the cycle counts of one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def all(self) -> Iterator[tuple[str, Count]]:
        """Every count by its id. Not to be changed."""
        return iter(self._state.counts.rows.items())

    def one(self, key: str) -> Count | None:
        """One count. Not to be changed."""
        return self._state.counts.get(key)

    def clash(self, asked: CountRequested) -> Refusal | None:
        """Why a count may not be asked for."""
        return countturns.clash(self._state, asked)

    def refused(self, step: Step) -> Refusal | None:
        """Why a step of a count may not be taken at this moment."""
        return countturns.refused(self._state, self._state.counts.rows[step.id], step)

    def lines(self, count: Count) -> list[CountLineView]:
        """The count against the books; nothing before that may be shown. Looks at every item of the house once."""
        if not count.shown:
            return []
        lines = count.lines if count.state == "completed" else countjudge.judge(self._state, count).lines
        return [_line_view(line) for line in lines]

    # audits of the books

    def records(self, lacking: Mapping[tuple[str, str], float]) -> list[Record]:
        """The records of the books: every SKU in every zone that has some of it, or should have.

        `lacking`: units that are probably not there, by SKU and zone."""
        state = self._state
        places = {(sku, zone) for sku, row in state.stock.rows.items() for zone in row.zones}
        return [self._record(sku, zone, lacking.get((sku, zone), 0.0)) for sku, zone in sorted(places)]

    def audited(self, plan: str) -> dict[tuple[str, str], bool]:
        """The records (SKU, zone) that counts of a plan looked at: whether each was right."""
        found = ((key.split("\x1f"), audit) for key, audit in self._state.audits.rows.items() if audit.plan == plan)
        return {(sku, zone): audit.first_right for (sku, zone), audit in found}

    def proof(self, sample: Sequence[Record], records: int, plan: str, confidence: float) -> Proof:
        """What the audited part of a sample proves of all records."""
        done = self.audited(plan)
        right = [done[one.sku, one.zone] for one in sample if (one.sku, one.zone) in done]
        wrong = right.count(False)
        return Proof(len(right), wrong, sampling.proven(records, len(right), wrong, confidence))

    def _record(self, sku: str, zone: str, lacking: float) -> Record:
        audit = self._state.audits.get(f"{sku}\x1f{zone}")
        counted_us = audit.counted_us if audit else None
        return Record(sku, zone, countjudge.abc_of(self._state, sku), counted_us, max(0.0, 1 - lacking))


def count_view(key: str, count: Count) -> CountView:
    """A count without what the books say."""
    return CountView(
        id=key,
        zone=count.zone,
        skus=count.skus,
        methods=count.methods,
        plan=count.plan,
        state=count.state,
        round=count.round,
        counter=count.counter or None,
        requested_by=count.requested_by,
        requested_us=count.requested_us,
        begun_us=count.begun_us or None,
        submitted_us=count.submitted_us,
        entered=sum(not entry.noted for entry in count.entries.values()),
        tags=count.tags,
        needs=count.needs,
    )


def _line_view(line: Expected) -> CountLineView:
    return CountLineView(
        sku=line.sku,
        lot=line.lot,
        disposition=line.disposition,
        counted=line.counted,
        expected=line.expected,
        at_us=line.at_us,
        verdict=line.verdict,
        moved=line.moved,
        missing=list(line.missing),
        misplaced=list(line.misplaced),
        confidence=line.confidence,
        gone=round(findrate.gone(line.confidence), 4) if line.missing else None,
        reason=line.reason,
    )
