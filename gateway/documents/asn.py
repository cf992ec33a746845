"""ASN bodies (despatch advice) as partners send them, in JSON, CSV or EPCIS, to records of the log.

All forms become the same drafts, checked once: a draft knows where each of its values stood, so that every mistake
is told with its place, all of them at once. Nothing is accepted when anything is wrong.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from gateway.documents.body import Draft, Row, csv_rows, json_drafts, mistakes_of
from gateway.documents.itemmaster import ItemMaster
from gateway.documents.known import Epc, Once, ShipmentId, Surroundings, Words, known, strange
from gateway.documents.masterfiles import ExpiryDay
from gateway.epcis import incoming
from gateway.epcis.incoming import TagForm
from gateway.errors import BadBody, BodyMistake
from gateway.records import AsnCase, AsnLine, AsnReceived

MAX_CASES = 10_000
"""Cases, and lines, of one shipment."""

COLUMNS = (
    *("shipment", "direction", "partner", "door", "order", "purpose"),
    *("epc", "sscc", "lot", "expires", "sku", "units"),
)
NEEDED = ("shipment", "direction", "partner")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _of_a_lot(expires: str, info: ValidationInfo) -> str:
    if info.data.get("lot", "") is None:
        raise strange("an expiry is that of a lot: name the lot")
    return expires


class ShipmentLine(_Body):
    """Units of one SKU, where the partner does not name the cases."""

    sku: Annotated[Words, known(ItemMaster.unknown_sku)]
    units: int = Field(ge=1, le=1_000_000, strict=True)
    lot: Words | None = None
    expires: Annotated[ExpiryDay, AfterValidator(_of_a_lot)] | None = None


class ShipmentCase(_Body):
    """One tagged case, and the tag of the pallet it travels on."""

    epc: Annotated[Epc, known(ItemMaster.no_case), Once]
    sscc: Annotated[Epc, known(ItemMaster.no_pallet)] | None = None
    lot: Words | None = None
    expires: Annotated[ExpiryDay, AfterValidator(_of_a_lot)] | None = None


class Shipment(_Body):
    """A partner announces a shipment. A later one with the same id replaces it."""

    id: ShipmentId
    direction: Literal["inbound", "outbound"]
    partner: Words
    door: Annotated[Words, known(ItemMaster.unknown_door)] | None = None
    order: Words | None = None
    purpose: Literal["supply", "return"] = "supply"
    """`return`, inbound: from a customer; what comes is quarantined until somebody has looked at it."""
    lines: list[ShipmentLine] = Field(default=[], max_length=MAX_CASES)
    cases: list[ShipmentCase] = Field(default=[], max_length=MAX_CASES)

    @model_validator(mode="after")
    def _announces(self) -> "Shipment":
        if not self.lines and not self.cases:
            raise strange("announces neither cases nor lines")
        if self.purpose == "return" and self.direction == "outbound":
            raise strange("a return comes in: its direction is inbound")
        return self


def from_json(data: bytes, master: ItemMaster, at_us: int) -> tuple[AsnReceived, ...]:
    """Records for one JSON object or a list of them; raises `BadBody` with every mistake."""
    return _records(json_drafts(data), master, at_us)


def from_csv(data: bytes, master: ItemMaster, at_us: int) -> tuple[AsnReceived, ...]:
    """Records for a CSV whose rows are cases, or lines of SKU and units; raises `BadBody` with every mistake."""
    mistakes: list[BodyMistake] = []
    drafts = _gathered(csv_rows(data, COLUMNS, NEEDED, mistakes), master, mistakes)
    return _records(drafts, master, at_us, mistakes)


def from_epcis(data: bytes, master: ItemMaster, at_us: int, site: str, form: TagForm) -> tuple[AsnReceived, ...]:
    """Records for an EPCIS 2.0 document in JSON-LD, one a despatch advice; raises `BadBody` with every mistake."""
    drafts, mistakes = incoming.drafts(data, site, master, form)
    return _records(drafts, master, at_us, mistakes)


def _records(
    drafts: list[Draft], master: ItemMaster, at_us: int, mistakes: list[BodyMistake] | None = None
) -> tuple[AsnReceived, ...]:
    mistakes = [] if mistakes is None else mistakes
    shipments: dict[str, Shipment] = {}
    for draft in drafts:
        try:
            shipment = Shipment.model_validate(draft.value, context=Surroundings(master, set()))
        except ValidationError as error:
            mistakes += mistakes_of(error, draft.place)
            continue
        if shipment.id in shipments:
            mistakes.append(BodyMistake(draft.place(("id",)), f"shipment {shipment.id!r} stands here twice"))
        shipments[shipment.id] = shipment
    if not drafts and not mistakes:
        mistakes.append(BodyMistake("body", "expected at least one shipment"))
    if mistakes:
        raise BadBody(mistakes)
    return tuple(_record(shipment, at_us) for shipment in shipments.values())


def _record(shipment: Shipment, at_us: int) -> AsnReceived:
    return AsnReceived(
        at_us=at_us,
        id=shipment.id,
        direction=shipment.direction,
        partner=shipment.partner,
        door=shipment.door,
        order=shipment.order,
        lines=tuple(
            AsnLine(sku=line.sku, units=line.units, lot=line.lot, expires=line.expires) for line in shipment.lines
        ),
        cases=tuple(
            AsnCase(epc=case.epc, sscc=case.sscc, lot=case.lot, expires=case.expires) for case in shipment.cases
        ),
        purpose=shipment.purpose,
    )


HEAD = ("direction", "partner", "door", "order", "purpose")
"""What all rows of a shipment say alike; only its first row must."""


class _Gathering:
    """The rows of one shipment, and the line that each of its values came from."""

    def __init__(self, first: Row) -> None:
        self.head: dict[str, object] = {"id": first.cells["shipment"]}
        self.head |= {key: first.cells[key] for key in HEAD if first.cells.get(key)}
        self.head_line = first.line
        self.rows: dict[str, list[dict[str, object]]] = {"lines": [], "cases": []}
        self.row_lines: dict[str, list[int]] = {"lines": [], "cases": []}

    def draft(self) -> Draft:
        return Draft({**self.head, **self.rows}, self.place)

    def place(self, location: tuple[int | str, ...]) -> str:
        match location:
            case ("lines" | "cases" as part, int(row), str(column)):
                return f"line {self.row_lines[part][row]}, column {column}"
            case ("id",):
                return f"line {self.head_line}, column shipment"
            case (str(column),):
                return f"line {self.head_line}, column {column}"
            case _:
                return f"line {self.head_line}"

    def add(self, row: Row, master: ItemMaster) -> Iterator[BodyMistake]:
        for key in HEAD:
            if row.cells.get(key) and row.cells[key] != self.head.get(key):
                first = f"line {self.head_line} says {self.head.get(key, '')!r} for the same shipment"
                yield BodyMistake(f"line {row.line}, column {key}", f"{row.cells[key]!r}, but {first}")
        if row.cells.get("epc"):
            yield from self._add_case(row, master)
        else:
            yield from self._add_line(row)

    def _add_case(self, row: Row, master: ItemMaster) -> Iterator[BodyMistake]:
        epc, sku, units = row.cells["epc"], row.cells.get("sku"), row.cells.get("units")
        if units not in (None, "", "1"):
            yield BodyMistake(f"line {row.line}, column units", f"a row with an EPC is one case, not {units!r}")
        if sku and (held := master.sku(epc.lower())) and held != sku:
            yield BodyMistake(f"line {row.line}, column sku", f"{epc} is a case of {held!r}, not of {sku!r}")
        case: dict[str, object] = {
            "epc": epc,
            "sscc": row.cells.get("sscc") or None,
            "lot": row.cells.get("lot") or None,
            "expires": row.cells.get("expires") or None,
        }
        self._keep("cases", case, row.line)

    def _add_line(self, row: Row) -> Iterator[BodyMistake]:
        if not row.cells.get("sku"):
            yield BodyMistake(f"line {row.line}", "expected an epc, or a sku and its units")
            return
        if row.cells.get("sscc"):
            yield BodyMistake(f"line {row.line}, column sscc", "only a row with an epc stands on a pallet")
        units = row.cells.get("units", "")
        number = int(units) if units.isascii() and units.isdigit() and len(units) < 10 else units
        line: dict[str, object] = {
            "sku": row.cells["sku"],
            "units": number,
            "lot": row.cells.get("lot") or None,
            "expires": row.cells.get("expires") or None,
        }
        self._keep("lines", line, row.line)

    def _keep(self, part: str, value: dict[str, object], line: int) -> None:
        self.rows[part].append(value)
        self.row_lines[part].append(line)


def _gathered(rows: Iterator[Row], master: ItemMaster, mistakes: list[BodyMistake]) -> list[Draft]:
    """One draft a shipment, in the order of their first rows."""
    gatherings: dict[str, _Gathering] = {}
    for row in rows:
        gathering = gatherings.setdefault(row.cells["shipment"], _Gathering(row))
        mistakes += gathering.add(row, master)
    return [gathering.draft() for gathering in gatherings.values()]
