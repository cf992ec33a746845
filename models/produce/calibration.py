"""From logits to probabilities, and from those to verdicts: fitted on fruit that the network did not learn from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.vision.verdict import Thresholds

Numbers = NDArray[np.float64]

SLACK = 0.02
"""Of thresholds, beyond what held-out fruit asks for."""


class Calibration(NamedTuple):
    """probability of defective = 1 / (1 + exp(-(slope * logit + intercept)))  (Platt 1999)."""

    slope: float
    intercept: float

    def probability(self, logits: Numbers) -> Numbers:
        return np.asarray(1 / (1 + np.exp(-(self.slope * logits + self.intercept))), np.float64)


def calibrated(logits: Numbers, defective: NDArray[np.bool_]) -> Calibration:
    """Platt's fit by Newton's method, with as many good and defective as there are, drawn a little towards slope 1."""
    # Platt's targets: never quite 0 or 1, so that a perfect split does not make the slope endless.
    wanted = np.where(defective, 1 - 1 / (defective.sum() + 2), 1 / ((~defective).sum() + 2))
    design = np.column_stack([logits, np.ones_like(logits)])
    at, prior = np.array([1.0, 0.0]), 1e-3 * len(logits)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ at, -40, 40)))
        slope = design.T @ (p - wanted) + prior * (at - [1.0, 0.0])
        bend = (design * (p * (1 - p))[:, None]).T @ design + prior * np.eye(2)
        step = np.linalg.solve(bend, slope)
        at = at - np.clip(step, -1, 1)
    return Calibration(float(at[0]), float(at[1]))


def thresholds(scores: Numbers, defective: NDArray[np.bool_], false_reject: float, miss: float) -> Thresholds:
    """The narrowest unsure band in which at most these shares of the good are rejected and of the defective passed.

    Held-out fruit is too little to be trusted to the end: however well it is told apart, 0.4 to 0.6 is unsure, and
    however badly, what is beyond 0.3 to 0.7 is not.
    """
    good_below = float(np.quantile(scores[defective], miss)) - SLACK
    defective_from = float(np.quantile(scores[~defective], 1 - false_reject)) + SLACK
    return Thresholds(
        round(float(np.clip(good_below, 0.3, 0.4)), 3), round(float(np.clip(defective_from, 0.6, 0.7)), 3)
    )
