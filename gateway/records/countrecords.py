"""Records of cycle counts: each is one step of the state machine in `gateway.ledger.counting.counts`.

    requested -> counting -> counted -> investigating -> ready_for_review -> reviewed -> completed
        ^           ^  `-- inside the tolerance ------------^    |    |
        |           `---- a recount: the next round ---- - - ----'    |
        `------------------------- recount, says the approver --------'        cancelled: from every open state

Units are whole. A lot of None: none is known.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from contract.events import EpcHex, Micros, Name
from gateway.records.stockrecords import MAX_LINES, Disposition

Method = Literal["hand", "handheld", "fixed"]
"""By hand entry, or a sweep of a handheld reader, or of the zone's own readers."""
ReasonCode = Literal[
    "miscount",
    "mislabelled",
    "misplaced",
    "damaged",
    "theft",
    "not_recorded",
    "supplier_short",
    "unit_of_measure",
    "unknown",
]


Verdict = Literal["exact", "within", "beyond", "unsure", "failed"]
"""As the books say; inside the tolerance of its class, or outside; cases are missing, and the sweep was too weak to be
sure of it; or it cannot stand, because stock moved while it was counted."""
MAX_COUNT_LINES: Final = 10_000
"""Lines of one count."""


class CountRequested(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_requested"):
    """Somebody, or the plan, asks for a count of a zone: of all that is there, or of some SKUs."""

    at_us: Micros
    id: Name
    who: Name
    zone: Name
    skus: Annotated[tuple[Name, ...], Meta(max_length=MAX_LINES)] = ()
    """Empty: whatever is there."""
    methods: tuple[Method, ...] = ("hand",)
    plan: Name | None = None
    """The sampling plan that it belongs to."""


class CountBegun(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_begun"):
    """A counter goes to count; again for a recount (`round` 2, 3, ...)."""

    at_us: Micros
    id: Name
    counter: Name
    round: int = 1
    skus: Annotated[tuple[Name, ...], Meta(max_length=MAX_LINES)] = ()
    """Of a recount: only what was entered by hand of these is counted anew. Empty: everything."""


class CountedLine(Struct, frozen=True, kw_only=True):
    """What was found of one SKU, lot and disposition."""

    sku: Name
    units: int
    lot: Name | None = None
    disposition: Disposition = "sellable"


class CountEntered(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_entered"):
    """What a counter found so far, at `at_us`: lines by hand replace earlier ones of the same SKU, lot and
    disposition in the round; EPCs of a sweep are added."""

    at_us: Micros
    id: Name
    counter: Name
    lines: Annotated[tuple[CountedLine, ...], Meta(max_length=MAX_LINES)] = ()
    epcs: tuple[EpcHex, ...] = ()
    round: int = 1


class CountSubmitted(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_submitted"):
    """The counter has finished. What the books say stands nowhere in the log before the count is completed."""

    at_us: Micros
    id: Name
    counter: Name
    round: int = 1
    empty: bool = False
    """Nobody entered anything, or no sweep found a tag, because nothing is there."""


class Expected(Struct, frozen=True, kw_only=True):
    """What was counted of one SKU, lot and disposition, and what the books said of that moment.

    Units are tagged and untagged ones, as far as the count was about them."""

    sku: Name
    counted: int
    expected: int
    lot: Name | None = None
    """None: no known lot; or, of what was counted without looking at lots, all of them."""
    disposition: Disposition = "sellable"
    at_us: Micros = 0
    verdict: Verdict = "exact"
    moved: bool = False
    """Stock of it moved while it was counted; unless it failed, the figure expected is re-based on the log."""
    missing: tuple[EpcHex, ...] = ()
    """Tagged cases that the books had there and that were not found."""
    misplaced: tuple[EpcHex, ...] = ()
    """Tagged cases that were found there and that the books had elsewhere, or nowhere."""
    confidence: float = 1.0
    """How likely a tagged case that is there would have been found."""
    reason: ReasonCode | None = None


class CountedBin(Struct, frozen=True, kw_only=True):
    """The untagged units of one lot and disposition, as they are booked."""

    sku: Name
    units: int
    at_us: Micros
    lot: Name | None = None
    disposition: Disposition = "sellable"
    with_tagged: bool = False
    """Counted by number together with the tagged ones: `units` is what is left of the number without these, and below
    0 where the books have more tags there than there are cases."""


class CountInvestigated(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_investigated"):
    """Somebody looked into the differences and says why."""

    at_us: Micros
    id: Name
    who: Name
    reasons: dict[str, ReasonCode] = {}
    """By `sku`, or `sku|lot|disposition`."""
    note: str = ""
    epcs: tuple[EpcHex, ...] = ()
    """Cases that were found there after all."""


class CountReviewed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_reviewed"):
    """Another person than the counter accepts the differences, or asks for a recount."""

    at_us: Micros
    id: Name
    approver: Name
    verdict: Literal["accept", "recount"]
    note: str = ""


class CountCompleted(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_completed"):
    """The accepted differences are booked, as of the moment of the count."""

    at_us: Micros
    id: Name
    as_of_us: Micros
    lines: Annotated[tuple[Expected, ...], Meta(max_length=MAX_COUNT_LINES)] = ()
    bins: Annotated[tuple[CountedBin, ...], Meta(max_length=MAX_COUNT_LINES)] = ()
    """What is booked of untagged units."""
    swept_us: Micros | None = None
    """Tagged cases of these SKUs that were seen in the zone last before this, and no more since, are not there."""
    swept: tuple[Name, ...] = ()
    """Empty with a time: whatever the zone holds."""


class CountCancelled(Struct, frozen=True, kw_only=True, tag_field="kind", tag="count_cancelled"):
    """Somebody gives a count up."""

    at_us: Micros
    id: Name
    who: Name
    why: str
