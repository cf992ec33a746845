"""How long to wait before the next try."""

import random


class Backoff:
    """Delays that double from `least_s` up to `most_s`, each drawn from its upper half so that a fleet spreads out."""

    def __init__(self, least_s: float, most_s: float, chance: random.Random) -> None:
        self._least_s = least_s
        self._most_s = most_s
        self._chance = chance
        self._ceiling_s = least_s

    def next_s(self) -> float:
        """Seconds to wait now."""
        ceiling_s = self._ceiling_s
        self._ceiling_s = min(2 * ceiling_s, self._most_s)
        return self._chance.uniform(ceiling_s / 2, ceiling_s)

    def reset(self) -> None:
        """It worked: begin again with the shortest delay."""
        self._ceiling_s = self._least_s
