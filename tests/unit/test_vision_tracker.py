"""Fruit on a belt keep their numbers, whatever the camera makes of them; in doubt they get a new one."""

import random
from collections import defaultdict

import pytest
from beltsim import Belt, Fruit, frames, fruit_on_a_belt
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.vision.inspector.matching import Place, Seen, belt_shift
from edge.vision.inspector.tracker import Tracker

Followed = dict[int, set[int]]
"""By fruit: the tracks that were taken to be it."""


def follow(belt: Belt, seed: int) -> tuple[Followed, dict[int, set[int]], Tracker]:
    """Tracks by fruit, fruit by track, both from what was wholly seen, and the tracker afterwards."""
    tracker, tracks, fruit = Tracker(), defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for shown in frames(belt, random.Random(seed)):
        for standing in tracker.step(shown.at_us, shown.seen):
            if standing.seen is not None and standing.sightings > 1:
                name = shown.names[standing.seen]
                assert name is not None, f"seed {seed}: two that touch were taken for one fruit"
                tracks[name].add(standing.track)
                fruit[standing.track].add(name)
    return tracks, fruit, tracker


def test_each_fruit_has_one_number_from_where_it_enters_to_where_it_leaves() -> None:
    belt = Belt(fruit_on_a_belt(random.Random(1), 30, (0.3, 2)), speed=0.35, fps=12)
    tracks, fruit, tracker = follow(belt, 1)
    assert [sorted(numbers) for numbers in tracks.values()] == [[number] for number in range(1, 31)]
    assert all(len(names) == 1 for names in fruit.values())
    assert tracker.born == 30
    assert tracker.speed == pytest.approx(0.35, rel=0.02)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("speed", "fps"), [(0.35, 12), (0.35, 5), (2.3, 30), (0.05, 30), (0.6, 10)], ids=lambda value: f"{value:g}"
)
def test_dropped_frames_bad_stamps_and_fruit_not_found_change_no_number(speed: float, fps: float, seed: int) -> None:
    fruit = fruit_on_a_belt(random.Random(seed), 60, (0.5, 2))
    belt = Belt(fruit, speed, fps, jitter_s=0.1 / fps, dropped=0.1, missed=0.03)
    tracks, names, tracker = follow(belt, seed)
    assert all(len(one) == 1 for one in names.values()), f"seed {seed}: a number was given to two fruit"
    assert sum(len(numbers) == 1 for numbers in tracks.values()) >= len(tracks) - 3, f"seed {seed}"
    assert tracker.speed == pytest.approx(speed, rel=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_fruit_that_touch_and_are_found_as_one_for_a_while_keep_their_numbers(seed: int) -> None:
    belt = Belt(fruit_on_a_belt(random.Random(seed), 40, (0.0, 0.05)), speed=0.35, fps=12, merged=0.15)
    tracks, names, _ = follow(belt, seed)
    assert all(len(one) == 1 for one in names.values()), f"seed {seed}: a number was given to two fruit"
    assert sum(len(numbers) == 1 for numbers in tracks.values()) >= 36, f"seed {seed}"


def test_two_that_touch_all_the_way_are_no_fruit_to_look_at() -> None:
    alone = [Fruit(name, -0.2 - 0.3 * name, 0.15, 0.3) for name in range(8)]
    pair = [Fruit(8, -3.0, 0.15, 0.3), Fruit(9, -3.13, 0.15, 0.3)]
    tracks, _, tracker = follow(Belt([*alone, *pair], speed=0.35, fps=12, merged=1.0), seed=1)
    assert sorted(tracks) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert tracker.born == 9


def test_two_that_were_one_since_they_entered_begin_anew_when_they_come_apart() -> None:
    tracker, at_us, numbers = Tracker(), 1_000_000_000, []
    lone = [seen(0.1 * step, 0.15) for step in range(2, 9)]
    for _ in range(6):
        for one in lone:
            at_us += 100_000
            tracker.step(at_us, [one])
        at_us += 3_000_000
    for step in range(2, 9):
        at_us += 100_000
        middle = 0.1 * step
        apart = [seen(middle - 0.08, 0.15), seen(middle + 0.08, 0.15)]
        standings = tracker.step(at_us, [seen(middle, 0.31)] if step < 5 else apart)
        numbers.append([standing.track for standing in standings])
    assert numbers[0] == numbers[1] == numbers[2] == [7]
    assert numbers[-1] == [8, 9]


def test_one_that_is_found_in_two_pieces_for_a_moment_stays_one() -> None:
    tracker = learned()
    numbers = []
    for step in range(2, 9):
        middle = 0.1 * step
        pieces = [seen(middle - 0.04, 0.06), seen(middle + 0.04, 0.06)]
        standings = tracker.step(2_000_000_000 + 100_000 * step, pieces if step in (4, 5) else [seen(middle, 0.15)])
        numbers.append([(standing.track, standing.seen) for standing in standings])
    assert len({track for frame in numbers for track, _ in frame}) == 1
    assert [frame[0][1] for frame in numbers] == [0, 0, None, None, 0, 0, 0]


def test_a_belt_that_stops_and_goes_on_changes_no_number() -> None:
    belt = Belt(fruit_on_a_belt(random.Random(3), 20, (0.3, 2)), speed=0.35, fps=12, stands_s=(4.0, 9.0))
    tracks, names, tracker = follow(belt, 3)
    assert all(len(one) == 1 for one in names.values())
    assert all(len(one) == 1 for one in tracks.values())
    assert tracker.born == 20


def test_fruit_side_by_side_in_two_lanes_are_two() -> None:
    chance = random.Random(5)
    lanes = [
        Fruit(2 * name + lane, -0.2 - 0.3 * name + chance.uniform(-0.004, 0.004), 0.15, 0.15 + 0.25 * lane)
        for name in range(15)
        for lane in (0, 1)
    ]
    tracks, names, _ = follow(Belt(lanes, speed=0.35, fps=12, missed=0.02), 5)
    assert all(len(one) == 1 for one in names.values())
    assert all(len(one) == 1 for one in tracks.values())
    assert len(tracks) == 30


def test_after_a_second_without_a_frame_nobody_knows_which_is_which() -> None:
    tracker = learned()
    before = tracker.step(2_000_000_000, [seen(0.3, 0.15)])
    after = tracker.step(2_001_100_000, [seen(0.3, 0.15)])
    assert before[0].track != after[0].track


def test_a_fruit_that_is_not_found_again_is_lost_after_half_a_second() -> None:
    tracker = learned(speed=0.1)
    tracker.step(2_000_000_000, [seen(0.3, 0.15)])
    tracker.step(2_000_100_000, [seen(0.31, 0.15)])
    told = [tracker.step(2_000_100_000 + 100_000 * step, []) for step in range(1, 7)]
    assert [len(standings) for standings in told] == [1, 1, 1, 1, 0, 0]
    assert told[3][0].along == pytest.approx(0.35, abs=0.01)


def test_a_clock_that_runs_backwards_loses_no_fruit_and_no_speed() -> None:
    tracker = learned(speed=0.5)
    tracker.step(2_000_000_000, [seen(0.30, 0.15)])
    first = tracker.step(2_000_100_000, [seen(0.35, 0.15)])
    second = tracker.step(1_900_000_000, [seen(0.40, 0.15)])
    third = tracker.step(1_900_100_000, [seen(0.45, 0.15)])
    assert [one[0].track for one in (first, second, third)] == [first[0].track] * 3
    assert tracker.speed == pytest.approx(0.5, rel=0.05)


def test_more_things_than_a_belt_can_hold_are_bounded() -> None:
    tracker = Tracker()
    for step in range(5):
        standings = tracker.step(1_000_000 + 50_000 * step, [seen(n / 500, 0.001) for n in range(20, 480)])
        assert len(standings) <= 40


def test_many_small_fruit_keep_their_numbers_too() -> None:
    belt = Belt(fruit_on_a_belt(random.Random(1), 120, (0.05, 0.6), length=0.018), speed=0.35, fps=25, jitter_s=0.002)
    tracks, names, tracker = follow(belt, 1)
    assert all(len(one) == 1 for one in names.values())
    assert sum(len(one) == 1 for one in tracks.values()) >= 115
    assert tracker.speed == pytest.approx(0.35, rel=0.02)


class Looked(Seen):
    """Something found that counts how often it is looked at, all of them together."""

    count = 0

    def middle(self, length: float) -> float:
        Looked.count += 1
        return super().middle(length)


def test_a_full_belt_takes_no_more_than_a_few_looks_at_each_pair() -> None:
    chance = random.Random(3)
    ats = sorted(chance.uniform(0.02, 0.9) for _ in range(40))
    places = [Place(at, 0.3, chance.uniform(0.015, 0.02), whole=True) for at in ats]
    found = [Looked(at + 0.059, at + 0.041, 0.3, 0.018, False, False) for at in ats]
    shift = belt_shift(places, found, 1.0, None)
    assert shift is not None
    assert shift.way == pytest.approx(0.05, abs=0.005)
    assert Looked.count < 10 * len(places) * len(found)


def test_fruit_that_goes_farther_from_frame_to_frame_than_the_next_one_is_away_keeps_its_number() -> None:
    belt = Belt(fruit_on_a_belt(random.Random(1), 60, (0.2, 0.7)), speed=2.28, fps=8)
    tracks, names, tracker = follow(belt, 1)
    assert all(len(one) == 1 for one in names.values())
    assert sum(len(one) == 1 for one in tracks.values()) >= 55
    assert tracker.speed == pytest.approx(2.28, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_even_fruit_on_a_fast_belt_with_frames_that_come_late_is_never_taken_for_its_neighbour(seed: int) -> None:
    even = [Fruit(name, -0.2 - 0.228 * name, 0.15, 0.3) for name in range(60)]
    tracks, names, _ = follow(Belt(even, speed=2.28, fps=30, jitter_s=0.02, dropped=0.05), seed)
    assert all(len(one) == 1 for one in names.values()), f"seed {seed}: a number was given to two fruit"
    assert sum(len(one) > 1 for one in tracks.values()) > 5, "in doubt they get new numbers"


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    speed=st.floats(0.05, 2.5),
    fps=st.floats(8, 30),
    dropped=st.floats(0, 0.2),
    missed=st.floats(0, 0.05),
    merged=st.floats(0, 0.3),
    gap=st.floats(0, 1),
)
def test_no_number_is_ever_given_to_two_fruit(
    seed: int, speed: float, fps: float, dropped: float, missed: float, merged: float, gap: float
) -> None:
    speed = min(speed, 0.15 * fps)  # from frame to frame at most by a fruit's length
    fruit = fruit_on_a_belt(random.Random(seed), 25, (gap, gap + 1))
    belt = Belt(fruit, speed, fps, 0.1 / fps, dropped, missed, merged)
    tracks, names, _ = follow(belt, seed)
    assert all(len(one) == 1 for one in names.values())
    assert sum(len(numbers) for numbers in tracks.values()) <= 1.3 * len(fruit)


@settings(max_examples=100, deadline=None)
@given(
    things=st.lists(
        st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 1), st.floats(0, 1)), max_size=8), min_size=1, max_size=20
    ),
    steps=st.lists(st.integers(-(10**6), 2 * 10**6), min_size=20, max_size=20),
)
def test_whatever_is_found_each_thing_is_at_most_one_fruit(
    things: list[list[tuple[float, float, float]]], steps: list[int]
) -> None:
    tracker, at_us = Tracker(), 10**9
    for found, step in zip(things, steps, strict=False):
        at_us += step
        standings = tracker.step(at_us, [seen(middle, length, across) for middle, length, across in found])
        taken = [one.seen for one in standings if one.seen is not None]
        assert len(taken) == len(set(taken))
        assert len({one.track for one in standings}) == len(standings)
        assert [one.along for one in standings] == sorted(one.along for one in standings)


def seen(middle: float, length: float, across: float = 0.3) -> Seen:
    back, front = max(0.0, middle - length / 2), min(1.0, middle + length / 2)
    return Seen(front, back, across, length, back <= 0, front >= 1)


def learned(speed: float = 1.0) -> Tracker:
    """A tracker that knows the belt's speed and how long fruit is; the belt is empty."""
    tracker = Tracker()
    for fruit in range(6):
        for step in range(round(0.8 / speed / 0.1)):
            tracker.step(1_000_000_000 + 20_000_000 * fruit + 100_000 * step, [seen(0.1 + 0.1 * speed * step, 0.15)])
    return tracker
