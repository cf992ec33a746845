"""The shipped models looked at from outside: through the line's own eyes, from ONNX files alone."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edge.vision.models.classifier import Classifier, Look
from edge.vision.models.finder import Finder
from edge.vision.models.manifest import Backend
from edge.vision.models.package import finder_folder, folder_of, load
from edge.vision.views import Image, view
from models.produce.conditions import CONDITIONS, Condition, ground_only
from models.produce.cutouts import lay
from models.produce.data import Crop
from models.produce.figures import Figures, Judged, figures
from models.produce.grounds import belt
from models.produce.sources import Shot, rendered

RENDERED_FRUITS = 40
RENDERED_SEED = 99
"""Training draws its fruit from other seeds."""
FRAME_PX = 320
EMPTY_BELTS = 200


class Judge(NamedTuple):
    """The models of one crop on one backend, as the line runs them."""

    crop: Crop
    finder: Finder
    classifier: Classifier

    def look(self, image: Image) -> Look | None:
        """The worst fruit in the image; None if there is none. Unclear if the largest is: smaller ones are stains."""
        looks = self.classifier.fruit(image, self.finder.find(image))
        worst = max(looks, key=lambda look: look.score, default=None)
        return worst and worst._replace(unclear=looks[0].unclear)


Trial = Callable[[Judge, Sequence[Shot], int], Figures]
"""The figures of photographs under one condition, with a seed."""


def judge(root: Path, crop: Crop, backend: Backend, version: int | None = None) -> Judge:
    """Loads the packages under `root`, the crop's newest unless a version is named; raises BadModel."""
    finder, classifier = load(finder_folder(root), backend), load(folder_of(root, crop, version), backend)
    return Judge(crop, Finder(finder), Classifier(classifier))


def under(condition: Condition) -> Trial:
    """Photographs as the condition shows them; each has its own random numbers, whatever else is judged."""

    def trial(judge: Judge, seen: Sequence[Shot], seed: int) -> Figures:
        shown = (condition(shot, np.random.default_rng([seed, n])) for n, shot in enumerate(seen))
        return figures(
            [said(shot, judge.look(image)) for shot, image in zip(seen, shown, strict=True)],
            judge.classifier.thresholds,
            seed,
        )

    return trial


def by_data_masks(judge: Judge, seen: Sequence[Shot], seed: int) -> Figures:
    """With the data sets' masks instead of the finder's."""
    cut = judge.classifier.cut
    looks = judge.classifier.look([view(shot.image, shot.mask, cut) for shot in seen])
    return figures(
        [said(shot, look) for shot, look in zip(seen, looks, strict=True)], judge.classifier.thresholds, seed
    )


def of_ground_only(judge: Judge, seen: Sequence[Shot], seed: int) -> Figures:
    """The fruit painted over: what the classifier could make of the light. AUROC should be near 0.5."""
    cut = judge.classifier.cut
    looks = judge.classifier.look([view(*ground_only(shot, cut.ground), cut) for shot in seen])
    return figures(
        [said(shot, look) for shot, look in zip(seen, looks, strict=True)], judge.classifier.thresholds, seed
    )


def of_rendered(judge: Judge, _: Sequence[Shot], seed: int) -> Figures:
    """The simulator's fruit on drawn belts; no photographs are needed."""
    told = []
    for n, fruit in enumerate(rendered(judge.crop, RENDERED_FRUITS, RENDERED_SEED, views=2)):
        rng = np.random.default_rng([seed, n])
        frame = _belt(rng)
        lay(frame, fruit, rng, float(rng.uniform(90, 200)), (FRAME_PX / 2, FRAME_PX / 2))
        told.append(_judged(f"fruit {n // 2}", fruit.defective, judge.look(frame)))
    return figures(told, judge.classifier.thresholds, seed)


TRIALS: dict[str, Trial] = {
    **{name: under(condition) for name, condition in CONDITIONS.items()},
    "masks of the data set": by_data_masks,
    "fruit painted over": of_ground_only,
    "rendered fruit": of_rendered,
}


class Empty(NamedTuple):
    """Shares of pictures without fruit in which none is found."""

    photographs: float
    belts: float


def empties(finder: Finder, photographs: Iterable[Image], seed: int) -> Empty:
    """Of photographs, and of drawn belts."""
    none = [not finder.find(image) for image in photographs]
    belts = [not finder.find(_belt(np.random.default_rng([seed, n]))) for n in range(EMPTY_BELTS)]
    return Empty(float(np.mean(none)), float(np.mean(belts)))


def views_per_second(judge: Judge, paths: Sequence[Path]) -> float:
    """From the JPEG to the score, on one thread."""
    began = time.perf_counter()
    for path in paths:
        judge.look(np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8))
    return len(paths) / (time.perf_counter() - began)


def said(shot: Shot, look: Look | None) -> Judged:
    """What is said of a photograph, beside the truth."""
    return _judged(shot.photo.group, shot.photo.label == "defective", look)


def _judged(group: str, defective: bool, look: Look | None) -> Judged:
    if look is None:
        return Judged(group, defective, None, False)
    return Judged(group, defective, look.score, look.strange, bool(look.unclear))


def _belt(rng: np.random.Generator) -> Image:
    return np.clip(belt(rng, FRAME_PX), 0, 255).astype(np.uint8)
