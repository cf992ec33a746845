"""One body on its way through one door: a pallet on a truck, a trolley, a person."""

from typing import Literal

from msgspec import Struct

Direction = Literal["inbound", "outbound"]
Body = Literal["pallet", "trolley", "person"]
Kind = Literal["unload", "putaway", "sale", "carry_out", "carry_back", "turn_back", "empty_handed"]


class Movement(Struct, frozen=True, kw_only=True):
    """What goes through which door, and why."""

    number: int
    """Counts from 1 in the order in which the world's movements begin."""
    door: str
    kind: Kind
    body: Body
    direction: Direction
    """The way it sets out; a `turn_back` comes back on the side it came from."""
    to: str | None
    """Zone behind the door in that direction; None is outside."""
    cases: tuple[str, ...] = ()
    pallet: str | None = None

    @property
    def epcs(self) -> tuple[str, ...]:
        """Every tag on the body."""
        return self.cases if self.pallet is None else (*self.cases, self.pallet)

    @property
    def turns_back(self) -> bool:
        """True if it never gets through."""
        return self.kind == "turn_back"
