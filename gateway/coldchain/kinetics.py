"""How fast goods age at a temperature, and the one temperature that would have aged them as much.

The mean kinetic temperature is Haynes's (J. Pharm. Sci. 60, 927, 1971) as ICH Q1A(R2) defines it and USP <1079.2>
computes it, with 83.144 kJ/mol unless told otherwise: then the activation energy over the gas constant is 10,000 K. It
says nothing of frozen goods (USP <1079.2>). Q10 is van 't Hoff's rule.
"""

import math
from collections.abc import Iterable
from typing import Final

from contract.coldchain import ShelfLife

ACTIVATION_KJ: Final = 83.144
"""kJ/mol, the default of USP <1079.2>."""
GAS_KJ: Final = 0.0083144
"""The gas constant in kJ/(mol K), as USP <1079.2> has it."""
FREEZING_K: Final = 273.15
ROOM_C: Final = 25.0
"""Where `speed` is 1. It cancels out of every mean."""


def speed(celsius: float, at_c: float = ROOM_C, activation_kj: float = ACTIVATION_KJ) -> float:
    """How many times as fast as at `at_c` a reaction runs (Arrhenius)."""
    return math.exp(activation_kj / GAS_KJ * (1 / (at_c + FREEZING_K) - 1 / (celsius + FREEZING_K)))


def temperature(speed: float) -> float:
    """The temperature in Celsius of a `speed` above 0: its inverse, for its defaults."""
    return 1 / (1 / (ROOM_C + FREEZING_K) - math.log(speed) * GAS_KJ / ACTIVATION_KJ) - FREEZING_K


def mean_kinetic(readings: Iterable[tuple[float, float]]) -> float | None:
    """The mean kinetic temperature in Celsius of (weight, Celsius); None when the weights are 0 together."""
    weight = total = 0.0
    for each, celsius in readings:
        weight += each
        total += each * speed(celsius)
    return temperature(total / weight) if weight else None


def ageing(life: ShelfLife, celsius: float) -> float:
    """How many times as fast as at its own temperature goods age: 1 at `life.at_c`, more where it is warmer."""
    if life.chilling_c is not None:
        celsius = max(celsius, life.chilling_c)
    if life.q10 is not None:
        return float(life.q10 ** ((celsius - life.at_c) / 10))
    assert life.activation_kj is not None
    return speed(celsius, life.at_c, life.activation_kj)
