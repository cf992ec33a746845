"""EPCIS events of what the agents saw: passes, sightings, counts, inspections and conditions."""

from collections.abc import Callable, Iterator
from typing import Final

from contract import events
from gateway.epcis.events import (
    AggregationEvent,
    Disposition,
    EpcisEvent,
    ObjectEvent,
    Place,
    SensorElement,
    SensorMetadata,
    SensorReport,
)
from gateway.epcis.names import Names, tag, tags
from gateway.epcis.observed import COUNTED, STORED, Why, place, seen, when
from gateway.records import LogRow


def door_pass(names: Names, row: LogRow, event: events.DoorPass) -> Iterator[EpcisEvent]:
    why, location = _crossing(names, event)
    parent = tag(event.container) if event.container is not None else None
    children = tuple(uri for uri in tags(event.epcs) if uri != parent)
    if parent is None or not children:
        door = names.door(event.door)
        yield from seen(row, why, epcs=event.epcs, read_point=door, location=location)
        return
    yield AggregationEvent(
        **when(row),
        action="OBSERVE",
        parent_id=parent,
        child_epcs=children,
        biz_step=why.step,
        disposition=why.disposition,
        read_point=Place(id=names.door(event.door)),
        biz_location=place(location),
    )


def _crossing(names: Names, event: events.DoorPass) -> tuple[Why, str | None]:
    """What a pass means, and the zone in which it ends. Through a door that the site file does not name, or nobody
    knows which way, it is a sighting and no more."""
    door = names.doors.get(event.door)
    if door is None or event.direction == "unknown":
        return Why(None, None), None
    target = door.inside if event.direction == "inbound" else door.outside
    if target is None:
        return Why("shipping", "in_transit"), None
    why = Why("receiving", "in_progress") if door.outside is None else STORED
    return why, names.zone(target)


def zone_seen(names: Names, row: LogRow, event: events.ZoneSeen) -> Iterator[EpcisEvent]:
    zone = names.zone(event.zone)
    yield from seen(row, STORED, epcs=event.epcs, read_point=zone, location=zone)


def tag_count(names: Names, row: LogRow, event: events.TagCount) -> Iterator[EpcisEvent]:
    zone = names.zone(event.zone)
    yield from seen(row, COUNTED, epcs=event.epcs, read_point=zone, location=zone)


_FOUND_TO_BE: Final[dict[str, Disposition | None]] = {"good": "conformant", "defective": "non_conformant"}


def inspection(names: Names, row: LogRow, event: events.Inspection) -> Iterator[EpcisEvent]:
    """Of one item with a tag. A piece of fruit has no identity outside the line."""
    subject = event.subject.lower()
    if _is_epc(subject):
        why = Why("inspecting", _FOUND_TO_BE.get(event.verdict))
        yield from seen(row, why, epcs=(subject,), read_point=names.line(event.line))


def _is_epc(subject: str) -> bool:
    return len(subject) % 2 == 0 and bool(subject) and set("0123456789abcdef").issuperset(subject)


_MEASURED: Final[dict[str, Callable[[float], SensorReport]]] = {
    "temperature_c": lambda value: SensorReport(type="Temperature", value=value, uom="CEL"),
    "humidity_pct": lambda value: SensorReport(type="RelativeHumidity", value=value, uom="P1"),
    "weight_kg": lambda value: SensorReport(type="Mass", value=value, uom="KGM"),
}
"""CBV 2.0, section 7.7; UN/CEFACT Recommendation 20. It has no measurement type for an open door."""


def condition(names: Names, row: LogRow, event: events.Condition) -> Iterator[EpcisEvent]:
    report = _MEASURED.get(event.quantity)
    if report is not None:
        metadata = SensorMetadata(device_id=names.device(event.device))
        zone = Place(id=names.zone(event.zone))
        yield ObjectEvent(
            **when(row),
            action="OBSERVE",
            biz_step="sensor_reporting",
            read_point=zone,
            biz_location=zone,
            sensor_element_list=(SensorElement(sensor_metadata=metadata, sensor_report=(report(event.value),)),),
        )
