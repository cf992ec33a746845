"""How sure a sweep is of what it did not find: on simulated walks along a shelf."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.counting import findrate
from gateway.ledger.counting.findrate import DEAD, PASS_GAP_US, Pass

STEPS = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n * PASS_GAP_US // 3), st.sampled_from("ab")), max_size=12)


@given(STEPS, st.randoms())
def test_the_passes_do_not_depend_on_how_their_steps_came_in(
    steps: list[tuple[int, str]], chance: random.Random
) -> None:
    def groups(order: list[int]) -> set[frozenset[int]]:
        number = findrate.passes([steps[i] for i in order])
        return {frozenset(i for i, n in zip(order, number, strict=True) if n == one) for one in set(number)}

    mixed = list(range(len(steps)))
    chance.shuffle(mixed)
    known = groups(list(range(len(steps))))
    assert {frozenset(steps[i] for i in one) for one in groups(mixed)} == {
        frozenset(steps[i] for i in one) for one in known
    }
    assert all(len({steps[i][1] for i in one}) == 1 for one in known), "two agents walk two passes"


@pytest.mark.parametrize("rate", [0.6, 0.8, 0.95])
def test_recapture_learns_the_rate_of_a_reader(rate: float) -> None:
    chance = random.Random(7)
    found = of = 0
    sure = []
    for _ in range(40):
        there = [f"{n}" for n in range(60)]
        walks = [Pass("a", frozenset(epc for epc in there if chance.random() < rate)) for _ in range(2)]
        pairs = findrate.recaptured(walks)
        rates = [findrate.rate("handheld", found + hits, of + n) for hits, n in pairs]
        sure.append(findrate.confidence(rates))
        found, of = found + sum(hits for hits, _ in pairs), of + sum(n for _, n in pairs)
    assert findrate.rate("handheld", found, of) == pytest.approx(rate, abs=0.03)
    assert sure[-1] == pytest.approx((1 - DEAD) * (1 - (1 - rate) ** 2), abs=0.02)


def test_nothing_is_certain_but_more_is_surer() -> None:
    one, two = (findrate.confidence([findrate.rate("handheld", 0, 0)] * n) for n in (1, 2))
    assert one == pytest.approx(0.945, abs=0.001)
    assert two == pytest.approx(0.9925, abs=0.001)
    assert findrate.confidence([0.99] * 9) < 1
    assert findrate.gone(0) == pytest.approx(0.05), "who did not look knows what was known before"
    assert findrate.gone(0) < findrate.gone(one) < findrate.gone(two) < 1
