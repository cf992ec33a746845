"""What the gateway itself writes into the log: documents, human actions, and what it noticed.

They stand in the same log as the agents' events, under the agent name `GATEWAY`, so that the state is a function of
the log alone. `at_us` is the gateway's clock.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from contract.events import EpcHex, Event, Micros, Name, Share
from gateway.records.coldrecords import DoorLeftOpen, SensorSilent
from gateway.records.countrecords import (
    CountBegun,
    CountCancelled,
    CountCompleted,
    CountEntered,
    CountInvestigated,
    CountRequested,
    CountReviewed,
    CountSubmitted,
)
from gateway.records.stockrecords import (
    BooksTrimmed,
    Day,
    DispositionSet,
    LotDescribed,
    LotExpired,
    ProductsImported,
    SiteDescribed,
    StockMoved,
    ZonesImported,
)

GATEWAY = "gateway"

Label = Literal["good", "defective", "unusable"]
Decision = Literal["release", "keep"]
"""About the stock of a lot in quarantine: it may be sold again, or stays where it is."""
WhyClosed = Literal["unpictured", "let_go"]
MAX_CLOSED: Final = 500
"""Reviews in one record."""


class AsnLine(Struct, frozen=True, kw_only=True):
    """Units of one SKU, where the partner does not name the cases."""

    sku: Name
    units: int
    lot: Name | None = None
    expires: Day | None = None


class AsnCase(Struct, frozen=True, kw_only=True):
    """One tagged case of an ASN, and the pallet it travels on."""

    epc: EpcHex
    sscc: EpcHex | None = None
    """EPC of the pallet's own tag."""
    lot: Name | None = None
    expires: Day | None = None


class AsnReceived(Struct, frozen=True, kw_only=True, tag_field="kind", tag="asn_received"):
    """A partner announces a shipment. A later one with the same id replaces it."""

    at_us: Micros
    id: Name
    direction: Literal["inbound", "outbound"]
    partner: Name
    door: Name | None = None
    order: Name | None = None
    """Number of the purchase order that it answers."""
    lines: tuple[AsnLine, ...] = ()
    cases: tuple[AsnCase, ...] = ()
    purpose: Literal["supply", "return"] = "supply"
    """`return`, inbound: from a customer; what comes is quarantined until somebody has looked at it."""


class ImportedItem(Struct, frozen=True, kw_only=True):
    """One tagged item and where it stands."""

    epc: EpcHex
    zone: Name
    lot: Name | None = None
    expires: Day | None = None


class ImportedUnits(Struct, frozen=True, kw_only=True):
    """Untagged units of one SKU and lot in a zone."""

    sku: Name
    zone: Name
    units: int
    lot: Name | None = None
    expires: Day | None = None


class ItemsImported(Struct, frozen=True, kw_only=True, tag_field="kind", tag="items_imported"):
    """An opening balance: these items are in these zones, and so many untagged units besides."""

    at_us: Micros
    who: Name
    items: tuple[ImportedItem, ...] = ()
    units: tuple[ImportedUnits, ...] = ()


class ExceptionResolved(Struct, frozen=True, kw_only=True, tag_field="kind", tag="exception_resolved"):
    """Somebody dealt with an exception."""

    at_us: Micros
    id: Name
    who: Name
    why: str
    decision: Decision | None = None
    """Of one about a lot in quarantine; to release it is a `LotReleased`."""


class ExceptionClaimed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="exception_claimed"):
    """Somebody takes care of an exception, or (`let_go`) does so no longer."""

    at_us: Micros
    id: Name
    who: Name
    let_go: bool = False


class ExceptionSnoozed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="exception_snoozed"):
    """Somebody wants to hear no more of an exception until a moment."""

    at_us: Micros
    id: Name
    who: Name
    until_us: Micros
    why: str = ""


class SnoozeEnded(Struct, frozen=True, kw_only=True, tag_field="kind", tag="snooze_ended"):
    """The moment until which an exception was snoozed has come."""

    at_us: Micros
    id: Name


class ExceptionReopened(Struct, frozen=True, kw_only=True, tag_field="kind", tag="exception_reopened"):
    """Somebody takes a resolution back, or the gateway found that it is still true (`who` is then the gateway)."""

    at_us: Micros
    id: Name
    who: Name
    why: str


class Noticed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="noticed"):
    """The gateway noticed by itself something that no event tells: a full disk, items that are probably gone."""

    at_us: Micros
    what: Literal["disk_low", "probably_gone", "misplaced"]
    subject: Name
    count: int = 1
    params: dict[str, str | int | float] = {}


class Ceased(Struct, frozen=True, kw_only=True, tag_field="kind", tag="ceased"):
    """What the gateway had noticed is so no longer."""

    at_us: Micros
    what: Literal["disk_low", "probably_gone", "misplaced", "expired"]
    subject: Name
    why: str


class ShipmentClosed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="shipment_closed"):
    """Somebody ends a shipment as it is, short or over, and says why; nothing of it is waited for any more."""

    at_us: Micros
    id: Name
    who: Name
    why: str
    reopened: bool = False
    """It is taken back: what has not come is waited for again."""


class ShipmentSettled(Struct, frozen=True, kw_only=True, tag_field="kind", tag="shipment_settled"):
    """Nothing of the shipment came through for so long that what is not seen is missing."""

    at_us: Micros
    id: Name


class ReplenishmentRequested(Struct, frozen=True, kw_only=True, tag_field="kind", tag="replenishment_requested"):
    """The inventory position of a SKU fell to its reorder point. `key` is the idempotency key of this one need."""

    at_us: Micros
    key: Name
    sku: Name
    units: int
    on_hand: int
    """Units that may be sold."""


