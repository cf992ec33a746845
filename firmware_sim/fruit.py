"""Drawn fruit: lemons and tomatoes, good or defective, as a camera above a belt sees them.

    Fruit("lemon", defective=True, seed=7).view(turn=0.2, size_px=100) -> Picture(rgb, alpha)

Body and tips are ellipsoids, seen from so far that the rays are parallel; the skin is a peel (peel.py) that turns with
the fruit about its own long axis. The same seed draws the same fruit; good and defective ones of one seed differ in
nothing but the defects.
"""

from collections import OrderedDict
from typing import NamedTuple
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_sim import defects, skins
from firmware_sim.body import Body, body_of, shape_of
from firmware_sim.peel import REACH, SIZE_PX, Draft, Field, Peel

CROPS = ("lemon", "tomato")
MAX_TURN = 0.4
"""Turns (radians, either way) within which a defect stays in sight."""
_KEPT_SIZES = 4
_COARSE_BELOW_PX = 128
_GLOW = (0.85, 1.0, 1.2)
"""Light that has gone through the skin comes out warm: shade takes less of the red than of the blue."""


class Picture(NamedTuple):
    """A fruit cut out: `rgb` (h, w, 3) uint8, and how far it covers what is behind it, `alpha` (h, w) uint8."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]


class Light(NamedTuple):
    """Where the lamp stands (towards right, down and the camera; a unit vector), and how much light is everywhere."""

    right: float
    down: float
    near: float
    ambient: float


class Fruit:
    """One fruit. `crop` is one of CROPS; raises KeyError for another."""

    def __init__(self, crop: str, defective: bool, seed: int, light: Light | None = None) -> None:
        random = np.random.default_rng(crc32(f"{crop} {seed}".encode()))
        self.crop = crop
        self.defective = defective
        self.seed = seed
        self._shape = shape_of(crop, random)
        draft = Draft(random)
        skins.SKINS[crop](draft, self._shape)
        self._light = _light(random) if light is None else light
        if defective:
            draft.random = np.random.default_rng(crc32(f"{crop} {seed} defects".encode()))
            defects.spoil(draft, crop)
        self._fine = draft.done()
        self._coarse = _halved(self._fine)
        self._bodies: OrderedDict[int, Body] = OrderedDict()

    def view(self, turn: float, size_px: int) -> Picture:
        """The fruit turned by so many radians about its long axis, its longer side `size_px` (at least 8) long."""
        body = self._body(size_px)
        peel = self._coarse if size_px < _COARSE_BELOW_PX else self._fine
        seen = _seen(peel, body, self._shape.rolled(turn))
        return Picture(_lit(seen, body, self._light), body.alpha)

    def _body(self, size_px: int) -> Body:
        if size_px not in self._bodies:
            while len(self._bodies) >= _KEPT_SIZES:
                self._bodies.popitem(last=False)
            self._bodies[size_px] = body_of(self._shape, size_px)
        return self._bodies[size_px]


def _light(random: np.random.Generator) -> Light:
    away, side = random.uniform(0.1, 0.65), random.uniform(0, 2 * np.pi)
    right, down = np.sin(away) * np.cos(side), np.sin(away) * np.sin(side)
    return Light(float(right), float(down), float(np.cos(away)), float(random.uniform(0.4, 0.7)))


def _halved(peel: Peel) -> Peel:
    half = (SIZE_PX // 2, SIZE_PX // 2)
    small = [np.asarray(cv2.resize(field, half, interpolation=cv2.INTER_AREA), np.float32) for field in peel]
    return Peel(*small)


def _seen(peel: Peel, body: Body, rolled: Field) -> Peel:
    """The part of the peel that each pixel of the body shows."""
    skin = body.skin @ rolled.T
    flat = np.sqrt(np.float32(2) / np.maximum(1 + skin[..., 2], 1e-3))
    scale = np.float32(peel.relief.shape[0] / (2 * REACH))
    x = (skin[..., 0] * flat + np.float32(REACH)) * scale - np.float32(0.5)
    y = (skin[..., 1] * flat + np.float32(REACH)) * scale - np.float32(0.5)
    fields = [cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT) for field in peel]
    return Peel(*(np.asarray(field, np.float32) for field in fields))


def _lit(seen: Peel, body: Body, light: Light) -> NDArray[np.uint8]:
    """Lambert's and Blinn's shading of the skin in its relief, and the shade that gathers at the rim."""
    slope = np.float32(body.radius_px / 1000)
    near = body.normal[..., 2]
    across = body.normal[..., 0] - cv2.Sobel(seen.relief, cv2.CV_32F, 1, 0, scale=0.125) * slope * near
    down = body.normal[..., 1] - cv2.Sobel(seen.relief, cv2.CV_32F, 0, 1, scale=0.125) * slope * near
    length = np.sqrt(across * across + down * down + near * near)
    lamp = np.array((light.right, light.down, light.near), np.float32)
    half = lamp + np.array((0, 0, 1), np.float32)
    half /= np.linalg.norm(half)
    lambert = np.maximum((across * lamp[0] + down * lamp[1] + near * lamp[2]) / length, 0)
    shine = np.maximum((across * half[0] + down * half[1] + near * half[2]) / length, 0)
    shade = np.float32(light.ambient) * (np.float32(0.55) + np.float32(0.45) * near)
    shade += np.float32(1.1 - light.ambient * 0.85) * lambert
    glint = cv2.pow(shine, 18) * seen.gloss * np.float32(60) + cv2.pow(shine, 140) * seen.gloss**2 * np.float32(190)
    glowing = np.stack([cv2.pow(shade, power) for power in _GLOW], axis=-1)
    return np.asarray(cv2.convertScaleAbs(seen.colour * glowing + glint[..., None]), np.uint8)
