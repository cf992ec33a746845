"""The reject gate: which coil is whose, until when it may be written, and when it is free for the next fruit."""

from typing import Final, NamedTuple

from contract.sortingline import Gate as GateRules
from edge.vision.line.eye import Broken

_LAST_CALL_US: Final = 10_000
"""So long before its deadline a verdict is taken from what is known: a timer and the wire need their time, too."""


class CoilOrder(NamedTuple):
    """Write a coil, or leave it."""

    place: int
    """Counted from `pass_coils`."""
    value: bool
    until_us: int
    """It must not be written after this."""
    fruit: int
    """Number on the line, for the answer."""
    broken_us: int
    """When it broke the eye."""


class Times(NamedTuple):
    """When things must have happened for one fruit that broke the eye."""

    place: int
    last_call_us: int
    deadline_us: int
    """A verdict later than this is too late."""
    gone_us: int
    """It may be at the gate: what is not written by now does not count."""
    past_us: int
    """It is past the gate, on a belt that has not stopped."""
    free_us: int
    """Before this the coil is still that of the fruit `places` earlier."""


class Gate:
    """The places of one gate."""

    def __init__(self, rules: GateRules) -> None:
        self._rules = rules
        self._past_us: dict[int, int] = {}

    def times(self, broken: Broken) -> Times:
        """The times of a fruit; ask once for each, in the order in which they broke the eye.

        It may have broken the eye as early as the read before was asked: that is what its deadline counts from.
        """
        place, travel_us = broken.number % self._rules.places, round(self._rules.travel_s * 1e6)
        gone_us = broken.early_us + travel_us
        deadline_us = gone_us - round(self._rules.margin_s * 1e6)
        free_us = self._past_us.get(place, 0)
        past_us = self._past_us[place] = broken.late_us + travel_us
        return Times(place, deadline_us - _LAST_CALL_US, deadline_us, gone_us, past_us, free_us)
