"""The confidence interval of a share."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wilson import interval


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_known_intervals(hits: int, of: int, low: float, high: float) -> None:
    """The last is the example of Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3."""
    found = interval(hits, of)
    assert isclose(found[0], low, abs_tol=5e-5)
    assert isclose(found[1], high, abs_tol=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_inside_and_either_side_mirrors_the_other(case: tuple[int, int]) -> None:
    hits, of = case
    low, high = interval(hits, of)
    assert 0 <= low <= hits / of + 1e-12
    assert hits / of - 1e-12 <= high <= 1
    other = interval(of - hits, of)
    assert isclose(low, 1 - other[1], abs_tol=1e-9)
    assert isclose(high, 1 - other[0], abs_tol=1e-9)
