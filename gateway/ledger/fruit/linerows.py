"""The rows of the sorting lines in the folded state; as in `rows`, a new field needs a default."""

from typing import Literal

from msgspec import Struct

from contract.events import Verdict
from gateway.records import Label

Gate = Literal["passed", "pushed", "missed"]


class Fruit(Struct, gc=False, array_like=True):
    """One fruit, as the line judged it."""

    subject: str
    verdict: Verdict
    score: float | None
    at_us: int
    gate: Gate | None
    evidence: str | None


class Shadow(Struct):
    """A model that is tried, beside which one, and how often the two judged differently."""

    model: str
    beside: str
    compared: int = 0
    disagreed: int = 0


class SortingLine(Struct):
    """One line: how it does at the moment."""

    lot: str | None = None
    """The lot that runs, or ran last."""
    told: str | None = None
    """The lot of the last fruit that came: an earlier one while the line's agent is behind."""
    lacking: list[str] = []
    """Lots that the open exception about lost fruit is about, as many as it names and one more."""
    model: str | None = None
    shadow: Shadow | None = None
    latest: list[Fruit] = []
    """By event time, newest last."""
    seconds: list[tuple[int, int]] = []
    """How many fruit there were in each second (since 1970) of the last minute of event time, oldest first."""
    last_us: int | None = None
    unpictured: int = 0
    """Reviews that nobody could answer, because their picture never came."""


class Run(Struct):
    """The fruit of one lot on one line."""

    line: str
    lot: str
    begun_us: int
    limit: float
    """More than this share of defective fruit is too much."""
    sku: str | None = None
    customer: str | None = None
    ordered: bool = False
    """Somebody said that it begins; else only its fruit did."""
    ended_us: int | None = None
    good: int = 0
    defective: int = 0
    unsure: int = 0
    unseen: int = 0
    missed: int = 0
    untold: int = 0
    """Fruit that the line counted and whose events never came."""
    over: bool = False
    """It was over its limit once."""
    released_by: str | None = None
    release_reason: str | None = None
    freed: tuple[int, int] | None = None
    """Defective and judged fruit when a person freed it last."""

    @property
    def fresh(self) -> tuple[int, int]:
        """Defective and judged fruit that no person has decided about."""
        defective, judged = self.freed or (0, 0)
        return self.defective - defective, self.judged - judged

    @property
    def judged(self) -> int:
        """Fruit that is either good or defective."""
        return self.good + self.defective

    @property
    def held(self) -> bool:
        """Its stock is in quarantine."""
        return self.over and self.released_by is None


class Review(Struct):
    """A verdict that a person shall look at, or has."""

    row: int
    """Of the log: that of its inspection, then that of its answer."""
    line: str
    at_us: int
    verdict: Verdict
    model: str
    score: float | None = None
    lot: str | None = None
    crop: str | None = None
    sampled: bool = False
    label: Label | None = None
    who: str | None = None
    answered_us: int | None = None
    asked_us: int = 0
    """Record time of its inspection."""
