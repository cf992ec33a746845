"""Pictures for people are bounded, show the fruit where it is, and are forgotten in time."""

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.vision.inspector import beltpicture
from edge.vision.inspector.beltpicture import Drawn
from edge.vision.inspector.crops import KEPT_US, LONGEST, MOST, Crops
from edge.vision.inspector.pictures import MOST_BYTES, MOST_CORNERS, jpeg, outline
from edge.vision.inspector.scene import seen
from edge.vision.inspector.tracker import Way
from edge.vision.views import Image, Mask

NOW_US = 1_700_000_000_000_000


def decoded(data: bytes) -> Image:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture[..., ::-1], np.uint8)


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)


def disc(height: int, width: int, x: int, y: int, radius: int) -> Mask:
    return np.asarray(cv2.circle(np.zeros((height, width), np.uint8), (x, y), radius, 255, -1), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (360, 640), (2160, 3840), (5000, 20)])
def test_even_noise_is_a_picture_within_its_bounds(size: tuple[int, int]) -> None:
    data = jpeg(noise(*size), 640)
    assert len(data) <= MOST_BYTES
    assert max(decoded(data).shape[:2]) <= 640


def test_a_jpeg_has_the_colours_of_the_picture() -> None:
    red = np.full((40, 60, 3), (200, 30, 20), np.uint8)
    assert np.abs(decoded(jpeg(red, 640)).astype(int) - red).max() < 8


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_outline_has_few_corners_and_lies_in_the_picture(seed: int) -> None:
    rough = np.random.default_rng(seed).integers(0, 256, (60, 90)).astype(np.uint8)
    mask = np.where(cv2.GaussianBlur(rough, (0, 0), 1 + seed % 5) > 127, 255, 0).astype(np.uint8)
    corners = outline(mask)
    assert len(corners) <= MOST_CORNERS
    assert all(0 <= x < 1 and 0 <= y < 1 for x, y in corners)


def test_the_outline_of_a_disc_is_a_disc_and_of_nothing_nothing() -> None:
    corners = np.array(outline(disc(200, 400, 150, 100, 60)), np.float32) * (400, 200)
    assert cv2.contourArea(corners.astype(np.float32)) == pytest.approx(np.pi * 60**2, rel=0.05)
    assert outline(np.zeros((10, 10), np.uint8)) == ()


def test_the_crop_is_the_view_in_which_it_looks_worst_with_some_belt_around() -> None:
    crops, mask = Crops(), disc(360, 640, 300, 180, 50)
    for score, grey in ((0.2, 50), (0.9, 150), (0.4, 250)):
        crops.keep(7, np.full((360, 640, 3), grey, np.uint8), mask, (250, 130, 101, 101), score, NOW_US)
    crop = crops.crop(7)
    assert crop is not None
    picture = decoded(crop.picture)
    assert picture.shape == (131, 131, 3)
    assert abs(int(picture.mean()) - 150) < 3
    corners = np.array(crop.outline)
    assert corners.mean(axis=0) == pytest.approx((0.5, 0.5), abs=0.02)
    assert crops.crop(8) is None


def test_crops_are_forgotten_some_seconds_after_the_fruit_was_seen_last_and_never_more_than_so_many_kept() -> None:
    crops, image, mask = Crops(), noise(90, 160), disc(90, 160, 80, 45, 20)
    for track in range(MOST + 50):
        crops.keep(track, image, mask, (60, 25, 41, 41), 0.5, NOW_US)
    assert [crops.crop(track) is None for track in (0, 49, 50, MOST + 49)] == [True, True, False, False]
    crops.seen(60, NOW_US + KEPT_US)
    crops.forget(NOW_US + KEPT_US + 1)
    assert crops.crop(61) is None
    assert crops.crop(60) is not None
    crops.forget(NOW_US - 1)
    assert crops.crop(60) is None, "a clock that was set back does not keep them for ever"


def test_the_crops_of_a_large_camera_take_no_more_memory_than_they_are_shown_in() -> None:
    crops, image, mask = Crops(), noise(1800, 2400), disc(1800, 2400, 1200, 900, 700)
    tracemalloc.start()
    for track in range(20):
        crops.keep(track, image, mask, (500, 200, 1401, 1401), 0.5, NOW_US)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken < 20 * 4.2 * LONGEST**2
    crop = crops.crop(7)
    assert crop is not None
    assert max(decoded(crop.picture).shape) == LONGEST
    corners = np.array(crop.outline, np.float32)
    assert cv2.contourArea(corners) == pytest.approx(np.pi * (700 / 1800) ** 2, rel=0.05), "its sides are 1,800 pixels"


def test_the_belt_is_drawn_with_verdicts_and_scores_and_the_frame_itself_stays_clean() -> None:
    image = np.full((720, 1280, 3), 90, np.uint8)
    bad = Drawn(disc(720, 1280, 300, 360, 100), (200, 260, 201, 201), "defective", 0.97)
    new = Drawn(disc(720, 1280, 900, 360, 100), (800, 260, 201, 201), "unseen", None)
    picture = decoded(beltpicture.picture(image, [bad, new]))
    assert picture.shape == (360, 640, 3)
    assert (image == 90).all()
    left, right = picture[:, :320].astype(int), picture[:, 320:].astype(int)
    assert ((left[..., 0] - left[..., 2]) > 120).sum() > 300, "a red outline and a score"
    assert ((right[..., 0] - right[..., 2]) > 60).sum() == 0
    assert (right.min(axis=2) > 150).sum() > 300, "a grey outline"


@pytest.mark.parametrize(
    ("way", "box"),
    [
        ("right", (64, 100, 128, 90)),
        ("left", (640 - 64 - 128, 100, 128, 90)),
        ("down", (100, 36, 90, 72)),
        ("up", (100, 360 - 36 - 72, 90, 72)),
    ],
)
def test_whichever_way_the_belt_moves_a_place_is_counted_from_where_fruit_enters(
    way: Way, box: tuple[int, int, int, int]
) -> None:
    one = seen(box, np.zeros((360, 640, 3), np.uint8), way)
    assert (one.back, one.front) == pytest.approx((0.1, 0.3))
    assert one.whole
    whole = 640 if way in ("right", "left") else 360
    assert (one.across * whole, one.breadth * whole) == pytest.approx((145, 90))


@pytest.mark.parametrize(
    ("way", "box"),
    [("right", (0, 9, 50, 50)), ("left", (590, 9, 50, 50)), ("down", (9, 0, 50, 50)), ("up", (9, 310, 50, 50))],
)
def test_what_touches_the_edge_is_cut_off_where_it_enters_or_leaves(way: Way, box: tuple[int, int, int, int]) -> None:
    opposite: dict[Way, Way] = {"right": "left", "left": "right", "down": "up", "up": "down"}
    image = np.zeros((360, 640, 3), np.uint8)
    there, back = seen(box, image, way), seen(box, image, opposite[way])
    assert (there.enters, there.leaves) == (True, False)
    assert (back.enters, back.leaves) == (False, True)
