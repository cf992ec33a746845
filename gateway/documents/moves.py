"""Bodies in which people say what they moved, and what may be sold, in JSON or CSV, to records of the log."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.documents import sheets
from gateway.documents.itemmaster import ItemMaster
from gateway.documents.known import Epc, Once, ShipmentId, Words, known, strange
from gateway.errors import BadBody, BodyMistake
from gateway.records.stockrecords import MAX_LINES, Disposition, DispositionSet, MovedLine, MoveReason, StockMoved

MAX_ROWS: Final = 20_000
"""Of one body."""
MAX_UNITS: Final = 1_000_000
MOVE_COLUMNS: Final = (
    *("reason", "who", "epc", "sku", "units", "lot", "from", "to", "shipment", "disposition", "note"),
)
_MOVES: Final = sheets.Sheet(MOVE_COLUMNS, ("reason", "who"), frozenset({"units"}))
DISPOSITION_COLUMNS: Final = ("disposition", "who", "why", "epc", "sku", "zone", "units", "lot", "was")
_DISPOSITIONS: Final = sheets.Sheet(DISPOSITION_COLUMNS, ("disposition", "who", "why"), frozenset({"units"}))

_IN: Final = frozenset({"receipt", "return", "found"})
_OUT: Final = frozenset({"shipment", "scrap", "sale", "lost"})
_WITHIN: Final = frozenset({"putaway", "pick", "transfer"})
_WITH_SHIPMENT: Final = frozenset({"receipt", "return", "shipment"})

Line = TypeVar("Line")
Key = TypeVar("Key", bound=Hashable)


class _Stock(BaseModel):
    """Which stock: one tag, or units of a SKU."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    who: Words
    epc: Annotated[Epc, known(ItemMaster.no_stock), Once] | None = None
    sku: Annotated[Words, known(ItemMaster.unknown_sku)] | None = None
    units: Annotated[int, Field(ge=1, le=MAX_UNITS, strict=True)] | None = None
    lot: Words | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "_Stock":
        if self.epc is None and (self.sku is None or self.units is None):
            raise strange("expected an epc, or a sku and its units")
        if self.epc is not None and (self.sku is not None or self.units is not None):
            raise strange("an epc is one unit of its own SKU: leave sku and units out")
        return self


class Move(_Stock):
    """Stock that somebody moved: one tagged case or pallet, or `units` of a `sku` without tags."""

    origin: Annotated[Words, known(ItemMaster.unknown_zone)] | None = Field(default=None, alias="from")
    """Zone; nothing is outside the house. A tag that was elsewhere is moved all the same."""
    target: Annotated[Words, known(ItemMaster.unknown_zone)] | None = Field(default=None, alias="to")
    """Zone; nothing is outside the house."""
    reason: MoveReason
    shipment: ShipmentId | None = None
    """Which one it counts for: of a receipt or return an inbound one, of a shipment an outbound one."""
    disposition: Disposition | None = None
    """Of units without tags: as what they are moved. Nothing: sellable, of a return quarantined."""
    note: Words | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Move":
        if self.origin is None and self.target is None and (self.epc is None or self.reason not in _OUT):
            raise strange("expected from, to, or both")
        if self.reason in _IN and (self.target is None or (self.epc is None and self.origin is not None)):
            raise strange(f"a {self.reason} comes from outside into a zone: say to, and not from")
        if self.reason in _OUT and (self.target is not None or (self.epc is None and self.origin is None)):
            raise strange(f"a {self.reason} goes out of a zone: say from, and not to")
        if self.reason in _WITHIN and (self.target is None or (self.epc is None and self.origin is None)):
            raise strange(f"a {self.reason} goes from one zone to another: say both")
        if self.origin is not None and self.origin == self.target:
            raise strange(f"from {self.origin} to {self.target} nothing moves")
        if self.shipment is not None and self.reason not in _WITH_SHIPMENT:
            raise strange(f"a {self.reason} counts for no shipment: a receipt, return or shipment does")
        if self.disposition is not None and self.epc is not None:
            raise strange("a tag keeps its disposition: set another one at /api/v1/dispositions")
        return self


