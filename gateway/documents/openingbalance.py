"""Bodies that say what stands where, in JSON or CSV, to one record of the log: tagged items, and untagged units."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.documents import sheets
from gateway.documents.itemmaster import ItemMaster
from gateway.documents.known import Epc, Once, Words, known, strange
from gateway.documents.masterfiles import ExpiryDay
from gateway.records import ImportedItem, ImportedUnits, ItemsImported

COLUMNS: Final = ("epc", "zone", "lot", "expires", "sku", "units")
_SHEET: Final = sheets.Sheet(COLUMNS, ("zone",), frozenset({"units"}))
MAX_UNITS: Final = 1_000_000


class StandingItem(BaseModel):
    """One tagged item and the zone it stands in; or `units` of a `sku` without tags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epc: Annotated[Epc, known(ItemMaster.no_stock), Once] | None = None
    zone: Annotated[Words, known(ItemMaster.unknown_zone)]
    lot: Words | None = None
    expires: ExpiryDay | None = None
    sku: Annotated[Words, known(ItemMaster.unknown_sku)] | None = None
    units: Annotated[int, Field(ge=1, le=MAX_UNITS, strict=True)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "StandingItem":
        if self.epc is None and (self.sku is None or self.units is None):
            raise strange("expected an epc, or a sku and its units")
        if self.epc is not None and (self.sku is not None or self.units is not None):
            raise strange("an epc is one unit of its own SKU: leave sku and units out")
        return self


def from_json(data: bytes, master: ItemMaster, who: str, at_us: int) -> ItemsImported:
    """The record for a JSON list; raises `BadBody` with every mistake."""
    return _record(sheets.from_json(data, StandingItem, master), who, at_us)


def from_csv(data: bytes, master: ItemMaster, who: str, at_us: int) -> ItemsImported:
    """The record for a CSV; raises `BadBody` with every mistake."""
    return _record(sheets.from_csv(data, _SHEET, StandingItem, master), who, at_us)


def _record(lines: list[StandingItem], who: str, at_us: int) -> ItemsImported:
    items = tuple(
        ImportedItem(epc=line.epc, zone=line.zone, lot=line.lot, expires=line.expires)
        for line in lines
        if line.epc is not None
    )
    units = tuple(
        ImportedUnits(sku=line.sku, zone=line.zone, units=line.units, lot=line.lot, expires=line.expires)
        for line in lines
        if line.sku is not None and line.units is not None
    )
    return ItemsImported(at_us=at_us, who=who, items=items, units=units)
