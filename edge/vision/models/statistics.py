"""What is measured of a fruit's picture besides its score, the same in training and on the line."""

from typing import NamedTuple

import cv2

from edge.vision.views import Image, Mask


class Measured(NamedTuple):
    """Of one fruit in one picture."""

    brightness: float
    """Mean luma of its pixels, 0 to 255 (ITU-R BT.601)."""
    mask_area: float
    """Its pixels, as a share of its bounding box: 0.785 for a disc."""
    warmth: float
    """Mean of red less blue of its pixels, -255 to 255: above 0 for what is yellow, red or brown."""


def measure(image: Image, mask: Mask) -> Measured:
    """Of the fruit under `mask`, which must not be empty."""
    x, y, width, height = cv2.boundingRect(mask)
    within = slice(y, y + height), slice(x, x + width)
    red, green, blue, _ = cv2.mean(image[within], mask[within])
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    return Measured(brightness, cv2.countNonZero(mask[within]) / (width * height), red - blue)
