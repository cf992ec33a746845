"""Pictures for people: JPEG of a bounded size, and outlines in few corners."""

from typing import Final

import cv2

from edge.vision.views import Image, Mask

MOST_BYTES: Final = 100_000
MOST_CORNERS: Final = 64
_QUALITIES: Final = (88, 75, 60, 45)

Outline = tuple[tuple[float, float], ...]
"""Corners as shares of the picture's width and height."""


def jpeg(image: Image, longest: int) -> bytes:
    """The picture, no side longer than `longest` pixels, in at most `MOST_BYTES`: coarser, then smaller, if need be."""
    while True:
        side = max(image.shape[:2])
        if side > longest:
            image = _smaller(image, longest / side)
        for quality in _QUALITIES:
            data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
            if len(data) <= MOST_BYTES:
                return data
        longest = max(image.shape[:2]) // 2


def _smaller(image: Image, scale: float) -> Image:
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def outline(mask: Mask) -> Outline:
    """Of the largest thing in a mask; nothing of an empty one."""
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return ()
    corners, slack = max(found, key=cv2.contourArea), 0.5
    while len(corners) > MOST_CORNERS:
        corners, slack = cv2.approxPolyDP(corners, slack, closed=True), slack * 1.5
    height, width = mask.shape
    return tuple((float(x) / width, float(y) / height) for x, y in corners[:, 0])
