"""What truly happened at the doors, for the judge."""

from collections import Counter

from msgspec import Struct

from firmware_sim.movement import Direction, Kind, Movement


class Pass(Struct, frozen=True):
    """One tag that went through a door."""

    epc: str
    door: str
    direction: Direction
    entered_us: int
    """Its body set out, 3 m before the plane of the door."""
    left_us: int
    """Its body was 3 m beyond."""
    movement: int
    kind: Kind


class TurnBack(Struct, frozen=True):
    """One tag that came near a door and went back on the same side: no pass."""

    epc: str
    door: str
    side: str
    """`inside` or `outside`."""
    entered_us: int
    left_us: int
    movement: int


class Record:
    """Passes and turn-backs in the order in which they ended."""

    def __init__(self) -> None:
        self.passes: list[Pass] = []
        self.turn_backs: list[TurnBack] = []
        self.bodies: Counter[tuple[str, Direction]] = Counter()
        """Bodies that went through, by door and direction."""

    def add(self, movement: Movement, entered_us: int, left_us: int) -> None:
        """A movement has ended."""
        door, direction = movement.door, movement.direction
        if movement.turns_back:
            side = "outside" if direction == "inbound" else "inside"
            self.turn_backs += [
                TurnBack(epc, door, side, entered_us, left_us, movement.number) for epc in movement.epcs
            ]
            return
        self.bodies[door, direction] += 1
        self.passes += [
            Pass(epc, door, direction, entered_us, left_us, movement.number, movement.kind) for epc in movement.epcs
        ]
