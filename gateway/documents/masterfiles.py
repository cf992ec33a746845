"""Master data as people send it, in JSON or CSV, to records of the log: products, the zone tree, lots' expiry."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from contract.errors import BadEpc
from contract.gs1 import checked
from gateway.documents import sheets
from gateway.documents.itemmaster import ItemMaster
from gateway.documents.known import SLUG, Words, known, strange
from gateway.errors import BadBody, BodyMistake
from gateway.records.stockrecords import MAX_LINES, LotDescribed, Product, ProductsImported, ZoneOf, ZonesImported

Slug = Annotated[str, Field(pattern=SLUG, description="a-z, 0-9 and -, at most 40 characters")]


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise strange(f"{text!r} is no day: expected e.g. 2026-11-23") from None


def _gtin(text: str) -> str:
    digits = text.zfill(14)
    if len(digits) != 14 or not (digits.isascii() and digits.isdigit()):
        raise strange(f"{text!r} is no GTIN: expected 8, 12, 13 or 14 digits")
    try:
        return checked(digits)
    except BadEpc as error:
        raise strange(str(error)) from None


ExpiryDay = Annotated[str, Field(max_length=10, examples=["2026-12-24"]), AfterValidator(_day)]
"""The last day on which a lot may be sold, ISO 8601."""
Gtin = Annotated[str, Field(min_length=8, max_length=14, examples=["09506000134352"]), AfterValidator(_gtin)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProductLine(_Line):
    """One line of the item master."""

    sku: Slug
    gtin: Gtin
    en: Words
    zh: Words | None = None
    """None: as in English."""
    reorder_point: int = Field(default=0, ge=0, le=1_000_000, strict=True)
    order_up_to: int = Field(default=0, ge=0, le=1_000_000, strict=True)
    pack: int = Field(default=1, ge=1, le=100_000, strict=True)
    abc: Literal["A", "B", "C"] | None = None
    """Class by value: how exact its counts must be."""
    shelf_life_days: int | None = Field(default=None, ge=1, le=36_500, strict=True)


class ZoneLine(_Line):
    """One zone of the tree."""

    name: Slug
    en: Words
    zh: Words | None = None
    parent: Slug | None = None
    min_c: float | None = Field(default=None, ge=-100, le=100)
    max_c: float | None = Field(default=None, ge=-100, le=100)

    @model_validator(mode="after")
    def _both_or_none(self) -> "ZoneLine":
        if (self.min_c is None) != (self.max_c is None):
            raise strange("min_c and max_c stand together, or neither")
        if self.min_c is not None and self.max_c is not None and self.min_c >= self.max_c:
            raise strange("min_c must be below max_c")
        return self


class LotLine(_Line):
    """When a lot of a SKU expires."""

    sku: Annotated[Words, known(ItemMaster.unknown_sku)]
    lot: Words
    expires: ExpiryDay


PRODUCTS: Final = sheets.Sheet(
    tuple(ProductLine.model_fields),
    ("sku", "gtin", "en"),
    frozenset({"reorder_point", "order_up_to", "pack", "shelf_life_days"}),
)
ZONES: Final = sheets.Sheet(tuple(ZoneLine.model_fields), ("name", "en"), frozenset({"min_c", "max_c"}))
LOTS: Final = sheets.Sheet(tuple(LotLine.model_fields), ("sku", "lot", "expires"))


def products(lines: Sequence[ProductLine], master: ItemMaster, who: str, at_us: int) -> Iterator[ProductsImported]:
    """The records of products; raises `BadBody` where a SKU or GTIN stands twice, or a GTIN is another SKU's."""
    sheets.once(lines, "sku")
    sheets.once(lines, "gtin")
    named = {line.sku for line in lines}
    taken = [(line, sku) for line in lines if (sku := master.sku_of_gtin(line.gtin)) not in (None, line.sku, *named)]
    if taken:
        raise BadBody(
            [BodyMistake("body", f"GTIN {line.gtin} of {line.sku!r} is that of {sku!r}") for line, sku in taken]
        )
    made = [Product(**(line.model_dump() | {"zh": line.zh or line.en})) for line in lines]
    for n in range(0, len(made), MAX_LINES):
        yield ProductsImported(at_us=at_us, who=who, products=tuple(made[n : n + MAX_LINES]))


def zones(lines: Sequence[ZoneLine], master: ItemMaster, who: str, at_us: int) -> Iterator[ZonesImported]:
    """The records of zones; raises `BadBody` where one stands twice, has an unknown parent or is its own ancestor."""
    sheets.once(lines, "name")
    parents = master.zone_parents() | {line.name: line.parent for line in lines}
    mistakes = []
    for n, line in enumerate(lines, 1):
        if line.parent is not None and line.parent not in parents:
            mistakes.append(BodyMistake(f"row {n}", f"parent {line.parent!r} is no zone, here or in this body"))
        elif _goes_round(line.name, parents):
            mistakes.append(BodyMistake(f"row {n}", f"{line.name!r} would stand within itself"))
    if mistakes:
        raise BadBody(mistakes)
    made = [ZoneOf(**(line.model_dump() | {"zh": line.zh or line.en})) for line in lines]
    for n in range(0, len(made), MAX_LINES):
        yield ZonesImported(at_us=at_us, who=who, zones=tuple(made[n : n + MAX_LINES]))


def lots(lines: Sequence[LotLine], _: ItemMaster, who: str, at_us: int) -> Iterator[LotDescribed]:
    """The records of lots."""
    for line in lines:
        yield LotDescribed(at_us=at_us, who=who, sku=line.sku, lot=line.lot, expires=line.expires)


def _goes_round(name: str, parents: dict[str, str | None]) -> bool:
    above = parents.get(name)
    for _ in range(len(parents)):
        if above is None:
            return False
        if above == name:
            return True
        above = parents.get(above)
    return True
