"""One connection to a reader, without I/O: messages in, bytes to send and reads out.

A reader may still run what the last client, or we ourselves, left behind. So nothing it holds is trusted: it greets,
says what it can do, forgets every ROSpec (else ours may be refused as one too many), is configured (which some readers
refuse while an ROSpec runs), and only then gets our ROSpec. Reports are held until the very end, so that what a
reader buffered while we were away is sent when we are ready for it, and not before.

    state          we send on entering          the answer that leads on
    GREETING       -                            READER_EVENT_NOTIFICATION with a ConnectionAttemptEvent
    CAPABILITIES   GET_READER_CAPABILITIES      GET_READER_CAPABILITIES_RESPONSE
    CLEARING       DELETE_ROSPEC 0              DELETE_ROSPEC_RESPONSE
    CONFIGURING    SET_READER_CONFIG            SET_READER_CONFIG_RESPONSE
    ADDING         ADD_ROSPEC                   ADD_ROSPEC_RESPONSE
    ENABLING       ENABLE_ROSPEC                ENABLE_ROSPEC_RESPONSE
    STARTING       START_ROSPEC                 START_ROSPEC_RESPONSE
    READING        ENABLE_EVENTS_AND_REPORTS    -

In every state a KEEPALIVE is acknowledged, a report is read, and an ERROR_MESSAGE or a bad status before READING is
the end of the connection.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final, Literal, NamedTuple

from contract.site import LlrpReader
from edge.errors import BadFrame, Blinded, Unreachable
from edge.llrp import rospec
from edge.llrp.answers import Abilities, abilities, below, refusal
from edge.llrp.body import Fields, Value
from edge.llrp.clock import ReaderClock
from edge.llrp.frames import HEADER, Frame
from edge.llrp.read import Read
from edge.llrp.report import ReportDecoder, TagReport

MAX_ANSWER_BYTES: Final = 256 * 1024
"""Longest body of a message that is no report. Capabilities, the longest that readers send, take some 10 KB; reading
more, parameter by parameter, would hold up the agent's other devices."""
MAX_EPC_DIGITS: Final = 124
"""An EPC memory bank holds 496 bits at most (Gen2 section 6.3.2.1.2): anything longer is no tag's."""


class Notice(NamedTuple):
    """Something people should know that does not end the connection."""

    state: Literal["data_lost", "clock_stepped"]
    detail: str


class Outcome(NamedTuple):
    """What follows from one message."""

    send: bytes = b""
    reads: Sequence[Read] = ()
    notice: Notice | None = None


class State(IntEnum):
    """How far a connection is; the states follow each other in this order."""

    GREETING = 0
    CAPABILITIES = 1
    CLEARING = 2
    CONFIGURING = 3
    ADDING = 4
    ENABLING = 5
    STARTING = 6
    READING = 7


