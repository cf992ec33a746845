"""`truecount inspect`: photographs in, one verdict each out."""

import glob
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from contract.sortingline import Grade
from edge.errors import BadImage
from edge.vision import images, verdict
from edge.vision.images import Complaint
from edge.vision.models import package
from edge.vision.models.classifier import Classifier, Look
from edge.vision.models.finder import Finder
from edge.vision.models.manifest import Backend
from edge.vision.verdict import Thresholds
from edge.vision.views import Image, view

LONGEST: Final = 1024
"""Larger photographs are made so small, in pixels of the longer side: the models look at less than that."""

_WORSE: Final = ("good", "unsure", "defective")


class Inspected(Struct, frozen=True):
    """What is said of one image."""

    file: str
    verdict: Literal["good", "defective", "unsure", "empty"]
    score: float | None
    """Probability of defective of its worst fruit; None when there is none."""
    model: str
    """NAME-VERSION-BACKEND-HASH."""
    ms: float
    """From the file to the verdict, in milliseconds."""


class NotInspected(Struct, frozen=True):
    """An image of which nothing can be said."""

    file: str
    error: str


class StillJudge:
    """Finds fruit in photographs and judges it, with the packages of one crop."""

    def __init__(
        self,
        root: Path,
        crop: str,
        backend: Backend = "int8",
        version: int | None = None,
        complaint: Complaint = str,
    ) -> None:
        """Raises BadModel."""
        self._classifier = Classifier(package.load(package.folder_of(root, crop, version), backend))
        self._finder = Finder(package.load(package.finder_folder(root), backend))
        self._crop = crop
        self._complaint = complaint

    def thresholds(self, grades: Iterable[Grade]) -> Thresholds:
        """Those of the crop's model, or of the grade for all customers, where there is one."""
        return verdict.graded(self._classifier.thresholds, grades, self._crop)

    def inspect(self, path: Path | NotInspected, thresholds: Thresholds) -> Inspected | NotInspected:
        """One of `files`. Several fruit in one picture: the worst one decides."""
        if isinstance(path, NotInspected):
            return path
        begun_s = time.perf_counter()
        try:
            looks = self._look(images.read(path, LONGEST, self._complaint))
        except BadImage as error:
            return NotInspected(str(path), str(error))
        told, score = worst(looks, thresholds)
        ms = round(1000 * (time.perf_counter() - begun_s), 2)
        return Inspected(str(path), told, score, self._classifier.model, ms)

    def _look(self, image: Image) -> list[Look]:
        cut = self._classifier.cut
        return self._classifier.look([view(image, found.mask, cut) for found in self._finder.find(image)])


def worst(
    looks: Iterable[Look], thresholds: Thresholds
) -> tuple[Literal["good", "defective", "unsure", "empty"], float | None]:
    """The verdict and the score of the worst of these fruit, each seen once. A fruit of strange colours is not good."""
    told: tuple[Literal["good", "defective", "unsure", "empty"], float | None] = ("empty", None)
    rank = -1, 0.0
    for look in looks:
        judged = verdict.judge(look.score, 1, 1, thresholds)
        judged = "unsure" if look.strange and judged == "good" else judged
        assert judged != "unseen"
        if (place := (_WORSE.index(judged), look.score)) > rank:
            rank, told = place, (judged, round(look.score, 6))
    return told


def files(named: Iterable[str]) -> Iterator[Path | NotInspected]:
    """The images that the command line names: files, folders (all images in them and below), patterns such as *.jpg.

    A file that is named is tried whatever its name is. In the place of a folder or a pattern with nothing in it: so.
    What does not exist is told when it is opened.
    """
    for name in named:
        path = Path(name)
        if path.is_dir():
            nothing = NotInspected(name, f"{name}: no images in this folder ({', '.join(sorted(images.SUFFIXES))})")
            yield from _first_or(_of_folder(path), nothing)
        elif not path.exists() and glob.has_magic(name):
            yield from _first_or(
                map(Path, sorted(glob.glob(name))), NotInspected(name, f"{name}: no file has such a name")
            )
        else:
            yield path


def _of_folder(folder: Path) -> Iterator[Path]:
    for place, below, names in os.walk(folder):
        below.sort()
        yield from (Path(place, name) for name in sorted(names) if Path(name).suffix.lower() in images.SUFFIXES)


def _first_or(paths: Iterator[Path], nothing: NotInspected) -> Iterator[Path | NotInspected]:
    first = next(paths, None)
    yield nothing if first is None else first
    yield from paths
