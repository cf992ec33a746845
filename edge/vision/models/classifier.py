"""Good or defective: the probability for each view of a fruit, by a crop's model."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from edge.errors import BadModel
from edge.vision.clarity import Unclear, unclear
from edge.vision.models.finder import Found
from edge.vision.models.manifest import ClassifierManifest
from edge.vision.models.package import Package
from edge.vision.verdict import Thresholds
from edge.vision.views import Cut, Image, view


class Look(NamedTuple):
    """What a model says of one view."""

    score: float
    """Calibrated probability of defective."""
    strange: bool
    """Its colours are those of no fruit that the model learned from (colours in the wrong order, a grey camera, another
    crop), or the model said what is no number. The score means little; good it must not be called."""
    unclear: Unclear = ""
    """Why the picture shows too little of the fruit to call it good, where that was looked at."""

    @property
    def doubtful(self) -> bool:
        """Good it must not be called, whatever the score is."""
        return self.strange or bool(self.unclear)


class Classifier:
    """Judges views of one crop. Not for several threads at once."""

    def __init__(self, package: Package) -> None:
        if not isinstance(package.manifest, ClassifierManifest):
            raise BadModel(f"{package.identity}: no classifier: name the package of a crop")
        self.model = package.identity
        """NAME-VERSION-BACKEND-HASH."""
        self.manifest = package.manifest
        self.cut = Cut(self.manifest.input.size, self.manifest.input.ground, self.manifest.input.margin)
        """How the views that it judges are made."""
        self.thresholds = Thresholds(self.manifest.thresholds.good_below, self.manifest.thresholds.defective_from)
        """As the manifest says; a grade of the site file may say otherwise."""
        self._package = package
        warmth = self.manifest.statistics.warmth
        self._warmth = (warmth.edges[0], warmth.edges[-1]) if warmth else (-256.0, 256.0)

    def scores(self, views: Sequence[Image]) -> list[float | None]:
        """The calibrated probability of defective of each view, shape (size, size, 3) as `views.view` makes it.

        None where a view with strange colours does not look defective: it must not count as a view.
        """
        bad = self.thresholds.defective_from
        return [None if look.strange and look.score < bad else look.score for look in self.look(views)]

    def fruit(self, image: Image, found: Sequence[Found]) -> list[Look]:
        """At each fruit that the finder found in a picture, and at how well the picture shows it."""
        looks = self.look([view(image, one.mask, self.cut) for one in found])
        return [
            look._replace(unclear=unclear(image, one.mask, one.box)) for look, one in zip(looks, found, strict=True)
        ]

    def look(self, views: Sequence[Image]) -> list[Look]:
        """The same with what is strange told apart."""
        if not views:
            return []
        told = self.manifest.calibration
        logits = self._package.run(np.stack(views)).astype(np.float64)
        scores = 1 / (1 + np.exp(-np.clip(told.slope * logits + told.intercept, -700, 700)))
        return [self._looked(float(score), view) for score, view in zip(scores, views, strict=True)]

    def _looked(self, score: float, view: Image) -> Look:
        return Look(score, self._strange(view)) if math.isfinite(score) else Look(0.5, True)

    def _strange(self, view: Image) -> bool:
        ground = cv2.inRange(view, self.cut.ground, self.cut.ground)
        red, _, blue, _ = cv2.mean(view, cv2.bitwise_not(ground))
        low, high = self._warmth
        return not low <= red - blue <= high
