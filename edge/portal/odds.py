"""Log-odds, ln(P / (1 - P)): what independent witnesses say is added (Bayes' rule, even priors)."""

import math
from typing import Final

MOST_CONFIDENT: Final = 0.995
"""No direction is surer, whatever its witnesses say."""


def share(odds: float) -> float:
    """P of what has these log-odds."""
    return 1 / (1 + math.exp(-odds))


def odds(share: float) -> float:
    """The log-odds of what has this P, which is neither 0 nor 1."""
    return math.log(share / (1 - share))
