"""The fold: one table from the kind of a log entry to the rule that applies it."""

from collections.abc import Callable
from typing import Any

from contract import events
from gateway import records
from gateway.errors import Misfit
from gateway.ledger import (
    agents,
    announcements,
    conditions,
    devices,
    doors,
    exceptions,
    inventory,
    lines,
    lots,
    orders,
    quarantine,
    reviews,
    shipments,
    zones,
)
from gateway.ledger.state import State
from gateway.records import LogEntry, LogRow

Rule = Callable[[State, LogRow, Any], None]


RULES: dict[type, Rule] = {
    events.DoorPass: doors.passed,
    events.EmptyPass: doors.passed_empty,
    events.ZoneSeen: zones.seen,
    events.ZoneLeft: zones.left,
    events.TagCount: zones.seen,
    events.Inspection: lines.inspected,
    events.Condition: conditions.read,
    events.Device: devices.told,
    records.AsnReceived: announcements.announced,
    records.ItemsImported: zones.imported,
    records.ExceptionResolved: exceptions.resolve,
    records.ShipmentSettled: shipments.settled,
    records.ReplenishmentRequested: orders.requested,
    records.OrderReported: orders.reported,
    records.LotBegun: lines.begun,
    records.LotFound: lines.found,
    records.UnknownLine: lines.stranger_told,
    records.LineFound: lines.line_found,
    records.LotReleased: lots.released,
    records.ReviewAnswered: reviews.answered,
    records.ReviewsClosed: reviews.closed,
    records.AgentSilent: agents.silent,
    records.AgentHeard: agents.heard,
    records.DataLost: agents.lost_data,
    records.BadMessages: agents.bad_messages,
}


def fold(state: State, row: LogRow, entry: LogEntry) -> None:
    """Apply one entry of the log to the state. The same rows in the same order give the same state.

    An entry that names a door or zone that the site file does not know changes nothing but the numbers, and is an
    exception. Sorting lines do not depend on the site file: what it said of them stands in the log. Of one thing it is
    still asked: the crop of a verdict that does not say its own, as those of older agents (`reviews.asked`).
    """
    agents.advance(state, row)
    try:
        RULES[type(entry)](state, row, entry)
    except Misfit as misfit:
        exceptions.add(state, "bad_message", row.agent, row.recorded_us, 1, {"reason": str(misfit)})
    if row.at_us > row.recorded_us + inventory.CLOCK_SLACK_US:
        ahead_s = (row.at_us - row.recorded_us) // 1_000_000
        exceptions.begin(state, "clock_stepped", row.agent, row.recorded_us, 1, {"ahead_s": ahead_s})


def reindex(state: State) -> None:
    """Derive every index from the tables."""
    exceptions.reindex(state)
    shipments.reindex(state)
    orders.reindex(state)
    lots.reindex(state)
    quarantine.reindex(state)
    reviews.reindex(state)
