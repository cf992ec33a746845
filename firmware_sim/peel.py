"""The skin of one drawn fruit: colour, relief and gloss, as a picture of it seen from the front.

The skin of the unit sphere is laid flat by Lambert's equal-area projection around the point that faces the camera: a
point at angle a from it stands at 2 sin(a/2). No poles, no seam, and hardly any stretching where a camera can see.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE_PX = 320
REACH = 1.8
"""Half the side of the picture in radii: what stands at up to 128 degrees from the front is on it."""
_GRAIN_PX = 512

Field = NDArray[np.float32]


class Peel(NamedTuple):
    """Square pictures of SIZE_PX."""

    colour: Field
    """(h, w, 3), RGB, 0..255."""
    relief: Field
    """(h, w), height in thousandths of the fruit's radius."""
    gloss: Field
    """(h, w), 0 dull .. 1 wet."""


class Draft:
    """A peel in the making."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.colour = np.zeros((SIZE_PX, SIZE_PX, 3), np.float32)
        self.relief = np.zeros((SIZE_PX, SIZE_PX), np.float32)
        self.gloss = np.zeros((SIZE_PX, SIZE_PX), np.float32)

    def cloud(self, feature: float, octaves: int = 3) -> Field:
        """Smooth noise of mean 0 and spread 1, whose coarsest spots are `feature` radii wide."""
        total = np.zeros((SIZE_PX, SIZE_PX), np.float32)
        for octave in range(octaves):
            cells = max(4, round(2 * REACH / feature * 2**octave))
            spots = self.random.standard_normal((cells, cells), np.float32)
            total += cv2.resize(spots, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC) * np.float32(0.55**octave)
        return np.asarray(total / max(1e-6, float(total.std())), np.float32)

    def grain(self, wavelength_px: float) -> Field:
        """Fine even noise of spread 1, such as the pores of a peel."""
        grain = _grain(wavelength_px)
        x, y = self.random.integers(0, _GRAIN_PX - SIZE_PX, 2)
        return np.asarray(grain[y : y + SIZE_PX, x : x + SIZE_PX])

    def tint(self, colour: tuple[float, float, float], share: Field) -> None:
        """Lay a colour over the skin; `share` (0..1) of it covers."""
        x, y, width, height = cv2.boundingRect((share > 0).view(np.uint8))
        here = self.colour[y : y + height, x : x + width]
        cover = cv2.merge([share[y : y + height, x : x + width]] * 3) if width else here
        here += (np.array(colour, np.float32) - here) * cover

    def wet(self, gloss: float, share: Field) -> None:
        """Draw the gloss towards a value."""
        self.gloss += (np.float32(gloss) - self.gloss) * share

    def done(self) -> Peel:
        """The peel as it is now."""
        np.clip(self.colour, 0, 255, out=self.colour)
        np.clip(self.gloss, 0, 1, out=self.gloss)
        return Peel(self.colour, self.relief, self.gloss)


class Spot(NamedTuple):
    """An ellipse on the skin: its middle and half-axes in radii of the fruit, its turn in radians."""

    x: float
    y: float
    length: float
    width: float
    turn: float

    def distance(self) -> Field:
        """0 in the middle, 1 at the edge, for every point of the skin."""
        x, y = _plane()
        cos, sin = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        along = ((x - self.x) * cos + (y - self.y) * sin) / self.length
        across = ((y - self.y) * cos - (x - self.x) * sin) / self.width
        return np.sqrt(along * along + across * across)


def within(distance: Field, edge: float = 1.0, soft: float = 0.25) -> Field:
    """1 well inside `edge`, 0 outside, softly between."""
    share = np.clip((edge - distance) / soft, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def fray(draft: Draft, spot: Spot, ragged: float, feature: float) -> Field:
    """Distance from a spot whose outline is ragged: 0 in the middle, about 1 at the edge."""
    return np.maximum(spot.distance() + draft.cloud(feature) * np.float32(ragged), 0)


Defect = Callable[[Draft, Spot], None]
"""Draws one defect where and as large as the spot says."""


@lru_cache(1)
def _plane() -> tuple[Field, Field]:
    steps = np.linspace(-REACH, REACH, SIZE_PX, dtype=np.float32)
    return steps[None, :], steps[:, None]


@lru_cache(8)
def _grain(wavelength_px: float) -> Field:
    random = np.random.default_rng(int(wavelength_px * 1000))
    noise = random.standard_normal((_GRAIN_PX, _GRAIN_PX)).astype(np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), wavelength_px / 5)
    band = fine - cv2.GaussianBlur(noise, (0, 0), wavelength_px / 2.2)
    return np.asarray(band / band.std(), np.float32)
