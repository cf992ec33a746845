"""Siblings: what the other cases of a container say of one.

Instead of the joint distribution of a whole pallet, which nobody could check, two chances couple its cases: of what
moves, `TOGETHER` moves with its container, and of the cases of a container that moved, `LEFT_BEHIND` stay. So

    here     siblings seen in its zone clearly after it was     1 / (1 - TOGETHER) times as likely to be there
    away     siblings placed elsewhere since it was seen        LEFT_BEHIND times
    stayed   it was just placed here, and siblings are seen
             since where they were before                       1 - TOGETHER times

They are one witness and not many, and may disagree: each factor counts with its share of them, n = here + away +
stayed + 1 being all and nobody. So one stray read of one case in forty moves the odds of the others by a twentieth.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from gateway.belief.bernoulli import SETTLE_S, Belief
from gateway.belief.trace import Place

TOGETHER: Final = 0.5
LEFT_BEHIND: Final = 0.1
SETTLE_US: Final = round(SETTLE_S * 1e6)


class Siblings:
    """The newest words of the items of one container: built once, asked for each of them."""

    def __init__(self, items: Iterable[tuple[Place, Belief]]) -> None:
        """`Belief` of each by itself."""
        self._seen_us: dict[str | None, list[int]] = defaultdict(list)
        self._placed_us: dict[str | None, list[int]] = defaultdict(list)
        for place, belief in items:
            self._seen_us[place.zone].append(belief.seen_us)
            self._placed_us[place.zone].append(place.placed_us)
        for moments in (*self._seen_us.values(), *self._placed_us.values()):
            moments.sort()

    def odds(self, place: Place, belief: Belief) -> float:
        """What they say of one of them, to multiply its odds with."""
        here_us, away_us = belief.seen_us + SETTLE_US, belief.seen_us
        mine = self._seen_us.get(place.zone, [])
        here = len(mine) - bisect_right(mine, here_us)
        away = stayed = 0
        for zone, moments in self._placed_us.items():
            if zone != place.zone:
                moved = len(moments) - bisect_left(moments, away_us)
                away += moved
                if belief.seen_us - place.placed_us <= SETTLE_US:
                    seen_us = self._seen_us[zone]
                    stayed += max(0, len(seen_us) - bisect_right(seen_us, here_us) - moved)
        return pooled(here, away, stayed)


def pooled(here: int, away: int, stayed: int) -> float:
    """The odds that so many siblings give."""
    of = here + away + stayed + 1
    return float((1 - TOGETHER) ** ((stayed - here) / of) * LEFT_BEHIND ** (away / of))
