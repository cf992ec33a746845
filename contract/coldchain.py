"""The cold chain in the site file: what a zone may be like, what goods bear, and what no sensor can truly read.

The shelf-life model and the figures of `PRODUCE` have their sources in docs/coldchain.md.
"""

import math
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, model_validator

from contract.events import Quantity
from contract.sitepart import Part

Minutes = Annotated[float, Field(ge=0, le=1440)]

PHYSICAL: Final[dict[Quantity, tuple[float, float]]] = {
    "temperature_c": (-60.0, 125.0),
    "humidity_pct": (0.0, 100.0),
    "door_open": (0.0, 1.0),
}
"""Outside of it a sensor is broken or its wire is cut (which reads as one end of its scale)."""


class TemperatureLimits(Part):
    """The range a zone must stay in."""

    min_c: float
    max_c: float
    for_minutes: Minutes = 0.0
    """It may be outside for so long; what lasts longer is an excursion."""

    @model_validator(mode="after")
    def _ordered(self) -> "TemperatureLimits":
        if self.min_c > self.max_c:
            raise ValueError("min_c is above max_c")
        return self


class HumidityLimits(Part):
    """The range of relative humidity a zone must stay in."""

    min_pct: Annotated[float, Field(ge=0, le=100)] = 0.0
    max_pct: Annotated[float, Field(ge=0, le=100)] = 100.0
    for_minutes: Minutes = 0.0

    @model_validator(mode="after")
    def _ordered(self) -> "HumidityLimits":
        if self.min_pct > self.max_pct:
            raise ValueError("min_pct is above max_pct")
        return self


class ShelfLife(Part):
    """How long goods keep, and how much faster they age where it is warmer: by a Q10, or by an activation energy."""

    days: Annotated[float, Field(gt=0, le=3650)]
    """At `at_c`."""
    at_c: Annotated[float, Field(ge=-60, le=60)]
    q10: Annotated[float, Field(ge=1, le=10)] | None = None
    """So many times as fast for each 10 K."""
    activation_kj: Annotated[float, Field(gt=0, le=300)] | None = None
    """Activation energy of the reaction that ends the life, in kJ/mol (Arrhenius)."""
    chilling_c: Annotated[float, Field(ge=-60, le=60)] | None = None
    """Below it the goods are hurt by the cold: they do not keep longer there than at it."""

    @model_validator(mode="after")
    def _one_model(self) -> "ShelfLife":
        if (self.q10 is None) == (self.activation_kj is None):
            raise ValueError("say either q10 or activation_kj")
        return self


PRODUCE: Final = {
    "lemon": ShelfLife(days=90, at_c=13, q10=2.2, chilling_c=10),
    "tomato": ShelfLife(days=10, at_c=10, q10=2.3, chilling_c=7),
    "lettuce": ShelfLife(days=21, at_c=0, q10=2.5),
}
"""For sites that have no figures of their own: the cautious end of what is published."""


def _named(life: object) -> object:
    """The life of a produce that is named instead of described."""
    if not isinstance(life, str):
        return life
    if life not in PRODUCE:
        raise ValueError(f"no produce is called {life!r}: {', '.join(PRODUCE)}, or days, at_c and q10 of your own")
    return PRODUCE[life]


Keeps = Annotated[ShelfLife | None, BeforeValidator(_named)]
"""In the site file: the name of a produce, or figures."""


def implausible(what: Quantity, value: float) -> str | None:
    """Why a value cannot be true; None when it can."""
    low, high = PHYSICAL.get(what, (-math.inf, math.inf))
    return None if low <= value <= high else f"reads {value:g}, outside of {low:g} to {high:g}"
