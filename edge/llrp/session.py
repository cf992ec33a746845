"""One connection to a reader, without I/O: messages in, bytes to send and reads out.

In every state a KEEPALIVE is acknowledged, a report is read and an event is heeded (`_EVENTS`, at the end of this
file). Everything else is an answer, and leads to reading (`arming`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final, Literal, NamedTuple

from contract.portals import Reader
from edge.errors import Unreachable, Why
from edge.llrp import settings
from edge.llrp.answers import below, check_greeting, each, number, refusal
from edge.llrp.antennas import Antennas
from edge.llrp.arming import Arming, State
from edge.llrp.body import Fields
from edge.llrp.clock import ReaderClock
from edge.llrp.frames import Frame
from edge.llrp.read import Read
from edge.llrp.request import message
from edge.llrp.tagreads import TagReads

__all__ = ["Input", "Notice", "Outcome", "Session", "State"]


class Notice(NamedTuple):
    """Something that does not end the connection: a device event, or, as a `remark`, a line in the log."""

    kind: Literal["data_lost", "clock_stepped", "remark"]
    detail: str


class Input(NamedTuple):
    """The level of a GPI port from a moment on, by the agent's clock."""

    port: int
    high: bool
    at_us: int


class Outcome(NamedTuple):
    """What follows from one message."""

    send: bytes = b""
    reads: Sequence[Read] = ()
    notices: tuple[Notice, ...] = ()
    inputs: tuple[Input, ...] = ()


