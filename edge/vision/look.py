"""How a picture looks at a glance: bright, dark, even."""

import cv2
import numpy as np

from edge.vision.sight import Look
from edge.vision.views import Image

_PARTS = (32, 18)
"""Means over so many parts, wide and high, are free of a sensor's noise."""


def look_at(image: Image) -> Look:
    """Mean and extremes of the brightness; about 0.2 ms for 640 x 360."""
    parts = cv2.cvtColor(cv2.resize(image, _PARTS, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    ordered = np.sort(parts, axis=None)
    rank = ordered.size // 500
    return Look(float(ordered.mean()), float(ordered[rank]), float(ordered[-1 - rank]))
