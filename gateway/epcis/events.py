"""EPCIS 2.0 events as they stand in JSON-LD (EPCIS 2.0, sections 7.3 and 7.4; JSON binding, section 10).

Words of the Core Business Vocabulary stand bare (`receiving`); the JSON-LD context says which URI each means.
"""

from typing import Final, Literal

from msgspec import Struct, field

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

Action = Literal["ADD", "OBSERVE", "DELETE"]
Step = Literal[
    "cycle_counting",
    "destroying",
    "inspecting",
    "picking",
    "receiving",
    "retail_selling",
    "sensor_reporting",
    "shipping",
    "stock_taking",
    "storing",
]
"""Business steps that a warehouse tells of (CBV 2.0, section 7.1)."""
Disposition = Literal[
    "conformant",
    "damaged",
    "destroyed",
    "expired",
    "in_progress",
    "in_transit",
    "non_conformant",
    "non_sellable_other",
    "retail_sold",
    "returned",
    "sellable_not_accessible",
    "unknown",
]
"""CBV 2.0, section 7.2."""


class Place(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A read point or a business location."""

    id: str


class Quantity(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """So many of one class; without `quantity` some of it."""

    epc_class: str
    quantity: int | None = None


class BizTransaction(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A document that the event belongs to: despatch advice or purchase order."""

    type: Literal["desadv", "po"]
    biz_transaction: str


class Source(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Whence a transfer begins."""

    type: Literal["possessing_party", "location"]
    source: str


class Destination(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where a transfer ends."""

    type: Literal["possessing_party", "location"]
    destination: str


class SensorMetadata(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Which device measured."""

    device_id: str = field(name="deviceID")


class SensorReport(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One value; the unit is a UN/CEFACT Recommendation 20 code."""

    type: Literal["Temperature", "RelativeHumidity", "Mass"]
    value: float
    uom: Literal["CEL", "P1", "KGM"]


class SensorElement(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a device reported."""

    sensor_metadata: SensorMetadata
    sensor_report: tuple[SensorReport, ...]


class Event(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag_field="type"):
    """When, why and where of every event. What is not said is left out of the JSON."""

    event_time: str
    event_time_zone_offset: str
    record_time: str | None = None
    event_id: str | None = field(default=None, name="eventID")
    action: Action = field(name="action")
    biz_step: Step | None = None
    disposition: Disposition | None = None
    read_point: Place | None = None
    biz_location: Place | None = None
    biz_transaction_list: tuple[BizTransaction, ...] = ()
    source_list: tuple[Source, ...] = ()
    destination_list: tuple[Destination, ...] = ()


class ObjectEvent(Event, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag="ObjectEvent"):
    """Something happened to objects, or to a place that a sensor watches."""

    epc_list: tuple[str, ...] = ()
    quantity_list: tuple[Quantity, ...] = ()
    sensor_element_list: tuple[SensorElement, ...] = ()


class AggregationEvent(Event, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag="AggregationEvent"):
    """Objects are on, or in, another."""

    parent_id: str = field(name="parentID")
    child_epcs: tuple[str, ...] = field(name="childEPCs")


class TransactionEvent(Event, frozen=True, kw_only=True, rename="camel", omit_defaults=True, tag="TransactionEvent"):
    """Objects belong to documents."""

    epc_list: tuple[str, ...] = ()
    quantity_list: tuple[Quantity, ...] = ()


EpcisEvent = ObjectEvent | AggregationEvent | TransactionEvent
