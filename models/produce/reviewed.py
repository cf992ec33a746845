"""Pictures that people have judged on a line, as `truecount review export` wrote them, to learn from.

    DIR/manifest.csv    file, crop, label, group, split, id, outline: [[x, y], ...] as shares of width and height
    DIR/images/

The outline is the mask of the fruit: it is what the line took for the fruit that was judged, whatever else lies there.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np

from edge.errors import BadImage
from edge.vision import images
from edge.vision.views import Mask
from models.produce.data import CROPS, Photo
from models.produce.errors import ModelsError
from models.produce.sources import LEAST_SHARE, Shot

COLUMNS = ("file", "crop", "label", "group", "split", "id", "outline")
LONGEST_PX = 320
"""Of a picture's longer side; larger ones are made so small: memory is not endless, and views are smaller still."""

LONGEST_LINE = 100_000
"""Characters; the export's have some thousands, and longer ones are no lines of it."""


class Reviewed(NamedTuple):
    """What was read from some exports."""

    shots: list[Shot]
    """To learn from; each picture once, as the last folder has it."""
    validation: int
    """So many pictures are of lots that are set aside to judge by, and not among them."""
    skipped: list[str]
    """Of each line that cannot be used: where it stands, and why."""


def reviewed(folders: Iterable[Path]) -> Reviewed:
    """The pictures of all crops. Raises ModelsError where a folder is no export at all."""
    found: dict[str, Shot] = {}
    skipped = []
    for folder in folders:
        for place, row in _rows(folder / "manifest.csv"):
            try:
                found[row["id"]] = _shot(folder, row)
            except (ModelsError, BadImage) as wrong:
                skipped.append(f"{place}: {wrong}")
    training = [shot for shot in found.values() if shot.photo.split == "train"]
    return Reviewed(training, len(found) - len(training), skipped)


def _rows(manifest: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Each line's place and its cells; what is missing at its end is empty."""
    try:
        lines = manifest.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as wrong:
        raise ModelsError(f"{manifest}: {wrong.strerror}; name a folder of truecount review export") from wrong
    head = next(csv.reader(lines[:1]), [])
    if missing := ", ".join(name for name in COLUMNS if name not in head):
        raise ModelsError(f"{manifest} has no {missing}; name a folder of truecount review export")
    for number, line in enumerate(lines[1:], 2):
        cells = next(csv.reader([line[:LONGEST_LINE]]), [])
        yield f"{manifest}, line {number}", dict.fromkeys(COLUMNS, "") | dict(zip(head, cells, strict=False))


def _shot(folder: Path, row: dict[str, str]) -> Shot:
    """The picture that a line tells of. Raises ModelsError or BadImage."""
    crop = next((crop for crop in CROPS if crop == row["crop"]), None)
    if crop is None or row["label"] not in ("good", "defective") or row["split"] not in ("train", "val"):
        raise ModelsError(
            f"crop {row['crop']!r}, label {row['label']!r}, split {row['split']!r}: not to be learned from"
        )
    photo = Photo(folder / row["file"], crop, row["label"], f"review {row['group']}", row["split"])  # type: ignore[arg-type]
    image = images.read(photo.path, LONGEST_PX)
    return Shot(photo, image, outlined(row["outline"], (image.shape[0], image.shape[1])))


def outlined(outline: str, shape: tuple[int, int]) -> Mask:
    """The mask inside an outline, JSON, of a picture with this height and width. Raises ModelsError."""
    try:
        corners = np.array(msgspec.json.decode(outline, type=list[tuple[float, float]]))
    except msgspec.MsgspecError as wrong:
        raise ModelsError(f"the outline is none: {wrong}") from wrong
    if len(corners) < 3 or corners.min() < 0 or corners.max() > 1:
        raise ModelsError("the outline has fewer than three corners, or some outside the picture")
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(corners * shape[::-1]).astype(np.int32)], 255)
    if cv2.countNonZero(mask) < LEAST_SHARE * mask.size:
        raise ModelsError("the outline holds next to nothing")
    return mask
