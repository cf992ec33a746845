"""Every fruit gets its views, spread over its way through the picture, and no frame has to look at too many."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.sortingline import Views
from edge.vision.inspector import turns
from edge.vision.inspector.turns import MOST_A_FRAME, Candidate

LENGTH = 0.15


def looked_at(speed: float, fps: float, views: Views, eye_at: float = 0.9) -> list[float]:
    """Where one fruit was looked at on its way."""
    places: list[float] = []
    for frame in range(round(fps / speed) + 1):
        along = frame * speed / fps
        if LENGTH / 2 < along < 1 - LENGTH / 2:
            places += [along] * bool(turns.chosen([Candidate(1, along, LENGTH, len(places))], views, eye_at))
    return places


def test_five_views_are_spread_from_where_it_is_whole_to_the_eye() -> None:
    places = looked_at(speed=0.35, fps=12, views=Views(least=3, most=5))
    assert len(places) == 5
    assert places[0] < 0.11
    assert 0.6 < places[-1] < 0.9
    gaps = [later - earlier for earlier, later in pairwise(places)]
    assert max(gaps) < 0.22
    assert min(gaps) > 0.1


@pytest.mark.parametrize("eye_at", [-0.5, 0.5, 0.9, 1.4])
def test_where_the_eye_stands_in_the_picture_all_views_are_taken_before_it(eye_at: float) -> None:
    places = looked_at(speed=0.35, fps=12, views=Views(), eye_at=eye_at)
    assert len(places) == 5
    assert places[-1] < (eye_at if 0 < eye_at < 1 else 1)


@given(speed=st.floats(0.05, 3), fps=st.floats(5, 30), most=st.integers(1, 9), eye_at=st.floats(-1, 2))
def test_a_fruit_is_looked_at_as_often_as_wanted_or_in_every_frame(
    speed: float, fps: float, most: int, eye_at: float
) -> None:
    places = looked_at(speed, fps, Views(least=1, most=most), eye_at)
    end = eye_at if LENGTH / 2 < eye_at < 1 - LENGTH / 2 else 1 - LENGTH / 2
    frames = [frame * speed / fps for frame in range(1000) if LENGTH / 2 < frame * speed / fps < end]
    assert len(places) <= most
    assert len(places) >= min(most, len(frames)) - 1, "the last may come too late"


def test_views_that_a_dropped_frame_cost_are_made_up_for() -> None:
    late = Candidate(1, 0.7, LENGTH, looked=1)
    assert turns.chosen([late], Views(), 0.9) == [1]
    assert turns.chosen([late._replace(along=0.71, looked=2)], Views(), 0.9) == [1]


def test_of_too_many_the_least_seen_go_first_and_of_these_those_that_leave_first() -> None:
    crowd = [Candidate(number, 0.05 * number, 0.04, looked=number % 2) for number in range(1, 18)]
    chosen = turns.chosen(crowd, Views(), 0.95)
    assert len(chosen) == MOST_A_FRAME
    assert chosen == [16, 14, 12, 10, 8, 6, 4, 2]
