"""Every case that there was in a week, and where it truly is."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct

How = Literal["opening", "door", "unwatched", "damaged", "stolen"]
"""By what a case came where it is. `unwatched`: a way without a reader."""


class Moved(NamedTuple):
    """A case went from a zone to another; None is outside."""

    at_us: int
    origin: str | None
    target: str | None
    how: How
    door: str | None = None
    way: str = ""
    """Of a door: inbound or outbound."""
    dark: bool = False
    """A reader of the door, or its agent, was away then."""


class Case(Struct, eq=False):
    """One case. `sku` is what is inside; the tag may say something else."""

    epc: str
    sku: str
    says: str
    """SKU of the tag."""
    lean: tuple[float, float]
    """See `waves.Sticker`."""
    detuned: bool = False
    """On metal or behind liquid: hardly ever read."""
    zone: str | None = None
    moves: list[Moved] = []
    heard: float = 0.0
    """Chance in a round of the reader above it, where it stands."""
    leak: tuple[str, float] | None = None
    """A zone on the other side of a wall whose reader hears it, too, and the chance in a round."""
    near: str | None = None
    """A door beside which it stands: its tag is heard there."""

    @property
    def mistagged(self) -> bool:
        """The tag says another SKU than what is inside."""
        return self.says != self.sku


class Goods:
    """All cases. A case that moves is in no zone until it has arrived."""

    def __init__(self) -> None:
        self.known: dict[str, Case] = {}
        """By EPC, whatever became of them; a case that was tagged anew stands under both."""
        self._standing: dict[str, dict[str, Case]] = {}
        self.sold: list[Case] = []
        """Left the house by a dock, oldest first."""

    def standing(self, zone: str) -> Mapping[str, Case]:
        """The cases in a zone, by EPC, in the order in which they came."""
        return self._standing.setdefault(zone, {})

    def of(self, zone: str, sku: str) -> list[Case]:
        """The cases of a SKU (as a person reads the label) in a zone, oldest first."""
        return [case for case in self.standing(zone).values() if case.sku == sku]

    def lift(self, cases: list[Case]) -> None:
        """They are on their way: nobody else can take them."""
        for case in cases:
            if case.zone is not None:
                del self._standing[case.zone][case.epc]

    def put(self, case: Case, move: Moved) -> None:
        """A lifted case arrives."""
        self.known[case.epc] = case
        case.zone = move.target
        case.moves = [*case.moves, move]
        if move.target is not None:
            self._standing.setdefault(move.target, {})[case.epc] = case
        elif move.how == "door":
            self.sold.append(case)

    def relabel(self, case: Case, epc: str) -> None:
        """A person puts a new, right tag on a case that stands in a zone."""
        assert case.zone is not None
        del self._standing[case.zone][case.epc]
        case.epc, case.says = epc, case.sku
        self.known[epc] = case
        self._standing[case.zone][epc] = case

    def stock(self) -> Counter[tuple[str, str]]:
        """Units by SKU and zone, of what is inside the cases."""
        return Counter((case.sku, zone) for zone, cases in self._standing.items() for case in cases.values())

    def all(self) -> Iterator[Case]:
        """Every case that is in the house."""
        for cases in self._standing.values():
            yield from cases.values()
