"""The best picture of each fruit of the last seconds, for people: the view in which it looks worst."""

from typing import Final, NamedTuple

from edge.vision.images import smaller
from edge.vision.inspector.pictures import jpeg, outline
from edge.vision.messages import Crop
from edge.vision.views import Image, Mask

KEPT_US: Final = 5_000_000
"""After the last frame in which the fruit stood."""
MOST: Final = 200
"""Fruit; beyond it the oldest go."""
LONGEST: Final = 480
"""Pixels of a picture's longer side."""
BELT: Final = 0.15
"""Belt around the fruit, as a share of its longer side."""


class _Kept(NamedTuple):
    image: Image
    mask: Mask
    score: float
    at_us: int


class Crops:
    """Pictures by track."""

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    def keep(
        self, track: int, image: Image, mask: Mask, box: tuple[int, int, int, int], score: float, at_us: int
    ) -> None:
        """A view of this fruit with this score was taken; `image` and `mask` are of the whole frame."""
        before = self._kept.get(track)
        if before is None or score > before.score:
            part = _around(box, image.shape[0], image.shape[1])
            small = smaller(image[part], LONGEST).copy(), smaller(mask[part], LONGEST).copy()
            self._kept[track] = _Kept(*small, score, at_us)
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]

    def seen(self, track: int, at_us: int) -> None:
        """The fruit still stands in the picture."""
        if track in self._kept:
            self._kept[track] = self._kept[track]._replace(at_us=at_us)

    def forget(self, at_us: int) -> None:
        """What is too old by now."""
        for track in [track for track, kept in self._kept.items() if not 0 <= at_us - kept.at_us <= KEPT_US]:
            del self._kept[track]

    def crop(self, track: int) -> Crop | None:
        """The picture as it is sent; None where there is none (any more)."""
        kept = self._kept.get(track)
        return None if kept is None else Crop(track, jpeg(kept.image, LONGEST), outline(kept.mask))


def _around(box: tuple[int, int, int, int], height: int, width: int) -> tuple[slice, slice]:
    x, y, w, h = box
    room = round(BELT * max(w, h))
    return slice(max(0, y - room), min(height, y + h + room)), slice(max(0, x - room), min(width, x + w + room))
