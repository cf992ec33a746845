"""The pair of photo-eyes of a door: who crossed it, and which way.

    outside  ---(outer beam)---|---(inner beam)---  inside

A crossing lasts from the first beam that breaks until both are clear and stay so for a moment: a small thing clears
the first beam before it breaks the second. Who breaks the outer beam first and clears the inner one last went in; who
breaks and clears the same beam first and last turned back.
"""

from collections import deque
from typing import Final, Literal, NamedTuple

from contract.events import Direction

Beam = Literal["outer", "inner"]

PAUSE_US: Final = 800_000
"""Both beams clear for longer than this: the next break is another crossing."""
MAX_CROSSINGS: Final = 64
"""Older crossings are forgotten: the tags that made them are decided long since."""
WATCHING_US: Final = 600_000_000
"""Beams that changed within so long work; beams that did not may be out of order."""
SLACK_US: Final = 500_000
"""Reads may begin a little after a crossing, or end a little before it."""


class Crossing(NamedTuple):
    """Something went through the beams, or tried to."""

    began_us: int
    ended_us: int
    direction: Direction
    """`unknown`: only one beam, or it turned back."""

    @property
    def middle_us(self) -> int:
        return (self.began_us + self.ended_us) // 2


class Beams:
    """Turns the edges of two beams into crossings."""

    def __init__(self) -> None:
        self._crossings: deque[Crossing] = deque(maxlen=MAX_CROSSINGS)
        self._broken: set[Beam] = set()
        self._edges: list[tuple[int, Beam]] = []
        """First break of each beam, in order, of the crossing that goes on."""
        self._cleared: tuple[int, Beam] | None = None
        """The beam that became clear last, if both are clear."""
        self._changed_us: int | None = None

    def change(self, at_us: int, beam: Beam, broken: bool) -> None:
        """A beam broke or became clear; what it was already is ignored."""
        if broken == (beam in self._broken):
            return
        self._changed_us = at_us
        if broken:
            if self._cleared and at_us - self._cleared[0] > PAUSE_US:
                self._close()
            self._cleared = None
            self._broken.add(beam)
            if beam not in (known for _, known in self._edges):
                self._edges.append((at_us, beam))
        else:
            self._broken.discard(beam)
            if not self._broken:
                self._cleared = (at_us, beam)

    def lose(self) -> None:
        """Nobody tells what they see: a crossing that was going on is lost, and they count again when one changes."""
        self._close()
        self._broken.clear()
        self._edges.clear()
        self._cleared = self._changed_us = None

    @property
    def broken(self) -> bool:
        """Whether something stands in a beam."""
        return bool(self._broken)

    def watching(self, now_us: int) -> bool:
        """Whether the beams are known to have worked not long ago."""
        return self._changed_us is not None and now_us - self._changed_us <= WATCHING_US

    def witness(self, first_us: int, last_us: int, about_us: int) -> Crossing | None:
        """The crossing nearest to `about_us` among those that overlap the time from first to last read."""
        crossings = [*self._crossings]
        if self._edges and self._cleared:
            crossings.append(self._crossing(self._cleared))
        near = [
            crossing
            for crossing in crossings
            if crossing.began_us <= last_us + SLACK_US and crossing.ended_us >= first_us - SLACK_US
        ]
        return min(near, key=lambda crossing: abs(crossing.middle_us - about_us), default=None)

    def _close(self) -> None:
        if self._cleared and self._edges:
            self._crossings.append(self._crossing(self._cleared))
        self._edges.clear()

    def _crossing(self, cleared: tuple[int, Beam]) -> Crossing:
        (began_us, first), (ended_us, last) = self._edges[0], cleared
        both = len(self._edges) == 2
        direction: Direction = "unknown"
        if both and first != last:
            direction = "inbound" if first == "outer" else "outbound"
        return Crossing(began_us, ended_us, direction)
