"""Bodies that say which tagged items stand where, in JSON or CSV, to one record of the log."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.body import Draft, Row, csv_rows, json_drafts, mistakes_of
from gateway.errors import BadBody, BodyMistake
from gateway.itemmaster import ItemMaster
from gateway.known import Epc, Once, Surroundings, Words, known
from gateway.records import ImportedItem, ItemsImported

COLUMNS = ("epc", "zone", "lot")
NEEDED = ("epc", "zone")


class StandingItem(BaseModel):
    """One tagged item and the zone it stands in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epc: Annotated[Epc, known(ItemMaster.no_stock), Once]
    zone: Annotated[Words, known(ItemMaster.unknown_zone)]
    lot: Words | None = None


def from_json(data: bytes, master: ItemMaster, who: str, at_us: int) -> ItemsImported:
    """The record for a JSON list of items; raises `BadBody` with every mistake."""
    return _record(json_drafts(data), master, who, at_us, [])


def from_csv(data: bytes, master: ItemMaster, who: str, at_us: int) -> ItemsImported:
    """The record for a CSV of epc and zone; raises `BadBody` with every mistake."""
    mistakes: list[BodyMistake] = []
    drafts = [_draft(row) for row in csv_rows(data, COLUMNS, NEEDED, mistakes)]
    return _record(drafts, master, who, at_us, mistakes)


def _draft(row: Row) -> Draft:
    cells = {**row.cells, "lot": row.cells.get("lot") or None}
    return Draft(cells, lambda location: f"line {row.line}" + "".join(f", column {part}" for part in location))


def _record(
    drafts: list[Draft], master: ItemMaster, who: str, at_us: int, mistakes: list[BodyMistake]
) -> ItemsImported:
    surroundings = Surroundings(master, set())
    items: list[ImportedItem] = []
    for draft in drafts:
        try:
            item = StandingItem.model_validate(draft.value, context=surroundings)
        except ValidationError as error:
            mistakes += mistakes_of(error, draft.place)
            continue
        items.append(ImportedItem(epc=item.epc, zone=item.zone, lot=item.lot))
    if not drafts and not mistakes:
        mistakes.append(BodyMistake("body", "expected at least one item"))
    if mistakes:
        raise BadBody(mistakes)
    return ItemsImported(at_us=at_us, who=who, items=tuple(items))
