"""The training split in memory, with what people judged on lines; part of both held aside by fruit."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from models.produce.cutouts import Cutout
from models.produce.data import CROPS, Photo, held_out, of, photos, read
from models.produce.sources import Grounds, Shot, lifted, rendered, shots

HELD_OUT = 0.15
DRAWN_GROUNDS = 600
RENDERED_FRUITS = 60
"""Good ones a crop, and as many defective."""


class Stock(NamedTuple):
    """Photographs with masks, empty photographs, and the simulator's fruit; `aside` names groups that are held out."""

    seen: Sequence[Shot]
    judged: Sequence[Shot]
    """Pictures from lines. Beside the fruit that is masked there may be more."""
    nothing: Sequence[Shot]
    drawn: dict[str, Sequence[Cutout]]
    drawn_aside: dict[str, Sequence[Cutout]]
    aside: frozenset[str]

    def shots(self, held: bool, crop: str | None = None) -> list[Shot]:
        """Whole photographs to learn from, or those held out; of one crop or of all."""
        return [one for one in self._half(self.seen, held) if crop in (None, one.photo.crop)]

    def reviewed(self, held: bool, crop: str) -> list[Shot]:
        """Pictures from lines, of one crop."""
        return [one for one in self._half(self.judged, held) if one.photo.crop == crop]

    def empties(self, held: bool) -> list[Shot]:
        """Photographs without fruit."""
        return self._half(self.nothing, held)

    def photographed(self, crop: str, held: bool) -> list[Cutout]:
        """Fruit cut out of photographs and of pictures from lines."""
        return lifted([*self.shots(held, crop), *self.reviewed(held, crop)])

    def rendered(self, crop: str, held: bool) -> Sequence[Cutout]:
        """The simulator's fruit."""
        return (self.drawn_aside if held else self.drawn)[crop]

    def fruit(self, held: bool) -> list[Cutout]:
        """All fruit, photographed and rendered."""
        photographed = [one for crop in CROPS for one in self.photographed(crop, held)]
        return [*photographed, *(one for crop in CROPS for one in self.rendered(crop, held))]

    def grounds(self, held: bool, rng: Generator) -> Grounds:
        """Drawn grounds and the empty photographs."""
        return Grounds(DRAWN_GROUNDS // 4 if held else DRAWN_GROUNDS, [one.image for one in self.empties(held)], rng)

    def _half(self, found: Sequence[Shot], held: bool) -> list[Shot]:
        return [one for one in found if (one.photo.group in self.aside) == held]


def stock(data: Path, seed: int, judged: Sequence[Shot] = ()) -> Stock:
    """Reads the training photographs of all crops, draws their masks and renders fruit; a minute on two cores.

    `judged` are pictures from lines to learn from, too. What is held aside of the photographs is the same without them.
    """
    listed = [photo for crop in CROPS for photo in photos(data, crop) if photo.split == "train"]
    told = [shot.photo for shot in judged]
    aside = [
        held_out([one for one in some if one.crop == crop], HELD_OUT, seed) for some in (listed, told) for crop in CROPS
    ]
    return Stock(
        seen=shots(of(listed, "train", "good", "defective")),
        judged=judged,
        nothing=[_nothing(photo) for photo in of(listed, "train", "empty")],
        drawn={crop: rendered(crop, RENDERED_FRUITS, seed, views=2) for crop in CROPS},
        drawn_aside={crop: rendered(crop, RENDERED_FRUITS // 5, seed + 1, views=1) for crop in CROPS},
        aside=frozenset().union(*aside),
    )


def _nothing(photo: Photo) -> Shot:
    image = read(photo)
    return Shot(photo, image, np.zeros(image.shape[:2], np.uint8))
