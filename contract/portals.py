"""Portals in the site file: readers, the doors and zones that they hear, and the rules by which reads are judged."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from contract.sitepart import Antenna, EpcText, Part, Port, Seconds, Slug, Title


class Tls(Part):
    """TLS to a reader (LLRP 1.0.1 section 18.2: port 5085)."""

    ca: Path
    """PEM file of the certificate authority, or of the reader's own certificate: this one is trusted, and no other."""
    server_name: str | None = None
    """The name that the certificate must bear, if it is not `host`."""


class Reader(Part):
    """One LLRP reader: how it is reached, and how it reads."""

    name: Slug
    host: str = "127.0.0.1"
    port: Port = 5084
    """By default 5085 with TLS."""
    tls: Tls | None = None
    listen: bool = False
    """The reader connects to us (LLRP 1.0.1 section 18): `host` and `port` are where we listen for it."""
    keepalive_s: Seconds = 5.0
    transmit_power: int = Field(default=0, ge=0, description="index into the reader's power table, 0 for the highest")
    session: int = Field(default=1, ge=0, le=3, description="Gen2 session")
    vendor_extensions: bool = True
    """Ask a reader whose vendor we know for finer signal strength, phase and its own link monitor."""

    @model_validator(mode="before")
    @classmethod
    def _port_of_tls(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("tls") and "port" not in data:
            return {**data, "port": 5085}
        return data

    @model_validator(mode="after")
    def _no_tls_for_callers(self) -> Self:
        if self.tls is not None and self.listen:
            raise ValueError("tls: not for a reader that connects to us: leave out listen, and let us connect to it")
        return self

    @property
    def antennas(self) -> frozenset[int]:
        """Those that shall read."""
        raise NotImplementedError


class LlrpReader(Reader):
    """A reader at a door, and on which side of it its antennas stand."""

    inside: list[Antenna] = []
    outside: list[Antenna] = []
    neutral: list[Antenna] = []
    """Antennas overhead, that stand on neither side."""

    @property
    def antennas(self) -> frozenset[int]:
        """Those that shall read."""
        return frozenset([*self.inside, *self.outside, *self.neutral])

    @model_validator(mode="after")
    def _has_antennas(self) -> "LlrpReader":
        if not self.antennas:
            raise ValueError("no antennas: name those inside, outside or neutral")
        return self

    @model_validator(mode="after")
    def _sides_differ(self) -> "LlrpReader":
        both = sorted(set(self.inside) & set(self.outside))
        if both:
            raise ValueError(f"antennas {both} stand both inside and outside")
        neither = sorted(set(self.neutral) & {*self.inside, *self.outside})
        if neither:
            raise ValueError(f"antennas {neither} stand on a side, and neutral")
        return self


class ZoneReader(Reader):
    """A reader over shelves, at a ceiling or in a cold room, and which zone each antenna looks at."""

    agent: Slug
    zones: dict[Antenna, Slug] = Field(min_length=1)

    @property
    def antennas(self) -> frozenset[int]:
        """Those that shall read."""
        return frozenset(self.zones)


class PassRules(Part):
    """When reads become a pass, and when its direction is known."""

    gap_s: Seconds = 1.2
    """A tag unread for this long has finished its pass."""
    max_pass_s: Seconds = 60.0
    """A tag read for longer than this stands still: it is a stray until it falls silent."""
    margin_s: Annotated[float, Field(ge=0)] = 0.25
    """Smallest distance between the two centroids that counts as a direction by itself."""
    min_confidence: Annotated[float, Field(ge=0.5, le=0.99)] = 0.65
    """A direction that is less sure than this is `unknown`; 0.65 is nearly two to one."""
    min_reads: int = Field(default=3, ge=1)
    min_peak_rssi_dbm: float = -66.0
    """A pass whose strongest read stays below this is a stray."""
    near_peak_rssi_dbm: float = -52.0
    """Strongest read of a tag at which, if nothing else tells, every second one has gone through the door. It goes with
    the power of the readers: with 3 dB less it is 3 dB lower."""
    min_passed: Annotated[float, Field(ge=0, le=0.99)] = 0.7
    """What is less sure than this to have gone through is a stray, however sure its direction."""
    group_s: Seconds = 1.0
    """Tags that are in the middle of the door within this time of each other may be one load; slow ones within more."""
    group_wait_s: Seconds = 6.0
    """A tag whose pass is over waits at most so long for those that may be on the same load and are still read."""


class PresenceRules(Part):
    """When a tag is in a zone, and when it has left it."""

    sure: Annotated[float, Field(gt=0.5, lt=1)] = 0.999
    """Chance that a tag which stays for an hour is not once taken to have left."""
    min_reads: int = Field(default=2, ge=1)
    """Fewer reads than this are no presence."""
    min_window_s: Seconds = 5.0
    max_window_s: Seconds = 600.0
    """Bounds of the time that a tag may be silent before it has left. A tag that is heard less than once in a fiftieth
    of the longest one is taken to have left more often than `sure` says."""
    move_db: Annotated[float, Field(ge=0)] = 6.0
    """A tag moves to another zone when it is heard there by so much better."""


class PhotoEyes(Part):
    """The two beams of a door, by the names of their registers."""

    outer: Slug
    inner: Slug


class GpiGate(Part):
    """A light barrier or presence sensor on an input of a door's reader."""

    kind: Literal["gpi"]
    reader: Slug
    port: int = Field(ge=1, le=65535)
    active: Literal["high", "low"] = "high"
    hold_s: Seconds = 1.0
    """The gate stays open for this long after the input became inactive."""


class EyesGate(Part):
    """The door's own photo-eyes."""

    kind: Literal["photo_eyes"]
    hold_s: Seconds = 1.0


class Door(Part):
    """A portal between two zones; `outside: null` is the world."""

    name: Slug
    title: Title
    agent: Slug
    inside: Slug
    outside: Slug | None = None
    readers: list[LlrpReader] = Field(min_length=1)
    photo_eyes: PhotoEyes | None = None
    gate: Annotated[GpiGate | EyesGate, Field(discriminator="kind")] | None = None
    """Tags count only while it is open, and an opening without a tag is told. None: the door reads at all times."""
    beside: list[Slug] = []
    """Doors of the same agent so near that their antennas hear this door's tags; said at one of a pair is enough."""
    static_tags: list[EpcText] = []
    """EPCs that are fixed near the door, in hexadecimal: never a pass. Others are learned."""
    rules: PassRules = PassRules()

    @model_validator(mode="after")
    def _both_sides(self) -> "Door":
        for side in ("inside", "outside"):
            if not any(getattr(reader, side) for reader in self.readers):
                raise ValueError(f"no reader has an antenna {side}")
        return self

    @model_validator(mode="after")
    def _gate_is_there(self) -> "Door":
        names = [reader.name for reader in self.readers]
        if isinstance(self.gate, GpiGate) and self.gate.reader not in names:
            raise ValueError(f"gate: no reader of this door is called {self.gate.reader!r}: {', '.join(names)}")
        if isinstance(self.gate, EyesGate) and self.photo_eyes is None:
            raise ValueError("gate: the door has no photo_eyes")
        return self
