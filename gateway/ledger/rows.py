"""The rows of the folded state, one struct a noun. Each is written as JSON, so a new field needs a default.

Times are microseconds since 1970-01-01 UTC: `*_us` of something in the warehouse is event time (the agent's clock),
`recorded_us`, `touched_us`, `opened_us`, `updated_us` and `since_us` are the gateway's.
"""

from typing import Literal

from msgspec import Struct

from gateway.records import Decision

Stamp = tuple[int, str, str, int]
"""When and by whom: (at_us, agent, epoch, seq). The greatest stamp is the newest sighting, whatever came in first."""

ExceptionKind = Literal[
    "missing",
    "unexpected",
    "unknown_direction",
    "empty_pass",
    "device_lost",
    "agent_silent",
    "data_lost",
    "temperature",
    "clock_stepped",
    "bad_message",
    "unknown_line",
    "negative_stock",
    "quality",
    "drift",
    "gate_missed",
    "quarantine_shipped",
]
Param = str | int | float
Direction = Literal["inbound", "outbound"]
OrderState = Literal["requested", "placed", "shipped", "received", "cancelled"]


class Item(Struct, gc=False):
    """One tag. It is in one place: `zone`, or (None) outside the site or not yet known to be anywhere."""

    sku: str | None
    """Set for stock units (SGTIN); None for pallets and for tags that are no GS1 encoding."""
    zone: str | None = None
    placed: Stamp | None = None
    """The newest sighting that told where it is."""
    seen: Stamp | None = None
    """The newest sighting at all."""
    seen_at: str = ""
    """Door or zone of the newest sighting."""
    missed: Stamp | None = None
    """The newest `zone_left`: not seen there any more, which is not the same as gone."""
    entered_us: int | None = None
    """The earliest sighting inside the house."""
    dock: str | None = None
    """The door by which it last came in from the world or went out to it."""
    shipment: str | None = None
    """The shipment that it came or went with, last."""
    lot: str | None = None
    """As a document last said."""


class Stock(Struct):
    """The units of one SKU. Negative levels are kept as they are."""

    units: int = 0
    zones: dict[str, int] = {}
    quarantined: int = 0
    """Of the units, those of lots that are over their limit."""
    known: bool = False
    """Some of it was in the house once, or was announced: from then on it is replenished."""
    updated_us: int | None = None
    trace: list[tuple[int, int]] = []
    """The last levels: (record time, units), at most 60; the last one within a commit."""

    @property
    def sellable(self) -> int:
        """Units that may be sold."""
        return self.units - self.quarantined


class Door(Struct):
    """What went through one door, in tags other than pallets."""

    inbound: int = 0
    outbound: int = 0
    unknown: int = 0
    unread: int = 0
    """Times that something went through and no tag of it was read."""
    strays: dict[str, int] | int = {}
    """Tags near the door that did not go through, by reason, as its agent last told; a number in older files."""
    last_pass_us: int | None = None
    shipment: str | None = None
    """The shipment whose case was last seen here."""
    unclaimed: list[tuple[str, int]] = []
    """Cases that came in here lately without a shipment: (EPC, record time), at most 60."""


class Line(Struct):
    """One SKU of a shipment."""

    expected: int = 0
    named: int = 0
    """Cases of it that the partner named by EPC."""
    seen: int = 0
    unnamed_seen: int = 0
    """Cases of it that came and that the partner had announced only by number."""

    @property
    def room(self) -> int:
        """Units announced only by number that have not come."""
        return self.expected - self.named - self.unnamed_seen


class Shipment(Struct):
    """One ASN and what came of it."""

    content: str
    """Digest of the ASN, to tell a changed one from a repeated one."""
    direction: Direction
    partner: str
    door: str | None
    order: str | None
    announced_us: int
    touched_us: int
    """Record time of the last of its cases, or of its announcement."""
    lines: dict[str, Line] = {}
    expected: int = 0
    """Units announced: the sum of the lines."""
    seen: int = 0
    """Units announced and seen: the sum of the lines."""
    unexpected: int = 0
    first_seen_us: int | None = None
    last_seen_us: int | None = None
    settled_us: int | None = None

    @property
    def missing(self) -> int:
        """Units announced and not seen; a fact only once the shipment is short."""
        return self.expected - self.seen

    @property
    def state(self) -> Literal["expected", "receiving", "complete", "short"]:
        """How far it is."""
        if self.expected and not self.missing:
            return "complete"
        if self.settled_us is not None:
            return "short"
        return "expected" if self.first_seen_us is None else "receiving"

    @property
    def ended(self) -> bool:
        """Nothing more is waited for, though a late case still counts."""
        return self.state in ("complete", "short")


class Case(Struct):
    """One tag of one shipment: announced, seen with it, or both."""

    shipment: str
    epc: str
    sku: str
    """UNIDENTIFIED for a tag that is no stock unit."""
    sscc: str | None = None
    named: bool = False
    """The partner announced this very tag."""
    unexpected: bool = False
    seen_us: int | None = None


class Incident(Struct):
    """Something that staff should look at (an exception, in the warehouse's sense)."""

    kind: ExceptionKind
    subject: str
    count: int
    params: dict[str, Param]
    opened_us: int
    updated_us: int
    open: bool = True
    resolved_by: str | None = None
    """None for one that ended by itself."""
    reason: str | None = None
    decision: Decision | None = None
    """Of a lot that was over its limit: what was decided about its stock."""


class Order(Struct):
    """One replenishment."""

    sku: str
    units: int
    state: OrderState
    requested_us: int
    updated_us: int
    received: int = 0
    number: str | None = None
    supplier: str | None = None


class Agent(Struct):
    """One edge agent (or the gateway itself): how far its numbers are, and whether it is heard."""

    through: dict[str, int] = {}
    """Last sequence number in the log, by epoch."""
    epoch: str = ""
    """The newest epoch."""
    heard: bool = False
    silent: bool = False
    since_us: int = 0


class Device(Struct):
    """One device behind an agent."""

    agent: str
    state: Literal["connected", "lost", "blind", "drifted", "unknown"] = "unknown"
    stamp: Stamp = (0, "", "", 0)
    """Of the newest word on its state."""
    since_us: int = 0
    detail: str = ""
    counts: dict[str, int] = {}


class Condition(Struct):
    """The readings of one sensor."""

    zone: str
    quantity: str
    value: float
    stamp: Stamp
    outside: bool = False
    """Beyond the limits of its zone."""
    trace: list[tuple[int, float]] = []
    """The last readings by event time: (at_us, value), at most 120."""


class Counter(Struct):
    """A number that only grows: how often a name was given out."""

    n: int = 0
