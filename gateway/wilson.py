"""Wilson's score interval of a share: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
Inference", Journal of the American Statistical Association 22 (1927), 209-212."""

from math import sqrt
from typing import Final

Z_95: Final = 1.959963984540054
"""97.5 % quantile of the normal distribution: two such tails leave 95 %."""


def interval(hits: int, of: int) -> tuple[float, float]:
    """Low and high end of the 95 % confidence interval of the share that gave `hits` among `of` (at least one).

         p + z²/2n ± z √( p(1-p)/n + z²/4n² )
    =    ------------------------------------      p = hits / n, n = of
                    1 + z²/n
    """
    share, z2 = hits / of, Z_95**2
    middle = share + z2 / (2 * of)
    spread = Z_95 * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    scale = 1 + z2 / of
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
