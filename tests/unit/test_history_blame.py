"""What a server's words say of the lines that it refused, and that no words mislead us."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.history.blame import Blame, blamed, blames_lines
from gateway.history.line import Lines
from gateway.history.words import Field, Point


def home(n: int, **fields: Field) -> Point:
    return Point("home", (("room", "Sunroom"),), fields or {"temp": float(n)}, n)


UNPARSED = "unable to parse '"
POINTS = [home(0), home(1, temp="hi"), home(2), home(3, temp="it's: 'hot'\nhere"), home(4)]
LINES = [Lines().encode([point]).decode() for point in POINTS]
CONFLICT = 'input field "temp" on measurement "home" is type string, already exists as type float'
THREE = "invalid column type for column 'temp', expected iox::column_type::field::float, got ..."


def named(number: int) -> dict[str, object]:
    return {"original_line": "home,room=Sunroom temp=hi 1", "line_number": number, "error_message": THREE}


@pytest.mark.parametrize(
    ("answer", "suspects", "exact"),
    [
        ({"error": f"partial write: field type conflict: {CONFLICT} dropped=2"}, {1, 3}, True),
        ({"error": f"partial write: field type conflict: {CONFLICT} dropped=1"}, {1, 3}, False),
        ({"error": "partial write: points beyond retention policy dropped=3"}, {0, 1, 2}, True),
        (
            {"error": f"partial write: unable to parse '{LINES[3]}': bad\nunable to parse '{LINES[0]}': bad dropped=0"},
            {3, 0},
            True,
        ),
        (
            {"code": "unprocessable entity", "message": f"partial write: field type conflict: {CONFLICT} dropped=2"},
            {1, 3},
            True,
        ),
        ({"code": "invalid", "message": f"unable to parse '{LINES[2]}': missing fields", "line": 3}, {2}, True),
        ({"code": "invalid", "message": "malformed", "line": 5}, {3}, True),  # of the text: the fourth line is two
        ({"code": "invalid", "message": "malformed", "line": 6}, {4}, True),
        ({"error": "partial write of line protocol occurred", "data": [named(2), named(4)]}, {1, 3}, True),
        ({"error": "parsing failed for write_lp endpoint", "data": named(2)}, {1}, True),
        ({"error": "partial write of line protocol occurred", "data": [named(0), named(77)]}, set(), True),
        ({"error": "database not found"}, set(), False),
        ({"code": "invalid", "message": "malformed", "line": 99}, set(), True),
    ],
)
def test_documented_answers(answer: dict[str, object], suspects: set[int], exact: bool) -> None:
    found = blamed(json.dumps(answer), POINTS, LINES)
    assert (set(found.suspects), found.exact) == (suspects, exact)


def test_each_line_has_its_own_words() -> None:
    answer = {"error": "partial write of line protocol occurred", "data": [named(2)]}
    assert blamed(json.dumps(answer), POINTS, LINES).suspects == {1: THREE}


parts = ["unable to parse '", "dropped=", "retention policy dropped=99999", "'': "]
words = st.one_of(st.text(), st.sampled_from(parts))
keys = st.sampled_from(["error", "message", "line", "data", "line_number"])
junk = st.recursive(
    st.one_of(st.none(), st.integers(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner)),
)


@given(st.one_of(words, st.lists(words).map("".join), junk.map(json.dumps)))
def test_no_words_mislead(answer: str) -> None:
    """Only lines that were sent are suspected, and nothing breaks."""
    found: Blame = blamed(answer, POINTS, LINES)
    assert set(found.suspects) <= set(range(len(POINTS)))
    blames_lines(answer)
