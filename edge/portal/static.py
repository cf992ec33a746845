"""Tags that belong to the place: fixed near a door, or stored where its antennas hear them.

They are learned anew after every start, within minutes. Until one is known it is a stray by shape like any other, so
nothing wrong is told meanwhile; being known only takes away the chances that are left to it of looking like a pass.
"""

from collections.abc import Iterable, Set
from typing import Final

from msgspec import Struct

LEARN_TIMES: Final = 5
"""So often a tag must have been found to stand here, with nothing else between."""
LEARN_S: Final = 120.0
"""Time that must lie between the first and the last of those: what waits for a moment at the door is not learned."""
FORGET_S: Final = 3600.0
"""A tag that is not heard for so long was taken away."""
MAX_NOTED: Final = 10_000
"""Tags that are kept in mind; beyond it the one that was heard longest ago is forgotten."""

STANDS: Final = frozenset({"standing", "flat", "weak", "static"})
"""Reasons for which a tag is taken to be a part of the place."""
MOVES: Final = frozenset({"passed", "turned_back"})
"""What only a tag does that is carried. Other reasons (too few reads, a tag of the door beside) say neither."""


class _Noted(Struct, gc=False):
    first_us: int
    last_us: int
    times: int = 0


class Static:
    """The static tags of one door. Reasons in, a set out; never reads a clock."""

    def __init__(self, fixed: Iterable[str] = ()) -> None:
        """`fixed` are known from the start and never forgotten (`static_tags` in the site file)."""
        self._fixed = frozenset(fixed)
        self._known: set[str] = set(self._fixed)
        self._noted: dict[str, _Noted] = {}
        """By the time of the last note, the oldest first."""

    @property
    def known(self) -> Set[str]:
        """The tags that are static now: a view, to be asked for membership."""
        return self._known

    def note(self, epc: str, reason: str, now_us: int) -> None:
        """The reads of a tag were a stray for a `reason`, or it `passed`. A static one is noted as `static`."""
        if reason in MOVES:
            self._forget(epc)
        elif reason in STANDS:
            self._stood(epc, now_us)
        self._drop_old(now_us)

    def _stood(self, epc: str, now_us: int) -> None:
        noted = self._noted.pop(epc, None)
        if noted is None:
            noted = _Noted(now_us, now_us)
        self._noted[epc] = noted
        noted.times += 1
        noted.last_us = max(noted.last_us, now_us)
        if noted.times >= LEARN_TIMES and noted.last_us - noted.first_us >= LEARN_S * 1e6:
            self._known.add(epc)

    def _drop_old(self, now_us: int) -> None:
        while self._noted:
            epc, noted = next(iter(self._noted.items()))
            if now_us - noted.last_us <= FORGET_S * 1e6 and len(self._noted) <= MAX_NOTED:
                return
            self._forget(epc)

    def _forget(self, epc: str) -> None:
        self._noted.pop(epc, None)
        if epc not in self._fixed:
            self._known.discard(epc)
