"""How much light there is in a picture: one that is black, white or even shows nothing."""

import cv2
import numpy as np

from edge.vision.camera.sight import Light
from edge.vision.views import Image

_PARTS = (32, 18)
"""Means over so many parts, wide and high, are free of a sensor's noise."""
_ROWS = 90
"""Looked at: about so many, which is enough for that."""


def light_of(image: Image) -> Light:
    """Extremes of the brightness; less than 0.1 ms for 640 x 360."""
    rows = np.ascontiguousarray(image[:: max(1, image.shape[0] // _ROWS)])
    parts = cv2.cvtColor(cv2.resize(rows, _PARTS, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    ordered = np.sort(parts, axis=None)
    rank = ordered.size // 500
    return Light(float(ordered[rank]), float(ordered[-1 - rank]))
