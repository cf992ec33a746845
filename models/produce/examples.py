"""What the networks are shown, one example at a time; everything random comes from the generator given."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge.vision.views import Cut, Image, Mask, view
from models.produce.cutouts import Cutout, lay, toned_like
from models.produce.disturb import anyhow
from models.produce.sources import Grounds, Shot

PADDING = 127
"""Grey of what letterboxing adds at the right and at the bottom."""
LEAST_SHOWN = 0.2
"""Fruit of which less than this is inside the picture is no fruit to the finder: nobody could judge it."""


class Seen(NamedTuple):
    """An image for the finder, (S, S, 3), and the probability it should give, float32 (S/2, S/2)."""

    image: Image
    mask: NDArray[np.float32]


def letterboxed(image: Image, size: int) -> tuple[Image, float]:
    """The image in the upper left of a square of `size`, padded with grey; and by what it was scaled."""
    scale = size / max(image.shape[:2])
    height, width = (max(1, min(size, round(side * scale))) for side in image.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.full((size, size, 3), PADDING, np.uint8)
    square[:height, :width] = cv2.resize(image, (width, height), interpolation=how)
    return square, scale


def belt_scene(fruit: Sequence[Cutout], grounds: Grounds, rng: Generator, size: int) -> Seen:
    """None to six fruit on any ground, some cut off by the edge, seldom touching, under any light."""
    picture = grounds.take(rng, size)
    shape = _frame(rng, size)
    wanted = np.zeros((size, size), np.uint8)
    count = int(rng.choice([0, 1, 2, 3, 4, 5], p=[0.12, 0.44, 0.18, 0.12, 0.09, 0.05]))
    longest = size * float(np.exp(rng.uniform(np.log(0.1), np.log(0.5))))
    if count == 1 and rng.random() < 0.55:
        longest = size * float(rng.uniform(0.45, 1.15))
    for _ in range(count):
        one = toned_like(fruit[int(rng.integers(len(fruit)))], fruit, rng)
        middle = float(rng.uniform(0, shape[0])), float(rng.uniform(0, shape[1]))
        if count == 1 and longest > 0.5 * size:
            middle = tuple(side * float(rng.uniform(0.3, 0.7)) for side in shape)  # type: ignore[assignment]
        before = picture.copy()
        laid = lay(picture, one, rng, longest * float(rng.uniform(0.8, 1.2)), middle)
        covered = cv2.countNonZero(np.minimum(laid.mask, wanted)) / max(1, cv2.countNonZero(laid.mask))
        if covered > 0.1:
            picture = before
        elif laid.shown >= LEAST_SHOWN:
            wanted = np.maximum(wanted, laid.mask)
    picture = anyhow(picture, rng)
    picture[shape[1] :], picture[:, shape[0] :] = PADDING, PADDING
    wanted[shape[1] :], wanted[:, shape[0] :] = 0, 0
    return Seen(picture, _halved(wanted))


def photo_scene(shot: Shot, rng: Generator, size: int) -> Seen:
    """A photograph as it is, mirrored, turned by quarters, sometimes with less around it, under any light."""
    image, mask = shot.image, shot.mask
    turns = int(rng.integers(4))
    image, mask = np.rot90(image, turns), np.rot90(mask, turns)
    if rng.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    square, scale = letterboxed(np.ascontiguousarray(image), size)
    wanted = np.zeros((size, size), np.uint8)
    small = cv2.resize(np.ascontiguousarray(mask), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    wanted[: small.shape[0], : small.shape[1]] = small[:size, :size]
    return Seen(anyhow(square, rng), _halved(wanted))


def fruit_view(fruit: Cutout, others: Sequence[Cutout], grounds: Grounds, rng: Generator, cut: Cut) -> Image:
    """One fruit on any ground under any light, cut out by a mask as inexact as a finder's: the classifier's view."""
    longest = cut.size * float(np.exp(rng.uniform(np.log(0.5), np.log(1.3))))
    size = round(longest * 1.3)
    picture = grounds.take(rng, size)
    laid = lay(picture, toned_like(fruit, others, rng), rng, longest, (size / 2, size / 2))
    if rng.random() < 0.08:
        _leaf(picture, rng, longest)
    seen = anyhow(picture, rng)
    return view(seen, inexact(laid.mask, rng), cut)


def inexact(mask: Mask, rng: Generator) -> Mask:
    """The mask as a coarse network would draw it: smooth, too wide or too narrow, seldom with a part cut off."""
    longest = max(cv2.boundingRect(mask)[2:])
    height, width = mask.shape
    soft = cv2.GaussianBlur(mask, (0, 0), longest * float(rng.uniform(0.008, 0.04))).astype(np.float32) / 255
    bumps = cv2.resize(rng.standard_normal((7, 7), dtype=np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    # Only near the outline (soft 0 and 1 are far from it) does a network err: no holes, no islands.
    drawn = soft + 0.6 * bumps * soft * (1 - soft) > rng.uniform(0.3, 0.72)
    if rng.random() < 0.12:
        _cut_off(drawn, rng)
    found = np.where(drawn, 255, 0).astype(np.uint8)
    return found if cv2.countNonZero(found) > 0.3 * cv2.countNonZero(mask) else mask


def _leaf(picture: Image, rng: Generator, longest_px: float) -> None:
    """A calyx or a leaf, which the photographed fruit had lost, on good and bad fruit alike."""
    middle = np.array(picture.shape[1::-1]) / 2 + rng.uniform(-0.3, 0.3, 2) * longest_px
    green = np.array([0.55, 1.0, 0.35]) * rng.uniform(40, 150) * rng.uniform(0.8, 1.2, 3)
    for angle in rng.uniform(0, 2 * np.pi, int(rng.integers(1, 7))):
        along = np.array([np.cos(angle), np.sin(angle)]) * longest_px * rng.uniform(0.1, 0.3)
        wide = np.array([-along[1], along[0]]) * rng.uniform(0.08, 0.25)
        leaf = np.array([middle, middle + along / 2 + wide, middle + along, middle + along / 2 - wide])
        cv2.fillPoly(picture, [leaf.astype(np.int32)], green.tolist(), cv2.LINE_AA)


def _cut_off(drawn: NDArray[np.bool_], rng: Generator) -> None:
    """Up to a fifth of the fruit beyond a straight line is gone, as at the edge of a frame."""
    rows, columns = np.nonzero(drawn)
    if rows.size:
        edge = int(np.quantile(columns, rng.uniform(0, 0.2)))
        drawn[:, :edge] = False


def _frame(rng: Generator, size: int) -> tuple[int, int]:
    """Width and height of the picture inside the square; the rest is padding."""
    short = int(size * rng.choice([1.0, 0.75, 0.5625], p=[0.5, 0.3, 0.2]))
    return (size, short) if rng.random() < 0.8 else (short, size)


def _halved(mask: Mask) -> NDArray[np.float32]:
    height, width = mask.shape
    half = cv2.resize(mask, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half / np.float32(255), np.float32)
