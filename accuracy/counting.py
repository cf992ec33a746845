"""The day's count of one zone, step by step through the records of a cycle count, as three people do it.

The counter walks the zone twice with the handheld reader and counts what stands there by its labels; somebody else goes
after what lacks; a third one accepts it. What the gateway then books is its own affair.
"""

from collections.abc import Sequence
from typing import Final

from accuracy.books import Books
from accuracy.handheld import Handheld
from firmware_sim.week.people import People
from gateway.records.countrecords import (
    CountBegun,
    CountInvestigated,
    CountRequested,
    CountReviewed,
    CountSubmitted,
    ReasonCode,
)

COUNTER, INVESTIGATOR, SUPERVISOR = "Ana", "Bo", "Chen"
WALKS: Final = 2
BETWEEN_US: Final = 90_000_000
"""From one walk to the next."""


async def count(books: Books, people: People, handheld: Handheld, zone: str, *, name: str) -> set[str]:
    """Count a zone; gives the tags that were found there."""
    ledger, clock = books.ledger, books.clock
    await ledger.record(
        CountRequested(at_us=clock.act(), id=name, who=SUPERVISOR, zone=zone, methods=("handheld",)),
    )
    await ledger.record(CountBegun(at_us=clock.act(), id=name, counter=COUNTER))
    found: set[str] = set()
    for _ in range(WALKS):
        walked = people.sweep(zone)
        found |= set(walked)
        await handheld.saw(walked, zone, count=name)
        clock.pass_us(BETWEEN_US)
    await ledger.record(CountSubmitted(at_us=clock.act(), id=name, counter=COUNTER, empty=not found))
    missing = [epc for epc in books.tags_in(zone) if epc not in found]
    there = [epc for epc in missing if people.seek(epc, zone)]
    await ledger.record(
        CountInvestigated(
            at_us=clock.act(), id=name, who=INVESTIGATOR, reasons=_reasons(books, missing, there), epcs=tuple(there)
        )
    )
    await ledger.record(CountReviewed(at_us=clock.act(), id=name, approver=SUPERVISOR, verdict="accept"))
    return found | set(there)


def _reasons(books: Books, missing: Sequence[str], there: Sequence[str]) -> dict[str, ReasonCode]:
    """Nobody knows why, and says so."""
    skus = {books.sku_of(epc) for epc in missing if epc not in there}
    return dict.fromkeys(sorted(filter(None, skus)), "unknown")
