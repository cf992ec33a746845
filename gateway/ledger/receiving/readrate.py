"""How many of the cases on a pallet a door reads, and whether so few were read that the others cannot be there.

A door reads each case of a load with the same chance, which is learned from loads that are known to have been whole:
Beta(3 + read, 1 + unread). So the number read of n is beta-binomial, which with little experience is wide: a door that
nobody knows yet may be a bad one. (Gelman and others, Bayesian Data Analysis, 3rd edition, section 2.4 and 5.3.)
"""

from math import exp, lgamma, log
from typing import Final

PRIOR_READ: Final = 3.0
PRIOR_UNREAD: Final = 1.0
DOUBT: Final = 0.01
"""What happens to fewer loads than this share is not believed to have happened."""


def doubtful(seen: int, cases: int, read: int, unread: int) -> bool:
    """Whether a whole load of `cases` would show so few of them, at a door that `read` so many and did not the
    others."""
    return seen < cases and tail(seen, cases, PRIOR_READ + read, PRIOR_UNREAD + unread) < DOUBT


def tail(k: int, n: int, a: float, b: float) -> float:
    """P(X <= k) of the beta-binomial distribution of n trials, 0 <= k <= n, with a, b > 0."""
    log_p = _log_beta(a, n + b) - _log_beta(a, b)
    greatest, total = log_p, 1.0
    for i in range(k):
        log_p += log((n - i) * (i + a)) - log((i + 1) * (n - i - 1 + b))
        if log_p > greatest:
            greatest, total = log_p, total * exp(greatest - log_p) + 1
        else:
            total += exp(log_p - greatest)
    return min(1.0, exp(greatest + log(total)))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
