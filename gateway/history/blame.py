r"""Which lines a server blames when it refuses a write, in the dialects of InfluxDB 1.x, 2.x and 3. Pure.

1.x  400 {"error": "partial write: unable to parse 'm v= 1': missing field value dropped=0"}       the others are kept
     400 {"error": "partial write: field type conflict: input field \"v\" on measurement \"m\" is type float,
                    already exists as type string dropped=2"}                     says how many, the others are kept
     400 {"error": "partial write: points beyond retention policy dropped=2"}     says how many, the others are kept
2.x  400 {"code": "invalid", "message": "unable to parse 'm v= 1': ...", "line": 2}   the first one, nothing is kept
     422 {"code": "unprocessable entity", "message": "... partial write: field type conflict: ... dropped=2"}
3    400 {"error": "partial write of line protocol occurred", "data": [{"original_line": "m v= 1",
          "line_number": 2, "error_message": "No fields were provided"}]}         all of them, the others are kept
     400 {"error": "parsing failed for write_lp endpoint", "data": {...}}         the first one, nothing is kept

(docs.influxdata.com: 1.x "API reference" and the sources of 1.6, 2.x "Troubleshoot issues writing data" and
LineProtocolError of its API, 3 "Use the v3 write_lp API", Partial writes.) What a server says only shortens the
search: whoever asks sends the suspects and the others again, each by themselves, and believes the answers.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from gateway.history.words import Point

_CONFLICT = re.compile(r'input field "(?P<field>.+?)" on measurement "(?P<measurement>.+?)" is type (?P<kind>\w+)')
_DROPPED = re.compile(r"dropped[= ](\d+)")
_UNPARSED = "unable to parse '"
_KINDS = {"float": float, "integer": int, "string": str, "boolean": bool}
_LINE_WORDS = ("unable to parse", "partial write", "field type conflict", "line protocol", "invalid field", "too large")
"""How servers say that a line is to blame, and not the request as such (a proxy, a wrong name, a missing right)."""


class _LineError(Struct):
    line_number: int = 0
    error_message: str = ""


class _Said(Struct):
    error: str = ""
    message: str = ""
    line: int | None = None
    data: list[_LineError] | _LineError | None = None


class Blame(NamedTuple):
    """The points that a server may mean, by their place in the write, and why."""

    suspects: dict[int, str]
    exact: bool
    """It says so of just these: when they are all that was sent, none of them needs to be sent again."""


def blamed(answer: str, points: Sequence[Point], lines: Sequence[str]) -> Blame:
    """Read an answer to a write of these points, whose lines these are. No suspects: it names nothing."""
    try:
        said = msgspec.json.decode(answer, type=_Said)
    except (msgspec.MsgspecError, UnicodeError):
        said = _Said(error=answer)
    words = said.message or said.error
    if said.data is not None:
        return _numbered(said.data if isinstance(said.data, list) else [said.data], len(points))
    if unparsed := _unparsed(words, lines):
        return Blame(unparsed, exact=True)
    if said.line is not None:
        return _numbered([_LineError(_place(said.line, lines), words)], len(points))
    return _counted(words, points)


def blames_lines(answer: str) -> bool:
    """Whether the words are about lines at all."""
    lower = answer.lower()
    return any(words in lower for words in _LINE_WORDS)


def _numbered(errors: Sequence[_LineError], count: int) -> Blame:
    """Lines are counted from 1."""
    named = {one.line_number - 1: one.error_message for one in errors if 1 <= one.line_number <= count}
    return Blame(named, exact=True)


def _place(number: int, lines: Sequence[str]) -> int:
    """The line, from 1, in which a line of the text is: a quoted text may hold line breaks."""
    for n, line in enumerate(lines, 1):
        number -= 1 + line.count("\n")
        if number <= 0:
            return n
    return 0


def _unparsed(words: str, lines: Sequence[str]) -> dict[int, str]:
    if _UNPARSED not in words:
        return {}
    places = {line: n for n, line in enumerate(lines)}
    named = (part.rpartition("': ") for part in words.split(_UNPARSED)[1:])
    return {places[line]: f"{_UNPARSED}...': {reason.strip()}"[:500] for line, _, reason in named if line in places}


def _counted(words: str, points: Sequence[Point]) -> Blame:
    """The server says how many, and what they have in common."""
    dropped = [int(number) for number in _DROPPED.findall(words)]
    if match := _CONFLICT.search(words):
        kind = _KINDS.get(match["kind"])
        found = [
            n
            for n, point in enumerate(points)
            if point.measurement == match["measurement"] and type(point.fields.get(match["field"])) is kind
        ]
    elif "retention policy" in words and dropped:
        found = sorted(range(len(points)), key=lambda n: points[n].at_ns)[: dropped[-1]]
    else:
        return Blame({}, exact=False)
    return Blame(dict.fromkeys(found, words[:500]), exact=dropped[-1:] == [len(found)])
