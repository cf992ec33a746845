"""`truecount inspect`: photographs in, one verdict each out."""

import glob
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
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
from edge.vision.views import Image

LONGEST: Final = 1024
"""Larger photographs are made so small, in pixels of the longer side: the models look at less than that."""

_KINDS: Final = 8
"""Of the files in a folder that are left out, so many kinds are told."""
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
        self._classifier = Classifier(package.load(package.crop_folder(root, crop, version), backend))
        self._finder = Finder(package.load(package.finder_folder(root), backend))
        self._crop = crop
        self._complaint = complaint

    def thresholds(self, grades: Iterable[Grade]) -> Thresholds:
        """Those of the crop's model, or of the grade for all customers, where there is one."""
        return verdict.graded(self._classifier.thresholds, grades, self._crop)

    def inspect(self, path: str | NotInspected, thresholds: Thresholds) -> Inspected | NotInspected:
        """One of `files`. Several fruit in one picture: the worst one decides."""
        if isinstance(path, NotInspected):
            return path
        begun_s = time.perf_counter()
        try:
            looks = self._look(images.read(path, LONGEST, self._complaint))
        except BadImage as error:
            return NotInspected(path, str(error))
        told, score = worst(looks, thresholds)
        ms = round(1000 * (time.perf_counter() - begun_s), 2)
        return Inspected(path, told, score, self._classifier.model, ms)

    def _look(self, image: Image) -> list[Look]:
        found = self._finder.find(image)
        looks = self._classifier.fruit(image, found)
        long = [max(one.box[2:]) for one in found]
        clear = max((size for size, look in zip(long, looks, strict=True) if not look.unclear), default=0)
        return [
            look._replace(unclear="") if look.unclear == "blurred" and 2 * size < clear else look
            for size, look in zip(long, looks, strict=True)  # beside clear fruit a small soft spot is a stain
        ]


def worst(
    looks: Iterable[Look], thresholds: Thresholds
) -> tuple[Literal["good", "defective", "unsure", "empty"], float | None]:
    """The verdict and the score of the worst of these fruit, each seen once. None that looks doubtful is good."""
    told: tuple[Literal["good", "defective", "unsure", "empty"], float | None] = ("empty", None)
    rank = -1, 0.0
    for look in looks:
        judged = verdict.judge(look.score, 1, 1, thresholds, int(look.doubtful))
        assert judged != "unseen"
        if (place := (_WORSE.index(judged), look.score)) > rank:
            rank, told = place, (judged, round(look.score, 6))
    return told


def files(named: Iterable[str], note: Callable[[str], None]) -> Iterator[str | NotInspected]:
    """The images that the command line names: files, folders (all images in them and below), patterns such as *.jpg.

    As they were named; those of a folder begin with the folder as it was named. A file that is named is tried whatever
    its name is. In the place of a folder or a pattern with nothing in it, or of one that cannot be read: so. What does
    not exist is told when it is opened. `note` is told what of a folder is left out.
    """
    for name in named:
        if not name:
            yield NotInspected(name, "an empty name: name a file, a folder or a pattern")
        elif os.path.isdir(name):
            nothing = NotInspected(name, f"{name}: no images in this folder ({', '.join(sorted(images.SUFFIXES))})")
            yield from _first_or(_of_folder(name, note), nothing)
        elif not os.path.exists(name) and glob.has_magic(name):
            yield from _first_or(iter(sorted(glob.glob(name))), NotInspected(name, f"{name}: no file has such a name"))
        else:
            yield name


def _of_folder(folder: str, note: Callable[[str], None]) -> Iterator[str | NotInspected]:
    closed: list[OSError] = []
    left_out = Counter[str]()
    for place, below, names in os.walk(folder, onerror=closed.append):
        below.sort()
        for name in sorted(names):
            suffix = Path(name).suffix.lower()
            if suffix in images.SUFFIXES | images.UNREAD_SUFFIXES:
                yield os.path.join(place, name)
            else:
                left_out[suffix or "without a suffix"] += 1
        for link in filter(os.path.islink, (os.path.join(place, name) for name in below)):
            note(f"{link}: a link to a folder, left out: name it to have it judged")
    for error in closed:
        yield NotInspected(str(error.filename), f"{error.filename}: this folder cannot be read: {error.strerror}")
    if left_out:
        kinds = ", ".join(f"{count} {kind}" for kind, count in left_out.most_common(_KINDS))
        note(f"{folder}: left out as no images: {kinds}")


def _first_or(paths: Iterator[str | NotInspected], nothing: NotInspected) -> Iterator[str | NotInspected]:
    first = next(paths, None)
    yield nothing if first is None else first
    yield from paths
