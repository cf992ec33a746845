"""Which antenna of which reader stands on which side of a door."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from contract.portals import Door

Side = Literal["inside", "outside"]


class Sides(NamedTuple):
    """The antennas of one reader; what is in neither set is neutral."""

    inside: frozenset[int]
    outside: frozenset[int]

    def of(self, antenna: int) -> Side | None:
        """The side of an antenna, None if it stands on neither."""
        if antenna in self.inside:
            return "inside"
        return "outside" if antenna in self.outside else None


def sides_of(door: Door) -> Mapping[str, Sides]:
    """The sides of every reader of a door, by the reader's name."""
    return {reader.name: Sides(frozenset(reader.inside), frozenset(reader.outside)) for reader in door.readers}