class DispositionLine(_Stock):
    """Whether stock may be sold: one tagged case, or `units` of a `sku` without tags in a `zone`."""

    zone: Annotated[Words, known(ItemMaster.unknown_zone)] | None = None
    disposition: Disposition
    was: Disposition = "sellable"
    """Of units without tags."""
    why: Words

    @model_validator(mode="after")
    def _makes_sense(self) -> "DispositionLine":
        if (self.zone is None) != (self.epc is not None):
            raise strange("a tag is where it is: leave zone out" if self.epc else "expected the zone of these units")
        if self.epc is None and self.was == self.disposition:
            raise strange(f"they are {self.was} already")
        return self


def moves_from(form: str, data: bytes, master: ItemMaster) -> list[Move]:
    """The rows of a body, `form` being json or csv; raises `BadBody` with every mistake."""
    if form == "json":
        return _bounded(sheets.from_json(data, Move, master))
    return _bounded(sheets.from_csv(data, _MOVES, Move, master))


def dispositions_from(form: str, data: bytes, master: ItemMaster) -> list[DispositionLine]:
    """The rows of a body, `form` being json or csv; raises `BadBody` with every mistake."""
    if form == "json":
        return _bounded(sheets.from_json(data, DispositionLine, master))
    return _bounded(sheets.from_csv(data, _DISPOSITIONS, DispositionLine, master))


def check(form: str, lines: Iterable[Line], trouble: Callable[[Line], tuple[str, str] | None]) -> None:
    """Raise `BadBody` with what the ledger knows against each row: (column, why), or None."""
    mistakes = []
    for n, line in enumerate(lines):
        found = trouble(line)
        if found is not None:
            place = f"[{n}].{found[0]}" if form == "json" else f"row {n + 1}, column {found[0]}"
            mistakes.append(BodyMistake(place, found[1]))
    if mistakes:
        raise BadBody(mistakes)


def moved(moves: Iterable[Move], at_us: int) -> Iterator[StockMoved]:
    """One record for what one person moved for one reason, in the order of the first of each."""
    for (who, reason, shipment, note), alike in _alike(
        moves, lambda one: (one.who, one.reason, one.shipment, one.note or "")
    ):
        lines = list(_moved_lines(alike))
        for start in range(0, len(lines), MAX_LINES):
            part = tuple(lines[start : start + MAX_LINES])
            yield StockMoved(at_us=at_us, who=who, reason=reason, note=note, shipment=shipment, lines=part)


def dispositions(lines: Iterable[DispositionLine], at_us: int) -> Iterator[DispositionSet]:
    """One record for the tags of which one person says the same, and one for each row of units."""
    for (who, why, disposition), alike in _alike(lines, lambda one: (one.who, one.why, one.disposition)):
        epcs = [one.epc for one in alike if one.epc is not None]
        for start in range(0, len(epcs), MAX_LINES):
            part = tuple(epcs[start : start + MAX_LINES])
            yield DispositionSet(at_us=at_us, who=who, why=why, disposition=disposition, epcs=part)
        for one in alike:
            if one.units is not None:
                yield DispositionSet(
                    at_us=at_us, who=who, why=why, disposition=disposition,
                    sku=one.sku, zone=one.zone, lot=one.lot, units=one.units, was=one.was,
                )  # fmt: skip


def _moved_lines(moves: Iterable[Move]) -> Iterator[MovedLine]:
    """Tags of one way and lot stand in one line."""
    for (target, lot, tagged), alike in _alike(moves, lambda one: (one.target, one.lot, one.epc is not None)):
        if tagged:
            yield MovedLine(target=target, epcs=tuple(one.epc for one in alike if one.epc is not None), lot=lot)
            continue
        for one in alike:
            usual: Disposition = "quarantined" if one.reason == "return" else "sellable"
            yield MovedLine(
                target=target, origin=one.origin, sku=one.sku, units=one.units or 0, lot=lot,
                disposition=one.disposition or usual,
            )  # fmt: skip


def _alike(lines: Iterable[Line], key: Callable[[Line], Key]) -> Iterable[tuple[Key, list[Line]]]:
    found: dict[Key, list[Line]] = {}
    for line in lines:
        found.setdefault(key(line), []).append(line)
    return found.items()


def _bounded(lines: list[Line]) -> list[Line]:
    if len(lines) > MAX_ROWS:
        raise BadBody([BodyMistake("body", f"{len(lines)} rows: send at most {MAX_ROWS} at once")])
    return lines
