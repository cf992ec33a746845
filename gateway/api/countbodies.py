"""Bodies of the cycle counts: what is asked, and what is shown of one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.api.pages import Page
from gateway.documents.known import LINE, Epc, ShipmentId, Words
from gateway.ledger.counting.countrows import CountState
from gateway.ledger.counting.countturns import MAX_ROUNDS
from gateway.records.countrecords import Method, ReasonCode
from gateway.records.stockrecords import MAX_LINES
from gateway.views import CountLineView, CountView, EventTime, GatewayTime

RoundNumber = Annotated[int, Field(ge=1, le=MAX_ROUNDS)]
PlanName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.-]+$")]
Note = Annotated[str, Field(max_length=1000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CountTurnView(BaseModel):
    """One step: who did what to a count, when."""

    state: CountState
    at_us: GatewayTime
    who: str
    round: int
    note: str


class CountEntryView(BaseModel):
    """Units that were entered by hand in this round."""

    sku: str
    lot: str | None
    disposition: Literal["sellable", "quarantined", "damaged"]
    units: int
    at_us: EventTime


class CountDetail(CountView):
    """One count, and what it says against the books once that may be shown."""

    entries: list[CountEntryView]
    lines: list[CountLineView]
    """Empty until somebody investigates, or it is ready for review; again while it is counted anew."""
    turns: list[CountTurnView]


class CountList(Page):
    """Counts, the last asked for first."""

    counts: list[CountView]


class CountOrder(_Body):
    """A count to be asked for."""

    who: Words
    zone: Words
    skus: Annotated[list[Words], Field(max_length=MAX_LINES)] = []
    """Empty: whatever is there."""
    methods: Annotated[list[Method], Field(min_length=1, max_length=3)] = ["hand"]
    """`hand` alone counts all units by number. With a sweep, tagged cases are counted by their tags, and units by hand
    are untagged ones."""
    plan: PlanName | None = None
    id: ShipmentId | None = None
    """Chosen by the gateway if none is given."""

    @field_validator("id")
    @classmethod
    def _not_the_plan(cls, id_: str | None) -> str | None:
        if id_ == "plan":
            raise ValueError("'plan' is a path of its own: choose another")
        return id_


class Beginning(_Body):
    """A counter goes to count."""

    counter: Words
    round: RoundNumber = 1
    """One more than before to count again, or to take over from another counter."""
    skus: Annotated[list[Words], Field(max_length=MAX_LINES)] = []
    """Of a recount: only what was entered by hand of these; empty: everything."""


class Submission(_Body):
    """A counter has finished."""

    counter: Words
    round: RoundNumber = 1
    empty: bool = False
    """Said on purpose where nothing was entered, or no tag was found: nothing is there."""


class Investigation(_Body):
    """Somebody looks into the differences. Without anything but `who`: they want to see them."""

    who: Words
    reasons: Annotated[dict[Words, ReasonCode], Field(max_length=MAX_LINES)] = {}
    """By SKU, or by `SKU|lot|disposition`."""
    note: Note = ""
    found: Annotated[list[Epc], Field(max_length=MAX_LINES)] = []
    """Missing cases that are there after all."""


class Verdict(_Body):
    """Another person than the counters decides."""

    approver: Words
    verdict: Literal["accept", "recount"]
    note: Note = ""


class Cancellation(_Body):
    """Somebody gives it up."""

    who: Words
    why: str = Field(min_length=1, max_length=1000, pattern=LINE)
