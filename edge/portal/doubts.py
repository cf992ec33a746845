"""Tags that a door let out of their zone, and that are heard there all the same: near the door still, or never gone."""

from typing import Final

NEAR_US: Final = 10_000_000
"""After its pass a tag is near the door: what is heard within this time contradicts nothing."""
CONTRADICTING_READS: Final = 8
"""So many later ones, as loud as before the pass, tell that the door was wrong."""


class _Doubt:
    __slots__ = ("after_us", "level_dbm", "reads", "sum_dbm")

    def __init__(self, after_us: int, level_dbm: float) -> None:
        self.after_us = after_us
        self.level_dbm = level_dbm
        self.begin_anew()

    def begin_anew(self) -> None:
        self.reads = 0
        self.sum_dbm = 0.0


class Doubts:
    """The tags that are not sure to be where they are heard. At most one doubt a tag."""

    def __init__(self, fainter_db: float) -> None:
        """A tag that is heard fainter than before by so much is behind the door."""
        self._fainter_db = fainter_db
        self._doubts: dict[str, _Doubt] = {}

    def __len__(self) -> int:
        return len(self._doubts)

    def __contains__(self, epc: str) -> bool:
        return epc in self._doubts

    def begin(self, epc: str, passed_us: int, level_dbm: float) -> None:
        """A door let out a tag that was heard with this level, a mean in decibels, until then."""
        self._doubts[epc] = _Doubt(passed_us + NEAR_US, level_dbm)

    def end(self, epc: str) -> None:
        """It is somewhere else, for sure, or gone."""
        self._doubts.pop(epc, None)

    def overcome(self, epc: str, at_us: int, rssi_dbm: float) -> bool:
        """One more read of a tag in its old zone; True, and no doubt any more, if it never left it."""
        doubt = self._doubts[epc]
        if at_us <= doubt.after_us:
            return False
        doubt.reads += 1
        doubt.sum_dbm += rssi_dbm
        if doubt.reads < CONTRADICTING_READS:
            return False
        if doubt.sum_dbm / doubt.reads < doubt.level_dbm - self._fainter_db:
            doubt.begin_anew()
            return False
        del self._doubts[epc]
        return True
