"""Whether the registers that the gates of sorting lines name can be what a gate needs."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from contract.fieldbus import ModbusDevice, Register
from contract.site import Site
from contract.sortingline import Gate, SortingLine

Location = tuple[int | str, ...]

_TABLES: Final = {"eye_count": "input", "encoder": "input", "pass_coils": "coil"}
_POLLS_BEFORE_GATE: Final = 10
"""A device is read at least so often while a fruit goes from the eye to the gate."""


class _Gated(NamedTuple):
    """A line with a gate, where it stands, and the gate's device if there is one of that name."""

    at: int
    line: SortingLine
    gate: Gate
    device: ModbusDevice | None


class _Coils(NamedTuple):
    """A range of coils, and whose it is."""

    device: str
    first: int
    size: int
    user: str

    def overlaps(self, other: "_Coils") -> bool:
        apart = self.first + self.size <= other.first or other.first + other.size <= self.first
        return self.device == other.device and not apart


def gate_mistakes(site: Site) -> Iterator[tuple[Location, str]]:
    """Place and words of each mistake; names that stand for nothing are told elsewhere."""
    devices = {device.name: device for device in site.modbus}
    gated = [
        _Gated(i, line, line.gate, devices.get(line.gate.modbus)) for i, line in enumerate(site.lines) if line.gate
    ]
    for i, line, gate, device in gated:
        yield from _encoder(i, line, gate)
        yield from _times(i, gate, device)
        if device is not None:
            yield from _registers(i, line, gate, device, site)
    yield from _shared(gated)


def _encoder(i: int, line: SortingLine, gate: Gate) -> Iterator[tuple[Location, str]]:
    """Between the picture and the eye only the encoder knows how far the belt carries fruit."""
    if gate.encoder is None and not 0 <= line.eye_at <= 1:
        where: Location = ("lines", i, "eye_at")
        words = f"an eye outside of the picture ({line.eye_at:g}) lets nothing pass without an encoder"
        yield where, f"{_dotted(where)}: {words}: name gate.encoder, or move the eye or the camera"


def _times(i: int, gate: Gate, device: ModbusDevice | None) -> Iterator[tuple[Location, str]]:
    place: Location = ("lines", i, "gate")
    if gate.margin_s >= gate.travel_s:
        yield (*place, "margin_s"), f"{_dotted(place)}: margin_s ({gate.margin_s}) leaves nothing of travel_s"
    if device is not None and device.poll_s * _POLLS_BEFORE_GATE > gate.travel_s:
        words = f"{device.name!r} is read every {device.poll_s:g} s: too seldom for fruit that is at the gate"
        yield (*place, "modbus"), f"{_dotted(place)}.modbus: {words} after {gate.travel_s:g} s: lower its poll_s"


def _registers(
    i: int, line: SortingLine, gate: Gate, device: ModbusDevice, site: Site
) -> Iterator[tuple[Location, str]]:
    place: Location = ("lines", i, "gate")
    if device.agent != line.agent:
        words = f"{device.name!r} is of agent {device.agent!r}, and the line of {line.agent!r}: it must be the same"
        yield (*place, "modbus"), f"{_dotted(place)}.modbus: {words}"
    known = {register.name: register for one in site.modbus for register in one.registers}
    own = {register.name for register in device.registers}
    for key, table in _TABLES.items():
        register = known.get(getattr(gate, key))
        if register is None:
            continue
        where = (*place, key)
        if register.name not in own:
            yield where, f"{_dotted(where)}: {register.name!r} is no register of {device.name!r}"
        elif register.meaning != key or register.table != table:
            words = f"{register.name!r} is {register.meaning!r} in table {register.table!r}"
            yield where, f"{_dotted(where)}: {words}: it must be {key!r} in table {table!r}"
        elif key == "pass_coils" and register.address + gate.places > 0x10000:
            yield where, f"{_dotted(where)}: coils {register.address} to {register.address + gate.places - 1}: no such"


def _shared(gated: Sequence[_Gated]) -> Iterator[tuple[Location, str]]:
    """Counters and coils that two lines take, or a line and a lamp."""
    counters: dict[str, str] = {}
    taken: list[_Coils] = []
    for i, line, gate, device in gated:
        for key in ("eye_count", "encoder"):
            name = getattr(gate, key)
            if name is not None and counters.setdefault(name, line.name) != line.name:
                where: Location = ("lines", i, "gate", key)
                yield where, f"{_dotted(where)}: {name!r} is the one of line {counters[name]!r}, too"
        for coils in _coils_of(gate, device):
            where = ("lines", i, "gate", "pass_coils")
            for other in [*taken, *_lamps(device)]:
                if coils.overlaps(other):
                    words = f"coils {coils.first} to {coils.first + coils.size - 1} are those of {other.user}, too"
                    yield where, f"{_dotted(where)}: {words}"
            taken.append(coils._replace(user=f"line {line.name!r}"))


def _coils_of(gate: Gate, device: ModbusDevice | None) -> list[_Coils]:
    registers: list[Register] = device.registers if device else []
    return [_Coils(gate.modbus, one.address, gate.places, "") for one in registers if one.name == gate.pass_coils]


def _lamps(device: ModbusDevice | None) -> list[_Coils]:
    if device is None:
        return []
    lamps = [one for one in device.registers if one.table == "coil" and one.meaning != "pass_coils"]
    return [_Coils(device.name, one.address, 1, f"register {one.name!r}") for one in lamps]


def _dotted(location: Location) -> str:
    return ".".join(map(str, location))
