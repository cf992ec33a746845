"""Figures of a judge: how often it is right, how well it ranks, whether its probabilities are true. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.vision.verdict import Thresholds

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
BINS = 10
BOOTSTRAPS = 500


class Judged(NamedTuple):
    """One photograph: the truth, and what was said of it."""

    group: str
    defective: bool
    score: float | None
    """Probability of defective; None if no fruit was found."""
    strange: bool
    """Colours of no such fruit: never called good."""
    unclear: bool = False
    """The picture shows too little of it: never called good."""


class Interval(NamedTuple):
    """A figure and where it lies in 95 of 100 draws of the fruit."""

    value: float
    low: float
    high: float


class Bin(NamedTuple):
    """Photographs whose scores are alike: their mean score, and how many of them are defective."""

    photographs: int
    score: float
    defective: float


class Figures(NamedTuple):
    """Of one model under one condition. Shares are 0..1; the verdicts' are at the shipped thresholds.

    Fruit that was not found is wrong where it is asked what the models know (accuracy, F1, AUROC), whatever it was. At
    the gate it is pushed off, like all that was not seen: a good one is a false reject, a defective one is no miss.
    """

    photographs: int
    fruit: int
    accuracy: Interval
    """At a score of 0.5."""
    f1: Interval
    auroc: Interval
    false_reject: float
    """Good fruit called defective, or not found."""
    miss: float
    """Defective fruit called good."""
    miss_unclear: float
    """Defective fruit that would be called good if it did not matter how well the picture shows it."""
    unsure_good: float
    unsure_defective: float
    not_found: float
    reject_at_miss: float
    """Good fruit that would be rejected if 3 % of the defective were passed; no unsure band."""
    ece: float
    """Expected calibration error (Naeini et al. 2015) of what was found, ten bins of equal width."""
    reliability: list[Bin]


def figures(judged: Sequence[Judged], limits: Thresholds, seed: int) -> Figures:
    """All of them. Both labels must be there."""
    truth = np.array([one.defective for one in judged])
    found = np.array([one.score is not None for one in judged])
    scores = np.array([float(not one.defective) if one.score is None else one.score for one in judged])
    strange = np.array([one.strange for one in judged])
    rejected = ~found | (scores >= limits.defective_from)
    taken = found & (scores < limits.good_below) & ~strange
    passed = taken & ~np.array([one.unclear for one in judged])
    unsure = ~rejected & ~passed
    groups = np.array([one.group for one in judged])
    rng = np.random.default_rng(seed)

    def interval(figure: Callable[[NDArray[np.int64]], float]) -> Interval:
        return over_fruit(figure, groups, truth, rng)

    return Figures(
        photographs=len(judged),
        fruit=len(set(groups)),
        accuracy=interval(lambda at: float(((scores[at] >= 0.5) == truth[at]).mean())),
        f1=interval(lambda at: f1(scores[at] >= 0.5, truth[at])),
        auroc=interval(lambda at: auroc(scores[at], truth[at])),
        false_reject=float(rejected[~truth].mean()),
        miss=float(passed[truth].mean()),
        miss_unclear=float(taken[truth].mean()),
        unsure_good=float(unsure[~truth].mean()),
        unsure_defective=float(unsure[truth].mean()),
        not_found=float((~found).mean()),
        reject_at_miss=reject_at_miss(np.where(found, scores, 1.0), truth, 0.03),
        ece=expected_error(bins := reliability(scores[found], truth[found])),
        reliability=bins,
    )


def over_fruit(
    figure: Callable[[NDArray[np.int64]], float], groups: NDArray[np.str_], truth: Flags, rng: np.random.Generator
) -> Interval:
    """The figure of all photographs, and its spread when fruit (not photographs) is drawn anew.

    Fruit seen only good, only defective, or (a tomato over weeks) as both is drawn kind by kind.
    """
    kinds: dict[frozenset[bool], list[NDArray[np.int64]]] = {}
    for name in np.unique(groups):
        members = np.flatnonzero(groups == name)
        kinds.setdefault(frozenset(truth[members].tolist()), []).append(members)
    drawn = []
    for _ in range(BOOTSTRAPS):
        picked = [kind[n] for kind in kinds.values() for n in rng.integers(len(kind), size=len(kind))]
        drawn.append(figure(np.concatenate(picked)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(figure(np.arange(len(groups))), float(low), float(high))


def auroc(scores: Numbers, truth: Flags) -> float:
    """Chance that a defective one has a higher score than a good one; equal scores count half."""
    bad, good = scores[truth], np.sort(scores[~truth])
    below = np.searchsorted(good, bad, side="left") + np.searchsorted(good, bad, side="right")
    return float(below.mean() / 2 / len(good))


def f1(said: Flags, truth: Flags) -> float:
    """Harmonic mean of precision and recall of `defective`."""
    return float(2 * (said & truth).sum() / max(1, said.sum() + truth.sum()))


def reject_at_miss(scores: Numbers, truth: Flags, miss: float) -> float:
    """Share of the good that is rejected at the highest threshold that passes at most `miss` of the defective."""
    bad = np.sort(scores[truth])
    return float((scores[~truth] >= bad[int(miss * len(bad))]).mean())


def reliability(scores: Numbers, truth: Flags) -> list[Bin]:
    """Ten bins of equal width, the empty ones left out."""
    which = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        Bin(int(here.sum()), float(scores[here].mean()), float(truth[here].mean()))
        for n in range(BINS)
        if (here := which == n).any()
    ]


def expected_error(bins: Sequence[Bin]) -> float:
    """Mean distance of what was said from what was so, by how many it was said of."""
    total = max(1, sum(one.photographs for one in bins))
    return sum(one.photographs * abs(one.score - one.defective) for one in bins) / total
