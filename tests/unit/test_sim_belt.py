"""A belt: fruit comes with room between, is where its times say it is, and is seen there."""

from functools import partial
from itertools import pairwise
from random import SystemRandom
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.belt import Belt, Piece, Track, Way
from firmware_sim.footage import Footage
from firmware_sim.fruit import Fruit

T0_US = 1_700_000_000_000_000
WAYS: tuple[Way, ...] = get_args(Way)
tracks = st.builds(
    Track,
    width_px=st.sampled_from([320, 640]),
    height_px=st.sampled_from([240, 360]),
    moves=st.sampled_from(WAYS),
    eye_at=st.floats(-1, 2),
    travel_s=st.floats(0.1, 3),
    fruit_per_s=st.floats(0.2, 10),
)


@settings(max_examples=40)
@given(track=tracks, seed=st.integers(0, 2**31), lots=st.lists(st.integers(1, 12), min_size=1, max_size=3))
def test_fruit_keeps_its_order_and_never_overlaps(track: Track, seed: int, lots: list[int]) -> None:
    belt, now_us = Belt(track, seed, T0_US), T0_US
    laid: dict[int, Piece] = {}
    for number, count in enumerate(lots):
        belt.begin(f"lot-{number}", 0.3, count, now_us)
        laid |= {piece.number: piece for piece in belt.pieces}
        now_us = belt.empty_us
    pieces = list(laid.values())
    assert [piece.number for piece in pieces] == list(range(1, sum(lots) + 1))
    for ahead, piece in pairwise(pieces):
        apart_px = (piece.entered_us - ahead.entered_us) / 1e6 * track.speed * track.length_px
        assert apart_px > 0.5 * (piece.size_px + ahead.size_px)
    for piece in pieces:
        assert piece.entered_us > T0_US
        assert piece.eye_us > T0_US
        assert abs(belt.place(piece, piece.entered_us)) < 1e-5
        assert abs(belt.place(piece, piece.eye_us) - track.eye_at) < 1e-4
        assert abs(piece.gate_us - piece.eye_us - track.travel_s * 1e6) <= 1


@given(seed=st.integers(0, 2**31))
def test_what_a_fruit_is_depends_on_its_number_and_the_seed_alone(seed: int) -> None:
    quick, slow = Belt(Track(), seed, T0_US), Belt(Track(), seed, T0_US)
    quick.begin("a", 0.3, 12, T0_US)
    slow.begin("a", 0.3, 5, T0_US)
    slow.begin("b", 0.3, 7, T0_US + 60_000_000)
    for one in slow.pieces:
        same = quick.piece(one.number)
        assert same is not None
        assert (one.seed, one.defective, one.size_px) == (same.seed, same.defective, same.size_px)
    assert slow.laid == quick.laid == 12


def test_some_fruit_touches_where_that_is_asked_for() -> None:
    belt = Belt(Track(touching=0.5), 7, T0_US)
    belt.begin(None, 0.0, 60, T0_US)
    pairs = list(pairwise(belt.pieces))
    px_s = belt.track.speed * belt.track.length_px
    gaps_px = [(b.entered_us - a.entered_us) / 1e6 * px_s - (a.size_px + b.size_px) / 2 for a, b in pairs]
    touching = sum(gap < 0 for gap in gaps_px)
    assert 15 < touching < 45
    assert min(gaps_px) > -0.1 * belt.track.fruit_px, "they touch, they do not lie in each other"


def test_a_stopped_belt_brings_what_was_in_view_to_the_gate_and_nothing_more() -> None:
    belt = Belt(Track(fruit_per_s=1.5), 7, T0_US)
    belt.begin("a", 0.0, 60, T0_US)
    now_us = T0_US + 5_000_000
    seen = [piece for piece in belt.pieces if belt.place(piece, now_us) > 0]
    belt.stop(now_us)
    assert belt.pieces[: len(seen)] == seen
    assert len(belt.pieces) <= len(seen) + 1
    assert now_us < belt.empty_us < now_us + 6_000_000
    belt.stop(now_us)
    assert Belt(Track(), 7, T0_US).empty_us == T0_US


