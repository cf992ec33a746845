"""Tags that were heard at a door a while ago without going through: parts of the place, until they are much louder.

A few reads of such a tag while a pallet goes by say nothing: it would have been heard anyway. So it is not swept along
with the pallet, and nobody waits for it. Much louder than it ever was at rest, it may have been taken up.
"""

from typing import Final

REMEMBERED_US: Final = 600_000_000
LOUDER_DB: Final = 6.0
MAX_RESIDENTS: Final = 10_000
"""Beyond it the one that was heard longest ago is forgotten."""


class Residents:
    """The last stray of each tag, and how loud it was at most."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[int, float]] = {}
        """(last read, loudest read), the newest note last."""

    def note(self, epc: str, last_us: int, peak_dbm: float) -> None:
        """A tag was here and went nowhere."""
        before_us, before_dbm = self._heard.pop(epc, (last_us, peak_dbm))
        self._heard[epc] = (max(last_us, before_us), max(peak_dbm, before_dbm))
        if len(self._heard) > MAX_RESIDENTS:
            del self._heard[next(iter(self._heard))]

    def forget(self, epc: str) -> None:
        """It went through."""
        self._heard.pop(epc, None)

    def rest_dbm(self, epc: str, at_us: int) -> float | None:
        """How loud a tag is at rest, if it was here not long before; above this it may be moving."""
        last_us, peak_dbm = self._heard.get(epc, (0, 0.0))
        if not last_us or at_us - last_us > REMEMBERED_US:
            return None
        return peak_dbm + LOUDER_DB
