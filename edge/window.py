"""What an agent sends next: the sending half of the delivery protocol (docs/delivery.md), without any I/O.

    sequence   1 . . . . . through . . . . . . . . next . . . . . made
                                   |-- flights --|      |- waits -|
               the gateway holds   under way, at        to be sent
                                   most `size` batches

Three things rewind `next` to `through + 1`: a gateway that asks for it, silence for longer than the timeout, and a new
connection. A batch sent twice costs only its bytes, because the gateway cuts off what it holds.

What an ack proves. An agent that was killed finds numbers acknowledged that it does not remember to have sent. So does
an agent whose outbox was restored from a copy; but there the gateway holds *other* events under these numbers, and to
believe the ack would lose the agent's own. The gateway tells the two apart, because it compares what it is sent twice.
Therefore only an answer to a batch is believed (a plea to resend may be the gateway's greeting, before it compared
anything), only as far as this window has sent, and as long as the gateway is ahead of that, batches go one at a time,
so that none can be taken before the one in front of it was compared.
"""

from collections import deque
from typing import Literal

from contract.wire import Ack

LONGEST_PATIENCE_S = 5.0

Verdict = Literal["foreign", "taken", "renumber"]
"""What an ack means: of another epoch; taken into account; or that the outbox has to begin a new epoch."""


class Window:
    """The batches of one epoch that are under way. Times are seconds of any clock that never runs backwards."""

    def __init__(self, epoch: str, acknowledged: int, size: int, ack_timeout_s: float) -> None:
        """`size`: batches that may be unacknowledged at once."""
        self.epoch = epoch
        self._size = size
        self._ack_timeout_s = ack_timeout_s
        self._through = acknowledged
        self._highest = acknowledged
        self.restart()

    @property
    def through(self) -> int:
        """Every sequence number up to this one is with the gateway."""
        return self._through

    def restart(self) -> None:
        """A new connection: what was under way may be lost."""
        self._patience_s = self._ack_timeout_s
        self._single = True
        self._resent: tuple[int, float] | None = None
        self._rewind(self._through)

    def wanted(self, made: int) -> int | None:
        """First sequence number of the batch to send now; None when there is none, or no room for one."""
        room = 1 if self._single else self._size
        return self._next if self._next <= made and len(self._flights) < room else None

    def sent(self, first: int, count: int, now_s: float) -> None:
        """A batch is about to be given to the broker. Say so before: it may arrive even if the broker says nothing."""
        if not self._flights:
            self._waiting_since_s = now_s
        self._next = first + count
        self._highest = max(self._highest, self._next - 1)
        self._flights.append(self._next - 1)

    def heard(self, ack: Ack, made: int, now_s: float) -> Verdict:
        """Take an ack into account. After `renumber`, the outbox acknowledges `through` and renumbers the rest."""
        if ack.epoch != self.epoch:
            return "foreign"
        if ack.renumber:
            return "renumber"
        self._patience_s = self._ack_timeout_s
        ahead = ack.through > self._highest
        if ack.resend:
            self._single |= ahead
            self._go_back(max(0, min(ack.through, self._through)), now_s)
        else:
            self._single = ahead
            self._advance(min(ack.through, self._highest), now_s)
        beyond = ack.through > made and (not ack.resend or self._through == made)
        return "renumber" if beyond else "taken"

    def deadline_s(self) -> float | None:
        """When `lapse` will have something to do; None while nothing is under way."""
        return self._waiting_since_s + self._patience_s if self._flights else None

    def lapse(self, now_s: float) -> bool:
        """Rewind when the gateway was silent for too long; then send one batch at a time, ever more patiently."""
        deadline_s = self.deadline_s()
        if deadline_s is None or now_s < deadline_s:
            return False
        self._patience_s = max(self._ack_timeout_s, min(2 * self._patience_s, LONGEST_PATIENCE_S))
        self._single = True
        self._rewind(self._through)
        return True

    def _advance(self, through: int, now_s: float) -> None:
        if through <= self._through:
            return
        self._through = through
        self._next = max(self._next, through + 1)
        self._waiting_since_s = now_s
        self._resent = None
        while self._flights and self._flights[0] <= through:
            self._flights.popleft()

    def _go_back(self, through: int, now_s: float) -> None:
        """Every batch behind a gap is answered with the same plea; until the timeout only the first plea rewinds."""
        if self._resent is not None and self._resent[0] == through and now_s < self._resent[1]:
            return
        self._resent = (through, now_s + self._ack_timeout_s)
        self._rewind(through)

    def _rewind(self, through: int) -> None:
        self._through = through
        self._next = through + 1
        self._waiting_since_s = 0.0
        self._flights: deque[int] = deque()
