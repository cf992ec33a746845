"""What runs on the reader: it answers each message of its client and reports tags, without knowing sockets.

    messages --> handle --> orders ---------------------------------> voice --> bytes
    reads -----> hear ----> inventory --> outgoing (kept unheard) -----^
    cables, GPIs ---------> inventory --------^          heartbeat ----^

ROSpecs, settings and unsent reports outlive a connection and are forgotten when the power goes.
"""

import struct
from collections.abc import Callable, Iterable
from functools import partial
from random import Random

from firmware_sim.emission import Emission, OnAir
from firmware_sim.errors import BadFrame
from firmware_sim.llrp.access import AccessSpecs
from firmware_sim.llrp.facts import Facts
from firmware_sim.llrp.frames import Frame, encode, status
from firmware_sim.llrp.harvest import Harvest
from firmware_sim.llrp.heartbeat import Heartbeat
from firmware_sim.llrp.inventory import Inventory
from firmware_sim.llrp.orders import Orders
from firmware_sim.llrp.outgoing import Outgoing
from firmware_sim.llrp.settings import Settings, factory
from firmware_sim.llrp.voice import Voice
from firmware_sim.llrp.words import Message, Notice, Param, Status
from firmware_sim.radio import TagRead
from firmware_sim.tagmemory import Tags

__all__ = ["Firmware"]

_CONNECTED, _REFUSED, _ATTEMPTED = 0, 2, 4
"""ConnectionAttemptStatusType."""


