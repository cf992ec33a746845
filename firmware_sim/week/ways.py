"""Which doors lie between two zones, and what each zone is for."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from firmware_sim.config import DoorConfig


class Leg(NamedTuple):
    """Through one door."""

    door: DoorConfig
    inbound: bool

    @property
    def target(self) -> str | None:
        """The zone behind it."""
        return self.door.inside if self.inbound else self.door.outside


class Ways:
    """The plan of a house. Docks are the doors to the world: goods come in by the first and go out by the last."""

    def __init__(self, zones: Sequence[str], doors: Sequence[DoorConfig]) -> None:
        docks = [door for door in doors if door.outside is None]
        self.inward, self.outward = docks[0], docks[-1]
        self.receiving, self.dispatch = self.inward.inside, self.outward.inside
        self.homes = [zone for zone in zones if zone not in (self.receiving, self.dispatch)] or [self.dispatch]
        """Zones where goods are kept."""
        self._gates = [door for door in doors if door.outside is not None]

    def between(self, origin: str, target: str) -> tuple[Leg, ...] | None:
        """The shortest way through watched doors; None if there is none."""
        found: dict[str, tuple[Leg, ...]] = {origin: ()}
        queue = deque([origin])
        while queue:
            here = queue.popleft()
            if here == target:
                return found[here]
            for gate in self._gates:
                for leg in (Leg(gate, inbound=True), Leg(gate, inbound=False)):
                    begins = gate.outside if leg.inbound else gate.inside
                    if begins == here and leg.target is not None and leg.target not in found:
                        found[leg.target] = (*found[here], leg)
                        queue.append(leg.target)
        return None
