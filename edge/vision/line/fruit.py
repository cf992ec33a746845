"""One fruit that went by, from the eye until it is told.

waiting --frames until the eye are in, or last call--> judged --good, in time--> asked --written--> let pass
                                                          |                        |                  |   |
                                                          '-- anything else --.    | late,    cleared |   | past
                                                                              |    | refused          |   | the gate
                                                                              v    v                  v   v
                                                                           pushed missed           missed passed
"""

from typing import Final, Literal

from edge.vision.line.eye import Broken
from edge.vision.line.gate import Times
from edge.vision.line.judging import Judged
from edge.vision.line.path import Path

PATIENCE_US: Final = 2_000_000
"""So long after its deadline a fruit may wait for frames that are late, to be told as what it is."""

AtGate = Literal["passed", "pushed", "missed"]


class Fruit:
    """What is known of it so far."""

    def __init__(self, number: int, broken: Broken, times: Times) -> None:
        self.number, self.broken, self.times = number, broken, times
        self.called = False
        """The last call has been."""
        self.forgotten = False
        """The PLC counts anew, and its coil is another's: whatever it is, it is not let pass any more."""
        self.path: Path | None = None
        """The frames of it, once it is judged, if any saw it."""
        self.judged: Judged | None = None
        self.picture = False
        """One was asked for."""
        self.written_us: int | None = None
        """When the gate was told to let it pass."""
        self.gate: AtGate | None = None
        """What became of it there: with this it has ended."""
        self.decided_us = 0

    @property
    def asked(self) -> bool:
        """It is good, the gate has been asked to let it pass, and it is not known whether it has."""
        return self.judged is not None and self.gate is None

    @property
    def alarm_us(self) -> int | None:
        """When it has to be looked at again, whatever is told."""
        if self.gate:
            return None
        if self.asked:
            return self.times.gone_us + 1 if self.written_us is None else self.times.past_us
        return self.times.deadline_us + PATIENCE_US if self.called else self.times.last_call_us

    def end(self, gate: AtGate, decided_us: int) -> None:
        """This became of it."""
        self.gate, self.decided_us = gate, decided_us
