"""What goes wrong in a warehouse, and how often."""

from collections.abc import Sequence
from random import Random
from typing import Literal, NamedTuple

MishapKind = Literal["carry_out", "turn_back", "empty_handed", "unexpected_case", "missing_case", "door_left_open"]
_BAG: tuple[MishapKind, ...] = (
    "carry_out",
    "missing_case",
    "turn_back",
    "unexpected_case",
    "door_left_open",
    "carry_out",
    "empty_handed",
)


class Mishap(NamedTuple):
    """One mishap and the door at which it happens (for cases: at whatever door the next pallet comes)."""

    kind: MishapKind
    door: str


class Mishaps:
    """Draws mishaps from a shuffled bag, so that each kind comes round."""

    def __init__(self, doors: Sequence[str], every_s: float, seed: int) -> None:
        self._random = Random(f"mishaps {seed}")
        self._doors = tuple(doors)
        self._every_s = every_s
        self._bag: list[MishapKind] = []
        self._next_s = 0.0

    def open(self, now_s: float) -> None:
        """The first mishap comes after half the usual time."""
        self._next_s = now_s + 0.5 * self._every_s

    def due(self, now_s: float) -> Mishap | None:
        """The next mishap if its time has come. Ask until None."""
        if not self._doors or now_s < self._next_s:
            return None
        self._next_s += self._every_s * self._random.uniform(0.6, 1.4)
        if not self._bag:
            self._bag = self._random.sample(_BAG, len(_BAG))
        return Mishap(self._bag.pop(), self._random.choice(self._doors))
