"""How good the shipped models are: the validation fruit as photographed and on another ground, int8 beside fp32.

It is the part of `make evaluate` that there are numbers to hold for, and needs the photographs (TRUECOUNT_DATA).
"""

import sys
from collections.abc import Iterator

import cv2
from figures import Figure, show
from visionfruit import DATA

from edge.vision.models.package import SHIPPED
from models.produce import evaluate
from models.produce.data import Crop
from models.produce.figures import Figures

SEED = 11
PLAIN, OTHER_GROUND = "as photographed", "other ground"
LEMON: Crop = "lemon"

Found = dict[tuple[str, str, str], Figures]
"""By crop, backend and condition."""


def measure() -> list[Figure]:
    """Through the finder and the classifiers, as on the line; the thresholds are those of the manifests."""
    rows = evaluate.rows(DATA, SHIPPED, evaluate.BACKENDS, (PLAIN, OTHER_GROUND), SEED)
    found = {(row.crop, row.backend, row.condition): row.figures for row in rows}
    return [*_lemons(found), *_accuracies(found)]


def _lemons(found: Found) -> Iterator[Figure]:
    int8, fp32 = (found[LEMON, backend, PLAIN] for backend in ("int8", "fp32"))
    yield Figure("lemons, AUROC, int8", int8.auroc.value, "", "fp32", fp32.auroc.value, ">= 0.995")
    for what, ours, other, to_hold in (
        ("good ones pushed off", int8.false_reject, fp32.false_reject, "<= 1.5 %"),
        ("defective ones let pass", int8.miss, fp32.miss, "<= 3 %"),
        ("good ones unsure", int8.unsure_good, fp32.unsure_good, ""),
        ("defective ones unsure", int8.unsure_defective, fp32.unsure_defective, ""),
    ):
        yield Figure(f"lemons, {what}, int8", 100 * ours, "% wrong", "fp32", 100 * other, to_hold)


def _accuracies(found: Found) -> Iterator[Figure]:
    for (crop, backend, condition), figures in found.items():
        beside, other, to_hold = "", None, ">= 97 %" if crop != LEMON else ""
        if condition == OTHER_GROUND:
            beside, other, to_hold = PLAIN, found[crop, backend, PLAIN], "at most 2 points less"
        elif backend == "int8":
            beside, other = "fp32", found[crop, "fp32", condition]
            to_hold = ", ".join(filter(None, (to_hold, "at most 0.5 point less")))
        shares = [100 * one.accuracy.value for one in (figures, other) if one]
        yield Figure(f"{crop}, right, {condition}, {backend}", shares[0], "%", beside, *shares[1:] or [None], to_hold)


if __name__ == "__main__":
    if not (DATA / "produce").is_dir():
        sys.exit(f"no photographs in {DATA}: set TRUECOUNT_DATA")
    cv2.setNumThreads(1)
    show("Shipped models on fruit that they never saw", measure())
