"""One connection to a reader, without I/O: bytes and times in, bytes to send and what was said out.

A connection is dead when the reader says so, when nothing comes that is a whole message, when too much comes that is
none, or when much is said that leads nowhere. Time is an argument: seconds of any clock that never goes back, and for
what was read microseconds of the agent's wall clock.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from contract.portals import Reader
from edge.errors import BadFrame, Unreachable
from edge.llrp.clock import ReaderClock
from edge.llrp.frames import Frames
from edge.llrp.patience import Patience
from edge.llrp.session import Outcome, Session, State

MAX_NONSENSE: Final = 20
"""More unreadable messages than this at a time: the reader has lost its framing, or is none."""
NONSENSE_FADES_S: Final = 10.0
"""One of them is forgotten after so long."""
EARLY: Final = 0.1
"""Share of a keepalive's period by which the last of the missed ones is not waited for: all before it are missing."""
LATE_S: Final = 0.5
"""When `tick` comes so much later than it was due, it was we who were busy, or the machine that slept."""
GRACE_S: Final = 1.0
"""What the reader then gets to be heard, on top of the time that we were away."""


class Conversation:
    """What is heard on one connection, and what is to be said; raises `Blinded` or `Unreachable` when it is over."""

    def __init__(
        self,
        reader: Reader,
        now_s: float,
        patience: Patience = Patience(),  # noqa: B008  # frozen
        *,
        gpi: bool = False,
        before: ReaderClock | None = None,
    ) -> None:
        """`gpi`: tell of the reader's inputs. `before`: the clock of the same reader's last connection."""
        self.session = Session(reader, gpi=gpi, before=before)
        self._reader = reader
        self._patience = patience
        self._frames = Frames()
        self._heard_s = now_s
        self._arming_since_s: float | None = now_s
        self._asked_s: float | None = None
        self._check_at_s = now_s + patience.check_every_s
        self._nonsense = 0.0
        self._nonsense_s = now_s

    @property
    def counts(self) -> Counter[str]:
        """Figures of this connection; unreadable messages and tags by reason, as `bad_...` and `skipped_...`."""
        figures = Counter(self.session.counts)
        figures.update({f"bad_{why}": count for why, count in self._frames.rejected.items()})
        figures.update({f"skipped_{why}": count for why, count in self.session.tags_rejected.items()})
        return figures

    @property
    def due_s(self) -> float:
        """When `tick` is to be called if nothing is heard before."""
        due = [self._heard_s + self._silence_s, self._check_at_s]
        if self._arming_since_s is not None:
            due.append(self._arming_since_s + self._patience.arming_s)
        if self._asked_s is not None:
            due.append(self._asked_s + self._patience.owed_s)
        return min(due)

    def hear(self, data: bytes, now_s: float, arrived_us: int) -> Iterator[Outcome]:
        """What follows from each message that is now whole, in their order."""
        self._frames.feed(data)
        while True:
            try:
                frame = self._frames.take()
                if frame is None:
                    return
                outcome = self.session.receive(frame, arrived_us)
            except BadFrame as error:
                self._frames.reject(error)
                self._endure(error, now_s)
                continue
            self._heard_s = now_s
            self._note(now_s)
            if outcome.reads:
                self._check_at_s = now_s + self._patience.check_every_s  # who reads need not be asked
            yield outcome

    def tick(self, now_s: float) -> bytes:
        """Time has passed: something to send, or nothing."""
        late_s = now_s - self.due_s
        if late_s > LATE_S:
            self.excuse(late_s + GRACE_S)
            return b""
        if now_s >= self._heard_s + self._silence_s:
            words = f"the reader fell silent: nothing came for {self._silence_s:g} s that is a whole message"
            raise Unreachable(words)
        if self._arming_since_s is not None and now_s >= self._arming_since_s + self._patience.arming_s:
            raise Unreachable(f"the reader talks but could not be armed within {self._patience.arming_s:g} s")
        if self._asked_s is not None and now_s >= self._asked_s + self._patience.owed_s:
            raise Unreachable(f"the reader keeps alive but has answered nothing for {self._patience.owed_s:g} s")
        if now_s < self._check_at_s:
            return b""
        self._check_at_s = now_s + self._patience.check_every_s
        question = self.session.check()
        self._note(now_s)
        return question

    def excuse(self, seconds: float) -> None:
        """For so long we did not listen: that is not the reader's silence."""
        self._heard_s += seconds
        self._check_at_s += seconds
        if self._arming_since_s is not None:
            self._arming_since_s += seconds
        if self._asked_s is not None:
            self._asked_s += seconds

    @property
    def _silence_s(self) -> float:
        """A silence as long as this is the end."""
        if self.session.state is State.READING:
            return (self._patience.missed_keepalives - EARLY) * self._reader.keepalive_s
        return self._patience.answer_s

    def _note(self, now_s: float) -> None:
        """Since when we wait for what."""
        reading, asked = self.session.state is State.READING, self.session.asked
        self._arming_since_s = None if reading else now_s if self._arming_since_s is None else self._arming_since_s
        self._asked_s = None if not asked else now_s if self._asked_s is None else self._asked_s

    def _endure(self, error: BadFrame, now_s: float) -> None:
        faded = (now_s - self._nonsense_s) / NONSENSE_FADES_S
        self._nonsense, self._nonsense_s = max(0.0, self._nonsense - faded) + 1, now_s
        if self._nonsense > MAX_NONSENSE:
            raise Unreachable(f"what answers does not speak LLRP: {MAX_NONSENSE + 1} messages unreadable") from error
