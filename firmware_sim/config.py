"""The keys of the site file that the simulated world needs. Defaults stand in the site file's own schema, not here.

Build it from the JSON form of a checked site file, which has every default filled in:

    msgspec.convert(site.model_dump(mode="json"), WorldConfig)
"""

from pathlib import Path
from typing import Literal

from msgspec import Struct


class GatewayAddress(Struct, frozen=True):
    """Where the site's gateway listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Where to reach it from this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


class CloudAddress(Struct, frozen=True):
    """Where the company's cloud answers, and which supplier the world plays."""

    url: str
    supplier: str


class TemperatureLimits(Struct, frozen=True):
    """The range a zone must stay in."""

    min_c: float
    max_c: float


class ZoneConfig(Struct, frozen=True):
    """A place that holds stock."""

    name: str
    temperature: TemperatureLimits | None


class ItemConfig(Struct, frozen=True):
    """One line of the item master."""

    sku: str
    gtin: str


class ReaderConfig(Struct, frozen=True):
    """One LLRP reader to play, and on which side of the door its antennas stand."""

    name: str
    host: str
    port: int
    inside: tuple[int, ...]
    outside: tuple[int, ...]
    neutral: tuple[int, ...] = ()
    listen: bool = False
    """The agent listens there, and the reader connects to it."""

    @property
    def antennas(self) -> tuple[int, ...]:
        """All of its antennas."""
        return (*self.inside, *self.outside, *self.neutral)


class ZoneReaderConfig(Struct, frozen=True):
    """One LLRP reader at a ceiling or a shelf to play."""

    name: str
    host: str
    port: int
    zones: dict[str, str]
    """The zone that each antenna looks at; the antennas are numbers, but keys of JSON objects are text."""

    @property
    def antennas(self) -> tuple[int, ...]:
        """Its antenna ports."""
        return tuple(sorted(map(int, self.zones)))


class EyesConfig(Struct, frozen=True):
    """The two beams of a door, by the names of their registers."""

    outer: str
    inner: str


class DoorConfig(Struct, frozen=True):
    """A portal between two zones; `outside` None is the world."""

    name: str
    inside: str
    outside: str | None
    readers: tuple[ReaderConfig, ...]
    photo_eyes: EyesConfig | None


class RegisterConfig(Struct, frozen=True):
    """One Modbus register and what it means."""

    name: str
    table: Literal["coil", "discrete", "input", "holding"]
    address: int
    meaning: str
    zone: str | None
    scale: float


class PlcConfig(Struct, frozen=True):
    """One Modbus TCP server to play."""

    name: str
    host: str
    port: int
    unit: int
    registers: tuple[RegisterConfig, ...]


class CameraConfig(Struct, frozen=True):
    """A line's camera; only a `mjpeg` one is played."""

    name: str
    kind: str
    url: str | None = None


class GateConfig(Struct, frozen=True):
    """A line's reject gate, by the names of its PLC and registers."""

    modbus: str
    eye_count: str
    encoder: str | None
    pass_coils: str
    places: int
    travel_s: float


class LineConfig(Struct, frozen=True):
    """A belt with fruit under a camera."""

    name: str
    crop: str
    camera: CameraConfig
    moves: Literal["right", "left", "down", "up"]
    eye_at: float
    gate: GateConfig | None


class GradeConfig(Struct, frozen=True):
    """What a customer takes as good."""

    crop: str
    customer: str | None


class SimulationConfig(Struct, frozen=True):
    """What is played; the meaning of each key stands in the site file's schema."""

    judge_port: int
    cases_per_pallet: int
    pallets_per_truck: int
    opening_pallets: int
    sale_every_s: float
    mishap_every_s: float
    miss_rate: float
    strays_per_door: int
    fruit_per_s: float
    defective_share: float
    bad_lot_share: float
    lot_fruit: int
    fruit_images: Path | None


class WorldConfig(Struct, frozen=True):
    """Everything about one site that the simulator plays."""

    site: str
    gateway: GatewayAddress
    cloud: CloudAddress
    zones: tuple[ZoneConfig, ...]
    items: tuple[ItemConfig, ...]
    doors: tuple[DoorConfig, ...]
    zone_readers: tuple[ZoneReaderConfig, ...]
    modbus: tuple[PlcConfig, ...]
    lines: tuple[LineConfig, ...]
    grades: tuple[GradeConfig, ...]
    simulation: SimulationConfig
