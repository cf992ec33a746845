"""Under what a model is judged: each takes a photograph with its mask to the picture that is shown to the model."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from edge.vision.views import Image, Mask
from models.produce import disturb
from models.produce.grounds import belt, ground
from models.produce.sources import Shot

Condition = Callable[[Shot, Generator], Image]


def swapped(shot: Shot, ground_below: Image) -> Image:
    """The fruit, where it is and as large as it is, on another ground; drawn a little narrower than its mask."""
    inside = (
        cv2.GaussianBlur(cv2.erode(shot.mask, np.ones((3, 3), np.uint8)), (0, 0), 1.0)[..., None].astype(np.float32)
        / 255
    )
    height, width = shot.mask.shape
    under = cv2.resize(ground_below, (width, height))
    return (shot.image * inside + under * (1 - inside)).astype(np.uint8)


def _any_ground(shot: Shot, rng: Generator) -> Image:
    return swapped(shot, ground(rng, 300))


def _belt(shot: Shot, rng: Generator) -> Image:
    return swapped(shot, np.clip(belt(rng, 300), 0, 255).astype(np.uint8))


def _small_on_belt(shot: Shot, rng: Generator) -> Image:
    """A frame of 640 x 480 with the photograph's fruit on a belt, 150 pixels long."""
    frame = np.clip(belt(rng, 640), 0, 255).astype(np.uint8)[:480]
    x, y, width, height = cv2.boundingRect(shot.mask)
    scale = 150 / max(width, height)
    part = slice(y, y + height), slice(x, x + width)
    fruit = cv2.resize(shot.image[part], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(shot.mask[part], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = int(rng.integers(5, 475 - mask.shape[0])), int(rng.integers(5, 635 - mask.shape[1]))
    place = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
    share = mask[..., None].astype(np.float32) / 255
    frame[place] = (fruit * share + frame[place] * (1 - share)).astype(np.uint8)
    return frame


def _half(shot: Shot) -> Image:
    """The right half of the fruit, and what is right of it."""
    x, _, width, _ = cv2.boundingRect(shot.mask)
    return np.ascontiguousarray(shot.image[:, x + width // 2 :])


CONDITIONS: dict[str, Condition] = {
    "as photographed": lambda shot, rng: shot.image,
    "other ground": _any_ground,
    "belt": _belt,
    "belt camera, 640 x 480": _small_on_belt,
    "brighter, +0.6 stops": lambda shot, rng: disturb.exposed(shot.image, 0.6),
    "darker, -1 stop": lambda shot, rng: disturb.exposed(shot.image, -1.0),
    "warm light": lambda shot, rng: disturb.toned(shot.image, (1.15, 1.0, 0.8)),
    "cold light": lambda shot, rng: disturb.toned(shot.image, (0.85, 1.0, 1.2)),
    "out of focus": lambda shot, rng: disturb.blurred(shot.image, 1.8),
    "moving, 8 px": lambda shot, rng: disturb.moved(shot.image, 8, float(rng.uniform(0, 180))),
    "noise, 10 levels": lambda shot, rng: disturb.noisy(shot.image, 10, rng),
    "JPEG quality 30": lambda shot, rng: disturb.jpeg(shot.image, 30),
    "fewer pixels, 120": lambda shot, rng: np.asarray(
        cv2.resize(shot.image, None, fx=(by := 120 / max(shot.mask.shape)), fy=by, interpolation=cv2.INTER_AREA),
        np.uint8,
    ),
    "far out of focus": lambda shot, rng: disturb.blurred(shot.image, 15),
    "overexposed, +2 stops": lambda shot, rng: disturb.exposed(shot.image, 2.0),
    "half out of the frame": lambda shot, rng: _half(shot),
}
"""Under the last three no fruit can be called good: what is asked there is whether any defective one is."""


def ground_only(shot: Shot, colour: tuple[int, int, int]) -> tuple[Image, Mask]:
    """The fruit painted over with the views' own ground, and a mask that lets a rim of what was around it through."""
    reach = max(3, max(cv2.boundingRect(shot.mask)[2:]) // 6) * 2 + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    painted = shot.image.copy()
    painted[cv2.dilate(shot.mask, np.ones((9, 9), np.uint8)) > 0] = colour
    return painted, np.asarray(cv2.dilate(shot.mask, disc), np.uint8)
