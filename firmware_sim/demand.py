"""Customers: they ask for one case at a time, and wait a little for it."""

from collections import Counter, deque
from collections.abc import Sequence
from random import Random

TROLLEY_CASES = 6
BACKLOG_CASES = 24
"""Customers that wait at most; one who comes then is lost."""
PATIENCE = 4
"""A trolley sets out at the latest after this many sales' time, however few cases are on it."""


class Demand:
    """Cases that customers wait for. SKUs differ in popularity, by seed."""

    def __init__(self, skus: Sequence[str], every_s: float, seed: int) -> None:
        self._random = Random(f"demand {seed}")
        self._every_s = every_s
        self.popular = self._random.sample(list(skus), len(skus))
        """SKUs, the most wanted first."""
        self._weights = [1 / rank for rank in range(1, len(skus) + 1)]
        self._waiting: deque[str] = deque()
        self._waiting_since_s = 0.0
        self._next_s = 0.0
        self._batch = 2
        self.figures: Counter[str] = Counter(sold=0, lost_no_stock=0, lost_door_busy=0)

    def open(self, now_s: float) -> None:
        """The first customer is on the way."""
        self._next_s = now_s + self._gap_s()

    def advance(self, now_s: float) -> None:
        """Let everybody come who is due."""
        while self.popular and self._next_s <= now_s:
            self._next_s += self._gap_s()
            sku = self._random.choices(self.popular, self._weights)[0]
            if len(self._waiting) >= BACKLOG_CASES:
                self.figures["lost_door_busy"] += 1
                continue
            if not self._waiting:
                self._waiting_since_s = now_s
            self._waiting.append(sku)

    def take(self, now_s: float) -> list[str]:
        """The SKUs of one trolley; empty while it is too early to set out."""
        patience_s = PATIENCE * self._every_s
        if not self._waiting:
            return []
        if len(self._waiting) < self._batch and now_s - self._waiting_since_s < patience_s:
            return []
        self._batch = self._random.randint(2, 4)
        self._waiting_since_s = now_s
        return [self._waiting.popleft() for _ in range(min(TROLLEY_CASES, len(self._waiting)))]

    def _gap_s(self) -> float:
        return self._every_s * self._random.uniform(0.5, 1.5)
