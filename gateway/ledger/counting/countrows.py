"""The rows of cycle counts. Each is written as JSON, so a new field needs a default."""

from typing import Final, Literal

from msgspec import Struct

from gateway.records.countrecords import Expected, Method, ReasonCode
from gateway.records.stockrecords import AbcClass, Disposition

CountState = Literal[
    "requested", "counting", "counted", "investigating", "ready_for_review", "reviewed", "completed", "cancelled"
]
SKEW_US: Final = 60_000_000
"""The clocks of two agents, or of an agent and the gateway, may differ so much."""
Need = Literal["recount", "sweep", "reasons"]
"""What a submitted count lacks before it can be reviewed: stock moved under it; its sweep was too weak to write cases
off; or a difference is beyond the tolerance and nobody has said why."""


class Entry(Struct, array_like=True):
    """Units of one SKU, lot and disposition, by hand."""

    sku: str
    lot: str
    """Empty: none was looked at, or none is known."""
    disposition: Disposition
    units: int
    begun_us: int
    """When the counter went to count: what moved between then and `at_us` may be in it or not."""
    at_us: int
    noted: bool = False
    """Nobody entered it: it was not there when the count was submitted. Not to be shown to who counts."""


class Found(Struct, array_like=True):
    """A tag that was found in a count. Those of a count that has ended are no more."""

    count: str
    epc: str
    first_us: int
    steps: list[int] = []
    """Which steps of the sweep; none of a case that somebody found by looking."""
    before_us: int = 0
    before: str | None = None
    """Where its own tag was seen last before, and when; None is outside, or never."""

    def heard_before(self, at_us: int, zone: str | None) -> None:
        """A late word on where it was."""
        if self.before_us < at_us < self.first_us:
            self.before_us, self.before = at_us, zone


class Turn(Struct, array_like=True):
    """One step of the state machine: who did what to a count, when."""

    state: CountState
    at_us: int
    who: str
    round: int
    note: str = ""


class Count(Struct):
    """One cycle count. Once it has ended it keeps its turns and lines only."""

    id: str
    zone: str
    skus: list[str]
    """Empty: whatever is there."""
    methods: list[Method]
    requested_us: int
    requested_by: str
    plan: str | None = None
    state: CountState = "requested"
    round: int = 0
    counter: str = ""
    """Of this round."""
    counters: list[str] = []
    """Of all rounds."""
    informed: list[str] = []
    """Who has looked into it or reviewed it."""
    revealed: bool = False
    """What the books say was shown: nobody who had to do with it may count it any more."""
    begun_us: int = 0
    """Of this round."""
    since_us: int = 0
    """Steps of a sweep that are older belong to an earlier round."""
    submitted_us: int | None = None
    entries: dict[str, Entry] = {}
    steps: list[tuple[int, str]] = []
    """(event time, agent or counter) of each step of the sweeps."""
    tags: int = 0
    """Tags that were found (`Found`)."""
    moves: list[tuple[int, str, str, str, int]] = []
    """(event time, sku, lot, disposition, tagged units) that came or went while it was counted by number alone."""
    crowded: bool = False
    """More of them than are kept."""
    reasons: dict[str, ReasonCode] = {}
    needs: list[Need] = []
    turns: list[Turn] = []
    lines: list[Expected] = []
    """The result, once it is completed."""

    @property
    def swept(self) -> bool:
        """Tagged cases are counted by their tags, and hand entries are untagged units only."""
        return "handheld" in self.methods or "fixed" in self.methods

    @property
    def by_hand(self) -> bool:
        """Units are entered by hand."""
        return "hand" in self.methods

    @property
    def open(self) -> bool:
        """It has not ended."""
        return self.state not in ("completed", "cancelled")

    @property
    def under_way(self) -> bool:
        """What happens in its zone matters to it."""
        return self.open and self.round > 0

    @property
    def shown(self) -> bool:
        """What the books say may be shown: it is counted, and not asked for again."""
        return self.state in ("investigating", "ready_for_review", "reviewed", "completed")

    @property
    def swept_us(self) -> int:
        """When its sweep began, less a minute: what was seen there since is there, and clocks differ."""
        return min([self.begun_us, *(at_us for at_us, _ in self.steps)]) - SKEW_US

    def covers(self, sku: str | None) -> bool:
        """Whether it is about a SKU."""
        return sku is not None and (not self.skus or sku in self.skus)


class Sweeps(Struct):
    """When completed counts swept a zone for a SKU last, by SKU; an empty one stands for whatever it holds."""

    began_us: dict[str, int] = {}


class FindRate(Struct):
    """How often one pass of a sweep found tags that were there, as other passes of the same sweep found them."""

    found: float = 0.0
    of: float = 0.0


class Audit(Struct, array_like=True):
    """The last count of one record of the books: a SKU in a zone, with all its lots."""

    counted_us: int
    right: bool
    """All of it was inside the tolerance of its class."""
    off: int
    """Units of difference, however signed."""
    abc: AbcClass
    plan: str | None = None
    """The sampling plan that audited it last."""
    first_right: bool = True
    """What that plan's first count of it found: a record that was mended is no proof."""
