"""The reader's messages as bytes: their ids, the version of the connection, and how that is negotiated."""

from collections.abc import Callable

from firmware_sim.llrp.frames import Frame, encode, status
from firmware_sim.llrp.report import event
from firmware_sim.llrp.words import NEWEST_VERSION, VERSION, Message, Param, Status

_FIRST_ID = 1_000_000_000
"""Ids of the reader's own messages begin far from those of clients, some of which take any message with the id of
their request for its answer."""
_NEGOTIATION = (Message.GET_SUPPORTED_VERSION, Message.SET_PROTOCOL_VERSION)
_NEGOTIATION_ANSWERS = (Message.GET_SUPPORTED_VERSION_RESPONSE, Message.SET_PROTOCOL_VERSION_RESPONSE)


class Voice:
    """Says things to the client that is there. `transmit` takes a whole message and says whether somebody took it;
    `now` is the reader's own clock in microseconds; `versions` is the newest protocol version that it speaks."""

    def __init__(self, transmit: Callable[[bytes], bool], now: Callable[[], int], *, utc: bool, versions: int) -> None:
        self._transmit, self._now, self._utc, self._versions = transmit, now, utc, versions
        self._version, self._negotiated = VERSION, False
        self._last_id = _FIRST_ID

    def begin(self) -> None:
        """A new connection, with nothing negotiated."""
        self._version, self._negotiated = VERSION, False

    def send(self, message: Message, body: bytes, message_id: int | None = None) -> bool:
        """Hand one message to the client; id None means a fresh one. False where nobody takes it."""
        fresh = self._last_id % 0xFFFFFFFF + 1
        # What came with LLRP 1.1 bears its version, whatever has been negotiated.
        version = NEWEST_VERSION if message in _NEGOTIATION_ANSWERS else self._version
        sent = self._transmit(encode(message, fresh if message_id is None else message_id, body, version))
        if sent and message_id is None:
            self._last_id = fresh
        return sent

    def event(self, kind: Param, value: bytes) -> bytes:
        """The body of a READER_EVENT_NOTIFICATION that happens now."""
        return event(self._now(), kind, value, utc=self._utc)

    def error(self, frame: Frame, code: Status, text: str) -> None:
        """Answer a message with an ERROR_MESSAGE."""
        self.send(Message.ERROR_MESSAGE, status(code, text), frame.id)

    def understands(self, frame: Frame) -> bool:
        """Whether a message bears the version of this connection; answers those that do not, and those that
        negotiate it (GET_SUPPORTED_VERSION and SET_PROTOCOL_VERSION of LLRP 1.1)."""
        if frame.type in _NEGOTIATION:
            self._negotiate(frame)
            return False
        if frame.version != self._version:
            text = f"version {frame.version}: this is a version {self._version} connection"
            self.error(frame, Status.UNSUPPORTED_VERSION, text)
            return False
        return True

    def _negotiate(self, frame: Frame) -> None:
        """A reader of LLRP 1.0.1 does not know these messages."""
        if self._versions < NEWEST_VERSION:
            self.error(frame, Status.UNSUPPORTED_VERSION, "this reader speaks LLRP 1.0.1 only")
        elif frame.type == Message.GET_SUPPORTED_VERSION:
            body = bytes([self._version, self._versions]) + status(Status.SUCCESS)
            self.send(Message.GET_SUPPORTED_VERSION_RESPONSE, body, frame.id)
        else:
            self.send(Message.SET_PROTOCOL_VERSION_RESPONSE, self._settle(frame.body), frame.id)

    def _settle(self, body: bytes) -> bytes:
        version = body[0] if body else 0
        if self._negotiated:
            return status(Status.UNEXPECTED_MESSAGE, "the version of this connection has been negotiated already")
        if not VERSION <= version <= self._versions:
            return status(Status.UNSUPPORTED_VERSION, f"version {version}: this reader has 1 to {self._versions}")
        self._version, self._negotiated = version, True
        return status(Status.SUCCESS)
