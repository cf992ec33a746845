"""From rows of the log to EPCIS events: one table from the type of an entry to its rule (docs/epcis.md).

Pure. An event's time is the row's event time and its record time the gateway's, both with milliseconds, which is what
the hash id knows of them (CBV 2.0, section 8.9.2, rule 9): two events differ in their ids exactly if they differ.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from contract import events
from gateway import records
from gateway.epcis import announcements, sightings, stockroom
from gateway.epcis.events import EpcisEvent
from gateway.epcis.hashid import hash_id
from gateway.epcis.names import Names
from gateway.records import LogEntry, LogRow, coldrecords, countrecords, stockrecords

Rule = Callable[[Names, LogRow, Any], Iterator[EpcisEvent]]


def events_of(names: Names, row: LogRow, entry: LogEntry) -> list[EpcisEvent]:
    """The events of one row, with their ids; `entry` is its body. Kinds without a rule have none."""
    rule = RULES.get(type(entry))
    return [] if rule is None else [_identified(event) for event in rule(names, row, entry)]


def _identified(event: EpcisEvent) -> EpcisEvent:
    return msgspec.structs.replace(event, event_id=hash_id(msgspec.to_builtins(event)))


RULES: Final[dict[type, Rule]] = {
    events.DoorPass: sightings.door_pass,
    events.ZoneSeen: sightings.zone_seen,
    events.TagCount: sightings.tag_count,
    events.Inspection: sightings.inspection,
    events.Condition: sightings.condition,
    records.AsnReceived: announcements.asn_received,
    records.ItemsImported: stockroom.items_imported,
    records.LotBegun: stockroom.lot_begun,
    stockrecords.LotExpired: stockroom.lot_expired,
    stockrecords.StockMoved: stockroom.stock_moved,
    stockrecords.DispositionSet: stockroom.disposition_set,
    countrecords.CountEntered: stockroom.count_entered,
    countrecords.CountCompleted: stockroom.count_completed,
}

UNTOLD: Final[dict[type, str]] = {
    events.EmptyPass: "nothing was read: there is no object to tell of",
    events.ZoneLeft: "EPCIS tells of what was observed, not of what was not",
    events.Device: "about our devices",
    records.ShipmentSettled: "names a document and no object",
    records.ShipmentClosed: "names a document and no object",
    records.OrderReported: "names a document and no object",
    records.ReplenishmentRequested: "a wish, and nothing that happened",
    records.LotFound: "does not say of which product",
    records.LotReleased: "does not say of which product",
    records.LineFound: "about our devices",
    records.UnknownLine: "about our devices",
    records.ReviewAnswered: "a label to learn from",
    records.ReviewsClosed: "a label to learn from",
    records.ExceptionResolved: "about our exceptions",
    records.ExceptionClaimed: "about our exceptions",
    records.ExceptionSnoozed: "about our exceptions",
    records.SnoozeEnded: "about our exceptions",
    records.ExceptionReopened: "about our exceptions",
    records.Noticed: "about our exceptions",
    records.Ceased: "about our exceptions",
    records.AgentSilent: "about our devices",
    records.AgentHeard: "about our devices",
    records.ClockJudged: "about our devices",
    records.DataLost: "about our devices",
    records.BadMessages: "about our devices",
    coldrecords.SensorSilent: "about our devices",
    coldrecords.DoorLeftOpen: "CBV has no measurement of a door",
    stockrecords.SiteDescribed: "master data",
    stockrecords.ProductsImported: "master data",
    stockrecords.ZonesImported: "master data",
    stockrecords.LotDescribed: "master data",
    stockrecords.BooksTrimmed: "about our books",
    countrecords.CountRequested: "a step of a count, before it has found anything",
    countrecords.CountBegun: "a step of a count, before it has found anything",
    countrecords.CountSubmitted: "not yet accepted",
    countrecords.CountInvestigated: "not yet accepted",
    countrecords.CountReviewed: "its result is told when the count is completed",
    countrecords.CountCancelled: "its result does not stand",
}
"""Kinds that are nothing in EPCIS terms, and why. Each kind of the log stands here or in `RULES`."""
