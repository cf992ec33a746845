"""The reject gate of a line, as its PLC runs it: pushes off every fruit that it was not told to let pass.

belt --> eye: count + 1 .......... travel .......... gate: coil of the count true? pass, and clear it : push off
                |                                     ^
                +--> register --> agent --> coil -----+

The n-th fruit, by the register's 16 bits, has the coil `pass_coils` + n mod `places`. The gate is brought up to date
whenever its PLC is asked (`Plc.attend`): the coil counts as it stood when the fruit was there, however late we look.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from firmware_sim.belt import PULSES, Belt
from firmware_sim.plc import Plc

Outcome = Literal["true_pass", "true_reject", "false_reject", "miss"]
_OUTCOMES: Mapping[tuple[bool, bool], Outcome] = {
    (False, True): "true_pass",
    (True, False): "true_reject",
    (False, False): "false_reject",
    (True, True): "miss",
}


class GateWiring(NamedTuple):
    """Addresses in the tables of the PLC."""

    eye_count: int
    encoder: int | None
    pass_coils: int
    places: int


class Passage(Struct, frozen=True):
    """What became of one fruit at the gate."""

    fruit: int
    """Its number on the belt."""
    count: int
    """What the eye's register showed as it went by."""
    lot: str | None
    defective: bool
    passed: bool
    eye_us: int
    gate_us: int

    @property
    def outcome(self) -> Outcome:
        """Whether that was right."""
        return _OUTCOMES[self.defective, self.passed]


class Gate:
    """The gate of one belt. `first_count` is what its counter shows before the first fruit."""

    def __init__(
        self, belt: Belt, plc: Plc, wiring: GateWiring, clock_us: Callable[[], int], *, first_count: int = 0
    ) -> None:
        self.passages: list[Passage] = []
        self._belt = belt
        self._plc = plc
        self._wiring = wiring
        self._clock_us = clock_us
        self._first_count = first_count
        self._counted = 0
        plc.attend(self.catch_up)
        self.catch_up()

    def catch_up(self) -> None:
        """Count every fruit that has broken the eye by now, and deal with every one that has come to the gate."""
        now_us, pieces, wiring = self._clock_us(), self._belt.pieces, self._wiring
        while self._counted < len(pieces) and pieces[self._counted].eye_us <= now_us:
            self._counted += 1
        self._plc.set_count(wiring.eye_count, self._first_count + self._counted)
        if wiring.encoder is not None:
            self._plc.set_count(wiring.encoder, int(self._belt.travelled(now_us) * PULSES))
        while len(self.passages) < len(pieces) and pieces[len(self.passages)].gate_us <= now_us:
            self.passages.append(self._deal(len(self.passages)))

    def _deal(self, index: int) -> Passage:
        piece = self._belt.pieces[index]
        count = (self._first_count + index + 1) & 0xFFFF
        coil = self._wiring.pass_coils + count % self._wiring.places
        passed = self._plc.coil(coil)
        self._plc.clear_coil(coil)
        return Passage(piece.number, count, piece.lot, piece.defective, passed, piece.eye_us, piece.gate_us)


def confusion(passages: Sequence[Passage]) -> dict[str, int]:
    """How often each outcome came."""
    counts = Counter(passage.outcome for passage in passages)
    return {outcome: counts[outcome] for outcome in _OUTCOMES.values()}
