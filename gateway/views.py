"""What the gateway shows: the bodies of the API and of the live stream, and the types of the page (through OpenAPI).

The live state is a set of sections, each a mapping from key to view. A `Snapshot` is all of it; a `Delta` is what
changed since, as whole views by section and key, so that applying one is an assignment.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Section = Literal[
    "site", "doors", "shipments", "stock", "exceptions", "orders", "devices", "conditions", "lines", "reviews", "counts"
]


EventTime = Annotated[int, Field(description="Event time: the clock of who saw it. us since 1970-01-01 UTC.")]
"""Of an agent; of what the gateway itself noticed or was told, the gateway's."""
GatewayTime = Annotated[int, Field(description="The gateway's clock. us since 1970-01-01 UTC.")]
StateTime = Annotated[
    int,
    Field(
        description="Event time of the last change; the gateway's clock for an agent, and for what stands behind one "
        "that is silent. us since 1970-01-01 UTC."
    ),
]
LotTime = Annotated[
    int, Field(description="The gateway's clock if somebody said so, else event time. us since 1970-01-01 UTC.")
]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class TitleView(_View):
    """A name for people, in both languages."""

    en: str
    zh: str


class LinkView(_View):
    """A cursor on the log: how far behind it is."""

    state: Literal["ok", "behind", "down"]
    waiting: int
    """Log rows, or requests, that have not yet arrived there."""
    oldest_us: GatewayTime | None = None
    """Record time of the oldest of them."""


class SiteView(_View):
    """The strip at the top. Its section has one key, `site`."""

    name: str
    title: TitleView
    version: str
    started_us: GatewayTime
    committed: int
    """Events in the log."""
    broker: LinkView
    history: LinkView
    cloud: LinkView
    pictures_kept: bool
    """Whether pictures of fruit can be stored; false since their disk took none, until it takes one again."""


class ReaderView(_View):
    """A reader at a door."""

    name: str
    state: Literal["connected", "lost", "blind", "unknown"]
    since_us: StateTime


class DoorView(_View):
    """One portal, keyed by its name."""

    name: str
    title: TitleView
    inside: str
    outside: str | None
    inbound: int
    outbound: int
    unknown: int
    unread: int
    """Times that something went through and no tag of it was read."""
    strays: dict[str, int]
    """Tags near the door that did not go through it, by reason: flat, standing, static, cross_read, turned_back, ..."""
    last_pass_us: EventTime | None
    shipment: str | None
    """The shipment that is at the door now."""
    readers: list[ReaderView]


class ShipmentLineView(_View):
    """One SKU of a shipment."""

    sku: str
    expected: int
    seen: int
    inferred: int = 0
    """Not seen, while the pallet was that they stand on."""
    over: int = 0
    """Beyond what was announced by number."""


class ShipmentView(_View):
    """One ASN, keyed by its id."""

    id: str
    direction: Literal["inbound", "outbound"]
    partner: str
    door: str | None
    order: str | None
    """Number of the purchase order that it answers."""
    state: Literal["expected", "receiving", "complete", "short"]
    expected: int
    seen: int
    inferred: int = 0
    """Not seen themselves, while the pallet was that they stand on."""
    missing: int
    """Expected, and nothing was seen of it; a fact only when the state is `short`."""
    unexpected: int
    """Seen at its door with it, and not announced."""
    over: int = 0
    """Units beyond what was announced by number."""
    wrong_pallet: int = 0
    """Of the seen ones, those that came on another pallet than announced."""
    wrong_door: int = 0
    """Of those that came, the ones that came through another door than announced."""
    doubtful: int = 0
    """Of the inferred ones, those on pallets of which so few cases were read that somebody should count them."""
    late: int = 0
    """Came after somebody had closed it."""
    purpose: Literal["supply", "return"] = "supply"
    closed_by: str | None = None
    """Who ended it as it is, short or over."""
    closed_why: str | None = None
    closed_us: GatewayTime | None = None
    lines: list[ShipmentLineView]
    announced_us: GatewayTime
    first_seen_us: EventTime | None
    last_seen_us: EventTime | None


class StockView(_View):
    """One SKU, keyed by its name. Units may be negative: they are shown, never clamped."""

    sku: str
    title: TitleView
    units: int
    zones: dict[str, int]
    reorder_point: int
    order_up_to: int
    on_order: int
    quarantined: int = 0
    """Of the units, those that may not be sold: their lot is over its limit."""
    damaged: int = 0
    """Of the units, those that somebody found damaged."""
    expired: int = 0
    """Of the units, those whose lot may not be sold any more."""
    updated_us: GatewayTime | None
    trace: list[tuple[int, int]]
    """The last levels as (record time in us, units), oldest first, at most 60."""


