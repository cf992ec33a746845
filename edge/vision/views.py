"""One fruit as the classifier sees it: cut out, alone on a plain ground, in a square of a fixed size.

Training and the line share this file, so that the network meets on the belt what it has learned from. What is not
fruit is painted over: lemons were photographed in other light when they were bad, and the ground must not tell.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""
Mask = NDArray[np.uint8]
"""Shape (height, width); 255 where there is fruit, 0 elsewhere."""


class Cut(NamedTuple):
    """How a view is made."""

    size: int
    """Edge of the square, in pixels."""
    ground: tuple[int, int, int]
    """RGB of everything that is not fruit."""
    margin: float
    """Ground around the fruit, as a share of its longer side."""


def view(image: Image, mask: Mask, cut: Cut) -> Image:
    """The fruit under `mask` in the middle of a square, shape (size, size, 3). The mask must not be empty."""
    x, y, width, height = cv2.boundingRect(mask)
    side = max(width, height) * (1 + 2 * cut.margin)
    scale = cut.size / side
    inside = slice(y, y + height), slice(x, x + width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    fruit = cv2.resize(image[inside], shape, interpolation=how)
    share = cv2.resize(mask[inside], shape, interpolation=how)[..., None].astype(np.uint16)
    ground = np.array(cut.ground, np.uint16)
    painted = (fruit * share + ground * (255 - share) + 127) // 255
    square = np.empty((cut.size, cut.size, 3), np.uint8)
    square[:] = cut.ground
    left, top = (cut.size - shape[0]) // 2, (cut.size - shape[1]) // 2
    square[top : top + shape[1], left : left + shape[0]] = painted
    return square
