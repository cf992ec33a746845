"""The fold: one table from the kind of a log entry to the rule that applies it."""

from collections.abc import Callable
from typing import Any

from contract import events
from gateway import records
from gateway.errors import Misfit
from gateway.ledger import trimming
from gateway.ledger.counting import countbooks, counts
from gateway.ledger.fruit import lines, lots, reviews
from gateway.ledger.goods import doors, inventory, looks, masterdata, movements, quarantine, stock, zones
from gateway.ledger.receiving import announcements, awaited, orders, shipments
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.ledger.watching import agents, climate, conditions, devices, sensors
from gateway.records import LogEntry, LogRow, coldrecords, countrecords, stockrecords

Rule = Callable[[State, LogRow, Any], None]


RULES: dict[type, Rule] = {
    events.DoorPass: doors.passed,
    events.EmptyPass: doors.passed_empty,
    events.ZoneSeen: zones.seen,
    events.ZoneLeft: zones.left,
    events.TagCount: counts.swept,
    events.Inspection: lines.inspected,
    events.Condition: conditions.read,
    events.Device: devices.told,
    records.AsnReceived: announcements.announced,
    records.ItemsImported: zones.imported,
    stockrecords.SiteDescribed: masterdata.described,
    stockrecords.ProductsImported: masterdata.products,
    stockrecords.ZonesImported: masterdata.zones,
    stockrecords.LotDescribed: masterdata.lot_described,
    stockrecords.LotExpired: masterdata.lot_expired,
    stockrecords.StockMoved: movements.moved,
    stockrecords.DispositionSet: movements.set_disposition,
    stockrecords.BooksTrimmed: trimming.trimmed,
    records.ExceptionResolved: exceptions.resolve,
    records.ExceptionClaimed: exceptions.claim,
    records.ExceptionSnoozed: exceptions.snooze,
    records.SnoozeEnded: exceptions.wake,
    records.ExceptionReopened: shipments.exception_reopened,
    records.Noticed: exceptions.notice,
    records.Ceased: exceptions.cease,
    records.ShipmentClosed: shipments.closed,
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
    coldrecords.SensorSilent: sensors.silent,
    coldrecords.DoorLeftOpen: conditions.left_open,
    countrecords.CountRequested: counts.requested,
    countrecords.CountBegun: counts.begun,
    countrecords.CountEntered: counts.entered,
    countrecords.CountSubmitted: counts.submitted,
    countrecords.CountInvestigated: counts.investigated,
    countrecords.CountReviewed: counts.reviewed,
    countrecords.CountCompleted: countbooks.completed,
    countrecords.CountCancelled: counts.cancelled,
    records.AgentSilent: agents.silent,
    records.AgentHeard: agents.heard,
    records.ClockJudged: agents.clock_judged,
    records.DataLost: agents.lost_data,
    records.BadMessages: agents.bad_messages,
}


def fold(state: State, row: LogRow, entry: LogEntry) -> None:
    """Apply one entry of the log to the state. The same rows in the same order give the same state.

    An entry that names a door or zone that the log has not told of changes nothing but the numbers, and is an
    exception. Sorting lines do not depend on the site file: what it said of them stands in the log. Of one thing it is
    still asked: the crop of a verdict that does not say its own, as those of older agents (`reviews.asked`).
    """
    row = agents.corrected(state, row)
    state.row = row
    posted = len(state.postings)
    agents.advance(state, row)
    try:
        RULES[type(entry)](state, row, entry)
    except Misfit as misfit:
        exceptions.add(state, "bad_message", row.agent, row.recorded_us, 1, {"reason": str(misfit)})
    if len(state.postings) > posted and state.index.open_counts:
        counts.moved(state, row, posted)
    if row.at_us > row.recorded_us + inventory.CLOCK_SLACK_US:
        ahead_s = (row.at_us - row.recorded_us) // 1_000_000
        exceptions.begin(state, "clock_stepped", row.agent, row.recorded_us, 1, {"ahead_s": ahead_s})


def reindex(state: State) -> None:
    """Derive every index from the tables."""
    exceptions.reindex(state)
    awaited.reindex(state)
    orders.reindex(state)
    lots.reindex(state)
    stock.reindex(state)
    looks.reindex(state)
    quarantine.reindex(state)
    reviews.reindex(state)
    climate.reindex(state)
    counts.reindex(state)
