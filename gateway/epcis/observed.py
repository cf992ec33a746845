"""What the rules of the mapping share: the times of a row, and objects that were seen somewhere for some reason."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypedDict

from gateway.epcis.events import BizTransaction, Disposition, ObjectEvent, Place, Quantity, Step
from gateway.epcis.names import Names, tags
from gateway.records import LogRow

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class When(TypedDict):
    """The times of an event, and the offset of the clocks on the wall, which the site file does not tell."""

    event_time: str
    event_time_zone_offset: str
    record_time: str


class Why(NamedTuple):
    """The business step and state of objects."""

    step: Step | None
    disposition: Disposition | None


def moment(at_us: int) -> str:
    """UTC, milliseconds: 2026-11-22T10:00:00.123Z."""
    text = (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def when(row: LogRow, at_us: int | None = None) -> When:
    """The times of a row; `at_us` where the event was at another time than its record says."""
    at = row.at_us if at_us is None else at_us
    return {"event_time": moment(at), "event_time_zone_offset": "+00:00", "record_time": moment(row.recorded_us)}


def seen(
    row: LogRow,
    why: Why,
    *,
    epcs: Iterable[str] = (),
    quantities: Iterable[Quantity] = (),
    read_point: str | None = None,
    location: str | None = None,
    at_us: int | None = None,
    documents: tuple[BizTransaction, ...] = (),
) -> Iterator[ObjectEvent]:
    """Objects were there; nothing where none of them has a name that partners know."""
    uris, amounts = tags(epcs), tuple(quantities)
    if uris or amounts:
        yield ObjectEvent(
            **when(row, at_us),
            action="DELETE" if why.step == "destroying" else "OBSERVE",
            epc_list=uris,
            quantity_list=amounts,
            biz_step=why.step,
            disposition=why.disposition,
            read_point=place(read_point),
            biz_location=place(location),
            biz_transaction_list=documents,
        )


def place(uri: str | None) -> Place | None:
    """A place, if there is one."""
    return None if uri is None else Place(id=uri)


STORED: Final = Why("storing", "in_progress")
COUNTED: Final = Why("cycle_counting", None)


def quantities(amounts: Counter[str]) -> tuple[Quantity, ...]:
    """Units by the URI of their class; none and less than none are no objects."""
    return tuple(Quantity(epc_class=uri, quantity=units) for uri, units in amounts.items() if units > 0)


def documents(names: Names, shipment: str | None, order: str | None = None) -> tuple[BizTransaction, ...]:
    """The documents that objects belong to."""
    told = [BizTransaction(type="desadv", biz_transaction=names.document(shipment))] if shipment is not None else []
    if order is not None:
        told.append(BizTransaction(type="po", biz_transaction=names.document(order)))
    return tuple(told)
