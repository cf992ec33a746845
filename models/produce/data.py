"""The photographs and what is said of them: manifest.csv of lemons and tomatoes."""

import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

import cv2
import numpy as np

from edge.vision.views import Image
from models.produce.errors import ModelsError

Crop = Literal["lemon", "tomato"]
Label = Literal["good", "defective", "empty"]
CROPS: tuple[Crop, ...] = get_args(Crop)


class Photo(NamedTuple):
    """One photograph. `group` is one fruit, or one run of photographs of the same fruit: never split it."""

    path: Path
    crop: Crop
    label: Label
    group: str
    split: Literal["train", "val"]


def photos(data: Path, crop: Crop) -> list[Photo]:
    """All photographs of a crop under `data` (the folder that holds produce/), as listed."""
    manifest = data / "produce" / crop / "manifest.csv"
    try:
        with manifest.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        found = [_photo(manifest.parent, crop, row) for row in rows]
    except (OSError, KeyError) as wrong:
        raise ModelsError(f"{manifest}: {wrong}; --data must name the folder that holds produce/{crop}") from wrong
    if not found:
        raise ModelsError(f"{manifest} lists no photographs")
    return found


def _photo(folder: Path, crop: Crop, row: dict[str, str]) -> Photo:
    if row["label"] not in get_args(Label) or row["split"] not in ("train", "val"):
        raise ModelsError(f"{folder / 'manifest.csv'}: {row['file']} has label {row['label']}, split {row['split']}")
    split = cast(Literal["train", "val"], row["split"])
    return Photo(folder / row["file"], crop, cast(Label, row["label"]), row["group"], split)


def read(photo: Photo) -> Image:
    """The photograph's pixels, RGB."""
    pixels = cv2.imread(str(photo.path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ModelsError(f"{photo.path} is missing or no picture")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def of(found: Iterable[Photo], split: str, *labels: Label) -> list[Photo]:
    """The photographs of a split that have one of `labels`."""
    return [photo for photo in found if photo.split == split and photo.label in labels]


def held_out(found: Iterable[Photo], share: float, seed: int) -> set[str]:
    """Groups that hold about `share` of each label's photographs, drawn by a hash of seed and name."""
    kept = list(found)
    chosen: set[str] = set()
    for label in sorted({photo.label for photo in kept}):
        sizes: dict[str, int] = {}
        for photo in kept:
            if photo.label == label:
                sizes[photo.group] = sizes.get(photo.group, 0) + 1
        wanted = share * sum(sizes.values())
        for group in sorted(sizes, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest()):
            if wanted >= sizes[group] / 2:
                chosen.add(group)
                wanted -= sizes[group]
    return chosen
