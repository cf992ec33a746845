"""Where fruit is in a picture, whatever it lies on: one mask a fruit, touching fruit told apart."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModel
from edge.vision.models.manifest import FinderManifest
from edge.vision.models.package import Package
from edge.vision.views import Image, Mask

PADDING = 127
"""Grey that the picture is padded with to a square."""
DENTED = 0.93
"""A fruit fills this share of its convex hull or more; less may be several that touch."""
WAIST = 0.75
"""Two fruit touch where the outline is so much narrower than the narrower of them; one pear-shaped fruit is not."""
LEVELS = 12
"""Depths at which a dented outline is looked at."""

_AROUND = np.ones((3, 3), np.uint8)
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_Soft = NDArray[np.uint8]
"""Probability of fruit, 0 to 255, of the finder's own coarse resolution."""


class Found(NamedTuple):
    """One fruit."""

    mask: Mask
    """Of the whole picture, in its resolution."""
    box: tuple[int, int, int, int]
    """Left, top, width, height in pixels: the smallest that holds the mask."""
    area_share: float
    """Its pixels, as a share of the picture's."""
    cut_off: bool
    """It touches the picture's edge: a part of it may be outside."""


class Finder:
    """Finds fruit with a finder's package. Not for several threads at once."""

    def __init__(self, package: Package) -> None:
        if not isinstance(package.manifest, FinderManifest):
            raise BadModel(f"{package.identity}: no finder")
        self.model = package.identity
        self._package = package
        self._size = package.manifest.input.size
        self._coarse = package.manifest.output.size / package.manifest.input.size
        self._level = round(255 * package.manifest.thresholds.mask_from)
        self._least = package.manifest.thresholds.min_area

    def find(self, image: Image) -> list[Found]:
        """Every fruit in a picture of any size, the largest first."""
        height, width = image.shape[:2]
        scale = self._size / max(height, width)
        soft = self._soft(image, scale)
        found = []
        for alone in fruits(soft, self._level, self._least * soft.size):
            fruit = _in_full(alone, self._level, scale * self._coarse, (height, width))
            if fruit is not None and fruit.area_share >= self._least:
                found.append(fruit)
        return sorted(found, key=lambda fruit: -fruit.area_share)

    def _soft(self, image: Image, scale: float) -> _Soft:
        """The probabilities, without those of the padding."""
        height, width = image.shape[:2]
        inner = max(1, round(height * scale)), max(1, round(width * scale))
        square = np.full((1, self._size, self._size, 3), PADDING, np.uint8)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        square[0, : inner[0], : inner[1]] = cv2.resize(image, inner[::-1], interpolation=how)
        soft = self._package.run(square)[0]
        rows, columns = (max(1, math.ceil(side * self._coarse)) for side in inner)
        return np.asarray(soft[:rows, :columns] * 255 + 0.5, np.uint8)


def fruits(soft: _Soft, level: int, least: float) -> Iterator[_Soft]:
    """The probabilities of one fruit after the other, the others' taken out; smaller ones than `least` pixels not."""
    mask = cv2.morphologyEx(cv2.threshold(soft, level - 1, 255, cv2.THRESH_BINARY)[1], cv2.MORPH_OPEN, _CROSS)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    parts = [
        part
        for label in range(1, count)
        if stats[label, cv2.CC_STAT_AREA] >= least
        for part in _apart(np.where(labels == label, 255, 0).astype(np.uint8))
        if cv2.countNonZero(part) >= least
    ]
    inside = np.zeros_like(soft)
    for part in parts:
        inside |= part
    for part in parts:
        rim = (cv2.dilate(part, _AROUND) > 0) & (inside == 0)
        yield np.where(part > 0, np.maximum(soft, level), np.where(rim, soft, 0)).astype(np.uint8)


def _apart(part: Mask) -> list[Mask]:
    """Fruit that touch, told apart where the outline between them is narrow (by the distance transform's hills)."""
    filled = _filled(part)
    if _solid(filled):
        return [filled]
    deep = cv2.distanceTransform(cv2.copyMakeBorder(filled, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    deep = deep[1:-1, 1:-1]
    cores = _cores(deep)
    if len(cores) < 2:
        return [filled]
    away = np.stack([cv2.distanceTransform(255 - core, cv2.DIST_L2, 5) for core in cores])
    nearest = away.argmin(axis=0)
    return [_filled(np.where((nearest == n) & (part > 0), 255, 0).astype(np.uint8)) for n in range(len(cores))]


def _filled(part: Mask) -> Mask:
    """Without holes: a spot of rot is a part of its fruit."""
    outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros_like(part), outlines, -1, 255, cv2.FILLED), np.uint8)


def _solid(filled: Mask) -> bool:
    """Is it about as large as its hull? Both are measured as areas of pixels."""
    outlines, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.fillConvexPoly(np.zeros_like(filled), cv2.convexHull(np.vstack(outlines)), 255)
    return cv2.countNonZero(filled) >= DENTED * cv2.countNonZero(hull)


def _cores(deep: NDArray[np.generic]) -> list[Mask]:
    """The hills of the distance transform that a saddle of at most `WAIST` of the lower one's height parts."""
    best: list[Mask] = []
    for level in np.linspace(0.15, 0.95, LEVELS) * float(deep.max()):
        count, labels = cv2.connectedComponents((deep > level).astype(np.uint8), connectivity=8)
        hills = [labels == label for label in range(1, count)]
        cores = [np.where(hill, 255, 0).astype(np.uint8) for hill in hills if level <= WAIST * float(deep[hill].max())]
        if len(cores) > len(best):
            best = cores
    return best


def _in_full(alone: _Soft, level: int, scale: float, shape: tuple[int, int]) -> Found | None:
    """A fruit's coarse probabilities as a mask of the picture; only around the fruit, to be quick."""
    height, width = shape
    x, y, w, h = cv2.boundingRect(alone)
    left, right = max(0, math.floor((x - 1) / scale)), min(width, math.ceil((x + w + 1) / scale))
    top, bottom = max(0, math.floor((y - 1) / scale)), min(height, math.ceil((y + h + 1) / scale))
    moved = np.array([[scale, 0, (left + 0.5) * scale - 0.5], [0, scale, (top + 0.5) * scale - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    smooth = cv2.warpAffine(alone, moved, (right - left, bottom - top), flags=how, borderMode=cv2.BORDER_REPLICATE)
    mask: Mask = np.zeros(shape, np.uint8)
    mask[top:bottom, left:right] = cv2.threshold(smooth, level - 1, 255, cv2.THRESH_BINARY)[1]
    bx, by, bw, bh = cv2.boundingRect(mask)
    if not bw:
        return None
    area = cv2.countNonZero(mask[by : by + bh, bx : bx + bw]) / mask.size
    return Found(mask, (bx, by, bw, bh), area, bx == 0 or by == 0 or bx + bw == width or by + bh == height)
