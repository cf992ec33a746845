"""The lookout over one zone: when its readers looked, told by when they could not.

    readers       ---------lost======connected---------------------------
    agent         ---------------------------silent=====heard------------
    zone looks    #########         #########         ##################     hours that count
    spans                 [       ]          [        ]

A zone is dark while any of its readers is lost or blind, or an agent that runs one is silent, because then none of its
tags is told to have left (edge/portal/presence.py). Darkness of several causes is a union, so the order in which it is
told does not matter. What is not known to have been looked at counts as dark: the time before every reader was
connected once, and, beyond `MAX_SPANS`, the shortest look between two darknesses.
"""

from bisect import bisect_right, insort
from itertools import accumulate, pairwise
from typing import Final

from msgspec import Struct

MAX_SPANS: Final = 64
"""Darknesses that are kept apart: 1 KiB a zone."""
RETOLD: Final = 3
"""So many tags of a zone that are told to appear, though they never left: the agent has begun anew."""
RETOLD_US: Final = 600_000_000
"""Within this time of each other."""
BEGAN_US: Final = 3_600_000_000
"""At most so long before it told the first of them."""


class Lookout(Struct):
    """When one zone was looked at. Times are microseconds since 1970 (event time); written as JSON."""

    causes: dict[str, int] = {}
    """What is dark now, by name: a reader or an agent, and since when."""
    spans: list[tuple[int, int, int]] = []
    """Darknesses that are over: (from, until, all darkness before it), apart from each other, in order."""
    begun_us: int = 0
    """When an agent of it last forgot which tags it had told: one that was not told again since may be gone."""
    retold: int = 0
    retold_us: int = 0
    """Tags that were told twice lately, and when the first of them was."""

    @property
    def dark_since_us(self) -> int | None:
        """Since when it is dark; None while all look."""
        return min(self.causes.values(), default=None)

    def darken(self, cause: str, at_us: int) -> None:
        """A reader does not see any more, or an agent is not heard."""
        self.causes[cause] = min(at_us, self.causes.get(cause, at_us))

    def lighten(self, cause: str, at_us: int) -> None:
        """It does again. Nothing if it was not dark."""
        since_us = self.causes.pop(cause, None)
        if since_us is not None and at_us > since_us:
            self._add(since_us, at_us)

    def begin_anew(self, at_us: int) -> None:
        """An agent began anew then: of tags that it tells again, the silence until then means nothing."""
        self.begun_us = max(self.begun_us, at_us)
        self.retold = 0

    def tell_again(self, at_us: int) -> None:
        """A tag was told to appear that had never left. One is an oddity; several are an agent that began anew."""
        if not self.retold or at_us - self.retold_us > RETOLD_US:
            self.retold, self.retold_us = 0, at_us
        self.retold += 1
        if self.retold >= RETOLD:
            self.begin_anew(self.retold_us - BEGAN_US)

    def looked_s(self, from_us: int, until_us: int) -> float:
        """For how many seconds of this time everybody looked."""
        if self.causes:
            until_us = min(until_us, *self.causes.values())
        if until_us <= from_us:
            return 0.0
        return (until_us - from_us - self._dark_us(until_us) + self._dark_us(from_us)) / 1e6

    def _dark_us(self, until_us: int) -> int:
        """All darkness that is over, up to a moment."""
        before = bisect_right(self.spans, until_us, key=_since_us) - 1
        if before < 0:
            return 0
        since_us, end_us, earlier_us = self.spans[before]
        return earlier_us + min(end_us, until_us) - since_us

    def _add(self, since_us: int, until_us: int) -> None:
        """One more darkness: what it touches becomes one with it."""
        apart: list[tuple[int, int]] = []
        for begin_us, end_us, _ in self.spans:
            if end_us < since_us or begin_us > until_us:
                apart.append((begin_us, end_us))
            else:
                since_us, until_us = min(since_us, begin_us), max(until_us, end_us)
        insort(apart, (since_us, until_us))
        if len(apart) > MAX_SPANS:
            looks = [after[0] - before[1] for before, after in pairwise(apart)]
            shortest = looks.index(min(looks))
            apart[shortest : shortest + 2] = [(apart[shortest][0], apart[shortest + 1][1])]
        earlier_us = accumulate((end_us - begin_us for begin_us, end_us in apart), initial=0)
        self.spans = [(*span, dark_us) for span, dark_us in zip(apart, earlier_us, strict=False)]


def _since_us(span: tuple[int, int, int]) -> int:
    return span[0]
