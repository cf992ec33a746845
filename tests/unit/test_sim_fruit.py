"""Drawn fruit: the same again for the same seed, of the size that was asked for, and a defect is there to be seen."""

from random import Random, SystemRandom

import numpy as np
import pytest

from firmware_sim.fruit import CROPS, MAX_TURN, Fruit, Picture

TURNS = (-MAX_TURN, -MAX_TURN / 2, 0.0, MAX_TURN / 2, MAX_TURN)


def seeds(count: int) -> list[int]:
    root = SystemRandom().randrange(2**31)
    print(f"seed {root}")
    random = Random(root)
    return [random.randrange(2**31) for _ in range(count)]


def differing_share(one: Picture, other: Picture) -> float:
    """Share of the fruit's pixels whose colour is clearly another one."""
    apart = np.abs(one.rgb.astype(int) - other.rgb.astype(int)).max(axis=2) > 30
    return float((apart & (one.alpha > 200)).sum() / (one.alpha > 200).sum())


@pytest.mark.parametrize("crop", CROPS)
def test_a_seed_is_a_fruit(crop: str) -> None:
    first, second = seeds(2)
    for defective in (False, True):
        shown, again = Fruit(crop, defective, first).view(0.1, 90), Fruit(crop, defective, first).view(0.1, 90)
        assert np.array_equal(shown.rgb, again.rgb)
        assert np.array_equal(shown.alpha, again.alpha)
        other = Fruit(crop, defective, second).view(0.1, 90)
        assert other.rgb.shape != shown.rgb.shape or not np.array_equal(other.rgb, shown.rgb)


@pytest.mark.parametrize("crop", CROPS)
def test_a_fruit_fills_its_picture_at_every_size(crop: str) -> None:
    for seed in seeds(4):
        fruit = Fruit(crop, False, seed)
        for size_px in (8, 40, 100, 128, 256):
            rgb, alpha = fruit.view(0.0, size_px)
            assert rgb.shape == (*alpha.shape, 3)
            assert (rgb.dtype, alpha.dtype) == (np.uint8, np.uint8)
            assert abs(max(alpha.shape) - size_px) <= 1
            height, width = alpha.shape
            assert alpha[height // 2, width // 2] == 255
            assert 0.55 < (alpha > 127).mean() < 0.9, "round, and nearly as large as its picture"
            if size_px >= 40:
                assert max(alpha[0, 0], alpha[0, -1], alpha[-1, 0], alpha[-1, -1]) < 60


@pytest.mark.parametrize("crop", CROPS)
def test_a_good_and_a_bad_fruit_of_one_seed_differ_by_the_defect_alone(crop: str) -> None:
    hidden, views = 0, 0
    for seed in seeds(40):
        good, bad = Fruit(crop, False, seed), Fruit(crop, True, seed)
        for turn in TURNS:
            shown, spoilt = good.view(turn, 100), bad.view(turn, 100)
            assert np.array_equal(shown.alpha, spoilt.alpha)
            hidden += differing_share(shown, spoilt) < 0.008
            views += 1
    print(f"{hidden} of {views} views hide the defect")
    assert hidden <= 0.05 * views


@pytest.mark.parametrize("crop", CROPS)
def test_a_fruit_turns_bit_by_bit(crop: str) -> None:
    for seed in seeds(5):
        fruit = Fruit(crop, True, seed)
        near = differing_share(fruit.view(0.0, 100), fruit.view(0.01, 100))
        far = differing_share(fruit.view(-MAX_TURN, 100), fruit.view(MAX_TURN, 100))
        assert near < 0.2
        assert near <= far


def test_a_crop_that_nobody_has_drawn_is_refused() -> None:
    with pytest.raises(KeyError):
        Fruit("pear", False, 1)
