"""The EPCIS event hash id (CBV 2.0, section 8.9): an id that follows from what an event says, and from nothing else.

    event -> its fields in canonical order, "eventType=ObjectEventeventTime=2026-..." -> SHA-256
          -> ni:///sha-256;{hexadecimal}?ver=CBV2.0                                        (RFC 6920)

Who has the event can work out its id again; record time and the id itself take no part. Fields that Truecount's events
never have (ILMD, error declarations, extensions of users) are refused.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from gateway.epcis.gs1uri import canonical

_CBV: Final = "https://ref.gs1.org/cbv/"
_VOCABULARY: Final = "https://gs1.org/voc/"
_NO_PART: Final = frozenset({"@context", "type", "eventID", "recordTime"})

Rule = Callable[[str, Any], str]


def hash_id(event: Mapping[str, Any]) -> str:
    """The id of an event as it stands in JSON."""
    return f"ni:///sha-256;{hashlib.sha256(pre_hash(event).encode()).hexdigest()}?ver=CBV2.0"


def pre_hash(event: Mapping[str, Any]) -> str:
    """The text that is hashed (section 8.9.2)."""
    strange = event.keys() - _NO_PART - _ORDER.keys()
    assert not strange, f"no rule for {sorted(strange)}"
    return f"eventType={event['type']}" + _in_order(_ORDER, event)


def _in_order(order: Mapping[str, Rule], said: Mapping[str, Any]) -> str:
    return "".join(rule(key, said[key]) for key, rule in order.items() if key in said)


def _plain(key: str, value: object) -> str:
    return f"{key}={str(value).strip()}"


def _time(key: str, value: str) -> str:
    """In UTC, with milliseconds."""
    moment = datetime.fromisoformat(value).astimezone(UTC)
    return f"{key}={moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _number(key: str, value: float) -> str:
    """Without zeros at its end."""
    return f"{key}={int(value) if value == int(value) else value}"


def _uri(key: str, value: str) -> str:
    return f"{key}={canonical(value)}"


def _word(kind: str) -> Rule:
    """A bare word of a vocabulary, as its URI."""
    return lambda key, value: f"{key}={value if ':' in value else kind + value}"


def _place(key: str, value: Mapping[str, str]) -> str:
    return key + _uri("id", value["id"])


def _epcs(key: str, value: list[str]) -> str:
    return key + "".join(sorted(_uri("epc", epc) for epc in value))


def _list_of(name: str, order: Mapping[str, Rule]) -> Rule:
    return lambda key, value: key + "".join(sorted(name + _in_order(order, one) for one in value))


def _reports(key: str, value: list[Mapping[str, Any]]) -> str:
    return "".join(sorted(key + _in_order(_REPORT, one) for one in value))


def _metadata(key: str, value: Mapping[str, Any]) -> str:
    return key + _in_order({"time": _time, "deviceID": _uri}, value)


def _documents(name: str, kind: str) -> Rule:
    """The type stands before what it is a type of."""
    return _list_of("", {"type": _word(_CBV + kind), name: _uri})


_REPORT: Final[dict[str, Rule]] = {
    "type": _word(_VOCABULARY),
    "deviceID": _uri,
    "time": _time,
    "value": _number,
    "uom": _plain,
}
_QUANTITIES: Final = _list_of("quantityElement", {"epcClass": _uri, "quantity": _number, "uom": _plain})
_ORDER: Final[dict[str, Rule]] = {
    "eventTime": _time,
    "eventTimeZoneOffset": _plain,
    "epcList": _epcs,
    "parentID": _uri,
    "childEPCs": _epcs,
    "quantityList": _QUANTITIES,
    "childQuantityList": _QUANTITIES,
    "action": _plain,
    "bizStep": _word(_CBV + "BizStep-"),
    "disposition": _word(_CBV + "Disp-"),
    "readPoint": _place,
    "bizLocation": _place,
    "bizTransactionList": _documents("bizTransaction", "BTT-"),
    "sourceList": _documents("source", "SDT-"),
    "destinationList": _documents("destination", "SDT-"),
    "sensorElementList": _list_of("sensorElement", {"sensorMetadata": _metadata, "sensorReport": _reports}),
}
"""The canonical order of properties (section 8.9.2, table)."""
