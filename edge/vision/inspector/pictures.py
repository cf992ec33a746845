"""Pictures for people: JPEG of a bounded size, and outlines in few corners."""

from typing import Final

import cv2

from contract.wire import Outline
from edge.vision.images import smaller
from edge.vision.views import Image, Mask

MOST_BYTES: Final = 100_000
MOST_CORNERS: Final = 64
_QUALITIES: Final = (88, 75, 60, 45)


def jpeg(image: Image, longest: int) -> bytes:
    """The picture, no side longer than `longest` pixels, in at most `MOST_BYTES`: coarser, then smaller, if need be."""
    while True:
        image = smaller(image, longest)
        for quality in _QUALITIES:
            data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
            if len(data) <= MOST_BYTES:
                return data
        longest = max(image.shape[:2]) // 2


def outline(mask: Mask) -> Outline:
    """Of the largest thing in a mask, as shares of the picture's width and height; nothing of an empty one."""
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return ()
    corners, slack = max(found, key=cv2.contourArea), 0.5
    while len(corners) > MOST_CORNERS:
        corners, slack = cv2.approxPolyDP(corners, slack, closed=True), slack * 1.5
    height, width = mask.shape
    return tuple((float(x) / width, float(y) / height) for x, y in corners[:, 0])
