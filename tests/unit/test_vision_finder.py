"""Where the fruit is: each alone, whole, and in the picture's own resolution."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visionfruit import drawn, moving_belt, photographs
from visionmodels import BELT, ROT, belt, lay, overlap, packages

from edge.vision import images
from edge.vision.models import package
from edge.vision.models.finder import Finder, Found
from edge.vision.views import Mask


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> Finder:
    return Finder(package.load(packages(tmp_path_factory.mktemp("models")) / "finder" / "1"))


def best(found: list[Found], truth: Mask) -> float:
    """How well one of those found covers what is there."""
    return max(overlap(one.mask, truth) for one in found)


def test_an_empty_belt_has_no_fruit(finder: Finder) -> None:
    assert finder.find(belt()) == []


def test_one_fruit_is_found_whole_with_its_box_and_share(finder: Finder) -> None:
    image = belt()
    truth = lay(image, (300, 180), (60, 45), spots=2)
    (one,) = finder.find(image)
    assert one.mask.shape == (360, 640)
    assert set(np.unique(one.mask)) == {0, 255}
    assert overlap(one.mask, truth) > 0.93
    assert one.box == cv2.boundingRect(one.mask)
    assert one.area_share == pytest.approx(np.count_nonzero(truth) / truth.size, rel=0.06)
    assert not one.cut_off


def test_several_come_the_largest_first(finder: Finder) -> None:
    image = belt()
    truths = [lay(image, (100 + 180 * n, 180), (40 + 12 * n, 36 + 12 * n)) for n in range(3)]
    found = finder.find(image)
    assert [overlap(one.mask, truth) > 0.93 for one, truth in zip(found, truths[::-1], strict=True)] == [True] * 3


@pytest.mark.parametrize("angle", range(0, 180, 20))
def test_two_that_touch_are_told_apart(finder: Finder, angle: int) -> None:
    image = belt()
    middle = np.array([320, 180])
    away = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * 56
    truths = [lay(image, tuple((middle + side * away).astype(int)), (57, 48), angle=angle) for side in (-1, 1)]
    found = finder.find(image)
    assert len(found) == 2
    assert all(best(found, truth) > 0.88 for truth in truths)
    assert not (found[0].mask & found[1].mask).any()


def test_a_row_of_three_that_touch_is_three(finder: Finder) -> None:
    image = belt()
    truths = [lay(image, (200 + 108 * n, 180 + 10 * (n % 2)), (55, 48)) for n in range(3)]
    found = finder.find(image)
    assert len(found) == 3
    assert all(best(found, truth) > 0.85 for truth in truths)


def test_a_hole_of_rot_belongs_to_its_fruit(finder: Finder) -> None:
    image = belt()
    truth = lay(image, (320, 180), (90, 70))
    cv2.circle(image, (330, 185), 28, ROT, cv2.FILLED)
    cv2.circle(image, (330, 185), 20, BELT, cv2.FILLED)
    (one,) = finder.find(image)
    assert overlap(one.mask, truth) > 0.93


def test_a_bite_out_of_one_fruit_does_not_make_two(finder: Finder) -> None:
    image = belt()
    lay(image, (320, 180), (90, 75))
    cv2.circle(image, (320, 105), 22, BELT, cv2.FILLED)
    assert len(finder.find(image)) == 1


def test_a_long_fruit_with_a_slight_waist_is_one(finder: Finder) -> None:
    image = belt()
    lay(image, (290, 180), (70, 55))
    lay(image, (360, 180), (70, 55))
    assert len(finder.find(image)) == 1


@pytest.mark.parametrize(
    ("middle", "cut_off"), [((10, 180), True), ((630, 180), True), ((300, 5), True), ((300, 60), False)]
)
def test_what_the_edge_cuts_off_is_told(finder: Finder, middle: tuple[int, int], cut_off: bool) -> None:
    image = belt()
    truth = lay(image, middle, (50, 45))
    (one,) = finder.find(image)
    assert one.cut_off is cut_off
    assert overlap(one.mask, truth) > 0.85


def test_specks_are_no_fruit(finder: Finder) -> None:
    image = belt()
    for n in range(8):
        lay(image, (60 + 70 * n, 100 + 20 * n), (8, 7))
    assert finder.find(image) == []


def test_the_mask_is_as_large_as_the_picture_whatever_that_is(finder: Finder) -> None:
    for width, height in ((64, 64), (300, 300), (360, 640), (1280, 720), (2000, 700)):
        image = belt(width, height)
        truth = lay(image, (width // 2, height // 2), (width // 5, height // 5))
        (one,) = finder.find(image)
        assert one.mask.shape == (height, width)
        assert overlap(one.mask, truth) > 0.9


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_noise_of_any_size_is_looked_at_without_trouble(finder: Finder, width: int, height: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    blotches = cv2.resize(noise[:9, :9], (width, height), interpolation=cv2.INTER_CUBIC)
    for image in (noise, np.asarray(blotches, np.uint8).reshape(height, width, 3)):
        for one in finder.find(image):
            assert one.mask.shape == (height, width)
            assert one.box == cv2.boundingRect(one.mask)
            assert 0 < one.area_share <= 1


@pytest.fixture(scope="module", params=["int8", "fp32"])
def shipped(request: pytest.FixtureRequest) -> Finder:
    return Finder(package.load(package.folder_of(package.SHIPPED, package.FINDER), request.param))


@pytest.mark.parametrize("crop", ["lemon", "tomato"])
def test_the_shipped_finder_finds_drawn_fruit_on_belts(shipped: Finder, crop: str) -> None:
    overlaps = []
    for seed in range(16):
        image = moving_belt(seed)
        truths = [drawn(image, crop, 10 * seed + n, (120 + 200 * n, 180)) for n in range(3)]
        found = shipped.find(image)
        assert len(found) == 3, f"seed {seed}"
        overlaps += [best(found, truth) for truth in truths]
    assert np.mean(overlaps) > 0.9
    assert min(overlaps) > 0.75


def test_the_shipped_finder_finds_nothing_on_empty_belts(shipped: Finder) -> None:
    assert [len(shipped.find(moving_belt(seed))) for seed in range(12)] == [0] * 12


@pytest.mark.parametrize("crop", ["lemon", "tomato"])
def test_the_shipped_finder_finds_photographed_fruit_and_none_where_there_is_none(shipped: Finder, crop: str) -> None:
    photos = photographs(crop)[::6]
    wrong = [path.name for path, label in photos if bool(shipped.find(images.read(path))) == (label == "empty")]
    print(f"{len(photos)} photographs, wrong: {wrong}")
    assert len(wrong) <= 0.02 * len(photos)
