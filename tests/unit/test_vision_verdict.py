"""From scores to a verdict: nothing is good that is not surely so."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linebelt import sorting_line

from contract.sortingline import Grade
from edge.vision.line.judging import Judging
from edge.vision.line.path import Path
from edge.vision.messages import TrackSeen, Using
from edge.vision.verdict import Thresholds, graded, judge, median, vote

LEARNED = Thresholds(0.3, 0.7)


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(0.0, "good"), (0.299, "good"), (0.3, "unsure"), (0.699, "unsure"), (0.7, "defective"), (1.0, "defective")],
)
def test_good_below_defective_from_and_unsure_between(score: float, verdict: str) -> None:
    assert judge(score, 3, 3, LEARNED) == verdict


def test_without_a_view_it_is_unseen_and_with_too_few_unsure() -> None:
    assert judge(None, 0, 3, LEARNED) == "unseen"
    assert judge(None, 5, 3, LEARNED) == "unseen"
    assert [judge(0.01, views, 3, LEARNED) for views in (1, 2, 3)] == ["unsure", "unsure", "good"]
    assert judge(0.99, 2, 3, LEARNED) == "unsure"


@given(
    st.one_of(st.none(), st.floats()),
    st.integers(0, 9),
    st.integers(1, 5),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_whatever_the_score_good_needs_views_and_a_number_below_the_threshold(
    score: float | None, views: int, least: int, between: list[float]
) -> None:
    if judge(score, views, least, Thresholds(*between)) == "good":
        assert score is not None
        assert math.isfinite(score)
        assert score < between[0]
        assert views >= least


def test_one_odd_view_among_three_changes_nothing() -> None:
    print("seed", seed := random.randrange(2**32))
    draw = random.Random(seed)
    scores = [0.1, 0.12, draw.choice([0.0, 1.0])]
    draw.shuffle(scores)
    assert median(scores) in (0.1, 0.12)
    assert median([0.2, 0.6]) == pytest.approx(0.4)
    assert median([]) is None


def test_of_views_that_show_too_little_half_are_too_many_to_call_it_good() -> None:
    assert [judge(0.1, 5, 3, LEARNED, unclear) for unclear in range(6)] == ["good"] * 3 + ["unsure"] * 3
    assert judge(0.1, 4, 3, LEARNED, 2) == "unsure"
    assert judge(0.99, 5, 3, LEARNED, 5) == "defective", "what is seen even so is seen"
    assert [vote(score, unclear=True) for score in (0.0, 0.6, 1.0)] == [0.5, 0.6, 1.0]
    assert vote(0.1, unclear=False) == 0.1


@pytest.mark.parametrize(("unclear", "verdict"), [(2, "good"), (3, "unsure"), (5, "unsure")])
def test_no_customer_takes_fruit_that_could_not_be_seen_nor_does_a_model_that_is_tried(
    unclear: int, verdict: str
) -> None:
    judging = Judging(sorting_line(), [Grade(crop="lemon", good_below=0.9)])
    judging.using(Using("first", 0.3, 0.7, "second", 0.3, 0.7))
    seen = TrackSeen(1, 0.5, 0.1, views=5, score=0.5, shadow=0.5, unclear=unclear)
    judged = judging.judge(Path(1, 0, seen, "first", "second"), None, blind=False)
    assert judged.second is not None
    assert (judged.verdict, judged.second.verdict) == (verdict, verdict)


def test_a_customer_has_its_own_grade_else_that_of_all_else_the_models() -> None:
    grades = [
        Grade(crop="lemon", good_below=0.2, defective_from=0.6),
        Grade(crop="lemon", customer="kiosk", good_below=0.5),
        Grade(crop="tomato", good_below=0.1),
    ]
    assert graded(LEARNED, grades, "lemon") == Thresholds(0.2, 0.6)
    assert graded(LEARNED, grades, "lemon", "another") == Thresholds(0.2, 0.6)
    assert graded(LEARNED, grades, "lemon", "kiosk") == Thresholds(0.5, 0.7)
    assert graded(LEARNED, grades, "pear", "kiosk") == LEARNED


def test_one_threshold_alone_moves_the_other_out_of_its_way() -> None:
    assert graded(LEARNED, [Grade(crop="lemon", good_below=0.8)], "lemon") == Thresholds(0.8, 0.8)
    assert graded(LEARNED, [Grade(crop="lemon", defective_from=0.2)], "lemon") == Thresholds(0.2, 0.2)
