"""Where the fruit is in a photograph of the data sets: rules for their two backgrounds, used only to train and judge.

Lemons lie on grey concrete, which has no colour where even bruised lemons have some; GrabCut (Rother et al. 2004)
draws the line. Tomatoes were cut out by their author and stand on white; mould is white too, so white counts as ground
only if it reaches the edge of the picture in a broad way. The masks were looked at on contact sheets.
"""

import cv2
import numpy as np

from edge.vision.views import Image, Mask
from models.produce.data import Crop

WORKED_AT = 128
"""GrabCut runs on the photograph made this small, in pixels of the longer side: 30 ms instead of 300."""


SKIN, DOUBTFUL = 195, 130
"""Of `_told_apart`'s first channel: skin that has colour (19 above the concrete), and what may be bruised skin (6)."""


def fruit_mask(image: Image, crop: Crop) -> Mask:
    """The fruit's mask, or an empty one if there is none to be seen."""
    mask = _on_concrete(image) if crop == "lemon" else _on_white(image)
    return smooth(mask, 0.012)


def smooth(mask: Mask, share: float) -> Mask:
    """The same mask with an outline that bends no faster than `share` of the picture's longer side."""
    radius = share * max(mask.shape)
    soft = cv2.GaussianBlur(mask, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return np.where(soft >= 128, 255, 0).astype(np.uint8)


def _on_concrete(image: Image) -> Mask:
    scale = WORKED_AT / max(image.shape[:2])
    small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    told = _told_apart(small)
    skin = _largest(np.where(told[..., 0] > SKIN, 255, 0).astype(np.uint8))
    if cv2.countNonZero(skin) < 0.01 * skin.size:
        return np.zeros(image.shape[:2], np.uint8)
    hull = _hull(skin)
    around = max(*cv2.boundingRect(hull)[2:])
    near = cv2.dilate(hull, _disc(2 * (around // 4) + 1))
    marks = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    marks[near > 0] = cv2.GC_PR_BGD
    marks[(near > 0) & (told[..., 0] > DOUBTFUL)] = cv2.GC_PR_FGD
    marks[hull > 0] = cv2.GC_PR_FGD
    marks[cv2.erode(hull, _disc(5)) > 0] = cv2.GC_FGD
    if (marks == cv2.GC_BGD).any() or (marks == cv2.GC_PR_BGD).any():
        cv2.setRNGSeed(0)
        cv2.grabCut(told, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    found = np.where((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    # A lemon is convex: what is left out inside its hull is bruised skin.
    found = _hull(_largest(_opened(found | hull, around // 6 * 2 + 1)))
    height, width = image.shape[:2]
    wide = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(wide >= 128, 255, 0).astype(np.uint8)


def _told_apart(small: Image) -> Image:
    """Channels in which bruised skin differs from concrete: yellow and red beyond the ground's, and roughness."""
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.COLOR_RGB2LAB).astype(np.float32)
    rim = np.concatenate(
        [lab[:4].reshape(-1, 3), lab[-4:].reshape(-1, 3), lab[:, :4].reshape(-1, 3), lab[:, -4:].reshape(-1, 3)]
    )
    ground = np.percentile(rim, 25, axis=0)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rough = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 2.0)) * 100 / (luma + 30)
    channels = [
        100 + 5 * (lab[..., 2] - ground[2]),
        100 + 5 * (lab[..., 1] - ground[1]),
        8 * cv2.GaussianBlur(rough, (0, 0), 2.5),
    ]
    return np.asarray(np.clip(np.stack(channels, 2), 0, 255), np.uint8)


def _on_white(image: Image) -> Mask:
    coloured = np.where(image.min(axis=2) < 235, 255, 0).astype(np.uint8)
    opened = _opened(_framed(coloured, 8), 7)
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _disc(15))[8:-8, 8:-8]
    return _filled(_largest(np.ascontiguousarray(closed)))


def _disc(size: int) -> Mask:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _opened(mask: Mask, size: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(size)), np.uint8)


def _framed(mask: Mask, width: int) -> Mask:
    return np.asarray(cv2.copyMakeBorder(mask, width, width, width, width, cv2.BORDER_REPLICATE), np.uint8)


def _largest(mask: Mask) -> Mask:
    count, numbered, sizes, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return np.zeros_like(mask)
    best = 1 + int(np.argmax(sizes[1:, cv2.CC_STAT_AREA]))
    return np.where(numbered == best, 255, 0).astype(np.uint8)


def _hull(mask: Mask) -> Mask:
    points = cv2.findNonZero(mask)
    filled = np.zeros_like(mask)
    if points is not None:
        cv2.fillConvexPoly(filled, cv2.convexHull(points), 255)
    return filled


def _filled(mask: Mask) -> Mask:
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, outlines, -1, 255, cv2.FILLED)
    return filled
