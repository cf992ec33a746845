"""One Modbus TCP device: photo-eyes, counters and gates of sorting lines, climate sensors and the stack light
(Modbus Application Protocol 1.1b3)."""

import asyncio
import logging
import random
import socket
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress

import structlog
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from contract import events
from contract.events import DeviceState
from contract.fieldbus import ModbusDevice, Register
from edge import registers
from edge.backoff import Backoff
from edge.cancellation import heed_cancellation
from edge.coils import CoilQueue, CoilWrite
from edge.errors import FieldbusError
from edge.registers import Span, Table
from edge.sensorwatch import SensorWatch
from edge.stack_light import Lamps
from edge.steadyclock import steady_us

ANSWER_S = 1.0
REPEAT_LAMPS_S = 5.0
"""The lamps are written this often even without a change: a PLC that was off comes back with its coils off."""
_SLOW_POLL_S = 0.5
"""A device without photo-eyes and counters is not polled faster than this."""

_READ: dict[Table, int] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_WRITE_COIL = 5
_WRITE_COILS = 15
_ILLEGAL_FUNCTION = 1
_LEVELS = {True: logging.INFO, False: logging.WARNING}

log = structlog.get_logger(__name__)


class Fieldbus:
    """Polls one device for ever, over as many connections as it takes.

    on_beam(register, broken, at_us): a photo-eye changed; its time is known to within `poll_s`.
    on_count(register, count, asked_us, heard_us): a counter of a sorting line stood so at some moment between the two;
    at every poll, an encoder before its eye. These times, and those of the coils, are of the steady clock.
    on_cleared(register): all coils of this gate are about to be cleared.
    on_condition(event): a sensor's reading, every `every_s` of its register.
    on_device(event): the device is lost, or blind (it answers, but not for every register), or connected; or a sensor
    behind it, by the name of its register, is blind (what it reads cannot be) or connected again. Once for each change.
    lamps(): what the stack light has to show now.
    """

    def __init__(
        self,
        device: ModbusDevice,
        on_beam: Callable[[str, bool, int], None],
        on_condition: Callable[[events.Condition], None],
        on_device: Callable[[events.Device], None],
        lamps: Callable[[], Lamps],
        clock: Callable[[], int],
        on_count: Callable[[str, int, int, int], None] = lambda register, count, asked_us, heard_us: None,
        gates: Mapping[str, int] | None = None,
        on_cleared: Callable[[str], None] = lambda register: None,
    ) -> None:
        """`clock` gives microseconds of wall time. `gates`: the places of each gate, by its `pass_coils`.

        A gate's coils are all cleared at the begin of each connection: nobody knows what the ones before have left
        there, and for whom. They are when it is cancelled, too: nothing passes that nobody watches.
        """
        self._device = device
        self._on_beam, self._on_condition, self._on_device = on_beam, on_condition, on_device
        self._lamps, self._clock = lamps, clock
        self._on_count, self._on_cleared, self._gates = on_count, on_cleared, dict(gates or {})
        self._coils = {register.name: register for register in device.registers if register.name in self._gates}
        self._cleared: set[str] = set()
        """Gates of which it is known what stands in their coils: the others are not written."""
        self._orders = CoilQueue()
        counters = [register for register in device.registers if register.meaning in ("encoder", "eye_count")]
        eyes = [register for register in device.registers if register.meaning == "photo_eye"]
        sensors = [register for register in device.registers if registers.quantity(register)]
        self._eye_spans, self._sensor_spans = registers.spans(eyes), registers.spans(sensors)
        self._count_spans = registers.spans(counters)
        self._poll_s = device.poll_s if eyes or counters else max(device.poll_s, _SLOW_POLL_S)
        self._broken = {register.name: False for register in eyes}
        self._due_s = {register.name: 0.0 for register in sensors}
        self._watches = {
            register.name: SensorWatch(register, measures)
            for register in sensors
            if (measures := registers.quantity(register)) is not None
        }
        self._doubted: set[str] = set()
        """Sensors whose fault was told."""
        self._lit: tuple[Lamps, float] | None = None
        self._faults: dict[str, str] = {}
        self._told: tuple[DeviceState, tuple[str, ...]] | None = None
        self._backoff = Backoff(0.2, 10.0, random.Random())
        self.reconnects = 0

    @property
    def faults(self) -> Set[str]:
        """The registers that the device refuses."""
        return self._faults.keys()

    def write(self, coil: CoilWrite) -> None:
        """Write a coil before the next poll, in the order asked for; call it in the event loop."""
        self._orders.put(coil)

    async def run(self) -> None:
        """Until cancelled. Raises nothing of the network's or the device's making."""
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it logs every failed try; we tell of the first
        while True:
            try:
                await self._session()
            except (FieldbusError, ModbusException, OSError) as error:
                self._tell("lost", f"{self._where}: {error}; check its power and its cable"[:1000], ())
            heed_cancellation()
            await asyncio.sleep(self._backoff.next_s())
            self.reconnects += 1

    async def _session(self) -> None:
        client = AsyncModbusTcpClient(
            self._device.host,
            port=self._device.port,
            timeout=ANSWER_S,
            retries=0 if self._gates else 1,  # a coil that is written a second later is another fruit's
            reconnect_delay=0,
        )
        try:
            if not await client.connect():
                raise FieldbusError("does not accept a connection")
            _drop_at_end(client, True)
            self._lit = None
            await self._clear_gates(client)
            self._orders.open()
            await self._poll(client)
        except asyncio.CancelledError:
            await self._take_back(client)
            raise
        finally:
            client.close()
            self._orders.close()

    async def _poll(self, client: AsyncModbusTcpClient) -> None:
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        while True:
            await self._watch_eyes(client)
            await self._read_counters(client)
            await self._read_sensors(client, loop.time())
            await self._light(client, loop.time())
            heed_cancellation()
            self._tell_health()
            self._backoff.reset()
            next_s = max(next_s + self._poll_s, loop.time())
            await self._write_until(client, next_s)

    async def _write_until(self, client: AsyncModbusTcpClient, next_s: float) -> None:
        """Write what is asked for until the next poll is due, and let the others run at least once."""
        await asyncio.sleep(0)
        while True:
            await self._write_orders(client)
            try:
                async with asyncio.timeout_at(next_s):
                    await self._orders.asked()
            except TimeoutError:
                return

    async def _write_orders(self, client: AsyncModbusTcpClient) -> None:
        for order in self._orders.take():
            written_us = None
            try:
                in_time = not order.value or steady_us() <= order.until_us
                if in_time and await self._write(client, order):
                    written_us = steady_us()
            finally:
                order.answered(written_us)
            if written_us is None and not order.value and order.register in self._cleared:
                raise FieldbusError("does not clear a coil of its gate: all are cleared with the next connection")
            heed_cancellation()

    async def _write(self, client: AsyncModbusTcpClient, order: CoilWrite) -> bool:
        if order.register not in self._cleared:  # what else stands in its coils nobody knows
            return await self._clear(client, order.register) and not order.value
        return await self._write_coil(client, self._coils[order.register], order.place, order.value)

    async def _write_coil(self, client: AsyncModbusTcpClient, register: Register, place: int, value: bool) -> bool:
        answer = await client.write_coil(register.address + place, value, device_id=self._device.unit)
        return self._take((register,), answer, _WRITE_COIL)

    async def _clear_gates(self, client: AsyncModbusTcpClient) -> None:
        self._cleared.clear()
        for name in self._coils:
            await self._clear(client, name)

    async def _clear(self, client: AsyncModbusTcpClient, gate: str) -> bool:
        """Whether all its coils are off now: by one write, or one by one where the PLC has no function 15."""
        self._on_cleared(gate)
        register, places = self._coils[gate], self._gates[gate]
        answer = await client.write_coils(register.address, [False] * places, device_id=self._device.unit)
        cleared = self._take((register,), answer, _WRITE_COILS)
        if not cleared and answer.exception_code == _ILLEGAL_FUNCTION:
            cleared = await self._clear_singly(client, register, places)
        if cleared:
            self._cleared.add(gate)
        else:
            self._faults[gate] += ", so that its coils cannot be cleared and nothing is let pass"
        return cleared

    async def _clear_singly(self, client: AsyncModbusTcpClient, register: Register, places: int) -> bool:
        for place in range(places):
            if not await self._write_coil(client, register, place, False):
                return False
        return True

    async def _take_back(self, client: AsyncModbusTcpClient) -> None:
        """What was let pass and is not at its gate yet is pushed off. Takes `ANSWER_S` where there is no answer.

        What is under way then may arrive when this has ended: nobody else would clear what has arrived before it.
        """
        with suppress(FieldbusError, ModbusException, OSError):
            if client.connected:
                _drop_at_end(client, False)
                await self._clear_gates(client)

    async def _read_counters(self, client: AsyncModbusTcpClient) -> None:
        counted: list[tuple[Register, int]] = []
        asked_us = steady_us()
        for span in self._count_spans:
            values = await self._read(client, span)
            counted += [(one, values[one.address - span.start]) for one in span.registers if values]
        heard_us = steady_us()
        for register, count in sorted(counted, key=lambda one: one[0].meaning == "eye_count"):
            self._on_count(register.name, count, asked_us, heard_us)

    async def _watch_eyes(self, client: AsyncModbusTcpClient) -> None:
        for span in self._eye_spans:
            asked_us = self._clock()
            values = await self._read(client, span)
            at_us = (asked_us + self._clock()) // 2
            for register in span.registers if values else ():
                broken = bool(values[register.address - span.start])
                if self._broken[register.name] != broken:
                    self._broken[register.name] = broken
                    self._on_beam(register.name, broken, at_us)

    async def _read_sensors(self, client: AsyncModbusTcpClient, now_s: float) -> None:
        for span in self._sensor_spans:
            due = [register for register in span.registers if self._due_s[register.name] <= now_s]
            values = await self._read(client, span) if due else []
            for register in due:
                self._due_s[register.name] = now_s + register.every_s
                if values:
                    self._report(register, registers.measured(register, values[register.address - span.start]), now_s)

    def _report(self, register: Register, value: float, now_s: float) -> None:
        quantity = registers.quantity(register)
        assert quantity is not None
        fault = self._watches[register.name].judge(value, now_s)
        self._tell_sensor(register.name, fault)
        if fault is not None:
            return
        now_us = self._clock()
        zone = register.zone or self._device.name
        self._on_condition(
            events.Condition(
                at_us=now_us, decided_us=now_us, device=register.name, zone=zone, quantity=quantity, value=value
            )
        )

    async def _light(self, client: AsyncModbusTcpClient, now_s: float) -> None:
        wanted = self._lamps()
        if self._lit is not None and self._lit[0] == wanted and now_s < self._lit[1] + REPEAT_LAMPS_S:
            return
        for register in self._device.registers:
            on = _lamp(register, wanted)
            if on is not None:
                answer = await client.write_coil(register.address, on, device_id=self._device.unit)
                self._take((register,), answer, _WRITE_COIL)
        self._lit = (wanted, now_s)

    async def _read(self, client: AsyncModbusTcpClient, span: Span) -> Sequence[int]:
        """The values of a span; empty, with a fault noted for each register, when the device refuses."""
        address, count, unit = span.start, span.size, self._device.unit
        match span.table:
            case "coil":
                answer = await client.read_coils(address, count=count, device_id=unit)
            case "discrete":
                answer = await client.read_discrete_inputs(address, count=count, device_id=unit)
            case "input":
                answer = await client.read_input_registers(address, count=count, device_id=unit)
            case "holding":
                answer = await client.read_holding_registers(address, count=count, device_id=unit)
        if not self._take(span.registers, answer, _READ[span.table]):
            return []
        values: Sequence[int] = answer.bits if span.table in ("coil", "discrete") else answer.registers
        if len(values) < count:
            raise FieldbusError(f"answers {len(values)} values when asked for {count} at {span.table} {address}")
        return values

    def _take(self, asked: Iterable[Register], answer: ModbusPDU, function: int) -> bool:
        """Note whether the device answered, or refused with an exception code (section 7 of the protocol)."""
        if answer.function_code == function:
            for register in asked:
                self._faults.pop(register.name, None)
            return True
        if answer.function_code != function | 0x80:
            raise FieldbusError(f"answers function {answer.function_code} when asked for {function}")
        for register in asked:
            self._faults[register.name] = f"is refused (exception {answer.exception_code})"
        return False

    def _tell_health(self) -> None:
        if not self._faults:
            self._tell("connected", self._where, ())
            return
        words = "; ".join(f"{name} {fault}" for name, fault in self._faults.items())
        detail = f"{self._where}: {words}; check the sensor and the site file's addresses"
        self._tell("blind", detail[:1000], tuple(self._faults))

    def _tell(self, state: DeviceState, detail: str, about: tuple[str, ...]) -> None:
        """Once for each change."""
        if self._told != (state, about):
            self._told = (state, about)
            self._say(self._device.name, state, detail)

    def _tell_sensor(self, name: str, fault: str | None) -> None:
        """Once when a fault begins, and once when it ends."""
        if fault is not None and name not in self._doubted:
            self._doubted.add(name)
            self._say(name, "blind", f"{name} {fault}; check the sensor and its wire"[:1000])
        elif fault is None and name in self._doubted:
            self._doubted.remove(name)
            self._say(name, "connected", f"{name} reads what can be")

    def _say(self, device: str, state: DeviceState, detail: str) -> None:
        """One event and one line of log."""
        log.log(_LEVELS[state == "connected"], "fieldbus", device=device, state=state, detail=detail)
        now_us = self._clock()
        self._on_device(events.Device(at_us=now_us, decided_us=now_us, device=device, state=state, detail=detail))

    @property
    def _where(self) -> str:
        return f"{self._device.host}:{self._device.port} unit {self._device.unit}"


def _drop_at_end(client: AsyncModbusTcpClient, drop: bool) -> None:
    """Whether the end of the connection drops what has not arrived, and resets it (`SO_LINGER` of 0 s, socket(7)).

    Else the kernel goes on sending for minutes: a coil that was given up would be written after the next connection has
    cleared it, and let another fruit pass.
    """
    connection: socket.socket = client.ctx.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", drop, 0))


def _lamp(register: Register, lamps: Lamps) -> bool | None:
    """What a register of the stack light should be; None for any other register."""
    if register.table != "coil":
        return None
    match register.meaning:
        case "stack_green":
            return lamps.green
        case "stack_amber":
            return lamps.amber
        case "stack_red":
            return lamps.red
        case _:
            return None
