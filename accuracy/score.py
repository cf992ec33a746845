"""Books beside the truth: units and SKU-zones, and the interval over seeds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from gateway import wilson

RESAMPLES: Final = 10_000

Place = tuple[str, str]
"""SKU and zone."""


class Score(Struct, frozen=True):
    """One set of books at one moment."""

    units: int
    """Truly there."""
    wrong: int
    """Sum over SKU-zones of how far the books are from the truth, either way: a case in the wrong zone is two."""
    places: int
    """SKU-zones in which there is anything, in truth or in the books."""
    exact: int


def score(truth: Mapping[Place, int], books: Mapping[Place, int]) -> Score:
    """Negative levels of the books count as far as they are wrong."""
    places = {place for place in (*truth, *books) if truth.get(place) or books.get(place)}
    errors = [abs(truth.get(place, 0) - books.get(place, 0)) for place in places]
    return Score(
        units=sum(truth.values()),
        wrong=sum(errors),
        places=len(places),
        exact=errors.count(0),
    )


class Share(Struct, frozen=True):
    """A share over all seeds, with its 95 % interval."""

    share: float
    low: float
    high: float


class Figures(Struct, frozen=True):
    """Of several weeks together."""

    units: int
    units_right: Share
    """1 - wrong / units. Interval: bootstrap over the seeds, since units of one week go wrong together."""
    wrong: int
    places: int
    exact: Share
    """Interval: Wilson."""


def figures(scores: Sequence[Score], seed: int = 1) -> Figures:
    """All seeds together."""
    units = np.array([one.units for one in scores], np.float64)
    wrong = np.array([one.wrong for one in scores], np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(scores), (RESAMPLES, len(scores)))
    drawn = np.sort(1 - wrong[chosen].sum(1) / units[chosen].sum(1))
    places, exact = sum(one.places for one in scores), sum(one.exact for one in scores)
    return Figures(
        units=int(units.sum()),
        units_right=Share(
            float(1 - wrong.sum() / units.sum()),
            float(drawn[round(0.025 * RESAMPLES)]),
            float(drawn[round(0.975 * RESAMPLES) - 1]),
        ),
        wrong=int(wrong.sum()),
        places=places,
        exact=Share(exact / places, *wilson.interval(exact, places)),
    )


def added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Counts by cause of all weeks, the greatest first."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total.most_common())
