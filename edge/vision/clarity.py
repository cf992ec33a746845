"""Does a picture show a fruit well enough to call it good? Pure.

A spot that is blurred away, burnt out, lost in the dark or outside the frame is a spot that the classifier does not
see: such a fruit looks sound. The thresholds lie between what training shows of the training photographs (all of
disturb.py, evaluate.py's belts) and the same photographs so far gone that defective fruit is called good.
"""

from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.views import Image, Mask

Unclear = Literal["", "blurred", "overexposed", "dark", "cut off"]
"""Why a fruit cannot be called good on this picture; "" if it can be, by all that can be measured."""
Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""

SIZE: Final = 64
"""Pixels of the longer side at which it is measured, so that the camera's own do not matter."""
RIM: Final = 0.12
"""True ground around the fruit, as a share of its longer side: a smooth lemon has no other edge than its outline."""
FINE_PX, COARSE_PX = 0.7, 3.0
"""Sigmas: the first hides noise."""
SHARP_FROM: Final = 2.6
"""An edge that is blurred by 2.2 of the 64 pixels gives it. Of 900 pictures of training photographs, disturbed as
training does it, the least sharp has 3.9; of the same photographs blurred with a sigma of 10 pixels the sharpest has
2.5. The simulator's smooth lemons have 2.9 and more."""
BURNT_LEVEL, BURNT_FROM = 250, 0.65
"""Of the pixels so many have two colours at the end of the scale. Red alone is there in any bright light, and tells
nothing of yellow and brown. 0.6 stops above the photographs 98 % of fruit have below 0.54, 2 stops above it 90 % of
lemons have more than 0.64."""
DARK_LEVEL, DARK_FROM = 30, 0.6
"""Of the pixels so many are below this in every colour. One stop below the photographs none has more than 0.22, three
stops below it all have more than 0.81."""
WIDEST, WIDE, SHORT = 0.93, 0.6, 0.65
"""Fruit ends at the frame in a line. One nearly as long as the fruit is broad there means that half of it is outside,
and so does a long one with a fruit that is short from there on. Lemons that touch the frame as photographed have a line
of at most 0.91 and are at least 0.94 as long as broad."""

_Floats = NDArray[np.floating]


def unclear(image: Image, mask: Mask, box: Box) -> Unclear:
    """Of the fruit under `mask` (of the whole picture) in its `box`: the first reason that there is."""
    if _cut_off(mask, box):
        return "cut off"
    rimmed = _rimmed(box)
    small, inside = _small(image[rimmed], cv2.INTER_AREA), _small(mask[rimmed], cv2.INTER_NEAREST)
    red, green, blue = cv2.split(small)
    top = cv2.max(cv2.max(red, green), blue)
    second = cv2.max(cv2.min(red, green), cv2.min(cv2.max(red, green), blue))
    fruit = inside > 0
    if np.mean(second[fruit] >= BURNT_LEVEL) > BURNT_FROM:
        return "overexposed"
    if np.mean(top[fruit] <= DARK_LEVEL) > DARK_FROM:
        return "dark"
    return "blurred" if sharpness(small) < SHARP_FROM else ""


def sharpness(small: Image) -> float:
    """How much steeper the steepest places are than after blurring, in the direction in which that is least: a camera
    out of focus, a dirty lens and a belt that moves while the shutter is open leave the less to lose.

    An edge blurred by a sigma of s pixels gives about (s^2 + COARSE_PX^2) / (s^2 + FINE_PX^2), as in Zhuo & Sim,
    Defocus map estimation from a single image (Pattern Recognition 44, 2011). Each place counts by the square of its
    steepness, else the soft shading of a smooth lemon would pass for blur. The blur effect (Crete et al. 2007) takes it
    for that, and noise for sharpness.
    """
    levels = small.astype(np.float32)
    fine, coarse = (_slopes(cv2.GaussianBlur(levels, (0, 0), px)) for px in (FINE_PX, COARSE_PX))
    weights = np.square(fine).sum(axis=0)
    lost = np.linalg.solve(_tensor(coarse, weights) + np.eye(2), _tensor(fine, weights))
    return float(np.linalg.eigvals(lost).real.min())


def _slopes(levels: cv2.typing.MatLike) -> _Floats:
    """Across and down, of each colour at each place: (2, n)."""
    return np.stack([cv2.Sobel(levels, cv2.CV_32F, x, 1 - x, ksize=1).ravel() for x in (1, 0)])


def _tensor(slopes: _Floats, weights: _Floats) -> _Floats:
    """The structure tensor of the whole picture, all colours together: (2, 2)."""
    return np.asarray((slopes * weights) @ slopes.T, np.float64)


def _cut_off(mask: Mask, box: Box) -> bool:
    x, y, width, height = box
    rows, columns = mask.shape
    part = mask[y : y + height, x : x + width]
    at_frame = (
        (x == 0, part[:, 0], width),
        (x + width == columns, part[:, -1], width),
        (y == 0, part[0], height),
        (y + height == rows, part[-1], height),
    )
    return any(touches and _ends_there(line, deep) for touches, line, deep in at_frame)


def _ends_there(line: Mask, deep: int) -> bool:
    """`line`: the fruit's pixels along the frame; `deep`: how far it reaches from there."""
    share = int(np.count_nonzero(line)) / len(line)
    return share > WIDEST or (share > WIDE and deep < SHORT * len(line))


def _rimmed(box: Box) -> tuple[slice, slice]:
    x, y, width, height = box
    rim = round(RIM * max(width, height))
    return slice(max(0, y - rim), y + height + rim), slice(max(0, x - rim), x + width + rim)


def _small(part: Image, how: int) -> Image:
    height, width = part.shape[:2]
    scale = SIZE / max(height, width)
    size = max(2, round(width * scale)), max(2, round(height * scale))
    if how == cv2.INTER_AREA and scale > 1:
        how = cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
