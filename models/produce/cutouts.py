"""Fruit lifted off its ground, and laid down somewhere else."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge.vision.views import Image, Mask

LONGEST = 208
"""Longer side of a kept cut-out, in pixels: views are smaller, and memory is not endless."""


class Cutout(NamedTuple):
    """One fruit: its pixels, where it is among them, and the mean RGB of its skin."""

    image: Image
    mask: Mask
    tone: tuple[float, float, float]
    defective: bool


def cutout(image: Image, mask: Mask, defective: bool) -> Cutout:
    """The fruit under `mask`, which must not be empty, with a narrow rim of what was around it."""
    x, y, width, height = cv2.boundingRect(mask)
    rim = max(2, max(width, height) // 40)
    part = slice(max(0, y - rim), y + height + rim), slice(max(0, x - rim), x + width + rim)
    scale = min(1.0, LONGEST / max(mask[part].shape))
    pixels = np.asarray(cv2.resize(image[part], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    where = np.asarray(cv2.resize(mask[part], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    red, green, blue, _ = cv2.mean(pixels, where)
    return Cutout(pixels, where, (red, green, blue), defective)


class Laid(NamedTuple):
    """A cut-out as it lies in a picture: where its pixels are (0..255, as large as the picture), and how much shows."""

    mask: Mask
    shown: float
    """Share of the fruit inside the picture, 0..1."""


def lay(picture: Image, fruit: Cutout, rng: Generator, longest_px: float, middle: tuple[float, float]) -> Laid:
    """Draws the fruit into `picture`, turned, mirrored and a little squeezed, with a shadow. `middle` is x, y."""
    height, width = fruit.mask.shape
    turn = _turn(rng, longest_px / max(height, width), (width / 2, height / 2), middle)
    skin = _warped(fruit.image, turn, picture, cv2.BORDER_REPLICATE)
    share = _warped(fruit.mask, turn, picture, cv2.BORDER_CONSTANT)
    whole = cv2.countNonZero(fruit.mask) * abs(float(np.linalg.det(turn[:, :2])))
    if rng.random() < 0.7:
        _shade(picture, share, rng, longest_px)
    # The rim of a mask is half ground: drawn a little narrower than the fruit is.
    alpha = np.clip((share.astype(np.int16) - 90) * 2, 0, 255).astype(np.uint16)[..., None]
    picture[:] = ((skin * alpha + picture * (255 - alpha) + 127) // 255).astype(np.uint8)
    return Laid(share, min(1.0, cv2.countNonZero(np.where(share > 127, share, 0)) / max(1.0, whole)))


def _turn(
    rng: Generator, scale: float, origin: tuple[float, float], middle: tuple[float, float]
) -> NDArray[np.float64]:
    """The 2x3 matrix from the cut-out's pixels to the picture's."""
    angle, squeeze = rng.uniform(0, 2 * np.pi), np.exp(rng.normal(0, 0.07))
    rotate = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotate @ np.diag([scale * squeeze * rng.choice([-1, 1]), scale / squeeze])
    return np.column_stack([linear, np.array(middle) - linear @ np.array(origin)])


def _warped(pixels: NDArray[np.uint8], turn: NDArray[np.float64], picture: Image, beyond: int) -> NDArray[np.uint8]:
    """Turned into a picture's shape; halved first as often as the turn allows, so that sampling skips no pixels."""
    scale = np.sqrt(abs(np.linalg.det(turn[:, :2])))
    halvings = max(0, int(np.floor(np.log2(1 / max(scale, 1e-3)))))
    for _ in range(halvings):
        pixels = np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    at = np.column_stack([turn[:, :2] * 2.0**halvings, turn[:, 2]])
    return np.asarray(cv2.warpAffine(pixels, at, picture.shape[1::-1], borderMode=beyond), np.uint8)


def _shade(picture: Image, share: Mask, rng: Generator, longest_px: float) -> None:
    """Darkens the ground beside the fruit, on one side."""
    reach = longest_px * rng.uniform(0.02, 0.16)
    angle = rng.uniform(0, 2 * np.pi)
    shift = np.array([[1, 0, reach * np.cos(angle)], [0, 1, reach * np.sin(angle)]])
    small = cv2.resize(share, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    shift[:, 2] /= 4
    moved = cv2.warpAffine(small, shift, (small.shape[1], small.shape[0]))
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.6, reach / 4))
    dark = cv2.resize(soft, (share.shape[1], share.shape[0]))[..., None].astype(np.float32) / 255
    picture[:] = (picture * (1 - rng.uniform(0.2, 0.75) * dark)).astype(np.uint8)


def toned_like(fruit: Cutout, others: Sequence[Cutout], rng: Generator) -> Cutout:
    """Its colour moved part of the way to that of another fruit, good or bad: light and ripeness shall not tell."""
    other = others[int(rng.integers(len(others)))]
    gains = np.clip(np.array(other.tone) / np.maximum(fruit.tone, 4.0), 0.55, 1.8) ** rng.uniform(0, 1)
    image = np.clip(fruit.image * gains.astype(np.float32), 0, 255).astype(np.uint8)
    return fruit._replace(image=image)
