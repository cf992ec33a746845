"""The fruit of a line whose way is over: the latest of them one by one, all of them as figures. So a line may run for
days in the same memory; whoever wants every fruit asks often enough."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Literal, get_args

from msgspec import Struct

KEPT = 10_000
"""Fruit that can still be asked for: more than an hour of them at two a second."""
PAGE = 1000
"""Fruit in one answer, at most."""

Outcome = Literal["true_pass", "true_reject", "false_reject", "miss"]
_OUTCOMES: Mapping[tuple[bool, bool | None], Outcome] = {
    (False, True): "true_pass",
    (True, False): "true_reject",
    (False, False): "false_reject",
    (True, True): "miss",
}


class TrueFruit(Struct, frozen=True, kw_only=True):
    """One fruit whose way is over: it has been at the gate or, where there is none, at the photo-eye.

    Times are in microseconds since 1970-01-01 UTC, those at which its middle was there.
    """

    number: int
    """On its line, from 1."""
    lot: str | None
    defective: bool
    entered_us: int
    eye_us: int
    gate_us: int
    count: int | None
    """What the eye's register showed as it went by; None where there is no gate."""
    passed: bool | None
    """What the gate did; None where there is none."""

    @property
    def outcome(self) -> Outcome | None:
        """Whether that was right."""
        return _OUTCOMES.get((self.defective, self.passed))


class WentBy:
    """Those of one line."""

    def __init__(self, kept: int = KEPT) -> None:
        self.latest: deque[TrueFruit] = deque(maxlen=kept)
        self.defective = 0
        """How many were, ever."""
        self._outcomes: Counter[Outcome | None] = Counter()

    @property
    def count(self) -> int:
        """How many went by, ever; the number of the last one."""
        return self._outcomes.total()

    @property
    def outcomes(self) -> dict[str, int]:
        """How often the gate did right and wrong, ever."""
        return {outcome: self._outcomes[outcome] for outcome in get_args(Outcome)}

    def add(self, fruit: TrueFruit) -> None:
        """The next one; the oldest of those kept may go for it."""
        assert fruit.number == self.count + 1
        self.latest.append(fruit)
        self.defective += fruit.defective
        self._outcomes[fruit.outcome] += 1

    def page(self, after: int) -> Sequence[TrueFruit]:
        """The first of those with a number beyond `after`, in their order, as far as they are kept."""
        first = max(0, after + len(self.latest) - self.count)
        return list(islice(self.latest, first, first + PAGE))
