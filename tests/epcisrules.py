"""The rules of GS1's EPCIS 2.0 JSON schema, written anew and stricter, as a JSON schema of our own.

GS1 publishes `EPCIS-JSON-Schema.json` without a licence to copy it, so it does not stand here. These are its rules for
documents with object, aggregation and transaction events: which properties an event may have and must have, what is a
URI, a time, a word of the vocabulary, a unit. Stricter in four places: no extensions, no action but with objects, words
of the vocabulary bare only, and no list empty.
"""

from typing import Any

import jsonschema_rs

URI = {"type": "string", "format": "uri", "pattern": "^[a-z][a-z0-9+.-]*:"}
TIME = {"type": "string", "format": "date-time"}
BIZ_STEPS = (
    "accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting "
    "decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting "
    "installing killing loading other packing picking receiving removing repackaging repairing replacing reserving "
    "retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting "
    "unloading unpacking void_shipping"
)
DISPOSITIONS = (
    "active available completeness_inferred completeness_verified conformant container_closed container_open damaged "
    "destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance "
    "mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed "
    "recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown"
)
DOCUMENTS = "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt"


def _words(words: str) -> dict[str, Any]:
    return {"enum": words.split()}


def _object(properties: dict[str, Any], *needed: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any], *, once: bool = False) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1, "uniqueItems": once}


QUANTITY = _object({"epcClass": URI, "quantity": {"type": "number"}, "uom": {"pattern": "^[A-Z0-9]{2,3}$"}}, "epcClass")
ENDS = _words("owning_party possessing_party location")
SENSOR_REPORT = _object(
    {
        "type": _words("Temperature RelativeHumidity AbsoluteHumidity Mass Illuminance Speed Pressure"),
        "value": {"type": "number"},
        "uom": {"type": "string"},
        "time": TIME,
        "deviceID": URI,
    },
    "type",
)
SENSOR_ELEMENT = _object(
    {"sensorMetadata": _object({"time": TIME, "deviceID": URI}), "sensorReport": _list(SENSOR_REPORT)}, "sensorReport"
)
EVERY_EVENT = {
    "eventTime": TIME,
    "recordTime": TIME,
    "eventTimeZoneOffset": {"type": "string", "pattern": "^([+]|[-])((0[0-9]|1[0-3]):([0-5][0-9])|14:00)$"},
    "eventID": {"type": "string", "pattern": r"^ni:///sha-256;[0-9a-f]{64}\?ver=CBV2\.0$"},
    "action": _words("OBSERVE ADD DELETE"),
    "bizStep": _words(BIZ_STEPS),
    "disposition": _words(DISPOSITIONS),
    "readPoint": _object({"id": URI}, "id"),
    "bizLocation": _object({"id": URI}, "id"),
    "bizTransactionList": _list(_object({"type": _words(DOCUMENTS), "bizTransaction": URI}, "bizTransaction")),
    "sourceList": _list(_object({"type": ENDS, "source": URI}, "type", "source")),
    "destinationList": _list(_object({"type": ENDS, "destination": URI}, "type", "destination")),
    "sensorElementList": _list(SENSOR_ELEMENT),
}


def _event(kind: str, own: dict[str, Any], *one_of: tuple[str, ...], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    properties = {"type": {"const": kind}, **EVERY_EVENT, **own}
    always = ("type", "eventTime", "eventTimeZoneOffset", "eventID", "action", *needed)
    return _object(properties, *always) | {"anyOf": [{"required": list(names)} for names in one_of]}


OBJECTS = {"epcList": _list(URI, once=True), "quantityList": _list(QUANTITY)}
EVENTS = [
    _event("ObjectEvent", OBJECTS, ("epcList",), ("quantityList",), ("sensorElementList", "readPoint")),
    _event(
        "AggregationEvent",
        {"parentID": URI, "childEPCs": _list(URI, once=True), "childQuantityList": _list(QUANTITY)},
        ("parentID", "childEPCs"),
        ("parentID", "childQuantityList"),
    ),
    _event(
        "TransactionEvent",
        OBJECTS | {"parentID": URI},
        ("epcList",),
        ("quantityList",),
        needed=("bizTransactionList",),
    ),
]
DOCUMENT = _object(
    {
        "@context": {
            "type": "array",
            "contains": {"const": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"},
        },
        "type": {"const": "EPCISDocument"},
        "schemaVersion": {"const": "2.0"},
        "creationDate": TIME,
        "epcisBody": _object({"eventList": {"type": "array", "items": {"oneOf": EVENTS}}}, "eventList"),
    },
    "@context",
    "type",
    "schemaVersion",
    "creationDate",
    "epcisBody",
)
_event_rules = jsonschema_rs.validator_for({"oneOf": EVENTS}, validate_formats=True)
_document_rules = jsonschema_rs.validator_for(DOCUMENT, validate_formats=True)


def event_mistakes(event: object) -> list[str]:
    """What is wrong with an event."""
    return [error.message for error in _event_rules.iter_errors(event)]


def document_mistakes(document: object) -> list[str]:
    """What is wrong with a document."""
    return [error.message for error in _document_rules.iter_errors(document)]