class OrderReported(Struct, frozen=True, kw_only=True, tag_field="kind", tag="order_reported"):
    """The cloud said how far an order is."""

    at_us: Micros
    key: Name
    number: Name
    supplier: Name
    units: int
    state: Literal["placed", "shipped", "received", "cancelled"]


class LotBegun(Struct, frozen=True, kw_only=True, tag_field="kind", tag="lot_begun"):
    """From now on another lot runs over a sorting line, or the same one for another customer."""

    at_us: Micros
    line: Name
    lot: Name
    sku: Name | None = None
    customer: Name | None = None
    limit: Share | None = None
    """The most of it that may be defective, as the customer's grade said at that moment."""
    who: Name


class LotFound(Struct, frozen=True, kw_only=True, tag_field="kind", tag="lot_found"):
    """Fruit of a lot came that nobody had begun on that line."""

    at_us: Micros
    """When its first fruit was there."""
    line: Name
    lot: Name
    limit: Share
    """The most of it that may be defective, as everybody's grade said at that moment."""


class UnknownLine(Struct, frozen=True, kw_only=True, tag_field="kind", tag="unknown_line"):
    """Fruit came of a line that the site file did not name at that moment. It counts all the same."""

    at_us: Micros
    agent: Name
    line: Name
    count: int


class LineFound(Struct, frozen=True, kw_only=True, tag_field="kind", tag="line_found"):
    """Fruit came of a line that the site file named at that moment, when so many lines were known that a stranger's
    would not count."""

    at_us: Micros
    line: Name


class LotReleased(Struct, frozen=True, kw_only=True, tag_field="kind", tag="lot_released"):
    """Somebody frees a lot that was over its limit: its stock may be sold."""

    at_us: Micros
    lot: Name
    who: Name
    why: str
    exception: Name | None = None
    """The exception that was resolved so: if it is not open any more, somebody else has decided, and this frees
    nothing."""


class ReviewAnswered(Struct, frozen=True, kw_only=True, tag_field="kind", tag="review_answered"):
    """A person looked at the picture of a verdict: the label to learn from. `unusable`: it does not show the fruit."""

    at_us: Micros
    id: Name
    """Of the picture."""
    label: Label
    who: Name


class ReviewsClosed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="reviews_closed"):
    """Nobody will answer these. `unpictured`: the picture never came, was refused or had to make room; `let_go`: too
    many waited."""

    at_us: Micros
    ids: Annotated[tuple[Name, ...], Meta(max_length=MAX_CLOSED)]
    why: WhyClosed


class AgentSilent(Struct, frozen=True, kw_only=True, tag_field="kind", tag="agent_silent"):
    """An agent has not been heard for too long, or its last will came: what it watches is unknown, not absent."""

    at_us: Micros
    agent: Name


class AgentHeard(Struct, frozen=True, kw_only=True, tag_field="kind", tag="agent_heard"):
    """An agent is there for the first time, or again."""

    at_us: Micros
    agent: Name


class ClockJudged(Struct, frozen=True, kw_only=True, tag_field="kind", tag="clock_judged"):
    """The clock of an agent is another one than the gateway's, by so much: its events behind `began` are corrected."""

    at_us: Micros
    agent: Name
    epoch: str
    began: int
    """The last event before its clock began to go so."""
    ahead_us: int
    """Its clock minus the gateway's."""


class DataLost(Struct, frozen=True, kw_only=True, tag_field="kind", tag="data_lost"):
    """Events of an agent are gone, or may be: a new epoch, a floor above the expected number, numbers run backwards."""

    at_us: Micros
    agent: Name
    epoch: str
    detail: str


class BadMessages(Struct, frozen=True, kw_only=True, tag_field="kind", tag="bad_messages"):
    """Messages of an agent that could not be read stand in the dead-letter table."""

    at_us: Micros
    agent: Name
    count: int
    reason: str


Record = (
    AsnReceived
    | ItemsImported
    | SensorSilent
    | DoorLeftOpen
    | SiteDescribed
    | ProductsImported
    | ZonesImported
    | LotDescribed
    | LotExpired
    | StockMoved
    | DispositionSet
    | BooksTrimmed
    | CountRequested
    | CountBegun
    | CountEntered
    | CountSubmitted
    | CountInvestigated
    | CountReviewed
    | CountCompleted
    | CountCancelled
    | ExceptionClaimed
    | ExceptionSnoozed
    | SnoozeEnded
    | ExceptionReopened
    | Noticed
    | Ceased
    | ShipmentClosed
    | ExceptionResolved
    | ShipmentSettled
    | ReplenishmentRequested
    | OrderReported
    | LotBegun
    | LotFound
    | UnknownLine
    | LineFound
    | LotReleased
    | ReviewAnswered
    | ReviewsClosed
    | AgentSilent
    | AgentHeard
    | ClockJudged
    | DataLost
    | BadMessages
)

LogEntry = Event | Record


class LogRow(Struct, frozen=True, kw_only=True):
    """One row of the log. `agent, epoch, seq` is unique; `id` counts from 1 without a gap."""

    id: int
    agent: str
    epoch: str
    seq: int
    kind: str
    at_us: int
    decided_us: int
    recorded_us: int
    body: bytes
    """JSON of a `LogEntry`."""


_entry: msgspec.json.Decoder[LogEntry] = msgspec.json.Decoder(LogEntry)


def decode(body: bytes) -> LogEntry:
    """The event or record that a log row holds."""
    return _entry.decode(body)
