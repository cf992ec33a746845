"""A simulated PLC: photo-eyes, temperatures and a stack light behind a Modbus TCP server of pymodbus."""

from collections.abc import Callable
from types import TracebackType

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from firmware_sim.errors import SimError

__all__ = ["Plc"]

_READ_COILS, _READ_DISCRETE, _READ_INPUT = 1, 2, 4
_WRITE_COILS = (5, 15)


class Plc:
    """A PLC on the network: `async with Plc("127.0.0.1", 0, 1) as plc: ...`.

    Every table has `size` addresses from 0. Discrete inputs and input registers are the world's to set, coils the
    client's to write; `on_coil(address, value)` is told of each write. A machine that the PLC drives is called before
    any request is looked at (`attend`), so that it can bring inputs and coils to where they are at that moment.
    """

    def __init__(
        self,
        host: str,
        port: int,
        unit: int,
        *,
        size: int = 64,
        on_coil: Callable[[int, bool], None] | None = None,
    ) -> None:
        if not 1 <= size <= 2000 or size % 16:
            raise ValueError(f"size {size}: a multiple of 16 up to 2000")
        self._host, self._port, self._unit, self._size = host, port, unit, size
        self._on_coil = on_coil
        self._discrete = [False] * size
        self._inputs = [0] * size
        self._coils = [False] * size
        self._machines: list[Callable[[], object]] = []
        self._silent = False
        self._refused: frozenset[int] = frozenset()
        self._server: ModbusTcpServer | None = None

    async def __aenter__(self) -> "Plc":
        await self.power_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.power_off()

    @property
    def port(self) -> int:
        """The TCP port, known once the PLC has been on; it stays the same from then on."""
        return self._port

    def set_discrete(self, address: int, value: bool) -> None:
        """A photo-eye: True while its beam is broken."""
        self._discrete[address] = value

    def set_input(self, address: int, value: int) -> None:
        """An input register: a signed 16-bit number, for a temperature in 0.1 degrees Celsius."""
        if not -32768 <= value <= 32767:
            raise ValueError(f"input register {address}: {value} is no signed 16-bit number")
        self._inputs[address] = value

    def set_count(self, address: int, count: int) -> None:
        """An input register that counts: 16 bits, and from 0 again after 65535."""
        self._inputs[address] = count & 0xFFFF

    def attend(self, machine: Callable[[], object]) -> None:
        """Call this before each request is looked at."""
        self._machines.append(machine)

    def clear_coil(self, address: int) -> None:
        """The machine has done what the coil asked for."""
        self._coils[address] = False

    def coil(self, address: int) -> bool:
        """What a client last wrote."""
        return self._coils[address]

    # Faults

    def silence(self, silent: bool = True) -> None:
        """Accept connections and requests, and answer none (until `silence(False)`)."""
        self._silent = silent

    def refuse(self, *functions: int) -> None:
        """From now on these functions are illegal (exception 1); no others are."""
        self._refused = frozenset(functions)

    async def power_off(self) -> None:
        """No power: the socket is gone. Coils fall back to off."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]  # of pymodbus
            self._server = None
        self._coils = [False] * self._size

    async def power_on(self) -> None:
        """Start, or start again on the same port. Raises `SimError` where the port is taken."""
        if self._server is not None:
            return
        device = SimDevice(self._unit, self._tables(), action=self._access)
        server = ModbusTcpServer(device, address=(self._host, self._port), trace_packet=self._pass)
        if not await server.listen():
            raise SimError(f"PLC: cannot listen on {self._host}:{self._port}")
        self._server = server
        self._port = int(server.transport.sockets[0].getsockname()[1])  # type: ignore[attr-defined]  # an asyncio server

    def _tables(self) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
        """Coils, discrete inputs, holding registers (one, unused: pymodbus wants all four), input registers."""
        bits = [SimData(0, values=[False] * self._size, datatype=DataType.BITS)]
        words = [SimData(0, values=[0] * self._size, datatype=DataType.INT16)]
        return bits, bits, [SimData(0, values=0, datatype=DataType.INT16)], words

    async def _access(
        self, function: int, start: int, address: int, count: int, registers: list[int], written: object
    ) -> ExcCodes | None:
        """pymodbus asks before each access: put the world's values in, take the client's out."""
        for catch_up in self._machines:
            catch_up()
        if function in self._refused:
            return ExcCodes.ILLEGAL_FUNCTION
        if function == _READ_DISCRETE:
            registers[: self._size // 16] = _words(self._discrete)
        elif function == _READ_INPUT:
            registers[: self._size] = [value & 0xFFFF for value in self._inputs]
        elif function == _READ_COILS:
            registers[: self._size // 16] = _words(self._coils)
        elif function in _WRITE_COILS and isinstance(written, list):
            if address + len(written) > self._size:
                return ExcCodes.ILLEGAL_ADDRESS
            self._write(address, [bool(value) for value in written])
        return None

    def _write(self, address: int, values: list[bool]) -> None:
        self._coils[address : address + len(values)] = values
        if self._on_coil:
            for place, value in enumerate(values, address):
                self._on_coil(place, value)

    def _pass(self, sending: bool, packet: bytes) -> bytes:
        return b"" if sending and self._silent else packet


def _words(bits: list[bool]) -> list[int]:
    """Bits as 16-bit words, the first in the lowest place."""
    return [sum(bit << place for place, bit in enumerate(bits[at : at + 16])) for at in range(0, len(bits), 16)]
