"""Which picture is sent next: each at once, and again when nobody says that it was kept. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

WINDOW: Final = 4
"""Pictures that may be unanswered at once."""
LONGEST_WAIT_S: Final = 60.0


class _Try(NamedTuple):
    times: int
    last_s: float


class Resending:
    """What was sent, how often, and when."""

    def __init__(self, answer_s: float) -> None:
        """`answer_s`: how long the first answer is waited for; each further one twice as long, up to a minute."""
        self._answer_s = answer_s
        self._tries: dict[str, _Try] = {}
        self._kept: set[str] = set()

    def choose(self, waiting: Sequence[str], now_s: float) -> str | None:
        """The next one of those that wait (the oldest first); None: there is nothing to send now."""
        there = set(waiting)
        self._kept &= there
        self._tries = {one: tried for one, tried in self._tries.items() if one in there}
        unanswered = sum(now_s < self._again_s(tried) for tried in self._tries.values())
        if unanswered >= WINDOW:
            return None
        fresh = next((one for one in waiting if one not in self._tries and one not in self._kept), None)
        if fresh is not None:
            return fresh
        due = [(self._again_s(tried), one) for one, tried in self._tries.items() if self._again_s(tried) <= now_s]
        return min(due)[1] if due else None

    def sent(self, picture: str, now_s: float) -> None:
        """It is with the broker."""
        before = self._tries.get(picture)
        self._tries[picture] = _Try(before.times + 1 if before else 1, now_s)

    def kept(self, pictures: Iterable[str]) -> None:
        """The gateway has these."""
        for picture in pictures:
            self._tries.pop(picture, None)
            self._kept.add(picture)

    def reconnected(self) -> None:
        """Whatever was sent over the connection before may never have arrived: all is due now, and tried anew."""
        self._tries = {}

    def wait_s(self, now_s: float) -> float | None:
        """Until `choose` has something to send again; None: it will have nothing before something new comes."""
        waits = (self._again_s(tried) - now_s for tried in self._tries.values())
        return min((wait for wait in waits if wait > 0), default=None)

    def _again_s(self, tried: _Try) -> float:
        return tried.last_s + min(self._answer_s * 2.0 ** min(tried.times - 1, 16), LONGEST_WAIT_S)
