"""The reject gate of a line, as its PLC runs it: pushes off every fruit that it was not told to let pass.

belt --> eye: count + 1 .......... travel .......... gate: coil of the count true? pass, and clear it : push off
                |                                     ^
                +--> register --> agent --> coil -----+

The n-th fruit, by the register's 16 bits, has the coil `pass_coils` + n mod `places`. The gate is brought up to date
whenever its PLC is asked (`Plc.attend`): the coil counts as it stood when the fruit was there, however late we look.
"""

from collections.abc import Callable
from typing import NamedTuple

from firmware_sim.belt import PULSES, Belt, Piece
from firmware_sim.plc import Plc
from firmware_sim.wentby import TrueFruit, WentBy


class GateWiring(NamedTuple):
    """Addresses in the tables of the PLC."""

    eye_count: int
    encoder: int | None
    pass_coils: int
    places: int


class Gate:
    """The gate of one belt. `first_count` is what its counter shows before the first fruit."""

    def __init__(
        self, belt: Belt, plc: Plc, wiring: GateWiring, clock_us: Callable[[], int], *, first_count: int = 0
    ) -> None:
        self.went = WentBy()
        self._belt = belt
        self._plc = plc
        self._wiring = wiring
        self._clock_us = clock_us
        self._first_count = first_count
        self._counted = 0
        plc.attend(self.catch_up)
        belt.attend(self.catch_up)
        self.catch_up()

    def catch_up(self) -> int:
        """Count every fruit that has broken the eye by now, and deal with every one that has come to the gate; how
        many those were, ever."""
        now_us, belt, wiring = self._clock_us(), self._belt, self._wiring
        while (piece := belt.piece(self._counted + 1)) and piece.eye_us <= now_us:
            self._counted += 1
        self._plc.set_count(wiring.eye_count, self._first_count + self._counted)
        if wiring.encoder is not None:
            self._plc.set_count(wiring.encoder, int(belt.travelled(now_us) * PULSES))
        while (piece := belt.piece(self.went.count + 1)) and piece.gate_us <= now_us:
            self.went.add(self._dealt(piece))
        return self.went.count

    def _dealt(self, piece: Piece) -> TrueFruit:
        count = (self._first_count + piece.number) & 0xFFFF
        coil = self._wiring.pass_coils + count % self._wiring.places
        passed = self._plc.coil(coil)
        self._plc.clear_coil(coil)
        return true_fruit(piece, count, passed)


class OpenEnd:
    """The end of a line without a gate: fruit that has broken the eye is over."""

    def __init__(self, belt: Belt, clock_us: Callable[[], int]) -> None:
        self.went = WentBy()
        self._belt = belt
        self._clock_us = clock_us
        belt.attend(self.catch_up)

    def catch_up(self) -> int:
        """Take note of every fruit that has broken the eye by now; how many those were, ever."""
        now_us = self._clock_us()
        while (piece := self._belt.piece(self.went.count + 1)) and piece.eye_us <= now_us:
            self.went.add(true_fruit(piece, None, None))
        return self.went.count


def true_fruit(piece: Piece, count: int | None, passed: bool | None) -> TrueFruit:
    """What is true of a piece that has gone by."""
    times = {"entered_us": piece.entered_us, "eye_us": piece.eye_us, "gate_us": piece.gate_us}
    return TrueFruit(number=piece.number, lot=piece.lot, defective=piece.defective, **times, count=count, passed=passed)
