"""Rows of the log as entries of the page's feed."""

from collections.abc import Iterable

from contract import events
from gateway import records
from gateway.ledger.house import House
from gateway.records import LogEntry, LogRow, coldrecords, countrecords, stockrecords
from gateway.views import FeedEntry


class Feed:
    """Turns rows into entries, with the SKU of the tag that each is about."""

    def __init__(self, house: House) -> None:
        self._house = house

    def entries(self, rows: Iterable[LogRow]) -> list[FeedEntry]:
        """One entry a row, in the same order."""
        return [self._entry(row) for row in rows]

    def _entry(self, row: LogRow) -> FeedEntry:
        entry = records.decode(row.body)
        passed = entry if isinstance(entry, events.DoorPass) else None
        crossed = entry if isinstance(entry, events.DoorPass | events.EmptyPass) else None
        epc = _epc(entry)
        return FeedEntry(
            id=row.id,
            kind=row.kind,
            agent=row.agent,
            at_us=row.at_us,
            decided_us=row.decided_us,
            recorded_us=row.recorded_us,
            place=_place(entry),
            direction=crossed.direction if crossed else None,
            confidence=passed.confidence if passed else None,
            epc=epc,
            sku=self._house.tag(epc).sku if epc else None,
            tags=_tags(entry),
            stragglers=sum(tag.straggler for tag in passed.tags) if passed else 0,
        )


def _epc(entry: LogEntry) -> str | None:
    """The tag that an event is about; of several the logistic unit, else the first."""
    match entry:
        case events.DoorPass():
            return entry.container if entry.container in entry.epcs else entry.epcs[0]
        case events.ZoneSeen() | events.ZoneLeft() | events.TagCount():
            return entry.epcs[0]
        case _:
            return None


def _tags(entry: LogEntry) -> int | None:
    match entry:
        case events.DoorPass() | events.ZoneSeen() | events.ZoneLeft() | events.TagCount():
            return len(entry.epcs)
        case _:
            return None


def _place(entry: LogEntry) -> str:
    """Door, zone or device of an event; the subject of a record."""
    match entry:
        case events.DoorPass() | events.EmptyPass():
            return entry.door
        case events.ZoneSeen() | events.ZoneLeft() | events.TagCount() | events.Condition():
            return entry.zone
        case events.Inspection():
            return entry.line
        case events.Device():
            return entry.device
        case records.AsnReceived() | records.ShipmentSettled() | records.ShipmentClosed():
            return entry.id
        case records.ExceptionResolved() | records.ExceptionReopened() | records.SnoozeEnded():
            return entry.id
        case records.ExceptionClaimed() | records.ExceptionSnoozed():
            return entry.id
        case records.Noticed() | records.Ceased():
            return entry.subject
        case records.ReplenishmentRequested():
            return entry.sku
        case records.LotBegun() | records.LotFound() | records.UnknownLine() | records.LineFound():
            return entry.line
        case records.LotReleased():
            return entry.lot
        case records.ReviewAnswered():
            return entry.id
        case records.ReviewsClosed():
            return entry.ids[0] if entry.ids else ""
        case records.OrderReported():
            return entry.number
        case records.ItemsImported():
            return entry.items[0].zone if entry.items else entry.units[0].zone if entry.units else ""
        case coldrecords.SensorSilent() | coldrecords.DoorLeftOpen():
            return entry.device
        case stockrecords.SiteDescribed():
            return entry.site
        case stockrecords.ProductsImported():
            return entry.products[0].sku if entry.products else ""
        case stockrecords.ZonesImported():
            return entry.zones[0].name if entry.zones else ""
        case stockrecords.LotDescribed() | stockrecords.LotExpired():
            return entry.lot
        case stockrecords.StockMoved():
            return entry.lines[0].target or entry.lines[0].origin or "" if entry.lines else ""
        case stockrecords.DispositionSet():
            return entry.zone or ""
        case stockrecords.BooksTrimmed():
            return ""
        case countrecords.CountRequested():
            return entry.zone
        case (
            countrecords.CountBegun()
            | countrecords.CountEntered()
            | countrecords.CountSubmitted()
            | countrecords.CountInvestigated()
            | countrecords.CountReviewed()
            | countrecords.CountCompleted()
            | countrecords.CountCancelled()
        ):
            return entry.id
        case (
            records.AgentSilent()
            | records.AgentHeard()
            | records.ClockJudged()
            | records.DataLost()
            | records.BadMessages()
        ):
            return entry.agent