class Firmware:
    """One reader from power-on to power-off. Lives in one event loop; `close` when the power goes.

    `transmit` hands one whole message to the client and says whether there was one to take it; `hang_up` drops the
    client. `now` is the reader's own clock in microseconds. `inputs` are the GPIs that are high.
    """

    def __init__(
        self,
        facts: Facts,
        now: Callable[[], int],
        transmit: Callable[[bytes], bool],
        *,
        hang_up: Callable[[], None] = lambda: None,
        gather: bool = False,
        buffer_tags: int = 20_000,
        tags: Tags | None = None,
        chance: Random | None = None,
        inputs: Iterable[int] = (),
    ) -> None:
        self._antennas = range(1, facts.ports + 1)
        self._inputs = frozenset(inputs)
        self._online = False
        tags = Tags() if tags is None else tags
        access = AccessSpecs(chance or Random("access"))
        self._voice = Voice(transmit, now, utc=facts.utc, versions=facts.versions)
        self._outgoing = Outgoing(self._voice, buffer_tags)
        self._heartbeat = Heartbeat(self._beat, hang_up)
        harvest = Harvest(self._outgoing, access, tags, utc=facts.utc, gather=gather)
        self._inventory = Inventory(factory(facts.ports), harvest, tags, self._notice)
        self._orders = Orders(facts, self._inventory, access, lambda: self._inputs, self._configured)

    # The connection.

    def connected(self) -> None:
        """A client is there: greet it, and hand over what it missed unless it asked to hold that."""
        self._online, self._orders.extended = True, False
        self._voice.begin()
        self._voice.send(Message.READER_EVENT_NOTIFICATION, self._attempt(_CONNECTED))
        self._outgoing.held = self._inventory.settings.hold
        for port in self._antennas:
            self._notice_antenna(port)
        self._outgoing.drain()
        self._heartbeat.begin()

    def disconnected(self) -> None:
        """The client is gone; reports are kept for the next."""
        self._online = False
        self._heartbeat.end()

    def refusal(self) -> bytes:
        """The message that a second client is told; the first is told that somebody knocked."""
        self._voice.send(Message.READER_EVENT_NOTIFICATION, self._attempt(_ATTEMPTED))
        return encode(Message.READER_EVENT_NOTIFICATION, 0, self._attempt(_REFUSED))

    def farewell(self) -> None:
        """Tell the client that the reader closes the connection (section 16.2.7.6.11)."""
        self._voice.send(Message.READER_EVENT_NOTIFICATION, self._voice.event(Param.CONNECTION_CLOSE, b""))

    def handle(self, frame: Frame) -> bool:
        """Do what one message asks and answer it; False when the client asked to close."""
        if not self._voice.understands(frame):
            return True
        if answer := self._orders.answer(frame):
            self._voice.send(*answer, frame.id)
            return True
        match frame.type:
            case Message.ENABLE_EVENTS_AND_REPORTS:
                self._outgoing.held = False
                self._outgoing.drain()
            case Message.GET_REPORT:
                self._inventory.flush()
            case Message.KEEPALIVE_ACK:
                self._heartbeat.acknowledged()
            case Message.CLOSE_CONNECTION:
                self._voice.send(Message.CLOSE_CONNECTION_RESPONSE, status(Status.SUCCESS), frame.id)
                return False
            case _:
                self._voice.error(frame, Status.UNSUPPORTED_MESSAGE, f"message type {frame.type} is not supported")
        return True

    def garbled(self, error: BadFrame) -> None:
        """Tell the client that its bytes are no messages; the caller then hangs up."""
        self._voice.send(Message.ERROR_MESSAGE, status(error.status, str(error)), 0)

    def drain(self) -> None:
        """Send what waits, as far as the client takes it."""
        self._outgoing.drain()

    def close(self) -> None:
        """Power is gone."""
        self.disconnected()
        self._inventory.close()

    # The world around it.

    @property
    def on_air(self) -> OnAir:
        """What goes out at each antenna that takes its turn just now."""
        return {
            port: Emission(
                attenuation_db=setting.attenuation_db,
                deafness_db=setting.deafness_db,
                session=setting.session if setting.single_target else None,
                selects=partial(self._inventory.selects, setting) if setting.filters else None,
            )
            for port, setting in self._inventory.on_air.items()
        }

    def attenuation_db(self, antenna: int) -> float:
        """How far below the highest power an antenna is driven, now or, while nothing is on air, by configuration."""
        setting = self._inventory.on_air.get(antenna) or self._inventory.settings.antenna(antenna)
        return setting.attenuation_db

    def hear(self, reads: Iterable[TagRead], to_own_clock: Callable[[int], int]) -> None:
        """Tags answered; what nobody asked for is dropped."""
        for read in reads:
            self._inventory.hear(read, to_own_clock(read.at_us))

    def set_antenna(self, port: int, connected: bool) -> None:
        """Plug a cable in or out."""
        self._inventory.set_cable(port, connected)
        self._notice_antenna(port)

    def set_gpi(self, port: int, high: bool) -> None:
        """An input's level, changed or not; a disabled input says and triggers nothing (section 16.2.6.9)."""
        if high == (port in self._inputs):
            return
        self._inputs = self._inputs | {port} if high else self._inputs - {port}
        if port in self._inventory.settings.inputs:
            self._notice(Notice.GPI, Param.GPI_EVENT, struct.pack(">HB", port, high << 7))
            self._inventory.gpi(port, high)

    def trouble(self, text: str) -> None:
        """Something is wrong with the reader: a ReaderExceptionEvent (section 16.2.7.6.6)."""
        words = text.encode()[:1000]
        self._notice(Notice.EXCEPTION, Param.EXCEPTION_EVENT, struct.pack(">H", len(words)) + words)

    # What the reader says of its own accord.

    def _configured(self, settings: Settings) -> None:
        self._outgoing.warns = Notice.BUFFER_FILL in settings.notices
        self._heartbeat.set(settings.keepalive_ms, settings.link_monitor)
        if self._online:
            self._heartbeat.begin()

    def _attempt(self, outcome: int) -> bytes:
        """A ConnectionAttemptEvent (section 16.2.7.6.10)."""
        return self._voice.event(Param.CONNECTION_ATTEMPT, struct.pack(">H", outcome))

    def _notice(self, kind: Notice, parameter: Param, value: bytes) -> None:
        if self._online and kind in self._inventory.settings.notices:
            self._outgoing.notice(self._voice.event(parameter, value))

    def _notice_antenna(self, port: int) -> None:
        connected = port in self._inventory.cables
        self._notice(Notice.ANTENNA, Param.ANTENNA_EVENT, struct.pack(">BH", connected, port))

    def _beat(self) -> None:
        self._voice.send(Message.KEEPALIVE, b"")
        self._outgoing.drain()
