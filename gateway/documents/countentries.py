"""What a counter found, as it comes in: JSON or CSV, checked once, with every mistake in its place."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.documents.body import Draft, Row, csv_rows, json_drafts, mistakes_of
from gateway.documents.itemmaster import ItemMaster
from gateway.documents.known import Epc, Surroundings, Words, known, strange
from gateway.errors import BadBody, BodyMistake
from gateway.records.countrecords import CountedLine
from gateway.records.stockrecords import Disposition

COLUMNS: Final = ("sku", "lot", "units", "disposition", "epc")
MAX_UNITS: Final = 1_000_000_000


class Found(BaseModel):
    """One thing that a counter found: units of a SKU by hand, or a tag."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sku: Annotated[Words, known(ItemMaster.unknown_sku)] | None = None
    lot: Words | None = None
    """Where no line of a SKU says a lot, its units are those of all lots."""
    units: Annotated[int, Field(ge=0, le=MAX_UNITS)] | None = None
    disposition: Disposition = "sellable"
    epc: Epc | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.epc is None and (self.sku is None or self.units is None):
            raise strange("expected `sku` and `units`, or `epc`")
        if self.epc is not None and any(one is not None for one in (self.sku, self.units, self.lot)):
            raise strange("a tag says what it is: give `epc` alone")
        return self


def from_json(data: bytes, master: ItemMaster) -> tuple[list[CountedLine], list[str]]:
    """Lines and tags of a JSON object or list; raises `BadBody` with every mistake."""
    return _read(json_drafts(data), master, [])


def from_csv(data: bytes, master: ItemMaster) -> tuple[list[CountedLine], list[str]]:
    """Lines and tags of a CSV; raises `BadBody` with every mistake."""
    mistakes: list[BodyMistake] = []
    drafts = [_draft(row) for row in csv_rows(data, COLUMNS, (), mistakes)]
    return _read(drafts, master, mistakes)


def _draft(row: Row) -> Draft:
    cells = {name: cell for name, cell in row.cells.items() if cell}
    return Draft(cells, lambda location: f"line {row.line}" + "".join(f", column {part}" for part in location))


def _read(drafts: list[Draft], master: ItemMaster, mistakes: list[BodyMistake]) -> tuple[list[CountedLine], list[str]]:
    surroundings = Surroundings(master, set())
    lines: dict[tuple[str, str | None, str], CountedLine] = {}
    epcs: dict[str, None] = {}
    for draft in drafts:
        try:
            found = Found.model_validate(draft.value, context=surroundings)
        except ValidationError as error:
            mistakes += mistakes_of(error, draft.place)
            continue
        if found.epc is not None:
            epcs[found.epc] = None
            continue
        assert found.sku is not None, "checked above"
        line = CountedLine(sku=found.sku, units=found.units or 0, lot=found.lot, disposition=found.disposition)
        if (line.sku, line.lot, line.disposition) in lines:
            mistakes.append(BodyMistake(draft.place(()), f"{line.sku} of this lot stands here twice"))
        lines[line.sku, line.lot, line.disposition] = line
    if not drafts and not mistakes:
        mistakes.append(BodyMistake("body", "expected at least one line"))
    if mistakes:
        raise BadBody(mistakes)
    return list(lines.values()), list(epcs)
