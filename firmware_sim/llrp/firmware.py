"""What runs on the reader: it answers each message of its client and reports tags, without knowing sockets.

ROSpecs, settings and unsent reports outlive a connection and are forgotten when the power goes.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.access import AccessSpecs
from firmware_sim.llrp.facts import Facts, capabilities, configuration
from firmware_sim.llrp.frames import Frame, fields, parameters, status
from firmware_sim.llrp.inventory import Inventory
from firmware_sim.llrp.report import event
from firmware_sim.llrp.rospec import read_rospec
from firmware_sim.llrp.settings import Settings, set_reader_config
from firmware_sim.llrp.words import IMPINJ, VERSION, Message, Notice, Param, Status
from firmware_sim.radio import TagRead

_CONNECTED, _REFUSED, _ATTEMPTED = 0, 2, 4
_ENABLE_EXTENSIONS, _EXTENSIONS_ENABLED = 21, 22
_WARN_AT = 0.8
_ID = struct.Struct(">I")
_CAPABILITIES_REQUEST = struct.Struct(">B")
_CONFIG_REQUEST = struct.Struct(">HBHH")
_CUSTOM_HEAD = struct.Struct(">IB")


class Send(Protocol):
    """Hands one message to the client; False where there is none that takes it. Id None means a fresh one."""

    def __call__(self, message: Message, body: bytes, message_id: int | None = None) -> bool: ...


class _Unsent(NamedTuple):
    message: Message
    body: bytes
    tags: int


class Firmware:
    """One reader from power-on to power-off. Lives in one event loop; `close` when the power goes."""

    def __init__(self, facts: Facts, now: Callable[[], int], send: Send, *, gather: bool, buffer_tags: int) -> None:
        self._facts, self._now, self._send, self._buffer_tags = facts, now, send, buffer_tags
        self._settings = Settings()
        self._inventory = Inventory(self._report, self._notice, self._lose, utc=facts.utc, gather=gather)
        self._access = AccessSpecs()
        self._unsent: deque[_Unsent] = deque()
        self._unsent_tags = 0
        self._overflowed = False
        self._held = False
        self._online = False
        self._keepalive: asyncio.TimerHandle | None = None
        self.antennas = frozenset(range(1, facts.ports + 1))

    def connected(self) -> None:
        """A client is there: greet it, and hand over what it missed unless it asked to hold that."""
        self._online = True
        self._send(Message.READER_EVENT_NOTIFICATION, self.greeting(_CONNECTED))
        self._held = self._settings.hold
        for port in range(1, self._facts.ports + 1):
            self._notice_antenna(port)
        self.drain()
        self._arm_keepalive()

    def disconnected(self) -> None:
        """The client is gone; reports are kept for the next."""
        self._online = False
        if self._keepalive:
            self._keepalive.cancel()

    def greeting(self, attempt: int) -> bytes:
        """The body of a notification with a ConnectionAttemptEvent (section 13.2.6.11)."""
        return event(self._now(), Param.CONNECTION_ATTEMPT, struct.pack(">H", attempt), utc=self._facts.utc)

    def refusal(self) -> bytes:
        """What a second client is told; the first is told that somebody knocked."""
        self._send(Message.READER_EVENT_NOTIFICATION, self.greeting(_ATTEMPTED))
        return self.greeting(_REFUSED)

    def handle(self, frame: Frame) -> bool:
        """Do what one message asks and answer it; False when the client asked to close."""
        if frame.version != VERSION:
            self._error(frame, Status.UNSUPPORTED_VERSION, f"version {frame.version}: this reader speaks LLRP 1.0.1")
        elif frame.type in _ANSWERS:
            self._answer(frame)
        elif frame.type == Message.ENABLE_EVENTS_AND_REPORTS:
            self._held = False
            self.drain()
        elif frame.type == Message.GET_REPORT:
            self._inventory.flush()
        elif frame.type == Message.CUSTOM_MESSAGE:
            self._vendor(frame)
        elif frame.type == Message.CLOSE_CONNECTION:
            self._send(Message.CLOSE_CONNECTION_RESPONSE, status(Status.SUCCESS), frame.id)
            return False
        elif frame.type != Message.KEEPALIVE_ACK:
            self._error(frame, Status.UNSUPPORTED_MESSAGE, f"message type {frame.type} is not supported")
        return True

    def garbled(self, error: BadFrame) -> None:
        """Tell the client that its bytes are no messages; the caller then hangs up."""
        self._send(Message.ERROR_MESSAGE, status(error.status, str(error)), 0)

    def hear(self, reads: Sequence[TagRead], to_own_clock: Callable[[int], int]) -> None:
        """Tags answered; what nobody asked for is dropped."""
        for read in reads:
            if read.antenna in self.antennas:
                self._inventory.hear(read, to_own_clock(read.at_us))

    def set_antenna(self, port: int, connected: bool) -> None:
        """Plug a cable in or out."""
        self.antennas = self.antennas | {port} if connected else self.antennas - {port}
        self._notice_antenna(port)

    def drain(self) -> None:
        """Send what waits, as far as the client takes it."""
        while self._unsent and not self._held:
            waiting = self._unsent[0]
            if not self._send(waiting.message, waiting.body):
                return
            self._unsent.popleft()
            self._unsent_tags -= waiting.tags
        if self._overflowed and not self._held and self._online:
            body = event(self._now(), Param.BUFFER_OVERFLOW_ERROR, utc=self._facts.utc)
            self._overflowed = not self._send(Message.READER_EVENT_NOTIFICATION, body)

    def close(self) -> None:
        """Power is gone."""
        self.disconnected()
        self._inventory.close()

    # Requests and their answers. Each takes the body and returns the parameters after the status, or raises BadFrame.

    def _answer(self, frame: Frame) -> None:
        response, act = _ANSWERS[frame.type]
        try:
            extra = act(self, frame.body)
        except BadFrame as error:
            self._send(response, status(error.status, str(error)), frame.id)
        else:
            self._send(response, status(Status.SUCCESS) + extra, frame.id)

    def _get_capabilities(self, body: bytes) -> bytes:
        (requested,) = fields(_CAPABILITIES_REQUEST, body, "GET_READER_CAPABILITIES")
        return capabilities(self._facts, requested)

    def _get_config(self, body: bytes) -> bytes:
        antenna, requested, _, _ = fields(_CONFIG_REQUEST, body, "GET_READER_CONFIG")
        return configuration(self._facts, self._settings, requested, antenna, self.antennas)

    def _set_config(self, body: bytes) -> bytes:
        self._settings, reset = set_reader_config(self._settings, body)
        if reset:
            self._inventory.delete(0)
            self._access.delete(0)
        self._inventory.default_rule = self._settings.report
        self._arm_keepalive()
        return b""

    def _add_rospec(self, body: bytes) -> bytes:
        found = list(parameters(body, "ADD_ROSPEC"))
        if len(found) != 1 or found[0].type != Param.ROSPEC:
            raise BadFrame(Status.MISSING_PARAMETER, "ADD_ROSPEC: one ROSpec is needed")
        self._inventory.add(read_rospec(found[0], self._facts.ports))
        return b""

    def _delete_rospec(self, body: bytes) -> bytes:
        self._inventory.delete(_named(body, "DELETE_ROSPEC"))
        return b""

    def _start_rospec(self, body: bytes) -> bytes:
        self._inventory.start(_named(body, "START_ROSPEC"))
        return b""

    def _stop_rospec(self, body: bytes) -> bytes:
        self._inventory.stop(_named(body, "STOP_ROSPEC"))
        return b""

    def _enable_rospec(self, body: bytes) -> bytes:
        self._inventory.enable(_named(body, "ENABLE_ROSPEC"))
        return b""

    def _disable_rospec(self, body: bytes) -> bytes:
        self._inventory.disable(_named(body, "DISABLE_ROSPEC"))
        return b""

    def _get_rospecs(self, _: bytes) -> bytes:
        spec = self._inventory.spec
        return spec.as_parameter(self._inventory.state) if spec else b""

    def _add_accessspec(self, body: bytes) -> bytes:
        self._access.add(body)
        return b""

    def _delete_accessspec(self, body: bytes) -> bytes:
        self._access.delete(_named(body, "DELETE_ACCESSSPEC"))
        return b""

    def _enable_accessspec(self, body: bytes) -> bytes:
        self._access.mark(_named(body, "ENABLE_ACCESSSPEC"), enabled=True)
        return b""

    def _disable_accessspec(self, body: bytes) -> bytes:
        self._access.mark(_named(body, "DISABLE_ACCESSSPEC"), enabled=False)
        return b""

    def _get_accessspecs(self, _: bytes) -> bytes:
        return self._access.as_parameters()

    def _vendor(self, frame: Frame) -> None:
        """IMPINJ_ENABLE_EXTENSIONS is honoured; the extensions are the contents of tag reports."""
        known = len(frame.body) >= 5 and _CUSTOM_HEAD.unpack_from(frame.body) == (IMPINJ, _ENABLE_EXTENSIONS)
        if known and self._facts.vendor == IMPINJ:
            head = _CUSTOM_HEAD.pack(IMPINJ, _EXTENSIONS_ENABLED)
            self._send(Message.CUSTOM_MESSAGE, head + status(Status.SUCCESS), frame.id)
        else:
            self._error(frame, Status.UNSUPPORTED_MESSAGE, "this vendor's message is not supported")

    def _error(self, frame: Frame, code: Status, text: str) -> None:
        self._send(Message.ERROR_MESSAGE, status(code, text), frame.id)

    # What the reader says of its own accord.

    def _report(self, tags: list[bytes]) -> None:
        if self._unsent_tags + len(tags) > self._buffer_tags:
            self._lose()
            return
        self._emit(Message.RO_ACCESS_REPORT, b"".join(tags), len(tags))

    def _lose(self) -> None:
        self._overflowed = True

    def _notice(self, kind: Notice, parameter: Param, value: bytes) -> None:
        if self._unsent_tags >= self._buffer_tags:
            self._lose()
        elif self._online and kind in self._settings.notices:
            body = event(self._now(), parameter, value, utc=self._facts.utc)
            self._emit(Message.READER_EVENT_NOTIFICATION, body, 0)

    def _notice_antenna(self, port: int) -> None:
        self._notice(Notice.ANTENNA, Param.ANTENNA_EVENT, struct.pack(">BH", port in self.antennas, port))

    def _emit(self, message: Message, body: bytes, tags: int) -> None:
        self.drain()
        if self._held or self._unsent or not self._send(message, body):
            before = self._unsent_tags
            self._unsent.append(_Unsent(message, body, tags))
            self._unsent_tags += max(1, tags)
            if before < _WARN_AT * self._buffer_tags <= self._unsent_tags:
                self._notice(Notice.BUFFER_FILL, Param.BUFFER_LEVEL_WARNING, bytes([round(100 * _WARN_AT)]))

    def _arm_keepalive(self) -> None:
        if self._keepalive:
            self._keepalive.cancel()
        if self._online and self._settings.keepalive_ms:
            loop = asyncio.get_running_loop()
            self._keepalive = loop.call_later(self._settings.keepalive_ms / 1000, self._beat)

    def _beat(self) -> None:
        self._send(Message.KEEPALIVE, b"")
        self.drain()
        self._arm_keepalive()


def _named(body: bytes, where: str) -> int:
    return fields(_ID, body, where)[0]


_ANSWERS: dict[int, tuple[Message, Callable[[Firmware, bytes], bytes]]] = {
    Message.GET_READER_CAPABILITIES: (Message.GET_READER_CAPABILITIES_RESPONSE, Firmware._get_capabilities),
    Message.GET_READER_CONFIG: (Message.GET_READER_CONFIG_RESPONSE, Firmware._get_config),
    Message.SET_READER_CONFIG: (Message.SET_READER_CONFIG_RESPONSE, Firmware._set_config),
    Message.ADD_ROSPEC: (Message.ADD_ROSPEC_RESPONSE, Firmware._add_rospec),
    Message.DELETE_ROSPEC: (Message.DELETE_ROSPEC_RESPONSE, Firmware._delete_rospec),
    Message.START_ROSPEC: (Message.START_ROSPEC_RESPONSE, Firmware._start_rospec),
    Message.STOP_ROSPEC: (Message.STOP_ROSPEC_RESPONSE, Firmware._stop_rospec),
    Message.ENABLE_ROSPEC: (Message.ENABLE_ROSPEC_RESPONSE, Firmware._enable_rospec),
    Message.DISABLE_ROSPEC: (Message.DISABLE_ROSPEC_RESPONSE, Firmware._disable_rospec),
    Message.GET_ROSPECS: (Message.GET_ROSPECS_RESPONSE, Firmware._get_rospecs),
    Message.ADD_ACCESSSPEC: (Message.ADD_ACCESSSPEC_RESPONSE, Firmware._add_accessspec),
    Message.DELETE_ACCESSSPEC: (Message.DELETE_ACCESSSPEC_RESPONSE, Firmware._delete_accessspec),
    Message.ENABLE_ACCESSSPEC: (Message.ENABLE_ACCESSSPEC_RESPONSE, Firmware._enable_accessspec),
    Message.DISABLE_ACCESSSPEC: (Message.DISABLE_ACCESSSPEC_RESPONSE, Firmware._disable_accessspec),
    Message.GET_ACCESSSPECS: (Message.GET_ACCESSSPECS_RESPONSE, Firmware._get_accessspecs),
}
