"""What the reader says of its own accord, on its way to the client: sent at once, or kept until one takes it
(LLRP 1.0.1 sections 13.1, 16.2.6.10, 16.2.7.6.4 and 16.2.7.6.5).

The room for tags is bounded. Beyond a share of it a client that asked for it is warned; what finds no room is lost,
and the client is told so after what was kept.
"""

from collections import deque
from typing import NamedTuple

from firmware_sim.llrp.voice import Voice
from firmware_sim.llrp.words import Message, Param

WARN_AT = 0.8


class _Unsent(NamedTuple):
    message: Message
    body: bytes
    weight: int
    """Tags in it; an event weighs one."""


class Outgoing:
    """Reports and events in their order, with room for so many tags."""

    def __init__(self, voice: Voice, capacity: int) -> None:
        self._voice, self._capacity = voice, capacity
        self._unsent: deque[_Unsent] = deque()
        self._weight = 0
        self._overflowed = self._crowded = False
        self.held = False
        """Nothing goes out until the client says so."""
        self.warns = False
        """The client wants to know before there is no room left."""

    def report(self, tags: list[bytes]) -> None:
        """An RO_ACCESS_REPORT of these TagReportData parameters."""
        if self._weight + len(tags) > self._capacity:
            self.lose()
        else:
            self._emit(Message.RO_ACCESS_REPORT, b"".join(tags), max(1, len(tags)))

    def notice(self, body: bytes) -> None:
        """A READER_EVENT_NOTIFICATION."""
        if self._weight >= self._capacity:
            self.lose()
        else:
            self._emit(Message.READER_EVENT_NOTIFICATION, body, 1)

    def lose(self) -> None:
        """Something was lost: the client will hear of it."""
        self._overflowed = True

    def drain(self) -> None:
        """Send what waits, as far as the client takes it."""
        if self.held:
            return
        if self._crowded:
            self._crowded = not self._tell(Param.BUFFER_LEVEL_WARNING, bytes([round(100 * WARN_AT)]))
        while self._unsent:
            waiting = self._unsent[0]
            if not self._voice.send(waiting.message, waiting.body):
                return
            self._unsent.popleft()
            self._weight -= waiting.weight
        if self._overflowed:
            self._overflowed = not self._tell(Param.BUFFER_OVERFLOW_ERROR, b"")

    def _tell(self, kind: Param, value: bytes) -> bool:
        return self._voice.send(Message.READER_EVENT_NOTIFICATION, self._voice.event(kind, value))

    def _emit(self, message: Message, body: bytes, weight: int) -> None:
        self.drain()
        if not (self.held or self._unsent) and self._voice.send(message, body):
            return
        before = self._weight
        self._unsent.append(_Unsent(message, body, weight))
        self._weight += weight
        if self.warns and before < WARN_AT * self._capacity <= self._weight:
            self._crowded = True
