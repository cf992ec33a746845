"""Records about what the house is and what stands in it: its premises, its products, and what people do with stock.

`gateway.records` lists every record of the log; these are those of the stock room. Units are whole; a lot is the GS1
batch/lot (AI 10), an expiry the day (AI 17, ISO 8601) after which it may not be sold.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from contract.events import EpcHex, Micros, Name

Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]
"""ISO 8601, e.g. 2026-11-23."""
Disposition = Literal["sellable", "quarantined", "damaged"]
"""What people say of units. That they are expired, or of a lot in quarantine, follows from their lot."""
MoveReason = Literal[
    "receipt", "putaway", "pick", "transfer", "shipment", "return", "scrap", "sale", "found", "lost", "correction"
]
AbcClass = Literal["A", "B", "C"]
MAX_LINES: Final = 1000
"""Lines, products or zones in one record: longer documents become several records of one commit."""


class ZoneOf(Struct, frozen=True, kw_only=True):
    """A zone of the zone tree."""

    name: Name
    en: Name
    zh: Name
    parent: Name | None = None
    min_c: float | None = None
    max_c: float | None = None
    warm_s: float = 0.0
    """Its temperature may be outside for so long."""
    min_pct: float | None = None
    max_pct: float | None = None
    humid_s: float = 0.0
    """Its humidity may be outside for so long."""


class DoorOf(Struct, frozen=True, kw_only=True):
    """A door, and the zones that it joins; `outside` is None where the world is."""

    name: Name
    agent: Name
    inside: Name
    outside: Name | None = None


class DeviceOf(Struct, frozen=True, kw_only=True):
    """A device that an agent watches."""

    name: Name
    kind: Literal["agent", "reader", "modbus", "camera"]
    agent: Name
    door: Name | None = None
    zones: tuple[Name, ...] = ()
    """Where a zone's reader looks."""


class SensorOf(Struct, frozen=True, kw_only=True):
    """A sensor that should tell of its zone: the register of a Modbus device."""

    name: Name
    device: Name
    """The Modbus device behind which it is."""
    agent: Name
    every_s: float
    open_s: float | None = None
    """Of a door: it may stand open for so long."""


class Product(Struct, frozen=True, kw_only=True):
    """One line of the item master."""

    sku: Name
    gtin: Annotated[str, Meta(pattern=r"^\d{14}$(?!\n)")]
    en: Name
    zh: Name
    reorder_point: int = 0
    order_up_to: int = 0
    pack: int = 1
    abc: AbcClass | None = None
    """Class by value: how exact its counts must be."""
    shelf_life_days: int | None = None


class CountRulesOf(Struct, frozen=True, kw_only=True):
    """How exact a cycle count must be, as `contract.site.CountRules` says."""

    a_pct: float = 0.0
    b_pct: float = 0.5
    c_pct: float = 2.0
    min_confidence: float = 0.98


class SiteDescribed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="site_described"):
    """What the site file says of the house, told whenever it is another than before: the fold asks only the log."""

    at_us: Micros
    site: Name
    settle_us: int
    """A shipment of which nothing came for so long is settled."""
    silent_us: int = 15_000_000
    """An agent that was not heard for so long is silent."""
    zones: tuple[ZoneOf, ...] = ()
    doors: tuple[DoorOf, ...] = ()
    devices: tuple[DeviceOf, ...] = ()
    products: tuple[Product, ...] = ()
    sensors: tuple[SensorOf, ...] = ()
    counts: CountRulesOf = CountRulesOf()


class ProductsImported(Struct, frozen=True, kw_only=True, tag_field="kind", tag="products_imported"):
    """Lines of the item master, beside those of the site file; a later one of the same SKU replaces it."""

    at_us: Micros
    who: Name
    products: Annotated[tuple[Product, ...], Meta(max_length=MAX_LINES)]


class ZonesImported(Struct, frozen=True, kw_only=True, tag_field="kind", tag="zones_imported"):
    """Zones of the tree, beside those of the site file; a later one of the same name replaces it."""

    at_us: Micros
    who: Name
    zones: Annotated[tuple[ZoneOf, ...], Meta(max_length=MAX_LINES)]


class LotDescribed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="lot_described"):
    """When a lot of a SKU expires, as its label or a document says."""

    at_us: Micros
    who: Name
    sku: Name
    lot: Name
    expires: Day | None = None


class LotExpired(Struct, frozen=True, kw_only=True, tag_field="kind", tag="lot_expired"):
    """The last day on which a lot might be sold is over."""

    at_us: Micros
    sku: Name
    lot: Name
    expires: Day


class MovedLine(Struct, frozen=True, kw_only=True):
    """Stock that somebody moved: tagged cases by their EPCs, or untagged units. None is outside the house."""

    target: Name | None
    origin: Name | None = None
    """Of untagged units; tagged cases are where they are."""
    epcs: tuple[EpcHex, ...] = ()
    sku: Name | None = None
    units: int = 0
    lot: Name | None = None
    disposition: Disposition = "sellable"


class StockMoved(Struct, frozen=True, kw_only=True, tag_field="kind", tag="stock_moved"):
    """Somebody moved stock at `at_us`: putaway, picks, receipts and shipments without a portal, scrap, what was lost
    or found."""

    at_us: Micros
    who: Name
    reason: MoveReason
    note: str = ""
    shipment: Name | None = None
    """Of a receipt, shipment or return: which one it counts for."""
    lines: Annotated[tuple[MovedLine, ...], Meta(max_length=MAX_LINES)]


class DispositionSet(Struct, frozen=True, kw_only=True, tag_field="kind", tag="disposition_set"):
    """Somebody says that stock may or may not be sold: tagged cases, or untagged units of one zone."""

    at_us: Micros
    who: Name
    why: str
    disposition: Disposition
    epcs: tuple[EpcHex, ...] = ()
    sku: Name | None = None
    zone: Name | None = None
    lot: Name | None = None
    units: int = 0
    was: Disposition = "sellable"
    """Of untagged units."""


class BooksTrimmed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="books_trimmed"):
    """What ended before a moment leaves the books: items outside the house, shipments, orders, resolved exceptions.
    The log up to `through` may be cut once a snapshot holds it."""

    at_us: Micros
    before_us: Micros
