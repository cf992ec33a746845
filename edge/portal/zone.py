"""One zone: who listens to it, whether they do, and when to look at which of its tags."""

import heapq
from typing import Final

from contract.portals import ZoneReader

MISSED_KEEPALIVES: Final = 3
"""As in edge/llrp/link.py: a reader that is silent for so many is found to be frozen."""
LINK_SLACK_S: Final = 1.0


class Ear:
    """One reader, as far as its zones are concerned."""

    def __init__(self, reader: ZoneReader) -> None:
        self.reader = reader.name
        self.heard_us = 0
        """Of its newest read, of whatever tag: it was listening then."""
        self.frozen_us = round((MISSED_KEEPALIVES * reader.keepalive_s + LINK_SLACK_S) * 1e6)
        """After so long its link would have noticed that it says nothing."""


class Zone:
    """One zone, whatever its tags."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sighted_us = 0
        """Since when every reader sees."""
        self.tags = 0
        """How many are here."""
        self._ears: dict[str, Ear] = {}
        self._blind: set[str] = set()
        self._looks: list[tuple[int, str]] = []
        """Heap of (moment, epc)."""

    @property
    def blind(self) -> bool:
        """Whether a reader is blind now."""
        return bool(self._blind)

    def add(self, ear: Ear) -> None:
        """A reader has an antenna that looks at this zone."""
        self._ears[ear.reader] = ear

    def lose(self, reader: str) -> bool:
        """A reader, of this zone or not, is blind; True if the zone is by it."""
        if reader not in self._ears:
            return False
        self._blind.add(reader)
        return True

    def regain(self, reader: str, now_us: int) -> None:
        """A reader sees again."""
        if reader in self._blind:
            self._blind.discard(reader)
            self.sighted_us = max(self.sighted_us, now_us)

    def may_be_frozen(self, since_us: int, end_us: int, now_us: int) -> bool:
        """Whether a reader has said nothing since `end_us`, and its link would not yet have noticed.

        It is known to have listened at `since_us`.
        """
        return any(
            ear.heard_us < end_us and now_us < max(ear.heard_us, since_us) + ear.frozen_us
            for ear in self._ears.values()
        )

    def look_later(self, moment_us: int, epc: str) -> None:
        """A tag's turn comes then."""
        heapq.heappush(self._looks, (moment_us, epc))

    def next_look_us(self) -> int | None:
        """When the turn of the next tag is; None while nobody can tell anything."""
        return self._looks[0][0] if self._looks and not self._blind else None

    def look(self, now_us: int) -> tuple[int, str] | None:
        """A tag whose turn has come, and the moment that was meant for it."""
        if self._blind or not self._looks or self._looks[0][0] > now_us:
            return None
        return heapq.heappop(self._looks)
