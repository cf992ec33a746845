"""Sampling plans, against the formulas that the trade prints and against plain enumeration."""

from itertools import combinations
from math import ceil, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sampling import Record, at_most, clopper_pearson, draw, plan, proven, sample_size

RECORDS = [Record(f"sku-{n}", f"zone-{n % 3}", "ABC"[n % 3], counted_us=n * 7 % 50) for n in range(90)]  # type: ignore[arg-type]


def test_three_thousand_records_prove_999_in_a_thousand() -> None:
    assert ceil(log(0.05) / log(0.999)) == 2995
    assert sample_size(10**7, 0.999, 0.95) in range(2990, 2996)
    assert sample_size(20_000, 0.999, 0.95) < 2995, "of few records fewer are needed"
    assert sample_size(1_000, 0.999, 0.95) == 777, "(223 x 222) / (1000 x 999) < 0.05: two wrong ones would be missed"


@pytest.mark.parametrize(("allowed", "size"), [(0, 59), (1, 93), (2, 124)])
def test_allowing_for_wrong_ones_costs_records(allowed: int, size: int) -> None:
    """Sample sizes for 95 % at 95 % confidence, as tables of Wilks' method print them (binomial)."""
    assert sample_size(10**6, 0.95, 0.95, allowed) == size


@given(st.integers(1, 8), st.data())
def test_the_tail_is_what_counting_gives(records: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, records))
    drawn = data.draw(st.integers(0, records))
    found = data.draw(st.integers(0, records))
    draws = list(combinations(range(records), drawn))
    share = sum(sum(one < wrong for one in each) <= found for each in draws) / len(draws)
    assert at_most(found, records, wrong, drawn) == pytest.approx(share)


@given(st.integers(1, 5000), st.sampled_from([0.9, 0.95, 0.99, 0.999]), st.integers(0, 3))
def test_a_clean_sample_of_that_size_proves_what_was_asked(records: int, accuracy: float, allowed: int) -> None:
    size = sample_size(records, accuracy, 0.95, allowed)
    assert size <= records
    if size < records:
        assert proven(records, size, allowed, 0.95) >= accuracy
        assert proven(records, size - 1, allowed, 0.95) < accuracy


@given(st.integers(1, 400), st.data())
def test_to_audit_everything_leaves_no_doubt(records: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, records))
    assert proven(records, records, wrong, 0.95) == pytest.approx(1 - wrong / records)


def test_clopper_and_pearson() -> None:
    """Rule of three, and the one-sided 95 % limit for 1 wrong of 100 (Beta quantile 0.95 of (2, 99))."""
    assert clopper_pearson(2995, 0, 0.95) == pytest.approx(0.999, abs=1e-6)
    assert clopper_pearson(100, 1, 0.95) == pytest.approx(1 - 0.046556, abs=1e-5)
    assert clopper_pearson(0, 0, 0.95) == 0
    assert proven(10**7, 3000, 1, 0.95) == pytest.approx(clopper_pearson(3000, 1, 0.95), abs=1e-5)


def test_the_sample_is_the_seeds_alone_and_fair_to_every_class() -> None:
    first = draw(RECORDS, 30, "s1")
    assert first == draw(list(reversed(RECORDS)), 30, "s1") != draw(RECORDS, 30, "s2")
    assert [sum(one.abc == abc for one in first) for abc in "ABC"] == [10, 10, 10]
    fewer = set(draw(RECORDS[1:], 30, "s1"))
    assert len(fewer - set(first)) <= 1, "a record that goes lets one other in at most"


def test_everything_sampled_is_counted_once_the_oldest_first() -> None:
    made = plan(RECORDS, 30, "s1", days=4)
    asked = [(sku, one.zone) for day in made.days for one in day for sku in one.skus]
    assert sorted(asked) == sorted((one.sku, one.zone) for one in made.sample)
    assert len(made.days) == 4
    assert [one.counted_us for one in made.sample] == sorted(one.counted_us or 0 for one in made.sample)
    half = plan(RECORDS, 30, "s1", days=4, done=asked[:15])
    assert sum(len(one.skus) for day in half.days for one in day) == 15
    assert plan([], 0, "s1", days=3).days == ()
