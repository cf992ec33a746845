"""The belts as their cameras saw them last: one picture a line, in memory only."""

from typing import Final

OVERTAKEN_US: Final = 10_000_000
"""A picture that is older by less than this was overtaken on its way; by more, its agent's clock was set back."""


class Belts:
    """The newest picture of each line. Whoever puts pictures knows the lines, which bounds them."""

    def __init__(self) -> None:
        self._pictures: dict[str, tuple[int, bytes]] = {}

    def put(self, line: str, at_us: int, picture: bytes) -> bool:
        """Keep a JPEG unless it was overtaken by a newer one; says whether it is kept."""
        held = self._pictures.get(line)
        if held is not None and 0 < held[0] - at_us < OVERTAKEN_US:
            return False
        self._pictures[line] = (at_us, picture)
        return True

    def picture(self, line: str) -> bytes | None:
        """The JPEG; None if none has come."""
        found = self._pictures.get(line)
        return None if found is None else found[1]