class Session:
    """One connection to one reader; `receive` raises `Blinded`, `Unreachable` or `BadFrame`."""

    def __init__(self, reader: LlrpReader) -> None:
        self.state = State.GREETING
        self.kept_alive = False
        """A keepalive came while reading: the connection works."""
        self.skipped = 0
        """Tag reports without an antenna, a signal strength or a possible EPC."""
        self._reader = reader
        self._antennas = frozenset(reader.inside) | frozenset(reader.outside)
        self._able = Abilities(0, (), holds_reports=False, warns=False)
        self._decoder = ReportDecoder()
        self._clock = ReaderClock()
        self._last_id = 0

    def receive(self, frame: Frame, arrived_us: int) -> Outcome:
        """Act on one message that arrived now, by the agent's clock."""
        if len(frame.body) > MAX_ANSWER_BYTES and frame.name != "RO_ACCESS_REPORT":
            raise BadFrame(frame.offset, f"{frame.name} with a body of {len(frame.body)} bytes")
        match frame.name:
            case "RO_ACCESS_REPORT":
                return self._report(frame, arrived_us)
            case "KEEPALIVE":
                self.kept_alive = self.state is State.READING
                return Outcome(send=rospec.bare("KEEPALIVE_ACK", frame.id))
            case "READER_EVENT_NOTIFICATION":
                return self._event(frame, arrived_us)
            case "ERROR_MESSAGE" if self.state is not State.READING:
                raise Blinded(f"the reader refuses while {self.state.name.lower()}: {refusal(frame.fields())}")
            case name if name == _ANSWERS.get(self.state):
                self._check(frame.fields())
                return self._advance()
        return Outcome()

    def close(self) -> bytes:
        """CLOSE_CONNECTION."""
        return rospec.bare("CLOSE_CONNECTION", self._next_id())

    def _next_id(self) -> int:
        self._last_id = self._last_id % 0xFFFFFFFF + 1
        return self._last_id

    def _advance(self) -> Outcome:
        self.state = State(self.state + 1)
        return Outcome(send=_REQUESTS[self.state](self, self._next_id()))

    def _check(self, answer: Fields) -> None:
        if why := refusal(answer):
            raise Blinded(f"the reader refuses while {self.state.name.lower()}: {why}")
        if self.state is State.CAPABILITIES:
            self._able = abilities(answer)
            missing = sorted(antenna for antenna in self._antennas if antenna > self._able.antennas)
            if missing:
                raise Blinded(f"the reader has {self._able.antennas} antennas: correct {missing} in the site file")
            if self._reader.transmit_power not in (0, *self._able.powers):
                raise Blinded(f"the reader's power table has no index {self._reader.transmit_power}")

    def _event(self, frame: Frame, arrived_us: int) -> Outcome:
        """A ReaderEventNotificationData (LLRP 1.0.1 section 13.2.6): a time, and what happened."""
        data = below(frame.fields(), "ReaderEventNotificationData")
        stepped_us = self._observe_event(data, arrived_us)
        if "ConnectionCloseEvent" in data:
            raise Unreachable("the reader closed the connection")
        if self.state is State.GREETING and "ConnectionAttemptEvent" in data:
            self._greet(below(data, "ConnectionAttemptEvent").get("Status"))
            return self._advance()
        if "ReportBufferOverflowErrorEvent" in data:
            return Outcome(notice=Notice("data_lost", "the reader's report buffer overflowed: reads are missing"))
        return Outcome(notice=_stepped(stepped_us))

    def _greet(self, status: Value | None) -> None:
        """Act on the status of a ConnectionAttemptEvent."""
        if status in ("Failed_A_Client_Initiated_Connection_Already_Exists",
                      "Failed_A_Reader_Initiated_Connection_Already_Exists"):  # fmt: skip
            raise Blinded("another client holds the reader: close it there; waiting until it lets go")
        if status != "Success":
            raise Blinded(f"the reader refuses the connection: {status}")

    def _observe_event(self, data: Fields, arrived_us: int) -> int:
        for name, uptime in (("UTCTimestamp", False), ("Uptime", True)):
            at_us = below(data, name).get("Microseconds")
            if isinstance(at_us, int):
                return self._clock.observe(at_us, arrived_us, uptime=uptime)
        return 0

    def _report(self, frame: Frame, arrived_us: int) -> Outcome:
        tags = self._decoder.decode(frame.body, frame.offset + HEADER.size)
        if not tags:
            return Outcome()
        newest = max(tags, key=_last_seen)
        stepped_us = 0
        if newest.last_seen_us is not None:
            stepped_us = self._clock.observe(newest.last_seen_us, arrived_us, uptime=newest.uptime)
        offset_us = self._clock.offset_us(uptime=newest.uptime)
        reads = []
        for tag in tags:
            if tag.antenna is None or tag.rssi_dbm is None or not 0 < len(tag.epc) <= MAX_EPC_DIGITS:
                self.skipped += 1
                continue
            own_us = offset_us if tag.uptime == newest.uptime else self._clock.offset_us(uptime=tag.uptime)
            at_us = _moment(tag, own_us, arrived_us)
            reads.append(Read(at_us, tag.epc, tag.antenna, tag.rssi_dbm, self._reader.name))
        return Outcome(reads=reads, notice=_stepped(stepped_us))

    def _delete_all(self, message_id: int) -> bytes:
        return rospec.on_rospec("DELETE_ROSPEC", message_id, 0)

    def _configure(self, message_id: int) -> bytes:
        able = self._able
        return rospec.set_config(message_id, self._reader.keepalive_s, hold=able.holds_reports, warn=able.warns)

    def _add(self, message_id: int) -> bytes:
        power = self._reader.transmit_power or (self._able.powers or (1,))[-1]
        return rospec.add_rospec(message_id, self._antennas, power)


_ANSWERS: Final[dict[State, str]] = {
    State.CAPABILITIES: "GET_READER_CAPABILITIES_RESPONSE",
    State.CLEARING: "DELETE_ROSPEC_RESPONSE",
    State.CONFIGURING: "SET_READER_CONFIG_RESPONSE",
    State.ADDING: "ADD_ROSPEC_RESPONSE",
    State.ENABLING: "ENABLE_ROSPEC_RESPONSE",
    State.STARTING: "START_ROSPEC_RESPONSE",
}
_REQUESTS: Final[dict[State, Callable[[Session, int], bytes]]] = {
    State.CAPABILITIES: lambda _, message_id: rospec.get_capabilities(message_id),
    State.CLEARING: Session._delete_all,
    State.CONFIGURING: Session._configure,
    State.ADDING: Session._add,
    State.ENABLING: lambda _, message_id: rospec.on_rospec("ENABLE_ROSPEC", message_id),
    State.STARTING: lambda _, message_id: rospec.on_rospec("START_ROSPEC", message_id),
    State.READING: lambda _, message_id: rospec.bare("ENABLE_EVENTS_AND_REPORTS", message_id),
}


def _last_seen(tag: TagReport) -> int:
    return -1 if tag.last_seen_us is None else tag.last_seen_us


def _moment(tag: TagReport, offset_us: int | None, arrived_us: int) -> int:
    """When a tag was read: the middle of the times that its report covers, or its arrival if it names none.

    Never after its arrival, whatever the reader says: a read of the future would keep its pass open until then.
    """
    last = tag.first_seen_us if tag.last_seen_us is None else tag.last_seen_us
    if last is None or offset_us is None:
        return arrived_us
    first = last if tag.first_seen_us is None else tag.first_seen_us
    return min(max(0, (first + last) // 2 + offset_us), arrived_us)


def _stepped(step_us: int) -> Notice | None:
    if not step_us:
        return None
    return Notice("clock_stepped", f"the reader's clock stepped by {step_us / 1e6:+.1f} s: its times are mapped anew")
