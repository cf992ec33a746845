"""EPCIS documents (EPCIS 2.0, JSON-LD binding): events between a head and a tail, written as they come."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from gateway import records
from gateway.epcis.events import CONTEXT, EpcisEvent
from gateway.epcis.mapping import events_of
from gateway.epcis.names import Names
from gateway.epcis.observed import moment
from gateway.records import LogRow

_BODY: Final = b'"epcisBody":{"eventList":['
_TAIL: Final = b"\n]}}\n"
_encode: Final = msgspec.json.Encoder().encode


class Told(NamedTuple):
    """The events of one row, as JSON. A row that is nothing in EPCIS terms has none."""

    row: int
    events: tuple[bytes, ...]


def told(rows: Iterable[LogRow], names: Names) -> Iterator[Told]:
    """Each row with its events."""
    for row in rows:
        yield Told(row.id, tuple(map(encoded, events_of(names, row, records.decode(row.body)))))


def encoded(event: EpcisEvent) -> bytes:
    """One event as JSON."""
    return _encode(event)


def document(events: Iterable[bytes], at_us: int) -> Iterator[bytes]:
    """The pieces of a document that was made at a time; no more than one event is held."""
    head = {"@context": [CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": moment(at_us)}
    yield _encode(head)[:-1] + b"," + _BODY
    separator = b"\n"
    for event in events:
        yield separator + event
        separator = b",\n"
    yield _TAIL
