"""Sheets: bodies that are lists of equal rows, in JSON or CSV, checked by one model; every mistake with its place."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.documents.body import Draft, Row, csv_rows, json_drafts, mistakes_of
from gateway.documents.itemmaster import ItemMaster
from gateway.documents.known import Surroundings
from gateway.errors import BadBody, BodyMistake

Line = TypeVar("Line", bound=BaseModel)


class Sheet(NamedTuple):
    """What a CSV of some kind of rows looks like."""

    columns: Sequence[str]
    needed: Sequence[str]
    """The first of them may not be empty in any row."""
    numbers: frozenset[str] = frozenset()
    """Columns that hold whole numbers or decimals."""


def from_json(data: bytes, model: type[Line], master: ItemMaster) -> list[Line]:
    """The rows of a JSON list (or of one object); raises `BadBody` with every mistake."""
    return _checked(json_drafts(data), model, master, [])


def from_csv(data: bytes, sheet: Sheet, model: type[Line], master: ItemMaster) -> list[Line]:
    """The rows of a CSV; an empty cell is nothing said. Raises `BadBody` with every mistake."""
    mistakes: list[BodyMistake] = []
    drafts = [_draft(row, sheet) for row in csv_rows(data, sheet.columns, sheet.needed, mistakes)]
    return _checked(drafts, model, master, mistakes)


def _draft(row: Row, sheet: Sheet) -> Draft:
    cells = {name: _value(text, number=name in sheet.numbers) for name, text in row.cells.items() if text}
    return Draft(cells, lambda location: f"line {row.line}" + "".join(f", column {part}" for part in location))


def _value(text: str, *, number: bool) -> str | int | float:
    """A number, if it is one and should be; what is none is left to the model to tell of."""
    if not number or not text.isascii() or len(text) > 20:
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _checked(drafts: Sequence[Draft], model: type[Line], master: ItemMaster, mistakes: list[BodyMistake]) -> list[Line]:
    surroundings = Surroundings(master, set())
    lines: list[Line] = []
    for draft in drafts:
        try:
            lines.append(model.model_validate(draft.value, context=surroundings))
        except ValidationError as error:
            mistakes += mistakes_of(error, draft.place)
    if not drafts and not mistakes:
        mistakes.append(BodyMistake("body", "expected at least one row"))
    if mistakes:
        raise BadBody(mistakes)
    return lines


def once(lines: Sequence[Line], key: str) -> None:
    """Raises `BadBody` if two lines say the same of `key`."""
    seen: dict[object, int] = {}
    mistakes = []
    for n, line in enumerate(lines):
        value = getattr(line, key)
        if value in seen:
            mistakes.append(BodyMistake(f"row {n + 1}", f"{key} {value!r} stands in row {seen[value] + 1}, too"))
        seen.setdefault(value, n)
    if mistakes:
        raise BadBody(mistakes)
