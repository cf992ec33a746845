"""Windows that follow each tag's own read rate: none accused falsely, the departed soon noticed."""

import pytest
from presencesim import Comparison, by_chance, compare, in_bursts, rounds

SEED = 20261


def told(found: Comparison, what: str) -> str:
    """For the log of a failed run."""
    rules = [("ours", found.ours), *((f"{s:g} s", outcome) for s, outcome in found.fixed.items())]
    lines = [
        f"{name}: {found.false_per_thousand(one):.1f} false in 1,000 tag-hours, {len(one.noticed_s)} noticed"
        for name, one in rules
    ]
    return f"seed {SEED}, {what}, {found.tag_hours:.0f} tag-hours\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("what", "gaps", "hours", "median_s"),
    [
        ("60 to 97 % of the rounds", rounds(0.6, 0.97), 1.5, 20),
        ("10 to 60 % of the rounds", rounds(0.1, 0.6), 2.0, 60),
        ("reads by pure chance", by_chance(0.05, 1.0), 2.0, 120),
        ("a reader that rests for 20 s", in_bursts(4, 20, 0.95), 1.5, 400),
    ],
)
def test_nobody_who_stays_is_taken_to_have_left_and_everybody_who_leaves_is_noticed(what, gaps, hours, median_s):
    found = compare([gaps], 40, hours, SEED)
    print(told(found, what))
    assert found.false_per_thousand(found.ours) <= 1
    assert len(found.ours.noticed_s) == found.leaving
    assert found.ours.noticed(0.5) < median_s
    assert found.fixed[5].false > 100 * (found.ours.false + 1), "and a fixed window of 5 s would not do"
