"""From the scores of a fruit's views to one verdict."""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contract.events import Verdict
from contract.sortingline import Grade


class Thresholds(NamedTuple):
    """Probabilities of defective: good below the first, defective from the second, unsure between."""

    good_below: float
    defective_from: float


def judge(score: float | None, views: int, least: int, thresholds: Thresholds, unclear: int = 0) -> Verdict:
    """Of a fruit whose `views` pictures have this median score; fewer than `least` are too few to be sure.

    What is no number is never good, nor is a fruit of which half of the views or more are `unclear`.
    """
    if views == 0 or score is None:
        return "unseen"
    if views < least or not math.isfinite(score):
        return "unsure"
    if score < thresholds.good_below:
        return "good" if 2 * unclear < views else "unsure"
    return "defective" if score >= thresholds.defective_from else "unsure"


def vote(score: float, *, unclear: bool) -> float:
    """What a view says in the median: one that shows too little of the fruit does not say that it is good."""
    return max(score, 0.5) if unclear else score


def median(scores: Sequence[float]) -> float | None:
    """The vote of the views: one odd view among three changes nothing. None without views."""
    return statistics.median(scores) if scores else None


def graded(learned: Thresholds, grades: Iterable[Grade], crop: str, customer: str | None = None) -> Thresholds:
    """What counts for a customer: the customer's grade of the crop, else the one for all customers, else `learned`.

    Where a grade gives one threshold alone that is beyond the other one, there is no unsure between them.
    """
    of_crop = {grade.customer: grade for grade in grades if grade.crop == crop}
    grade = of_crop.get(customer) or of_crop.get(None)
    if grade is None:
        return learned
    good = learned.good_below if grade.good_below is None else grade.good_below
    bad = learned.defective_from if grade.defective_from is None else grade.defective_from
    if grade.good_below is None:
        return Thresholds(min(good, bad), bad)
    return Thresholds(good, max(good, bad))
