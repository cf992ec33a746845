"""The fieldbus in the site file: Modbus devices and what their registers mean."""

from typing import Annotated, Literal

from pydantic import Field

from contract.coldchain import Minutes
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
        "door_open",
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
    open_when: Literal[0, 1] = 1
    """Of a `door_open`: what the contact reads while the door stands open."""
    open_minutes: Minutes | None = None
    """Of a `door_open`: it may stand open for so long. None: as its zone says."""
    stuck_after_minutes: Annotated[float, Field(ge=0, le=20_160)] | None = None
    """A temperature or humidity that has not changed at all for so long is that of a dead sensor; 0: it may stand
    still for ever. None: six hours for each 0.1 of its `scale`, at least two and at most 24."""


class ModbusDevice(Part):
    """One Modbus TCP server."""

    name: Slug
    agent: Slug
    host: str = "127.0.0.1"
    port: Port = 502
    unit: int = Field(default=1, ge=0, le=255)
    poll_s: Seconds = 0.05
    registers: list[Register] = Field(min_length=1)
