"""What is kept to believe by: a few small numbers an item, and what a zone learned of all its silences.

A silence is the time from a `zone_left` on in which an item is seen nowhere. It ends when the item

    returns    is seen there again, or found: it never went, its tag was hidden or detuned
    is gone    is seen in another zone, and nothing had told that it went
    explained  a door or a person says where it went: the silence is none that belief had to judge

so the shares of the first two tell what the next silence means, and the lengths of the first how long to wait. All
lengths are those in which the zone was looked at (lookout.py).
"""

from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from gateway.belief.lookout import Lookout

FULL: Final = 100
MEMORY: Final = 16
"""Silences of one tag that are remembered; then older ones count half."""
ZONE_MEMORY: Final = 4096.0
"""The same of a zone, silences that returned and proofs of absence together."""
HOUR_S: Final = 3600.0

# What is believed of a zone before it has told anything; SILENCES and ARRIVALS say how much of its own outweighs it.
SILENCES: Final = 2.0
RETURNS: Final = 0.5
"""Share of unexplained silences that end with a return."""
RETURN_S: Final = HOUR_S
"""Mean length of those."""
ARRIVALS: Final = 4.0
COVER: Final = 0.5
"""Share of what comes to the zone by doors and hands that its readers then see."""
STAYS_H: Final = 10_000.0
"""Hours of items in which one goes unnoticed."""


class Trace(Struct, frozen=True, gc=False, omit_defaults=True):
    """What is known of one item beside the stamps of its row. Whole numbers and shared names, so that it costs little.

    `home`, `by` and the two times mirror what its zone's reader last told (edge/portal/presence.py): it tells once
    that a tag is there, and nothing more until it is not.
    """

    trust: int = FULL
    """How sure the sighting that placed it was, in percent."""
    home: str = ""
    """The zone whose reader told of it last."""
    by: str = ""
    """The agent of that reader."""
    told_us: int = 0
    """When it was told to be there."""
    left_us: int = 0
    """When it was told not to be seen there any more; 0 while it is."""
    lapses: int = 0
    """Silences of its own that ended with a return."""
    lapsed_s: int = 0
    """Looked-at seconds of these together."""
    searched_us: int = 0
    """When somebody last looked for it in vain; 0 never."""
    found_pct: int = 0
    """How often such a search finds an item that is there."""


UNTOUCHED: Final = Trace()


@lru_cache(maxsize=4096)
def shared(trace: Trace) -> Trace:
    """An equal trace that exists already: the cases of a pallet that was told in one event have one among them."""
    return trace


class Place(NamedTuple):
    """Where the books have one item. Times are microseconds of event time."""

    zone: str | None
    """None is outside the house."""
    placed_us: int
    """Of the sighting that put it there."""
    trace: Trace = UNTOUCHED
    door_us: int | None = None
    """Later it was at a door, and nobody knows whether it went through."""

    @property
    def silent(self) -> bool:
        """Its zone's reader told that it does not see it any more, and nothing else was heard of it since."""
        trace = self.trace
        return trace.left_us > 0 and trace.home == self.zone and self.placed_us <= trace.left_us


class Silences(Struct):
    """What one zone learned. Written as JSON."""

    returned: float = 0.0
    looked_s: float = 0.0
    """Looked-at length of those that returned, together."""
    open: int = 0
    """Silences that have not ended."""
    gone: float = 0.0
    """Proofs that an item had gone unnoticed."""
    came: float = 0.0
    """Arrivals by door or hand."""
    heard: float = 0.0
    """Of these, those that a reader then saw."""
    stayed_h: float = 0.0
    """Hours of items from one sighting to the next."""

    @property
    def return_share(self) -> float:
        """Of silences that nobody explains, those of items that are still there. Open ones count as not ended so."""
        ended = self.returned + self.gone + self.open
        return (self.returned + SILENCES * RETURNS) / (ended + SILENCES)

    @property
    def return_s(self) -> float:
        """Mean looked-at seconds until a hidden tag is seen again."""
        return (self.looked_s + SILENCES * RETURN_S) / (self.returned + SILENCES)

    @property
    def cover(self) -> float:
        """How likely the readers see at all what comes there otherwise."""
        return (self.heard + ARRIVALS * COVER) / (self.came + ARRIVALS)

    @property
    def hazard_h(self) -> float:
        """Unnoticed departures in an item's hour; a silence that has not ended is taken for one."""
        return (self.gone + self.open + 1) / (self.stayed_h + STAYS_H)

    def fade(self) -> None:
        """What is long ago counts half."""
        if self.returned + self.gone > ZONE_MEMORY:
            self.returned, self.looked_s = self.returned / 2, self.looked_s / 2
            self.gone, self.stayed_h = self.gone / 2, self.stayed_h / 2
        if self.came > ZONE_MEMORY:
            self.came, self.heard = self.came / 2, self.heard / 2


class Watched(Struct):
    """One zone that fixed readers look at: a row of the state, by the zone's name."""

    agents: list[str]
    """Those that run its readers. What others tell of it (a handheld) is a look, not a watch."""
    lookout: Lookout
    silences: Silences


def lapsed(trace: Trace, looked_s: float) -> Trace:
    """A silence of the tag ended with a return."""
    lapses, seconds = trace.lapses, trace.lapsed_s
    if lapses >= MEMORY:
        lapses, seconds = lapses // 2, seconds // 2
    return replace(trace, lapses=lapses + 1, lapsed_s=seconds + round(looked_s))
