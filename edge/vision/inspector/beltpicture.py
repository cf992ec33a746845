"""The belt as it is now, for the page: each fruit with its outline in the colour of its verdict, and its score."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import cv2

from contract.events import Verdict
from edge.vision.images import smaller
from edge.vision.inspector.pictures import jpeg
from edge.vision.views import Image, Mask

LONGEST: Final = 640
COLOURS: Final = {
    "good": (46, 204, 64),
    "defective": (255, 65, 54),
    "unsure": (255, 176, 0),
    "unseen": (200, 200, 200),
}
"""RGB."""
_DARK: Final = (20, 20, 20)


class Drawn(NamedTuple):
    """One fruit in the frame."""

    mask: Mask
    """Of the whole frame."""
    box: tuple[int, int, int, int]
    verdict: Verdict
    """As far as it is known by now."""
    score: float | None


def picture(image: Image, fruit: Iterable[Drawn]) -> bytes:
    """A JPEG of at most 100 kB, the longer side at most 640 pixels. `image` itself stays as it is."""
    small = smaller(image, LONGEST)
    drawn, scale = small.copy(), max(small.shape) / max(image.shape)
    for one in fruit:
        _draw(drawn, one, scale)
    return jpeg(drawn, LONGEST)


def _draw(image: Image, fruit: Drawn, scale: float) -> None:
    x, y, width, height = fruit.box
    part = fruit.mask[y : y + height, x : x + width]
    outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(x, y))
    scaled = [(corners * scale).round().astype("int32") for corners in outlines]
    cv2.polylines(image, scaled, True, COLOURS[fruit.verdict], 2, cv2.LINE_AA)
    if fruit.score is None:
        return
    place = round(x * scale), max(14, round(y * scale) - 6)
    for colour, thickness in ((_DARK, 4), (COLOURS[fruit.verdict], 1)):
        cv2.putText(image, f"{fruit.score:.2f}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thickness, cv2.LINE_AA)
