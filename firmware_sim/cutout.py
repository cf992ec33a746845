"""Fruit cut out of photographs: a folder with images in `good` and in `defective`, on any ground."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import structlog
from numpy.typing import NDArray

from firmware_sim.errors import SimError
from firmware_sim.fruit import Picture

log = structlog.get_logger()

_CUT_PX = 176
"""The outline is searched at this size."""
_SEARCHES = 4
_LEAST_SHARE, _MOST_SHARE = 0.03, 0.97
_CUT_OFF_SHARE = 0.25
"""Fruit that takes more of the picture's frame than this is not whole."""
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_KEPT = 64


class Cutout:
    """One fruit out of one photograph: its other sides nobody has seen, so that it slides and does not roll."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def view(self, turn: float, size_px: int) -> Picture:
        """The fruit turned by so many radians in the picture, its longer side about `size_px` long."""
        height, width = self._picture.alpha.shape
        scale = size_px / max(height, width)
        reach = int(np.ceil(np.hypot(height, width) * scale))
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -np.degrees(turn), scale)
        matrix[0, 2] += (reach - width) / 2
        matrix[1, 2] += (reach - height) / 2
        flags = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        rgb = cv2.warpAffine(self._picture.rgb, matrix, (reach, reach), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(self._picture.alpha, matrix, (reach, reach), flags=flags)
        return _trimmed(Picture(np.asarray(rgb, np.uint8), np.asarray(alpha, np.uint8)))


class Photographs:
    """The fruit of a folder. Raises `SimError` if it has no images in `good` or none in `defective`."""

    def __init__(self, folder: Path) -> None:
        self._files = {True: _files(folder / "defective"), False: _files(folder / "good")}
        self._cut: OrderedDict[Path, Cutout] = OrderedDict()
        self._useless: set[Path] = set()

    def fruit(self, defective: bool, seed: int) -> Cutout:
        """The fruit that this seed means; if its image shows none, that of the next. `SimError` if none of all does."""
        files = self._files[defective]
        for step in range(len(files)):
            path = files[(seed + step) % len(files)]
            cutout = None if path in self._useless else self._fetch(path)
            if cutout is not None:
                return cutout
        raise SimError(f"no image in {files[0].parent} shows a fruit that can be cut out")

    def _fetch(self, path: Path) -> Cutout | None:
        if path not in self._cut:
            picture = read(path)
            if picture is None:
                self._useless.add(path)
                log.warning("image without a fruit that can be cut out", file=str(path))
                return None
            self._cut[path] = Cutout(picture)
            while len(self._cut) > _KEPT:
                self._cut.popitem(last=False)
        return self._cut[path]


def read(path: Path) -> Picture | None:
    """The fruit in an image file; None if there is none, or if it is no image. One with alpha is taken as it is."""
    data = np.fromfile(path, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if image is None or image.ndim != 3 or image.dtype != np.uint8 or min(image.shape[:2]) < 16:
        return None
    if image.shape[2] == 4:
        rgb = cv2.cvtColor(image, cv2.COLOR_BGRA2RGB)
        picture = Picture(np.asarray(rgb, np.uint8), np.ascontiguousarray(image[..., 3]).astype(np.uint8))
        return _trimmed(picture) if picture.alpha.any() else None
    return cut(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8))


def cut(rgb: NDArray[np.uint8]) -> Picture | None:
    """The fruit in a picture, whatever is behind it; None if there is none.

    What differs in colour from the picture's border is the first guess, and GrabCut (Rother, Kolmogorov and Blake 2004)
    finds the outline from there.
    """
    scale = min(1.0, _CUT_PX / max(rgb.shape[:2]))
    small = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    mask = _searched(small, _guess(small))
    if not _LEAST_SHARE < mask.mean() / 255 < _MOST_SHARE or _at_frame(mask) > _CUT_OFF_SHARE:
        return None
    soft = cv2.GaussianBlur(mask, (0, 0), 1.2)
    alpha = cv2.resize(soft, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return _trimmed(Picture(rgb, np.clip((alpha - 170) * 3 + 127, 0, 255).astype(np.uint8)))


def _files(folder: Path) -> Sequence[Path]:
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES) if folder.is_dir() else []
    if not files:
        raise SimError(f"no images in {folder}: fruit_images wants a folder with images in `good` and in `defective`")
    return files


def _guess(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 where the colour is unlike those in the corners (Otsu's threshold of the distance to the nearest of them)."""
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.5), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] *= 0.3  # shade is no fruit
    height, width = small.shape[0] // 8, small.shape[1] // 8
    corners = [lab[y, x].reshape(-1, 3) for y in (slice(height), slice(-height, None)) for x in _ends(width)]
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    cv2.setRNGSeed(1)
    empty = np.empty((0,), np.int32)
    _, labels, centres = cv2.kmeans(np.concatenate(corners), 4, empty, criteria, 1, cv2.KMEANS_PP_CENTERS)
    common = centres[np.bincount(labels.ravel(), minlength=4) > 0.18 * len(labels)]
    if not len(common):
        common = centres
    far = np.min([np.linalg.norm(lab - centre, axis=-1) for centre in common], axis=0)
    _, mask = cv2.threshold(np.clip(far * 3, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    return np.asarray(mask, np.uint8)


def _at_frame(mask: NDArray[np.uint8]) -> float:
    return float(np.concatenate((mask[0], mask[-1], mask[:, 0], mask[:, -1])).mean() / 255)


def _ends(width: int) -> tuple[slice, slice]:
    return slice(width), slice(-width, None)


def _searched(small: NDArray[np.uint8], guess: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 inside the outline that GrabCut finds from a first guess."""
    whole = _rounded(guess)
    core, reach = cv2.erode(guess, _disc(7)), cv2.dilate(whole, _disc(9))
    marks = np.full(guess.shape, cv2.GC_BGD, np.uint8)
    marks[reach > 0] = cv2.GC_PR_BGD
    marks[whole > 0] = cv2.GC_PR_FGD
    marks[core > 0] = cv2.GC_FGD
    if not core.any() or not (marks == cv2.GC_BGD).any():
        return whole
    model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)
    bgr = np.ascontiguousarray(small[..., ::-1])
    cv2.grabCut(bgr, marks, (0, 0, 0, 0), model[0], model[1], _SEARCHES, cv2.GC_INIT_WITH_MASK)
    return _rounded(np.where((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD), 255, 0).astype(np.uint8))


def _rounded(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The largest piece of a mask, without thin outgrowths, bites and holes: fruit is round."""
    rounded = np.zeros_like(mask)
    reach = max(3, round(0.05 * max(mask.shape)) | 1)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(reach), borderType=cv2.BORDER_REPLICATE)
    outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if outlines:
        cv2.drawContours(rounded, [cv2.convexHull(max(outlines, key=cv2.contourArea))], -1, (255,), -1)
    return rounded


def _disc(diameter: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)


def _trimmed(picture: Picture) -> Picture:
    x, y, width, height = cv2.boundingRect(picture.alpha)
    return Picture(
        np.ascontiguousarray(picture.rgb[y : y + height, x : x + width]),
        np.ascontiguousarray(picture.alpha[y : y + height, x : x + width]),
    )
