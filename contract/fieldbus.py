"""The fieldbus in the site file: Modbus devices and what their registers mean."""

from typing import Literal

from pydantic import Field

from contract.sitepart import Part, Port, Seconds, Slug


class Register(Part):
    """One Modbus register and what it means (Modbus Application Protocol 1.1b3, section 4.3)."""

    name: Slug
    table: Literal["coil", "discrete", "input", "holding"]
    address: int = Field(ge=0, le=65535)
    meaning: Literal[
        "photo_eye",
        "temperature_c",
        "humidity_pct",
        "stack_green",
        "stack_amber",
        "stack_red",
        "eye_count",
        "encoder",
        "pass_coils",
    ]
    """Of a sorting line's gate: `eye_count`, how often its photo-eye was broken (an input register, 16 bits, wraps);
    `encoder`, pulses of its belt (the same); `pass_coils`, the first of the coils of `Gate`."""
    zone: Slug | None = None
    scale: float = 1.0
    """Value in the unit = signed 16-bit register x scale."""
    every_s: Seconds = 5.0
    """How often a condition is reported."""


class ModbusDevice(Part):
    """One Modbus TCP server."""

    name: Slug
    agent: Slug
    host: str = "127.0.0.1"
    port: Port = 502
    unit: int = Field(default=1, ge=0, le=255)
    poll_s: Seconds = 0.05
    registers: list[Register] = Field(min_length=1)
