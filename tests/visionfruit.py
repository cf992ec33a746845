"""Fruit for the tests of the sorting line: the simulator's, drawn onto belts, and the photographs where they are."""

import csv
import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.vision.views import Image, Mask
from firmware_sim.fruit import Fruit, Picture

DATA = Path(os.environ.get("TRUECOUNT_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))

BELTS = [(52, 70, 96), (40, 90, 60), (60, 60, 62), (190, 192, 188)]


def photographs(crop: str) -> list[tuple[Path, str]]:
    """Those that no model has learned from, each with its label: good, defective or empty; skips without them."""
    listed = DATA / "produce" / crop / "manifest.csv"
    if not listed.is_file():
        pytest.skip(f"no photographs in {DATA}: set TRUECOUNT_DATA")
    with listed.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "val"]
    return [(listed.parent / row["file"], row["label"]) for row in rows]


def moving_belt(seed: int) -> Image:
    """An empty belt as a camera sees it, with noise and a seam."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 5, (360, 640, 3))
    image = (np.full((360, 640, 3), BELTS[seed % len(BELTS)]) + noise).clip(0, 255).astype(np.uint8)
    cv2.line(image, (int(random.integers(640)), 0), (int(random.integers(640)), 359), (30, 30, 30), 2)
    return image


def drawn(image: Image, crop: str, seed: int, middle: tuple[int, int], size_px: int = 100) -> Mask:
    """Lays one of the simulator's fruit onto the picture, odd ones defective; the mask of it."""
    picture = _picture(crop, seed, size_px)
    height, width = picture.alpha.shape
    left, top = middle[0] - width // 2, middle[1] - height // 2
    there = image[top : top + height, left : left + width]
    share = picture.alpha[..., None] / 255
    there[:] = (picture.rgb * share + there * (1 - share)).astype(np.uint8)
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[top : top + height, left : left + width] = np.where(picture.alpha > 127, 255, 0)
    return mask


@cache
def _picture(crop: str, seed: int, size_px: int) -> Picture:
    return Fruit(crop, seed % 2 == 1, seed).view(0.2, size_px)