class Session:
    """One connection to one reader; `receive` raises `Blinded`, `Unreachable` or `BadFrame`."""

    def __init__(self, reader: Reader, *, gpi: bool = False, before: ReaderClock | None = None) -> None:
        """`gpi`: tell of the reader's inputs. `before`: the clock of the connection before this one."""
        self.kept_alive = False
        """A keepalive came while reading: the connection works."""
        self.counts: Counter[str] = Counter()
        self.clock = ReaderClock(before)
        self._gpi = gpi
        self._arming = Arming(reader, self.counts, gpi=gpi, again=before is not None)
        self._antennas = Antennas(reader.antennas)
        self._tags = TagReads(reader.name, self.clock, self.counts)

    @property
    def state(self) -> State:
        """How far the connection is."""
        return self._arming.state

    @property
    def asked(self) -> bool:
        """Whether an answer is owed to `check`."""
        return self._arming.asked

    def receive(self, frame: Frame, arrived_us: int) -> Outcome:
        """Act on one message that arrived now, by the agent's clock."""
        match frame.name:
            case "RO_ACCESS_REPORT":
                return self._report(frame, arrived_us)
            case "KEEPALIVE":
                self.kept_alive = self.state is State.READING
                return Outcome(message("KEEPALIVE_ACK", frame.id))
            case "READER_EVENT_NOTIFICATION":
                return self._event(below(frame.fields(), "ReaderEventNotificationData"), arrived_us)
            case "ERROR_MESSAGE":
                return self._complaint(refusal(frame.fields()))
            case name if self._arming.expects(name):
                return self._answer(frame.fields(), arrived_us)
        return Outcome()

    @property
    def tags_rejected(self) -> Counter[Why]:
        """Tags that were not read, or not to their end, in reports that were; by reason."""
        return self._tags.rejected

    def trouble(self, now_us: int) -> str:
        """Why the reads of a connection that was armed once cannot be relied on; empty if they can."""
        return self._arming.stopped or self._antennas.trouble(now_us)

    def check(self) -> bytes:
        """Ask whether the reader still reads; nothing if that makes no sense now."""
        return self._arming.check()

    def close(self) -> bytes:
        """CLOSE_CONNECTION."""
        return message("CLOSE_CONNECTION", self._arming.next_id())

    def _answer(self, answer: Fields, arrived_us: int) -> Outcome:
        if self.state is State.INSPECTING:
            self._antennas.listed(settings.antennas(answer), arrived_us)
        levels = settings.levels(answer) if self._gpi else {}
        inputs = tuple(Input(port, high, arrived_us) for port, high in levels.items())
        send = self._arming.answered(answer)
        return Outcome(send, notices=_remark(self._arming.remark), inputs=inputs)

    def _complaint(self, why: str) -> Outcome:
        self.counts["complaints"] += 1
        before = self.state
        return Outcome(self._arming.refused(why), notices=_remark(f"it complains while {before.name.lower()}: {why}"))

    # Events: a ReaderEventNotificationData (LLRP 1.0.1 section 13.2.6) has a time, and says what happened

    def _event(self, data: Fields, arrived_us: int) -> Outcome:
        at_us, notices = self._date(data, arrived_us)
        greeting = below(data, "ConnectionAttemptEvent")
        if self.state is State.GREETING and greeting:
            check_greeting(greeting, "close it there; waiting until it lets go")
            return Outcome(self._arming.greeted(), notices=notices)
        parts = [rule(self, one, at_us) for name, rule in _EVENTS.items() for one in each(data, name)]
        return Outcome(
            send=b"".join(part.send for part in parts),
            notices=(*notices, *chain.from_iterable(part.notices for part in parts)),
            inputs=tuple(chain.from_iterable(part.inputs for part in parts)),
        )

    def _date(self, data: Fields, arrived_us: int) -> tuple[int, tuple[Notice, ...]]:
        """When it happened, by the agent's clock, and whether the reader's clock stepped."""
        at_us, stepped_us, uptime = self._tags.date(data, arrived_us)
        restarted = uptime and self.state is State.GREETING
        return at_us, () if restarted else _stepped(stepped_us)

    def _closed(self, _: Fields, __: int) -> Outcome:
        raise Unreachable("the reader closed the connection")

    def _knocked(self, _: Fields, __: int) -> Outcome:
        self.counts["other_clients"] += 1
        return Outcome(notices=_remark("another client tried to connect"))

    def _overflowed(self, _: Fields, __: int) -> Outcome:
        self.counts["overflows"] += 1
        return Outcome(notices=(Notice("data_lost", "the reader's report buffer overflowed: reads are missing"),))

    def _filling(self, event: Fields, _: int) -> Outcome:
        self.counts["buffer_warnings"] += 1
        return Outcome(notices=_remark(f"report buffer {number(event, 'ReportBufferPercentageFull')} % full"))

    def _exception(self, event: Fields, _: int) -> Outcome:
        self.counts["exceptions"] += 1
        return Outcome(notices=_remark(f"the reader reports: {str(event.get('Message', ''))[:500]}"))

    def _rospec_moved(self, event: Fields, _: int) -> Outcome:
        """It may have ended long ago, and this was held back until now: ask what is so now."""
        ended = event.get("EventType") in ("End_Of_ROSpec", "Preemption_Of_ROSpec")
        return Outcome(self.check()) if ended and self._arming.runs(event.get("ROSpecID")) else Outcome()

    def _antenna_moved(self, event: Fields, at_us: int) -> Outcome:
        antenna = number(event, "AntennaID")
        if event.get("EventType") == "Antenna_Disconnected":
            self.counts["antennas_lost"] += self._antennas.lost(antenna, at_us)
        else:
            self._antennas.back(antenna, at_us)
        return Outcome()

    def _input_moved(self, event: Fields, at_us: int) -> Outcome:
        port = number(event, "GPIPortNumber")
        return Outcome(inputs=(Input(port, bool(event.get("GPIEvent")), at_us),) if self._gpi else ())

    # Reports

    def _report(self, frame: Frame, arrived_us: int) -> Outcome:
        reads, stepped_us = self._tags.report(frame, arrived_us)
        self._antennas.heard(reads)
        return Outcome(reads=reads, notices=_stepped(stepped_us))


def _stepped(step_us: int) -> tuple[Notice, ...]:
    if not step_us:
        return ()
    words = f"the reader's clock stepped by {step_us / 1e6:+.1f} s against ours: its times are mapped anew"
    return (Notice("clock_stepped", words),)


def _remark(words: str) -> tuple[Notice, ...]:
    return (Notice("remark", words),) if words else ()


_EVENTS: Final[dict[str, Callable[[Session, Fields, int], Outcome]]] = {
    "ConnectionCloseEvent": Session._closed,
    "ConnectionAttemptEvent": Session._knocked,
    "ReportBufferOverflowErrorEvent": Session._overflowed,
    "ReportBufferLevelWarningEvent": Session._filling,
    "ReaderExceptionEvent": Session._exception,
    "ROSpecEvent": Session._rospec_moved,
    "AntennaEvent": Session._antenna_moved,
    "GPIEvent": Session._input_moved,
}
"""What follows from an event; those that are not here (hopping, RF surveys, ends of AISpecs) mean nothing to us."""
