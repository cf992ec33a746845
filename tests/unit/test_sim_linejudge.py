"""The judge of a line: each fruit told once, each verdict beside the truth; and what it needs of what went by."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.linejudge import SLACK_US, Inspected, TrueLine, compare, match
from firmware_sim.wentby import PAGE, TrueFruit, WentBy

S = 1_000_000


def fruit(at_s: float, *, defective: bool = False, passed: bool = True) -> TrueFruit:
    at_us = round(at_s * S)
    own: dict[str, Any] = {"number": 1, "lot": None, "count": 1, "defective": defective, "passed": passed}
    return TrueFruit(**own, entered_us=at_us - 2 * S, eye_us=at_us, gate_us=at_us + S // 2)


def told(at_s: float, verdict: str = "good", gate: str = "passed") -> Inspected:
    return Inspected("line-a", round(at_s * S), verdict, gate)


def test_each_fruit_has_the_event_that_is_nearest_to_it_and_none_has_two() -> None:
    matched = match([fruit(1), fruit(1.4), fruit(3)], [told(1.42), told(1.03), told(1.05), told(5)])
    assert [one and one.at_us for one in matched] == [round(1.03 * S), round(1.42 * S), None]


def test_fruit_that_is_close_is_not_mistaken_for_its_neighbour() -> None:
    matched = match([fruit(1), fruit(1.1), fruit(1.2)], [told(1.01), told(1.21)])
    assert [one and one.at_us for one in matched] == [round(1.01 * S), None, round(1.21 * S)]


def nearest_of_all(fruit: Sequence[TrueFruit], told: Sequence[Inspected]) -> list[Inspected | None]:
    """The rule of `match` as it is said: every event is looked at for every fruit."""
    waiting, matched = sorted(told, key=lambda one: one.at_us), list[Inspected | None]()
    for place, one in enumerate(fruit):
        before_us = min(SLACK_US, (one.eye_us - fruit[place - 1].eye_us) // 2) if place else SLACK_US
        after_us = min(SLACK_US, (fruit[place + 1].eye_us - one.eye_us) // 2) if place + 1 < len(fruit) else SLACK_US
        near = [event for event in waiting if one.eye_us - before_us <= event.at_us < one.eye_us + after_us]
        matched.append(min(near, key=lambda event: abs(event.at_us - one.eye_us), default=None))
        waiting = [event for event in waiting if event is not matched[-1]]
    return matched


times_s = st.lists(st.integers(0, 300).map(lambda tick: tick / 50), max_size=40)


@given(went_s=times_s, told_s=times_s)
def test_fruit_and_events_are_matched_as_if_every_event_were_looked_at_for_every_fruit(
    went_s: list[float], told_s: list[float]
) -> None:
    went, events = [fruit(at_s) for at_s in sorted(went_s)], [told(at_s) for at_s in told_s]
    quick, slow = match(went, events), nearest_of_all(went, events)
    assert [id(event) for event in quick] == [id(event) for event in slow]


def test_the_day_of_a_line_is_matched() -> None:
    went = [fruit(place / 2) for place in range(100_000)]
    assert match(went, [told(place / 2 + 0.02) for place in range(1, 100_000)])[1:] == [
        told(place / 2 + 0.02) for place in range(1, 100_000)
    ]


def test_the_figures_of_a_line() -> None:
    went = (
        fruit(1),
        fruit(2, defective=True, passed=False),
        fruit(3, defective=True),
        fruit(4, passed=False),
        fruit(6, passed=False),
    )
    gate = {"true_pass": 1, "true_reject": 1, "false_reject": 2, "miss": 1}
    events = [
        told(1.01),
        told(2.01, "defective", "pushed"),
        told(3.01),
        told(5.4, "unseen", "missed"),
        told(9.0, "defective", "pushed"),
    ]
    figures = compare(TrueLine("line-a", "lemon", 0, 5, 2, gate, 99), went, events)
    assert (figures["fruit"], figures["defective"], figures["gate"]) == (5, 2, gate)
    assert (figures["miss_share"], figures["false_reject_share"]) == (0.5, 2 / 3)
    assert (figures["told"], figures["untold"], figures["invented"]) == (4, 1, 1)
    assert figures["verdicts"] == {"good": {"good": 1, "unseen": 1}, "defective": {"defective": 1, "good": 1}}
    assert figures["misplaced"] == 1, "the fourth or fifth was told, nearly half a second late"
    assert (figures["unseen"], figures["missed_deadlines"], figures["differing"]) == (1, 1, 0)


def test_a_line_on_which_nothing_ran_has_no_shares() -> None:
    figures = compare(TrueLine("line-a", "lemon", 0, 0, 0, WentBy().outcomes, 0), [], [])
    assert (figures["miss_share"], figures["false_reject_share"], figures["fruit"]) == (None, None, 0)


def test_of_what_went_by_the_latest_are_kept_one_by_one_and_all_are_counted() -> None:
    went, asked = WentBy(kept=2 * PAGE), list[int]()
    for number in range(1, 20_001):
        went.add(msgspec.structs.replace(fruit(number), number=number, defective=number % 5 == 0, passed=None))
        if number % 1700 == 0:
            while page := went.page(len(asked)):
                assert len(page) <= PAGE
                asked += [one.number for one in page]
    assert asked == list(range(1, 20_000 // 1700 * 1700 + 1)), "who asks often enough gets each fruit once"
    assert (went.count, went.defective, len(went.latest)) == (20_000, 4000, 2 * PAGE)
    assert [one.number for one in went.page(0)][:2] == [18_001, 18_002], "who asks late gets what is kept"
    assert went.page(20_000) == went.page(30_000) == []
    assert sum(went.outcomes.values()) == 0, "without a gate nothing is right or wrong"
