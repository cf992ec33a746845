"""How likely a sweep finds a tag that is there: from two looks at the same tags. Pure.

A pass over a zone that finds m of the n tags which the other passes of the same sweep found has a rate near m / n
(capture and recapture: D. G. Chapman, "Some properties of the hypergeometric distribution with applications to
zoological sample censuses", Univ. Calif. Publ. Stat. 1 (1951), 131-160; C. J. Petersen 1896, F. C. Lincoln 1930). With
what is known of its method, a Beta prior and the rates of earlier counts, its posterior mean is

    p = (a + found + m) / (a + b + of + n)

and passes of rates p1, p2, ... find (1 - DEAD) (1 - (1 - p1) (1 - p2) ...) of what is there: some tags no pass hears.
"""

from collections.abc import Sequence
from math import prod
from typing import Final, Literal, NamedTuple

Sweep = Literal["handheld", "fixed"]
PRIOR: Final[dict[Sweep, tuple[float, float]]] = {"handheld": (19.0, 1.0), "fixed": (9.0, 1.0)}
"""Beta(a, b) before anything is known: 95 % by hand, where somebody walks along the shelf, 90 % from the ceiling."""
DEAD: Final = 0.005
"""Share of tags that are broken or hidden from every pass."""
THERE: Final = 0.95
"""Of cases that the books have there and a count has not yet looked for, so many are. Of the accuracy of stock records,
studies find 65 to 98 % right, of units rather than of records the upper end (A. Raman, N. DeHoratius, Z. Ton,
"Execution: the missing link in retail operations", California Management Review 43 (2001), 136-152)."""
PASS_GAP_US: Final = 60_000_000
"""A step that comes so long after the one before it begins another pass."""
MEMORY: Final = 2_000.0
"""Tags that are remembered of a zone and method; then older ones count half."""


class Pass(NamedTuple):
    """One walk over a zone, or one round of its readers."""

    agent: str
    epcs: frozenset[str]


def passes(steps: Sequence[tuple[int, str]]) -> list[int]:
    """The number of the pass, from 0, of each step (event time, agent), in whatever order they came in."""
    number = [0] * len(steps)
    before: tuple[str, int] | None = None
    n = -1
    for at_us, agent, i in sorted((at_us, agent, i) for i, (at_us, agent) in enumerate(steps)):
        if before is None or at_us - before[1] > PASS_GAP_US or agent != before[0]:
            n += 1
        number[i] = n
        before = agent, at_us
    return number


def recaptured(done: Sequence[Pass]) -> list[tuple[int, int]]:
    """(found, of) for each pass: of the tags that other passes found, those that it found too."""
    pairs = []
    for i, one in enumerate(done):
        others = frozenset[str]().union(*(other.epcs for j, other in enumerate(done) if j != i))
        pairs.append((len(one.epcs & others), len(others)))
    return pairs


def rate(method: Sweep, found: float, of: float) -> float:
    """Posterior mean of a pass's find rate, `of` tags having been there of which it found some."""
    a, b = PRIOR[method]
    return (a + found) / (a + b + of)


def confidence(rates: Sequence[float]) -> float:
    """How likely passes of these rates find a tag that is there."""
    return (1 - DEAD) * (1 - prod(1 - p for p in rates))


def gone(found: float) -> float:
    """How likely a case is gone that a search did not find which finds that share of what is there (Bayes)."""
    return (1 - THERE) / (1 - THERE + THERE * (1 - found))
