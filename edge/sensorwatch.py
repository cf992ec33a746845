"""Whether a sensor can be believed: what it reads is a reading, or the sign of a fault. Pure.

A fault is one of these; while it lasts nothing that the sensor says is a reading.

- Outside of what the quantity can be: the sensor is broken, or its wire is cut.
- A jump that air does not make. If three values in a row agree that it is so, the sensor was moved, and is believed.
- Stuck: no change at all for longer than so coarse a register stands still (`Register.stuck_after_minutes`). A
  humidity at the end of its scale may stand there: fog does.
"""

from contract.coldchain import implausible
from contract.events import Quantity
from contract.fieldbus import Register

CONFIRMED = 3
"""So many values in a row are believed after a jump."""
_JUMP: dict[Quantity, tuple[float, float]] = {"temperature_c": (10.0, 0.5), "humidity_pct": (40.0, 2.0)}
"""A change that is not yet too large, and how much larger it may be for each second since the last reading: a sensor
that is carried from a cold room into the sun changes by less."""
_SATURATED_PCT = 99.0


class SensorWatch:
    """Judges the values of one sensor, one after another."""

    def __init__(self, register: Register, quantity: Quantity) -> None:
        self._quantity = quantity
        self._stuck_s = _stuck_s(register)
        self._gap_s = 5 * max(register.every_s, 60.0)
        """After a longer silence nobody knows whether a value stood still."""
        self._looked: tuple[float, float] | None = None
        """The last value that could be, and when it was."""
        self._same_since_s = 0.0
        self._believed: tuple[float, float] | None = None
        self._agreeing = 0

    def judge(self, value: float, now_s: float) -> str | None:
        """Why this is no reading; None when it is one. `now_s` is of a clock that never steps."""
        fault = implausible(self._quantity, value)
        if fault is not None:
            self._agreeing = 0
            return fault
        fault = self._jumped(value, now_s)
        same_s = self._same_for(value, now_s)
        self._looked = (value, now_s)
        if fault is not None:
            return fault
        self._believed = (value, now_s)
        if 0 < self._stuck_s <= same_s and not (self._quantity == "humidity_pct" and value >= _SATURATED_PCT):
            return f"has read {value:g} for {same_s / 3600:.1f} h without any change"
        return None

    def _same_for(self, value: float, now_s: float) -> float:
        if self._looked is None or self._looked[0] != value or now_s - self._looked[1] > self._gap_s:
            self._same_since_s = now_s
        return now_s - self._same_since_s

    def _jumped(self, value: float, now_s: float) -> str | None:
        """Compared with the last reading; values that were no readings count when they agree with each other."""
        if self._believed is None or _near(self._quantity, self._believed, value, now_s):
            self._agreeing = 0
            return None
        agrees = self._agreeing and self._looked and _near(self._quantity, self._looked, value, now_s)
        self._agreeing = self._agreeing + 1 if agrees else 1
        if self._agreeing >= CONFIRMED:
            self._agreeing = 0
            return None
        before, at_s = self._believed
        return f"jumped from {before:g} to {value:g} in {now_s - at_s:.0f} s"


def _near(quantity: Quantity, before: tuple[float, float], value: float, now_s: float) -> bool:
    if quantity not in _JUMP:
        return True
    change, per_s = _JUMP[quantity]
    return abs(value - before[0]) <= change + per_s * (now_s - before[1])


def _stuck_s(register: Register) -> float:
    """Seconds; 0 for a sensor that may stand still, as a door does."""
    if register.meaning == "door_open":
        return 0.0
    if register.stuck_after_minutes is not None:
        return register.stuck_after_minutes * 60
    return min(24.0, max(2.0, round(60 * abs(register.scale), 3))) * 3600
