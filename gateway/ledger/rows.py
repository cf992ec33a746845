"""The rows of the folded state, one struct a noun. Each is written as JSON, so a new field needs a default.

Times are microseconds since 1970-01-01 UTC: `*_us` of something in the warehouse is event time (the agent's clock),
`recorded_us`, `touched_us`, `opened_us`, `updated_us` and `since_us` are the gateway's.
"""

from typing import Literal

from msgspec import Struct

from gateway.belief.trace import UNTOUCHED, Trace
from gateway.records import Decision
from gateway.records.stockrecords import Disposition

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
    "sensor_fault",
    "excursion",
    "door_open",
    "wrong_door",
    "wrong_pallet",
    "short",
    "over",
    "misplaced",
    "probably_gone",
    "expired",
    "count_variance",
    "disk_low",
]
Alarm = Literal["", "temperature", "excursion", "door_open"]
"""What a sensor's reading amounts to."""
Param = str | int | float
Direction = Literal["inbound", "outbound"]
OrderState = Literal["requested", "placed", "shipped", "received", "cancelled"]


class Item(Struct, gc=False, array_like=True):
    """One tag. It is in one place: `zone`, or (None) outside the site or not yet known to be anywhere."""

    sku: str | None
    """Set for stock units (SGTIN); None for pallets and for tags that are no GS1 encoding."""
    zone: str | None = None
    """Where the books have it: where it was seen, or where its container is."""
    placed: Stamp | None = None
    """The newest sighting of its own tag that told where it is."""
    placed_in: str | None = None
    """Where that was; None is outside."""
    observed: Stamp | None = None
    """A newer sighting, that did not tell where it is."""
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
    disposition: Disposition = "sellable"
    """As people last said."""
    container: str | None = None
    """EPC of the logistic unit (SSCC) that it was put on."""
    joined: Stamp | None = None
    """When it was put there."""
    inferred: Stamp | None = None
    """The sighting of its container that tells where it is; None while its own does."""
    trace: Trace = UNTOUCHED
    """What belief in its place rests on."""

    @property
    def seen(self) -> Stamp | None:
        """The newest sighting at all."""
        return self.observed or self.placed

    @property
    def known(self) -> bool:
        """Something tells where it is, inside the house or outside."""
        return self.placed is not None or self.inferred is not None


class Container(Struct, gc=False, array_like=True):
    """A logistic unit: where its own tag was seen, and what was put on it."""

    track: list[tuple[Stamp, str | None]] = []
    """The last places of its tag, oldest first, at most 50; None is outside."""
    items: list[str] = []
    """EPCs, in order."""


class Bin(Struct, array_like=True):
    """The units of one SKU, lot and disposition in one zone: the finest figure of the books."""

    sku: str
    zone: str
    """Empty: outside the house. Only tagged units are known there."""
    lot: str
    """Empty: none is known."""
    disposition: Disposition
    tagged: int = 0
    untagged: int = 0
    counted_us: int | None = None
    """When its untagged units were counted last: what happened before is in that count."""
    recent: list[tuple[int, int]] = []
    """Changes of the untagged units since then: (event time, units), oldest first, at most 100."""
    merged_us: int = 0
    """Older changes than this are not told apart any more: a count of an earlier moment cannot be re-based."""
    with_tagged_us: int | None = None
    """When tagged and untagged units were counted together, by number: tags that came or went before are in it."""

    @property
    def units(self) -> int:
        """All units."""
        return self.tagged + self.untagged


class StockLot(Struct, array_like=True):
    """One lot of one SKU."""

    sku: str
    lot: str
    expires: str | None = None
    """The last day on which it may be sold, ISO 8601."""
    expired: bool = False
    first_us: int | None = None
    """When the first of it was in the house."""
    derived: bool = False
    """Nobody told when it expires: it follows from the shelf life of its product."""


class Stock(Struct):
    """The units of one SKU. Negative levels are kept as they are."""

    units: int = 0
    zones: dict[str, int] = {}
    held: dict[str, int] = {}
    """Of the units, those that may not be sold: damaged, expired, quarantined."""
    known: bool = False
    """Some of it was in the house once, or was announced: from then on it is replenished."""
    updated_us: int | None = None
    trace: list[tuple[int, int]] = []
    """The last levels: (record time, units), at most 60; the last one within a commit."""

    @property
    def sellable(self) -> int:
        """Units that may be sold."""
        return self.units - sum(self.held.values())


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
    read: int = 0
    """Cases of confirmed loads whose own tag was read here."""
    unread_cases: int = 0
    """Cases of confirmed loads that came through here and whose own tag was not read."""


