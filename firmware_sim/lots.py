"""Which lot runs over a sorting line next, for whom, and how bad it is. Pure, by its seed."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from firmware_sim.world import World

BAD_SHARE = 0.35
"""Defective fruit in a lot that is far worse than the others."""


class Lot(NamedTuple):
    """What the crew pours on the belt."""

    name: str
    sku: str | None
    customer: str | None
    defective_share: float


class Lots:
    """The lots of one line: those of its SKU that stand in the house, the oldest first; then such as come from the
    field and are packed later."""

    def __init__(
        self,
        world: World,
        line: str,
        sku: str | None,
        customers: Sequence[str],
        *,
        defective_share: float,
        bad_lot_share: float,
        seed: int,
    ) -> None:
        self._world = world
        self._line = line
        self._sku = sku
        self._customers = (None, *customers)
        self._defective_share = defective_share
        self._bad_every = round(1 / bad_lot_share) if bad_lot_share > 0 else 0
        self._random = Random(f"lots {line} {seed}")
        self._run: list[str] = []
        self._bad_at = 1 % max(1, self._bad_every)

    def next(self) -> Lot:
        """The next one. Of every so many exactly one is bad; of the first ones it is the second."""
        number = len(self._run)
        place = number % max(1, self._bad_every)
        if number and place == 0 and self._bad_every:
            self._bad_at = self._random.randrange(self._bad_every)
        bad = self._bad_every > 0 and place == self._bad_at
        name = self._in_house() or f"{self._line}-{number + 1:04}"
        self._run.append(name)
        share = max(BAD_SHARE, self._defective_share) if bad else self._defective_share
        return Lot(name, self._sku, self._customers[number % len(self._customers)], share)

    def _in_house(self) -> str | None:
        lots = (case.lot for case in self._world.cases.values() if case.sku == self._sku and case.zone is not None)
        return next((lot for lot in lots if lot is not None and lot not in self._run), None)
