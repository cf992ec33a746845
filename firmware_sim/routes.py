"""The ways through the house: which docks receive, where stock is kept, and through which doors it gets there."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from firmware_sim.config import DoorConfig
from firmware_sim.movement import Direction


class Step(NamedTuple):
    """The next door on the way to the store."""

    door: str
    direction: Direction
    to: str


class Routes:
    """What a site's doors are for.

    A door whose outside is the world is a dock. Customers are served at the last dock, trucks at the others (at the
    same one where there is only one). The zone inside the last dock is the store. A dock without a way from its zone
    to the store serves customers itself. Without a dock the store lies inside the last door.
    """

    def __init__(self, doors: Sequence[DoorConfig]) -> None:
        self.doors = {door.name: door for door in doors}
        docks = [door for door in doors if door.outside is None]
        self.store: str | None = (docks or list(doors))[-1].inside if doors else None
        self.toward_store = _ways(self.store, doors)
        self.receiving = tuple(door.name for door in docks[:-1] or docks)
        cut_off = [
            door.name for door in docks[:-1] if door.inside != self.store and door.inside not in self.toward_store
        ]
        self.serving = frozenset([*cut_off, *(door.name for door in docks[-1:])])

    def beyond(self, door: str, direction: Direction) -> str | None:
        """The zone that a body reaches; None is outside."""
        return self.doors[door].inside if direction == "inbound" else self.doors[door].outside

    def before(self, door: str, direction: Direction) -> str | None:
        """The zone that a body comes from; None is outside."""
        return self.doors[door].outside if direction == "inbound" else self.doors[door].inside


def _ways(store: str | None, doors: Sequence[DoorConfig]) -> dict[str, Step]:
    """The next step to the store from every zone that has one, fewest doors first."""
    ways: dict[str, Step] = {}
    frontier = deque([] if store is None else [store])
    while frontier:
        zone = frontier.popleft()
        for door in doors:
            if door.outside is None or zone not in (door.inside, door.outside):
                continue
            direction: Direction = "inbound" if zone == door.inside else "outbound"
            origin = door.outside if direction == "inbound" else door.inside
            if origin != store and origin not in ways:
                ways[origin] = Step(door.name, direction, zone)
                frontier.append(origin)
    return ways