def test_a_belt_that_runs_for_hours_keeps_what_lies_on_it_and_no_more() -> None:
    """Lot after lot in simulated time, pictures taken all the while, by a machine that is asked now and then."""
    belt, now_us, done = Belt(Track(fruit_per_s=2), 7, T0_US), T0_US, 0

    def machine() -> int:
        nonlocal done
        while (piece := belt.piece(done + 1)) and piece.gate_us <= now_us:
            done += 1
        return done

    belt.attend(machine)
    for lot in range(300):
        belt.begin(f"lot-{lot}", 0.3, 60, now_us)
        assert belt.laid == 60 * (lot + 1)
        assert len(belt.pieces) <= 61
        assert belt.near(now_us + 5_000_000), "what comes is seen"
        now_us = belt.empty_us
    assert (machine(), belt.piece(18_001)) == (18_000, None)


def test_fruit_that_the_gate_has_not_dealt_with_stays() -> None:
    belt, done = Belt(Track(), 7, T0_US), 5
    belt.attend(lambda: done)
    belt.begin("a", 0.3, 10, T0_US)
    belt.begin("b", 0.3, 10, belt.empty_us)
    assert [piece.number for piece in belt.pieces] == list(range(6, 21))
    done = 20
    belt.begin("c", 0.3, 10, belt.empty_us)
    assert [piece.number for piece in belt.pieces] == list(range(20, 31))


def test_a_slow_belt_is_the_demos_and_ten_fruit_a_second_run_faster() -> None:
    assert Track().speed == pytest.approx(0.35, abs=0.01)
    fast = Track(fruit_per_s=10)
    assert fast.speed > 2
    belt = Belt(fast, 7, T0_US)
    belt.begin(None, 0.0, 300, T0_US)
    took_s = (belt.pieces[-1].eye_us - belt.pieces[0].eye_us) / 1e6
    assert 299 / took_s == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("moves", WAYS)
def test_the_camera_sees_each_fruit_where_it_is(moves: Way) -> None:
    seed = SystemRandom().randrange(2**31)
    print(f"seed {seed}")
    track = Track(moves=moves)
    belt, bare = Belt(track, seed, T0_US), Belt(track, seed, T0_US)
    belt.begin(None, 0.3, 8, T0_US)
    footage, empty = Footage(belt, partial(Fruit, "lemon"), seed), Footage(bare, partial(Fruit, "lemon"), seed)
    seen = 0
    for step in range(5):
        now_us = belt.pieces[1].entered_us + step * 600_000
        frame, ground = footage.frame(now_us), empty.frame(now_us)
        assert frame.shape == (360, 640, 3)
        assert np.array_equal(frame, footage.frame(now_us)), "the same moment gives the same picture"
        fruit = (np.abs(frame.astype(int) - ground).max(axis=2) > 60).astype(np.uint8)
        upright = {"right": fruit, "left": fruit[::-1, ::-1], "down": np.rot90(fruit), "up": np.rot90(fruit, 3)}[moves]
        for piece in belt.near(now_us):
            x, y = belt.place(piece, now_us) * track.length_px, (0.5 + piece.aside) * track.breadth_px
            half = piece.size_px // 2
            if half < x < track.length_px - half:
                top, left = round(y) - half, round(x) - half
                box = np.ascontiguousarray(upright[top : top + 2 * half, left : left + 2 * half])
                moments = cv2.moments(box, binaryImage=True)
                assert moments["m00"] > 0.35 * box.size, "it fills the place where it should be"
                assert abs(moments["m10"] / moments["m00"] - half) < 0.14 * piece.size_px
                assert abs(moments["m01"] / moments["m00"] - half) < 0.14 * piece.size_px
                seen += 1
    assert seen >= 5


def test_an_empty_belt_moves_and_its_light_wanders() -> None:
    footage = Footage(Belt(Track(), 7, T0_US), partial(Fruit, "lemon"), 7)
    frames = [footage.frame(T0_US + step * 5_000_000).astype(int) for step in range(12)]
    assert all(np.abs(a - b).mean() > 2 for a, b in pairwise(frames))
    light = [frame.mean() for frame in frames]
    assert 1.02 < max(light) / min(light) < 1.3


def test_a_fast_belt_smears_its_fruit_along_its_way() -> None:
    def edge(fruit_per_s: float) -> float:
        """How sharply the fruit stands out along the belt."""
        belt = Belt(Track(fruit_per_s=fruit_per_s), 5, T0_US)
        belt.begin(None, 0.0, 3, T0_US)
        middle_us = (belt.pieces[0].entered_us + belt.pieces[0].eye_us) // 2
        frame = Footage(belt, partial(Fruit, "lemon"), 5).frame(middle_us).astype(np.float32)
        return float(np.abs(np.diff(frame, axis=1)).max())

    assert edge(10) < 0.6 * edge(1)
