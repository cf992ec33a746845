"""What training leaves behind: a network, what its manifest must tell, and pictures to quantise it with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from edge.vision.models.finder import Finder as LineFinder
from edge.vision.models.package import FINDER
from edge.vision.models.statistics import Measured, measure
from edge.vision.views import view
from models.produce import classifier_training, finder_training
from models.produce.calibration import calibrated, thresholds
from models.produce.classifier_training import CUT, Views, logits_of
from models.produce.errors import ModelsError
from models.produce.manifest import Table, bounded, histogram
from models.produce.network import Classifier, Finder
from models.produce.sources import Shot
from models.produce.stock import Stock

QUANTISED_ON = 192
"""Pictures that the ranges of int8 are taken from."""
MASK_FROM, MIN_AREA = 0.5, 0.005
FALSE_REJECT, MISS = 0.006, 0.012
"""Shares of held-out good fruit rejected and of defective fruit passed, that the thresholds are set for."""


class Learned(NamedTuple):
    """One network, ready to be exported."""

    name: str
    net: nn.Module
    manifest: Table
    shown: NDArray[np.uint8]
    """Images or views like those it has learned from, (N, S, S, 3)."""


def learned_finder(net: Finder, sources: finder_training.Sources, version: int, seed: int) -> Learned:
    """The finder."""
    scenes = [finder_training.scene(sources, np.random.default_rng([seed, 2, n])) for n in range(QUANTISED_ON)]
    size = finder_training.SIZE
    about: Table = {
        **_head("finder", FINDER, version),
        "input": {"name": "image", "size": size},
        "output": {"name": "mask", "size": size // 2},
        "thresholds": {"mask_from": MASK_FROM, "min_area": MIN_AREA},
    }
    return Learned(FINDER, net, about, np.stack([scene.image for scene in scenes]))


def learned_classifier(
    crop: str,
    net: Classifier,
    sources: classifier_training.Sources,
    have: Stock,
    probe: Views,
    finder: LineFinder,
    version: int,
    seed: int,
) -> Learned:
    """A crop's classifier, calibrated on photographs held aside, as they are and (`probe`) disturbed.

    Masks are those of the finder; of pictures from lines, their outlines. What the drift watch compares with comes from
    all that was learned from, but scores only from what was held aside: on the rest the network is too sure. Raises
    ModelsError where nothing was learned.
    """
    (aside, measured), (_, learned_from) = (
        _seen([*_found(finder, have.shots(held, crop)), *have.reviewed(held, crop)]) for held in (True, False)
    )
    logits = logits_of(net, np.concatenate([aside.images, probe.images]))
    calibration = calibrated(logits, np.concatenate([aside.defective, probe.defective]))
    if calibration.slope <= 0:
        raise ModelsError(
            f"{crop}: what was learned tells good from defective no better than chance: no package is made"
        )
    scores = calibration.probability(logits[: len(aside.images)])
    figures = np.array([*measured, *learned_from], np.float64)
    about: Table = {
        **_head("classifier", crop, version),
        "input": {"name": "views", "size": CUT.size, "ground": list(CUT.ground), "margin": CUT.margin},
        "output": {"name": "logit"},
        "calibration": calibration._asdict(),
        "thresholds": thresholds(scores, aside.defective, FALSE_REJECT, MISS)._asdict(),
        "statistics": {
            "score": histogram(scores),
            "brightness": histogram(figures[:, 0]),
            "mask_area": histogram(figures[:, 1]),
            "warmth": bounded(figures[:, 2]),
        },
    }
    rngs = (np.random.default_rng([seed, 3, n]) for n in range(QUANTISED_ON))
    return Learned(crop, net, about, np.stack([classifier_training.example(sources, CUT, rng)[0] for rng in rngs]))


def _found(finder: LineFinder, shots: Sequence[Shot]) -> list[Shot]:
    """The photographs in which the finder finds fruit, with the largest one's mask."""
    return [shot._replace(mask=fruit.mask) for shot in shots for fruit in finder.find(shot.image)[:1]]


def _seen(shots: Sequence[Shot]) -> tuple[Views, list[Measured]]:
    """Views and figures of the fruit under the masks."""
    views = Views(
        np.stack([view(shot.image, shot.mask, CUT) for shot in shots]),
        np.array([shot.photo.label == "defective" for shot in shots]),
    )
    return views, [measure(shot.image, shot.mask) for shot in shots]


def _head(kind: str, name: str, version: int) -> Table:
    return {"schema": 1, "kind": kind, "name": name, "version": version, "made": datetime.now(UTC).date()}
