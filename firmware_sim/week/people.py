"""What a person sees who goes there and looks, with the errors that people and handheld readers make."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

from firmware_sim.week.goods import Goods

FOUND: Final = 0.995
"""Share of readable tags that a sweep with a handheld reader finds."""
FOUND_DETUNED: Final = 0.6
OVERHEARD: Final = 0.05
"""Of the tags at a wall to the next zone, the share that a sweep there takes for its own."""
MISCOUNTED: Final = 0.005
"""Share of the lines that a person counts by one too many or too few."""
OVERLOOKED: Final = 0.01
"""Of cases that are looked for by name, those that stand there and are not found."""


class People:
    """The eyes and hands of the staff. They see what is there at the moment, and only where they are."""

    def __init__(self, goods: Goods, print_tag: Callable[[str], str], seed: int) -> None:
        """`print_tag` gives the EPC of a new tag for a SKU."""
        self._goods = goods
        self._print_tag = print_tag
        self._random = Random(f"people {seed}")

    def sweep(self, zone: str) -> list[str]:
        """The EPCs that a handheld reader finds, carried along every shelf of a zone."""
        random = self._random
        found = [
            epc
            for epc, case in self._goods.standing(zone).items()
            if random.random() < (FOUND_DETUNED if case.detuned else FOUND)
        ]
        walls = [case for case in self._goods.all() if case.leak is not None and case.leak[0] == zone]
        return found + [case.epc for case in walls if random.random() < OVERHEARD]

    def tally(self, zone: str) -> Counter[str]:
        """Units by SKU, as the labels on the cases say: what is inside."""
        counted = Counter(case.sku for case in self._goods.standing(zone).values())
        for sku in sorted(counted):
            if self._random.random() < MISCOUNTED:
                counted[sku] += self._random.choice((1, -1))
        return counted

    def recount(self, zone: str, sku: str) -> int:
        """Units of one SKU, counted once more."""
        wrong = self._random.choice((1, -1)) if self._random.random() < MISCOUNTED else 0
        return max(0, len(self._goods.of(zone, sku)) + wrong)

    def seek(self, epc: str, zone: str) -> bool:
        """Whether a case is found in a zone by its tag's printed number."""
        return epc in self._goods.standing(zone) and self._random.random() >= OVERLOOKED

    def labels(self, zone: str, sku: str) -> list[str]:
        """The printed numbers of the tags on the cases of a SKU, each read with a barcode scanner."""
        return [case.epc for case in self._goods.of(zone, sku) if self._random.random() >= OVERLOOKED]

    def inside(self, epc: str, zone: str) -> str | None:
        """What the label of a case says that is inside; None if it is not found."""
        case = self._goods.standing(zone).get(epc)
        return None if case is None or self._random.random() < OVERLOOKED else case.sku

    def relabel(self, epc: str, zone: str) -> str:
        """Tear the wrong tag off a case that was found, and put a right one on; its EPC."""
        case = self._goods.standing(zone)[epc]
        new = self._print_tag(case.sku)
        self._goods.relabel(case, new)
        return new
