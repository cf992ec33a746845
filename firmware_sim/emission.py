"""What a reader sends out at one antenna, as the radio needs to know it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class Emission(NamedTuple):
    """How one antenna is driven. The defaults are what the radio was fitted with."""

    attenuation_db: float = 0.0
    """Power below the highest."""
    deafness_db: float = 0.0
    """Sensitivity below the best."""
    session: int | None = None
    """Gen2 session, 0 to 3, in which a tag that was read stays silent as long as the session's flag lasts (single
    target). None where the reader asks for tags in both states in turn (dual target): then they answer every time."""
    selects: Callable[[str], bool] | None = None
    """Whether the tag that came with an EPC takes part; None for all."""


OnAir = Mapping[int, Emission]
"""The antennas that take turns just now, by port."""
