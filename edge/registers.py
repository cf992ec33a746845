"""The register table of a Modbus device: which reads fetch it, and what the values mean."""

import itertools
from collections.abc import Iterable
from typing import Literal, NamedTuple

from contract.events import Quantity
from contract.fieldbus import Register

Table = Literal["coil", "discrete", "input", "holding"]

LARGEST_READ: dict[Table, int] = {"coil": 2000, "discrete": 2000, "input": 125, "holding": 125}
"""Modbus Application Protocol 1.1b3, sections 6.1 to 6.4."""


class Span(NamedTuple):
    """Registers with consecutive addresses of one table: one request."""

    table: Table
    start: int
    size: int
    registers: tuple[Register, ...]


def spans(registers: Iterable[Register]) -> list[Span]:
    """The fewest reads that fetch these registers and no address beside them: a PLC refuses a read over a hole."""
    ordered = sorted(registers, key=lambda register: (register.table, register.address))
    found: list[Span] = []
    for table, group in itertools.groupby(ordered, key=lambda register: register.table):
        for register in group:
            last = found[-1] if found and found[-1].table == table else None
            if last and last.start <= register.address <= last.start + last.size:
                size = register.address - last.start + 1
                if size <= LARGEST_READ[table]:
                    found[-1] = Span(table, last.start, size, (*last.registers, register))
                    continue
            found.append(Span(table, register.address, 1, (register,)))
    return found


def quantity(register: Register) -> Quantity | None:
    """What a sensor measures; None for a register that is no sensor."""
    match register.meaning:
        case "temperature_c" | "humidity_pct" | "door_open" as measured:
            return measured
        case _:
            return None


def measured(register: Register, raw: int) -> float:
    """Value in the unit: the 16 bits as a signed number, times the scale; of a door 1 while it is open, else 0."""
    if register.meaning == "door_open":
        return float(bool(raw) == bool(register.open_when))
    signed = raw - 0x10000 if raw >= 0x8000 else raw
    return round(signed * register.scale, 6)
