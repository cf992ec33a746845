"""Fruit that a picture shows too badly is never good, and a usual camera shows it well enough."""

import random

import cv2
import numpy as np
import pytest
from visionfruit import drawn, moving_belt
from visionmodels import belt, lay

from edge.vision.clarity import SIZE, Unclear, sharpness, unclear
from edge.vision.views import Image, Mask
from models.produce import disturb

FRUIT = [(crop, seed) for crop in ("lemon", "tomato") for seed in range(8)]


def laid(crop: str, seed: int, size_px: int = 120) -> tuple[Image, Mask]:
    """A drawn fruit on the belt, some sound and some not."""
    image = moving_belt(seed)
    return image, drawn(image, crop, seed, (320, 180), size_px)


def told(image: Image, mask: Mask) -> Unclear:
    x, y, width, height = cv2.boundingRect(mask)
    return unclear(image, mask, (x, y, width, height))


@pytest.mark.parametrize("size_px", [60, 120, 240])
def test_a_camera_a_little_out_of_focus_or_of_a_moving_belt_is_clear(size_px: int) -> None:
    print("seed", seed := random.randrange(2**32))
    rng = np.random.default_rng(seed)
    for crop, number in FRUIT:
        image, mask = laid(crop, number, size_px)
        assert told(image, mask) == ""
        for shown in (disturb.blurred(image, 0.015 * size_px), disturb.moved(image, size_px // 15, 30)):
            assert told(disturb.noisy(shown, 6, rng), mask) == "", (crop, number)


@pytest.mark.parametrize("size_px", [60, 120, 240])
def test_a_lens_far_out_of_focus_is_told_whatever_the_size_in_pixels_and_under_noise(size_px: int) -> None:
    print("seed", seed := random.randrange(2**32))
    rng = np.random.default_rng(seed)
    for crop, number in FRUIT:
        image, mask = laid(crop, number, size_px)
        blurred = disturb.blurred(image, 0.06 * size_px)
        assert told(blurred, mask) == "blurred"
        assert told(disturb.noisy(blurred, 8, rng), mask) == "blurred"
        assert told(disturb.jpeg(blurred, 30), mask) == "blurred"


@pytest.mark.parametrize("angle_deg", [0, 30, 45, 90, 160])
def test_a_belt_too_fast_for_the_shutter_is_told_whichever_way_it_moves(angle_deg: float) -> None:
    for crop, number in FRUIT:
        image, mask = laid(crop, number)
        assert told(disturb.moved(image, 36, angle_deg), mask) == "blurred"


def test_the_edge_that_cutting_out_makes_does_not_count() -> None:
    """A classifier's view is sharp at its outline, whatever the camera saw."""
    image, mask = laid("lemon", 0)
    blurred = disturb.blurred(image, 8)
    cut_out = np.where(mask[..., None] > 0, blurred, 127).astype(np.uint8)
    assert told(cut_out, mask) == ""
    assert told(blurred, mask) == "blurred"


def test_light_that_leaves_no_colours_is_told_and_a_bright_lamp_is_not() -> None:
    for crop, number in FRUIT:
        image, mask = laid(crop, number)
        assert told(disturb.exposed(image, 0.3), mask) == ""
        assert told(disturb.exposed(image, 4), mask) == "overexposed"
        assert told(disturb.exposed(image, -1), mask) == ""
        assert told(disturb.exposed(image, -4), mask) == "dark"


@pytest.mark.parametrize(
    ("middle", "axes", "said"),
    [
        ((320, 180), (80, 60), ""),
        ((75, 180), (80, 60), ""),
        ((320, 350), (80, 60), "cut off"),
        ((0, 180), (80, 60), "cut off"),
        ((640, 180), (80, 60), "cut off"),
        ((320, -30), (80, 60), "cut off"),
        ((680, 180), (80, 60), "cut off"),
        ((636, 355), (80, 60), "cut off"),
    ],
)
def test_what_is_half_outside_the_frame_is_told_and_what_just_touches_it_is_not(
    middle: tuple[int, int], axes: tuple[int, int], said: Unclear
) -> None:
    image = belt()
    assert told(image, lay(image, middle, axes)) == said


def test_nothing_at_all_is_no_sharp_picture() -> None:
    for level in (0, 60, 255):
        assert sharpness(np.full((SIZE, SIZE, 3), level, np.uint8)) == 0
    assert told(belt(8, 8), np.full((8, 8), 255, np.uint8)) == "cut off"
    one = np.zeros((9, 9), np.uint8)
    one[4, 4] = 255
    assert told(belt(9, 9), one) == "blurred"