class ExceptionView(_View):
    """Something that staff should look at, keyed by its id."""

    id: str
    kind: Literal[
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
    severity: Literal["wrong", "attention"]
    subject: str
    """The shipment, door, device, agent, zone, line, lot or SKU that it is about."""
    count: int
    """How many cases, loads, fruit or messages it stands for."""
    params: dict[str, str | int | float]
    """What the page's sentence needs besides: expected, seen, value, min, max, ..."""
    opened_us: GatewayTime
    updated_us: GatewayTime
    state: Literal["open", "resolved"]
    resolved_by: str | None = None
    reason: str | None = None
    decision: Literal["release", "keep"] | None = None
    """Of a lot that was over its limit: whether its stock was released, or stays in quarantine."""
    rows: list[int] = []
    """Rows of the log that it rests on: the first, and the last ones; at most 20."""
    fix: str = ""
    """What to do about it: a name that never changes, for each kind and situation (docs/api.md)."""
    claimed_by: str | None = None
    """Who takes care of it."""
    snoozed_until_us: GatewayTime | None = None
    """Nobody wants to hear of it until then, by the gateway's clock, unless it gets worse."""
    reopened: int = 0
    """How often it was resolved and then opened again."""


class OrderView(_View):
    """A replenishment, keyed by its idempotency key."""

    key: str
    sku: str
    units: int
    received: int
    state: Literal["requested", "placed", "shipped", "received", "cancelled"]
    number: str | None
    supplier: str | None
    requested_us: GatewayTime
    updated_us: GatewayTime


class DeviceView(_View):
    """An agent (kind `agent`) or a device behind it, keyed by its name."""

    name: str
    kind: Literal["agent", "reader", "modbus", "camera"]
    agent: str
    state: Literal["connected", "lost", "blind", "drifted", "silent", "unknown"]
    since_us: StateTime
    heard_us: GatewayTime | None
    detail: str
    counts: dict[str, int]
    waiting: int | None = None
    """For an agent: events in its outbox."""
    clock_offset_us: int | None = None
    """For an agent: its clock minus the gateway's."""


class ConditionView(_View):
    """The latest reading of a sensor, keyed by `device` (its register's name)."""

    device: str
    zone: str
    quantity: str
    value: float
    at_us: EventTime
    min: float | None
    max: float | None
    trace: list[tuple[int, float]]
    """The last readings as (event time in us, value), oldest first, at most 120."""
    since_us: EventTime | None = None
    """It is outside its limits (a door: open) since then, to the minute."""
    low: float | None = None
    high: float | None = None
    """Of the 24 hours before its newest reading, by quarters of an hour."""
    out_minutes: float = 0.0
    """Of these, how long it was outside its limits; a door, open."""
    faulty: bool = False
    """It tells nothing, or what cannot be: the value is the last one that could be believed."""


class LotView(_View):
    """The fruit of one lot on one line so far."""

    lot: str
    sku: str | None
    customer: str | None
    begun_us: LotTime
    ended_us: LotTime | None
    good: int
    defective: int
    unsure: int
    unseen: int
    missed: int
    """Of all these, those whose verdict came too late for the gate."""
    rate: float | None
    """Share of defective among those judged good or defective; None before the first."""
    low: float | None
    high: float | None
    """Its 95 % confidence interval (Wilson)."""
    limit: float
    state: Literal["running", "within", "over", "released"]
    """`over`: even the low end is above the limit, and its stock is in quarantine, until somebody releases it."""


class GradeView(_View):
    """What a customer takes from a line."""

    customer: str | None
    """None: everybody who has no grade of their own."""
    limit: float
    """A lot with a larger share of defective fruit is over its limit."""


class VerdictView(_View):
    """One fruit, as the line judged it."""

    subject: str
    verdict: Literal["good", "defective", "unsure", "unseen"]
    score: float | None
    at_us: EventTime
    gate: Literal["passed", "pushed", "missed"] | None
    evidence: str | None
    """Its picture is at /api/v1/evidence/{id}.jpg, once it has come: it travels apart from the verdict."""


class ShadowView(_View):
    """A model that is tried beside the one that decides."""

    model: str
    compared: int
    disagreed: int
    """Fruit that the two judge differently; since the two have run together."""


class LineView(_View):
    """One sorting line, keyed by its name."""

    name: str
    title: TitleView
    agent: str
    crop: str
    camera: str
    """Name of its camera among the devices."""
    grades: list[GradeView]
    """Everybody's first, then those of customers as in the site file."""
    lot: LotView | None
    """The lot that runs, or ran last."""
    lots: list[LotView]
    """Those before, newest first, at most 8."""
    per_minute: int
    """Fruit in the last 60 s."""
    model: str | None
    shadow: ShadowView | None
    latest: list[VerdictView]
    """The last 12, newest first."""
    belt_us: GatewayTime | None
    """When the picture at /api/v1/lines/{name}/belt.jpg came, by the gateway's clock; None when there is none."""
    to_review: int
    unpictured: int = 0
    """Verdicts that somebody should have looked at and nobody could: their picture never came, or had to make room."""
    last_us: EventTime | None


class ReviewView(_View):
    """A verdict that waits for a person, keyed by the id of its picture. The section holds 20: the
    oldest, but one that is there stays there until it has an answer or its picture is gone."""

    id: str
    line: str
    lot: str | None
    crop: str | None
    verdict: Literal["good", "defective", "unsure", "unseen"]
    score: float | None
    model: str
    sampled: bool
    at_us: EventTime
    outline: list[tuple[float, float]]
    """Corners as shares of the picture's width and height; empty until the picture is there."""


class CountView(_View):
    """A cycle count, keyed by its id. Nothing here tells what the books say: a counter sees it."""

    id: str
    zone: str
    skus: list[str]
    """Empty: whatever is there."""
    methods: list[Literal["hand", "handheld", "fixed"]]
    plan: str | None
    """The sampling plan that it belongs to."""
    state: Literal[
        "requested", "counting", "counted", "investigating", "ready_for_review", "reviewed", "completed", "cancelled"
    ]
    round: int
    """0 before the first."""
    counter: str | None
    """Who counts, or counted, this round."""
    requested_by: str
    requested_us: GatewayTime
    begun_us: GatewayTime | None
    """Of this round."""
    submitted_us: GatewayTime | None
    entered: int
    """Lines that were entered by hand in this round."""
    tags: int
    """Tags that were found in this round."""
    needs: list[Literal["recount", "sweep", "reasons"]]
    """What it lacks before it can be reviewed: stock moved while it was counted; a sweep that is sure enough of what it
    did not find; or the reason of a difference beyond the tolerance."""


class CountLineView(_View):
    """One SKU, lot and disposition of a count, against the books of that moment."""

    sku: str
    lot: str | None
    """None: no known lot; or, of what was counted without looking at lots, all of them."""
    disposition: Literal["sellable", "quarantined", "damaged"]
    counted: int
    expected: int
    at_us: EventTime
    """When it was counted."""
    verdict: Literal["exact", "within", "beyond", "unsure", "failed"]
    """As the books say; inside the tolerance of its class, or outside; cases are missing, and the sweep was too weak to
    be sure; or it cannot stand, because stock moved while it was counted."""
    moved: bool
    """Stock of it moved while or after it was counted; unless it failed, `expected` is re-based on the log."""
    missing: list[str]
    """EPCs of cases that the books had there and that were not found."""
    misplaced: list[str]
    """EPCs of cases that were found there and that the books had elsewhere, or nowhere."""
    confidence: float
    """How likely a tagged case that is there would have been found."""
    gone: float | None
    """How likely each missing case is gone, and not just unread."""
    reason: (
        Literal[
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
        | None
    )


class FeedEntry(_View):
    """One committed event, for the page's live line and for measuring the way to the page."""

    id: int
    """Row in the log."""
    kind: str
    agent: str
    at_us: EventTime
    decided_us: EventTime
    recorded_us: GatewayTime
    place: str
    """Door, zone or device."""
    direction: Literal["inbound", "outbound", "unknown"] | None = None
    confidence: float | None = None
    epc: str | None = None
    """The tag that it is about; of several the logistic unit, if its tag is among them, else the first."""
    sku: str | None = None
    tags: int | None = None
    """How many tags it is about."""
    stragglers: int = 0
    """How many of them came late, or were hardly heard to go with the others."""


class ZoneView(_View):
    """A zone of the site file."""

    name: str
    title: TitleView


class Snapshot(_View):
    """Everything the page shows, at one moment."""

    n: int
    """Number of the last delta that is contained."""
    now_us: GatewayTime
    """The gateway's clock."""
    zones: list[ZoneView]
    site: dict[str, SiteView]
    doors: dict[str, DoorView]
    shipments: dict[str, ShipmentView]
    stock: dict[str, StockView]
    exceptions: dict[str, ExceptionView]
    """All that are open, and the last 20 that were resolved."""
    orders: dict[str, OrderView]
    devices: dict[str, DeviceView]
    conditions: dict[str, ConditionView]
    lines: dict[str, LineView] = {}
    reviews: dict[str, ReviewView] = {}
    counts: dict[str, CountView] = {}
    """Those that have not ended."""
    feed: list[FeedEntry]
    """The last 30, newest last."""


AnyView = (
    SiteView
    | DoorView
    | ShipmentView
    | StockView
    | ExceptionView
    | OrderView
    | DeviceView
    | ConditionView
    | LineView
    | ReviewView
    | CountView
)


class Change(_View):
    """One view that is new, changed, or (value None) gone."""

    section: Section
    key: str
    value: AnyView | None


class Delta(_View):
    """What changed since delta `n - 1`."""

    n: int
    now_us: GatewayTime
    changes: list[Change]
    feed: list[FeedEntry]
    """At most 200 entries; `skipped` says how many more there were."""
    skipped: int = 0


class Beat(_View):
    """The stream's pulse, every second: silence means that the stream is broken."""

    now_us: GatewayTime
    """The gateway's clock."""
    n: int
    """Number of the last delta."""
