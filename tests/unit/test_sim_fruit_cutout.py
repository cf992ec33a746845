"""Fruit cut out of a folder of photographs: found on any ground, and what shows none is passed over."""

import os
from pathlib import Path
from random import Random, SystemRandom

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim import cutout
from firmware_sim.errors import SimError
from firmware_sim.fruit import Fruit, Picture

GROUNDS = {"white": (255, 255, 255), "grey": (128, 126, 120), "green belt": (40, 90, 60), "blue": (40, 60, 130)}
DATA = Path(os.environ.get("TRUECOUNT_DATA", "../shared/data")) / "produce"


def photograph(fruit: Picture, ground: tuple[int, int, int], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A fruit on a speckled ground, and where it truly is."""
    random = np.random.default_rng(seed)
    picture = random.normal(ground, 7, (240, 240, 3))
    mask = np.zeros((240, 240), np.uint8)
    height, width = fruit.alpha.shape
    top, left = int(random.integers(20, 220 - height)), int(random.integers(20, 220 - width))
    share = fruit.alpha[..., None] / 255
    part = picture[top : top + height, left : left + width]
    part[:] = part * (1 - share) + fruit.rgb * share
    mask[top : top + height, left : left + width] = fruit.alpha
    return np.clip(picture, 0, 255).astype(np.uint8), mask


def save(path: Path, rgb: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[..., ::-1])


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("crop", ["lemon", "tomato"])
def test_a_fruit_is_cut_out_of_any_ground(crop: str, ground: str) -> None:
    seed = SystemRandom().randrange(2**31)
    print(f"seed {seed}")
    random = Random(seed)
    for _ in range(4):
        fruit = Fruit(crop, random.random() < 0.5, random.randrange(2**31)).view(0.0, 150)
        picture, mask = photograph(fruit, GROUNDS[ground], random.randrange(2**31))
        cut = cutout.cut(picture)
        assert cut is not None
        true_px, cut_px = int((mask > 127).sum()), int((cut.alpha > 127).sum())
        assert 0.88 < cut_px / true_px < 1.12
        assert abs(max(cut.alpha.shape) - max(fruit.alpha.shape)) <= 12


def test_a_picture_with_alpha_is_taken_as_it_is(tmp_path: Path) -> None:
    drawn = Fruit("lemon", False, 3).view(0.0, 120)
    bgra = np.dstack((drawn.rgb[..., ::-1], drawn.alpha))
    assert cv2.imwrite(str(tmp_path / "one.png"), np.pad(bgra, ((5, 9), (30, 2), (0, 0))))
    read = cutout.read(tmp_path / "one.png")
    assert read is not None
    inside = drawn.alpha > 0
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.array_equal(read.alpha, drawn.alpha[window])
    assert np.array_equal(read.rgb, drawn.rgb[window])


def test_what_shows_no_fruit_is_passed_over_and_what_is_no_image_too(tmp_path: Path) -> None:
    fruit = Fruit("lemon", False, 3).view(0.0, 150)
    for label in ("good", "defective"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "a-torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
        (tmp_path / label / "b-nothing.jpg").write_bytes(b"")
        save(tmp_path / label / "c-fruit.png", photograph(fruit, (40, 90, 60), 1)[0])
    photographs = cutout.Photographs(tmp_path)
    shown = [photographs.fruit(defective, seed).view(0.0, 100) for defective in (False, True) for seed in range(4)]
    assert all(abs(max(picture.alpha.shape) - 100) <= 3 for picture in shown)
    assert all(np.array_equal(picture.rgb, shown[0].rgb) for picture in shown)


def test_a_folder_without_fruit_says_so(tmp_path: Path) -> None:
    with pytest.raises(SimError, match="good"):
        cutout.Photographs(tmp_path)
    for label in ("good", "defective"):
        save(tmp_path / label / "grey.png", np.full((80, 80, 3), 120, np.uint8))
    with pytest.raises(SimError, match="cut out"):
        cutout.Photographs(tmp_path).fruit(True, 1)


def test_a_cut_out_fruit_keeps_its_size_as_it_turns() -> None:
    shown = cutout.Cutout(Fruit("tomato", False, 5).view(0.0, 180))
    areas = [int((shown.view(turn, 90).alpha > 127).sum()) for turn in (-0.4, 0.0, 0.4)]
    assert max(areas) < 1.05 * min(areas)


@pytest.mark.skipif(not DATA.is_dir(), reason="the photographs are not here: set TRUECOUNT_DATA")
@pytest.mark.parametrize("crop", ["lemon", "tomato"])
def test_real_photographs_are_cut_out(crop: str) -> None:
    files = sorted((DATA / crop / "images").glob("*good*"))[::40]
    cut = [picture for picture in map(cutout.read, files) if picture is not None]
    print(f"{len(cut)} of {len(files)} photographs of {crop}")
    assert len(cut) > 0.6 * len(files), "close-ups that show no whole fruit are left out"
    for picture in cut:
        filled = (picture.alpha > 127).mean()
        assert 0.5 < filled < 0.95, "a round fruit, not its square photograph"
