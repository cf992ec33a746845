"""Which picture is sent next: each at once, and again when nobody says that it was kept. Pure.

    arrived --> fresh --sent--> unanswered --in time: kept--> gone
                                  ^    '----too late--> due --sent--.
                                  '---------------------------------'

Whatever waits, each step takes no longer than the logarithm of it: it runs where coils are ordered.
"""

import heapq
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

WINDOW: Final = 4
"""Pictures that may be unanswered at once."""
LONGEST_WAIT_S: Final = 60.0


class _Try(NamedTuple):
    times: int
    again_s: float


class Resending:
    """What waits, what was sent of it, how often, and when."""

    def __init__(self, answer_s: float, waiting: Iterable[str] = ()) -> None:
        """`answer_s`: how long the first answer is waited for; each further one twice as long, up to a minute.
        `waiting`: what is there already, the oldest first."""
        self._answer_s = answer_s
        self._fresh = OrderedDict.fromkeys(waiting)
        self._tries: dict[str, _Try] = {}
        self._unanswered: list[tuple[float, str]] = []
        """When each is due again, the first first; those that are gone meanwhile stay in until then."""
        self._due: OrderedDict[str, None] = OrderedDict()

    def arrived(self, picture: str) -> None:
        """There is one more; one that was there already has changed, and is sent anew."""
        self.gone((picture,))
        self._fresh[picture] = None

    def gone(self, pictures: Iterable[str]) -> None:
        """These need not be sent any more: they are kept, or there is no such picture."""
        for picture in pictures:
            self._fresh.pop(picture, None)
            self._due.pop(picture, None)
            self._tries.pop(picture, None)

    def is_wanted(self, picture: str) -> bool:
        """It is still to be sent."""
        return picture in self._fresh or picture in self._due

    def choose(self, now_s: float) -> str | None:
        """The next one, those first that were never sent; None: there is nothing to send now."""
        self._settle(now_s)
        if len(self._tries) - len(self._due) >= WINDOW:
            return None
        return next(iter(self._fresh), None) or next(iter(self._due), None)

    def sent(self, picture: str, now_s: float) -> None:
        """It is with the broker."""
        before = self._tries.get(picture)
        times = before.times + 1 if before else 1
        again_s = now_s + min(self._answer_s * 2.0 ** min(times - 1, 16), LONGEST_WAIT_S)
        self._fresh.pop(picture, None)
        self._due.pop(picture, None)
        self._tries[picture] = _Try(times, again_s)
        heapq.heappush(self._unanswered, (again_s, picture))

    def reconnected(self) -> None:
        """What was sent last may never have arrived: it is sent first, and tried anew."""
        lately = [picture for again_s, picture in sorted(self._unanswered) if self._waits(again_s, picture)]
        for picture in reversed(lately):
            self._tries.pop(picture, None)
            self._fresh[picture] = None
            self._fresh.move_to_end(picture, last=False)
        self._unanswered = []

    def wait_s(self, now_s: float) -> float | None:
        """Until `choose` has something to send, 0 if it has; None: it will have nothing before something new comes."""
        if self.choose(now_s) is not None:
            return 0.0
        return self._unanswered[0][0] - now_s if self._unanswered else None

    def _settle(self, now_s: float) -> None:
        """What was not answered in time is due; what is gone is forgotten."""
        while self._unanswered:
            again_s, picture = self._unanswered[0]
            waits = self._waits(again_s, picture)
            if waits and again_s > now_s:
                return
            heapq.heappop(self._unanswered)
            if waits:
                self._due[picture] = None

    def _waits(self, again_s: float, picture: str) -> bool:
        """For the answer to the try that is due again then; else it is gone, or was sent anew."""
        tried = self._tries.get(picture)
        return tried is not None and tried.again_s == again_s
