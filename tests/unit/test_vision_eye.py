"""Counters of 16 bits: the fruit that broke the eye, and how far the belt went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.vision.line.eye import WORD, Encoder, Eye, EyeSeen

T0 = 1_790_000_000_000_000
POLL_US = 10_000


def taught(readings: int) -> Encoder:
    """Of a belt that ran steadily, 10 pulses from one reading to the next, half a picture a second."""
    encoder = Encoder()
    for n in range(readings):
        encoder.read(10 * n, T0 + n * POLL_US)
    for _ in range(3):
        encoder.learn(T0, T0 + 1_000_000, 0.5)
    return encoder


def test_the_first_reading_is_where_it_begins() -> None:
    eye = Eye()
    assert eye.read(17, T0, T0 + 100) == ([], "")
    assert eye.read(17, T0 + POLL_US, T0 + POLL_US + 100) == ([], "")
    assert eye.seen == EyeSeen(17, T0 + POLL_US)


def test_one_fruit_broke_the_eye_between_two_readings() -> None:
    eye = Eye()
    eye.read(17, T0, T0 + 200_000)
    [broken], lost = eye.read(18, T0 + 210_000, T0 + 290_000)
    assert (broken.number, broken.early_us, broken.late_us) == (18, T0, T0 + 290_000), "whenever the PLC looked"
    assert broken.at_us == T0 + 175_000
    assert lost == ""


def test_fruit_between_readings_that_were_missed_is_spread_over_the_time() -> None:
    eye = Eye()
    eye.read(65_534, T0, T0)
    fruit, lost = eye.read(2, T0 + 400_000, T0 + 400_000)
    assert [one.number for one in fruit] == [65_535, 0, 1, 2]
    assert [one.at_us - T0 for one in fruit] == [50_000, 150_000, 250_000, 350_000]
    assert lost == ""


@pytest.mark.parametrize(
    ("story", "before", "after", "seconds"),
    [
        ("the PLC was restarted and counts from 0", 300, 0, 3),
        ("a leap that no belt makes", 5, 500, 0.01),
        ("too long away to tell of each", 5, 1500, 1200),
    ],
)
def test_a_counter_that_cannot_have_come_so_far_begins_anew_and_says_so(
    story: str, before: int, after: int, seconds: float
) -> None:
    eye = Eye(EyeSeen(before, T0))
    at_us = T0 + round(seconds * 1e6)
    fruit, lost = eye.read(after, at_us, at_us)
    assert fruit == []
    assert f"from {before} to {after}" in lost
    [broken], lost = eye.read((after + 1) % WORD, at_us + POLL_US, at_us + POLL_US)
    assert broken.number == after + 1
    assert lost == ""


def test_a_plc_that_was_silent_for_so_long_that_its_counter_may_have_come_once_round_begins_anew() -> None:
    eye, later_us = Eye(), T0 + 3 * 3600 * 1_000_000
    eye.read(100, T0, T0)
    assert eye.read(100, T0 + POLL_US, T0 + POLL_US) == ([], "")
    fruit, lost = eye.read(105, later_us, later_us)
    assert fruit == []
    assert "from 100 to 105 in 10800.0 s" in lost


def test_over_lives_the_counter_goes_on_however_long_ago_the_last_one_seems_by_a_clock_that_was_set() -> None:
    eye, later_us = Eye(EyeSeen(100, T0)), T0 + 3 * 3600 * 1_000_000
    fruit, lost = eye.read(105, later_us, later_us)
    assert [one.number for one in fruit] == [101, 102, 103, 104, 105]
    assert lost == ""


@given(st.integers(0, WORD - 1), st.lists(st.integers(0, 3), max_size=200))
def test_every_fruit_is_told_once_with_its_number_and_a_time_within_its_bounds(first: int, steps: list[int]) -> None:
    eye = Eye()
    eye.read(first, T0, T0 + 20_000)
    told, count = [], first
    for n, step in enumerate(steps, 1):
        count += step
        fruit, lost = eye.read(count % WORD, T0 + n * 50_000, T0 + n * 50_000 + 7_000 * (n % 6))
        assert lost == ""
        told += fruit
    assert [one.number for one in told] == [(first + 1 + n) % WORD for n in range(sum(steps))]
    assert [one.at_us for one in told] == sorted(one.at_us for one in told)
    assert all(one.early_us < one.at_us < one.late_us for one in told)


def test_the_encoder_learns_from_fruit_how_long_a_pulse_is_and_then_knows_of_stops() -> None:
    encoder = Encoder()

    def count(t_s: float) -> int:
        return (65_000 + round(1000 * (min(t_s, 2.0) + max(0.0, t_s - 3.0)))) % WORD  # it stands from 2 to 3 s

    for n in range(600):
        encoder.read(count(n / 100), T0 + n * POLL_US)
    assert encoder.moved(T0, T0 + 1_000_000) is None
    for n in range(3):
        encoder.learn(T0 + n * 100_000, T0 + n * 100_000 + 1_000_000, 0.35)
    assert encoder.moved(T0 + 1_500_000, T0 + 3_500_000) == pytest.approx(0.35)
    assert encoder.moved(T0 + 3_500_000, T0 + 1_500_000) == pytest.approx(-0.35)
    assert encoder.moved(T0 + 2_100_000, T0 + 2_900_000) == 0
    assert encoder.moved(T0 - 1, T0 + 1_000_000) is None
    assert encoder.moved(T0, T0 + 7_000_000) is None


def test_nothing_is_said_over_a_restart_of_the_plc() -> None:
    encoder = taught(readings=200)
    encoder.read(0, T0 + 2_000_000)
    encoder.begin()
    encoder.read(10, T0 + 2_010_000)
    encoder.read(20, T0 + 2_020_000)
    assert encoder.moved(T0 + 1_990_000, T0 + 2_015_000) is None
    assert encoder.moved(T0 + 2_010_000, T0 + 2_020_000) == pytest.approx(0.005)


def test_nothing_is_said_over_a_time_in_which_the_encoder_was_not_read() -> None:
    encoder = taught(readings=300)
    encoder.read(5, T0 + 8_000_000)
    encoder.read(15, T0 + 8_010_000)
    assert encoder.moved(T0 + 2_000_000, T0 + 8_005_000) is None
    assert encoder.moved(T0 + 8_000_000, T0 + 8_010_000) == pytest.approx(0.005)
