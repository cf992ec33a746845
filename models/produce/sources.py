"""Everything that examples are made of, in memory: cut-out fruit, whole photographs with masks, empty grounds."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.random import Generator

from edge.vision.views import Image, Mask
from firmware_sim.fruit import MAX_TURN, Fruit
from models.produce.cutouts import Cutout, cutout
from models.produce.data import Crop, Photo, read
from models.produce.grounds import ground
from models.produce.masks import fruit_mask

LEAST_SHARE = 0.01
"""A mask with less of the photograph than this is taken for a failure and the photograph left out."""
GROUND_PX = 320
RENDERED_PX = 192


Job = TypeVar("Job")
Made = TypeVar("Made")


class Shot(NamedTuple):
    """A whole photograph and where its fruit is."""

    photo: Photo
    image: Image
    mask: Mask


def shots(found: Sequence[Photo]) -> list[Shot]:
    """The photographs with their masks, in order, without those whose fruit could not be found; on all cores."""
    made = _on_all_cores(_shot, found, 32)
    return [shot for shot in made if cv2.countNonZero(shot.mask) >= LEAST_SHARE * shot.mask.size]


def _shot(photo: Photo) -> Shot:
    image = read(photo)
    return Shot(photo, image, fruit_mask(image, photo.crop))


def _on_all_cores(work: Callable[[Job], Made], jobs: Sequence[Job], chunk: int) -> list[Made]:
    """Forked, not spawned: importing torch anew in each process takes longer than the work."""
    cv2.setNumThreads(0)  # OpenCV's threads would not outlive the fork.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        return list(pool.map(work, jobs, chunksize=chunk))


def lifted(found: Sequence[Shot]) -> list[Cutout]:
    """The fruit of photographs, cut out."""
    return [cutout(shot.image, shot.mask, shot.photo.label == "defective") for shot in found]


def rendered(crop: Crop, fruits: int, seed: int, views: int = 3) -> list[Cutout]:
    """The simulator's fruit, `fruits` good and as many defective, each turned `views` ways in which a defect shows."""
    jobs = [(crop, n % 2 == 1, seed * 1_000_000 + n, views) for n in range(2 * fruits)]
    return [one for made in _on_all_cores(_rendered, jobs, 8) for one in made]


def _rendered(job: tuple[Crop, bool, int, int]) -> list[Cutout]:
    crop, defective, seed, views = job
    fruit = Fruit(crop, defective, seed)
    pictures = [fruit.view(float(turn), RENDERED_PX) for turn in np.linspace(-MAX_TURN, MAX_TURN, views)]
    return [cutout(one.rgb, np.where(one.alpha > 127, 255, 0).astype(np.uint8), defective) for one in pictures]


class Grounds:
    """A stock of drawn grounds and photographed ones; each is cut, mirrored and coloured anew when it is taken."""

    def __init__(self, drawn: int, photographed: Sequence[Image], rng: Generator) -> None:
        self._drawn = [ground(rng, GROUND_PX) for _ in range(drawn)]
        self._photographed = list(photographed)

    def take(self, rng: Generator, size: int) -> Image:
        """A ground of (size, size, 3), that nobody else holds."""
        stock = self._photographed if self._photographed and rng.random() < 0.3 else self._drawn
        whole = stock[rng.integers(len(stock))]
        least = min(whole.shape[:2])
        side = int(rng.uniform(0.35, 1.0) * least)
        y, x = rng.integers(0, whole.shape[0] - side + 1), rng.integers(0, whole.shape[1] - side + 1)
        how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
        taken = np.asarray(cv2.resize(whole[y : y + side, x : x + side], (size, size), interpolation=how), np.float32)
        taken = np.rot90(taken, int(rng.integers(4)))
        if rng.random() < 0.5:
            taken = taken[:, ::-1]
        gains = np.exp(rng.normal(0, 0.12, 3) + rng.normal(0, 0.25)).astype(np.float32)
        return np.ascontiguousarray(np.clip(taken * gains, 0, 255), np.uint8)
