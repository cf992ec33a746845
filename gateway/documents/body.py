"""Request bodies before they are checked: JSON and CSV as drafts whose every value knows its place."""

import csv
import difflib
import io
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pydantic_core
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.documents.known import MEANING, STRANGE
from gateway.errors import BadBody, BodyMistake

MAX_COLUMNS = 100
"""More cannot be a slip of whoever wrote the header, and to say what is near to each would take minutes."""

Location = tuple[int | str, ...]
Place = Callable[[Location], str]
"""Where a value stands, in words: a line and column of a CSV, a path into the JSON."""


class Draft(NamedTuple):
    """One thing of a body, not yet checked."""

    value: object
    place: Place


class Row(NamedTuple):
    """One row of a CSV; `cells` holds the columns of the header, stripped."""

    line: int
    cells: dict[str, str]


def json_drafts(data: bytes) -> list[Draft]:
    """The drafts of one JSON object or a list of them; raises `BadBody`."""
    try:
        value: object = pydantic_core.from_json(data.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise BadBody([BodyMistake("body", f"not JSON: {error}")]) from error
    if isinstance(value, list):
        if not value:
            raise BadBody([BodyMistake("body", "expected an object or a list of them, not an empty list")])
        return [Draft(one, _json_place(f"[{i}]")) for i, one in enumerate(value)]
    return [Draft(value, _json_place(""))]


def _json_place(root: str) -> Place:
    def place(location: Location) -> str:
        steps = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
        return (root + steps).removeprefix(".") or "body"

    return place


def csv_rows(data: bytes, columns: Sequence[str], needed: Sequence[str], mistakes: list[BodyMistake]) -> Iterator[Row]:
    """The rows of a UTF-8 CSV with a header (RFC 4180; a byte order mark is fine).

    Rows that cannot be read go to `mistakes`; a header or a file that cannot be read raises `BadBody`.
    """
    reader = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    line = 1
    header: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                pass
            elif header is None:
                header = _header(cells, columns, needed, line)
            elif len(cells) != len(header):
                mistakes.append(BodyMistake(f"line {line}", f"{len(cells)} cells under {len(header)} columns"))
            else:
                row = Row(line, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
                empty = [
                    BodyMistake(f"line {line}, column {key}", "is empty") for key in needed[:1] if not row.cells[key]
                ]
                mistakes += empty
                if not empty:
                    yield row
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadBody([*mistakes, BodyMistake(f"line {line}", f"not CSV: {error}")]) from error
    if header is None:
        raise BadBody([BodyMistake("line 1", f"expected a header of {', '.join(columns)}")])


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text = f"not UTF-8 at byte {error.start}: {error.reason}{_guess(data)}"
        raise BadBody([BodyMistake(f"line {line}", text)]) from error


def _guess(data: bytes) -> str:
    """What a text that is no UTF-8 may be, and what to do: spreadsheets save in their country's own encoding."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "; it looks like UTF-16: save it as CSV UTF-8"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "; save it as CSV UTF-8"
    return "; it may be GB 18030: save it as CSV UTF-8"


def _header(cells: list[str], columns: Sequence[str], needed: Sequence[str], line: int) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if len(names) == 1 and ";" in names[0]:
        raise BadBody([BodyMistake(f"line {line}", "the columns are separated by ';': separate them by ','")])
    if len(names) > MAX_COLUMNS:
        raise BadBody([BodyMistake(f"line {line}", f"{len(names)} columns; known columns: {', '.join(columns)}")])
    texts = [f"unknown column {name!r}: {_advice(name, columns)}" for name in names if name not in columns]
    texts += [f"column {name!r} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    texts += [f"column {name!r} is missing" for name in needed if name not in names]
    if texts:
        raise BadBody([BodyMistake(f"line {line}", text) for text in texts])
    return names


def _advice(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known columns: {', '.join(known)}"


def mistakes_of(error: ValidationError, place: Place) -> Iterator[BodyMistake]:
    """What pydantic found, in the body's own places."""
    for problem in error.errors(include_url=False):
        yield BodyMistake(place(problem["loc"]), _text_of(problem))


def _text_of(problem: ErrorDetails) -> str:
    kind, said = problem["type"], problem["msg"]
    if kind == STRANGE:
        return said
    if kind == "string_pattern_mismatch":
        said = f"expected {MEANING[problem['ctx']['pattern']]}"
    given = repr(problem["input"])
    shown = "" if kind == "missing" or len(given) > 100 else f", not {given}"
    return said[0].lower() + said[1:] + shown