class Line(Struct):
    """One SKU of a shipment."""

    expected: int = 0
    named: int = 0
    """Cases of it that the partner named by EPC."""
    seen: int = 0
    inferred: int = 0
    """Cases of it that were not seen, while the pallet was that they stand on."""
    unnamed_seen: int = 0
    """Units of it that came and that the partner had announced only by number, those told by hand included."""
    over: int = 0
    """Units of it beyond what was announced by number."""
    by_hand: int = 0
    """Untagged units of it that somebody told by hand, in the figures above."""
    lots: dict[str, int] = {}
    """Of the units announced only by number, those of a lot that the document names."""

    @property
    def room(self) -> int:
        """Units announced only by number that have not come."""
        return self.expected - self.named - self.unnamed_seen

    @property
    def by_number(self) -> bool:
        """Some of it was announced only by number."""
        return self.expected > self.named


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
    inferred: int = 0
    """Units announced whose pallet was seen, and they were not: the sum of the lines."""
    unexpected: int = 0
    first_seen_us: int | None = None
    last_seen_us: int | None = None
    settled_us: int | None = None
    purpose: Literal["supply", "return"] = "supply"
    over: int = 0
    """Units beyond what was announced by number: the sum of the lines."""
    wrong_pallet: int = 0
    """Of the seen ones, those that came with another logistic unit than announced."""
    wrong_door: int = 0
    """Of the announced ones that came, or whose pallet did, those that came through another door than announced."""
    late: int = 0
    """Cases, and units told by hand, that came after it was closed."""
    doubtful: list[str] = []
    """Pallets of which so few cases were read that it is not believed that the others are there."""
    taught: list[str] = []
    """Pallets from which the read rate of their door was learned."""
    closed_us: int | None = None
    """Somebody ended it as it was then; record time."""
    closed_by: str | None = None
    closed_why: str | None = None

    @property
    def lacking(self) -> int:
        """Of the missing units, those that were announced only by number."""
        return sum(line.room for line in self.lines.values())

    @property
    def missing(self) -> int:
        """Units announced of which nothing was seen, not even their pallet; a fact only once the shipment is short."""
        return self.expected - self.seen - self.inferred

    @property
    def state(self) -> Literal["expected", "receiving", "complete", "short"]:
        """How far it is."""
        if self.expected and not self.missing and (not self.inferred or self.settled_us is not None):
            return "complete"
        if self.settled_us is not None:
            return "short"
        return "expected" if self.first_seen_us is None else "receiving"

    @property
    def ended(self) -> bool:
        """Nothing more is waited for, though a late case still counts."""
        return self.state in ("complete", "short")

    @property
    def unsettled(self) -> bool:
        """It is to be settled when nothing comes any more; once more where a pallet came after it was."""
        if self.closed_us is not None:
            return False
        return not self.ended or (
            self.settled_us is not None and self.inferred > 0 and self.touched_us >= self.settled_us
        )


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
    inferred_us: int | None = None
    """When its pallet was seen without it; None as soon as its own tag was."""
    over: bool = False
    """Unexpected, but of a line that was announced by number: one more than that."""
    late: bool = False
    """It came after the shipment was closed."""
    by: Stamp | None = None
    """The sighting that `seen_us` or `inferred_us` is the time of: its row of the log is (agent, epoch, seq)."""
    door: str | None = None
    """The door to the world that it, or its pallet, came through."""
    unread: bool = False
    """Its pallet came through that door, and its own tag was not read there."""
    seen_on: str | None = None
    """EPC of the logistic unit that it was seen to move with."""
    lot: str | None = None
    """As the document says."""
    expires: str | None = None


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
    rows: list[int] = []
    """Rows of the log that it rests on: the first, and the last ones; at most 20."""
    claimed_by: str | None = None
    """Who takes care of it."""
    snoozed_until_us: int | None = None
    """Nobody wants to hear of it until then, unless it gets worse."""
    reopened: int = 0
    """How often it was closed and then opened again."""
    lasting: bool = False
    """Somebody closed it, and what it is about is not known to have ended."""


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
    last_us: int = 0
    """Event time of the last row of it."""
    clocks: list[tuple[str, int, int]] = []
    """How its clock went: (epoch, last event before, microseconds ahead of the gateway's), newest last, at most 8."""


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
    """Beyond the limits of its zone; of a door, open."""
    trace: list[tuple[int, float]] = []
    """The last readings by event time: (at_us, value), at most 120."""
    inside_us: int | None = None
    """The newest reading within the limits; of a door, that found it closed."""
    since_us: int | None = None
    """It is outside since then, to the minute; None while it is not."""
    low: float | None = None
    high: float | None = None
    """What it reached meanwhile, and in the quarter of an hour in which that began."""
    alarm: Alarm = ""
    """The kind of exception that it is a part of."""
    silent: bool = False
    recorded_us: int = 0
    """When a reading of it came in last."""


class ClimateDay(Struct, array_like=True):
    """The readings of one sensor on one day, by quarter of an hour."""

    zone: str
    device: str
    quantity: str
    day: int
    """UTC, since 1970-01-01."""
    cells: bytearray
    """As gateway/coldchain/cells.py draws them."""


class Counter(Struct):
    """A number that only grows: how often a name was given out."""

    n: int = 0
