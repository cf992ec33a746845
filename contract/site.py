"""The site: what one YAML document says of it (read by contract/site_file.py). Every default stands here alone."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", description="a-z, 0-9 and -, at most 40 characters")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Antenna = Annotated[int, Field(ge=1, le=65535, description="LLRP numbers antennas from 1")]
Share = Annotated[float, Field(ge=0, le=1)]
EpcText = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){1,62}$", description="EPC in lower-case hexadecimal")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Title(_Part):
    """A name for people, in both languages."""

    en: str = Field(min_length=1, max_length=100)
    zh: str = Field(min_length=1, max_length=100)


class Broker(_Part):
    """The MQTT broker. `nats` and `mosquitto` are started by `truecount broker`; `external` is not ours to start."""

    kind: Literal["nats", "mosquitto", "external"] = "nats"
    host: str = "127.0.0.1"
    port: Port = 1883
    data: Path = Path("data/broker")
    username: str | None = None
    password: str | None = None


class LocalHistory(_Part):
    """History in SQLite tables beside the ledger."""

    kind: Literal["local"] = "local"


class InfluxHistory(_Part):
    """History in InfluxDB 1.8, 2.x or 3, by `/write` and InfluxQL `/query`."""

    kind: Literal["influx"]
    url: str
    database: str = "truecount"
    username: str | None = None
    password: str | None = None
    token: str | None = None


class Gateway(_Part):
    """The site's gateway."""

    host: str = "127.0.0.1"
    port: Port = 8080
    data: Path = Path("data/gateway")
    history: Annotated[LocalHistory | InfluxHistory, Field(discriminator="kind")] = LocalHistory()
    group_commit_s: Annotated[float, Field(gt=0, le=1)] = 0.025
    shipment_settle_s: Seconds = 20.0
    """A shipment whose last case was seen this long ago is short of what has not been seen."""
    silent_after_s: Seconds = 15.0
    """An agent that has not been heard for this long is silent."""
    evidence_megabytes: int = Field(default=2048, ge=1)
    """Pictures of fruit that are kept: the oldest good ones go first, those of rejected fruit last."""
    max_reviews: int = Field(default=500, ge=1, le=10_000)
    """Verdicts that wait for a person's answer; beyond it the oldest are let go."""


class Cloud(_Part):
    """The company's cloud service."""

    url: str = "http://127.0.0.1:8090"
    host: str = "127.0.0.1"
    port: Port = 8090
    database: str = "sqlite:///data/cloud/cloud.db"
    supplier: str = "Hongda Fruit"
    """Supplier of every SKU until suppliers have offers of their own."""


class TemperatureLimits(_Part):
    """The range a zone must stay in."""

    min_c: float
    max_c: float


class Zone(_Part):
    """A place that holds stock."""

    name: Slug
    title: Title
    temperature: TemperatureLimits | None = None


class Item(_Part):
    """One line of the item master."""

    sku: Slug
    gtin: str = Field(pattern=r"^\d{14}$", description="GTIN-14")
    title: Title
    reorder_point: int = Field(default=0, ge=0)
    order_up_to: int = Field(default=0, ge=0)
    pack: int = Field(default=1, ge=1)


class PassRules(_Part):
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


class Tls(_Part):
    """TLS to a reader (LLRP 1.0.1 section 18.2: port 5085)."""

    ca: Path
    """PEM file of the certificate authority, or of the reader's own certificate: this one is trusted, and no other."""
    server_name: str | None = None
    """The name that the certificate must bear, if it is not `host`."""


class Reader(_Part):
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


class PresenceRules(_Part):
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


class PhotoEyes(_Part):
    """The two beams of a door, by the names of their registers."""

    outer: Slug
    inner: Slug


class GpiGate(_Part):
    """A light barrier or presence sensor on an input of a door's reader."""

    kind: Literal["gpi"]
    reader: Slug
    port: int = Field(ge=1, le=65535)
    active: Literal["high", "low"] = "high"
    hold_s: Seconds = 1.0
    """The gate stays open for this long after the input became inactive."""


class EyesGate(_Part):
    """The door's own photo-eyes."""

    kind: Literal["photo_eyes"]
    hold_s: Seconds = 1.0


class Door(_Part):
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


class Register(_Part):
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


class ModbusDevice(_Part):
    """One Modbus TCP server."""

    name: Slug
    agent: Slug
    host: str = "127.0.0.1"
    port: Port = 502
    unit: int = Field(default=1, ge=0, le=255)
    poll_s: Seconds = 0.05
    registers: list[Register] = Field(min_length=1)


class _Camera(_Part):
    name: Slug
    stall_s: Seconds = 2.0
    """Without a new picture for this long it is lost; with the same picture for this long it is blind."""
    delay_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    """From the light to our having the picture."""


class MjpegCamera(_Camera):
    """Motion JPEG over HTTP (multipart/x-mixed-replace)."""

    kind: Literal["mjpeg"]
    url: str


class RtspCamera(_Camera):
    """RTSP, by the decoders that OpenCV brings."""

    kind: Literal["rtsp"]
    url: str


class UsbCamera(_Camera):
    """A camera of this machine, by its number."""

    kind: Literal["usb"]
    device: int = Field(default=0, ge=0, le=63)
    width: int = Field(default=640, ge=64, le=4096)
    height: int = Field(default=360, ge=64, le=4096)
    fps: Annotated[float, Field(gt=0, le=240)] = 30.0


class FolderCamera(_Camera):
    """The images of a folder in the order of their names, as if they were a camera's."""

    kind: Literal["folder"]
    path: Path
    fps: Annotated[float, Field(gt=0, le=240)] = 10.0
    repeat: bool = False


class VideoCamera(_Camera):
    """A video file, as fast as it was taken."""

    kind: Literal["video"]
    path: Path
    repeat: bool = False


AnyCamera = Annotated[MjpegCamera | RtspCamera | UsbCamera | FolderCamera | VideoCamera, Field(discriminator="kind")]


class Gate(_Part):
    """The reject gate of a line, behind its photo-eye. It pushes off every fruit that it is not told to let pass, so
    that what could not be seen is never sold as good.

    The n-th fruit that breaks the eye (as `eye_count` counts) has the coil `pass_coils` + n mod `places`. Written true
    before the fruit is at the gate, it lets it pass; the gate clears it as the fruit goes by.
    """

    modbus: Slug
    """The Modbus device with the registers below, by its name."""
    eye_count: Slug
    encoder: Slug | None = None
    pass_coils: Slug
    places: int = Field(default=16, ge=2, le=256)
    travel_s: Seconds = 0.5
    """From the eye to the gate: a verdict is due so long after the eye, less `margin_s`."""
    margin_s: Annotated[float, Field(ge=0, le=5)] = 0.02

    @field_validator("places")
    @classmethod
    def _power_of_two(cls, places: int) -> int:
        """The count of the eye wraps at 65,536: with another number the first fruit after it would share coils."""
        if places & (places - 1):
            raise ValueError(f"{places} is no power of two")
        return places


class Views(_Part):
    """How often a fruit is looked at."""

    least: int = Field(default=3, ge=1, le=50)
    """Fewer views than this make it `unsure`, none at all `unseen`."""
    most: int = Field(default=5, ge=1, le=50)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.most < self.least:
            raise ValueError(f"most ({self.most}) is less than least ({self.least})")
        return self


Crop = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="a crop with a model, such as lemon")]


class SortingLine(_Part):
    """A belt with fruit under a camera."""

    name: Slug
    title: Title
    agent: Slug
    crop: Crop
    camera: AnyCamera
    moves: Literal["right", "left", "down", "up"] = "right"
    """The way of the belt in the picture."""
    eye_at: Annotated[float, Field(ge=-1, le=2)] = 0.9
    """Where the photo-eye crosses the belt: 0 where fruit enters the picture, 1 where it leaves; beyond 1 behind it."""
    gate: Gate | None = None
    views: Views = Views()
    models: Path | None = None
    """Folder with the model packages; None: those that come with Truecount."""
    backend: Literal["int8", "fp32"] = "int8"
    sample: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Share of the sure verdicts that a person is asked about, besides all that are unsure."""


class Grade(_Part):
    """What a customer takes as good, of one crop."""

    crop: Crop
    customer: Slug | None = None
    """None: every customer that has no grade of its own."""
    good_below: Share | None = None
    defective_from: Share | None = None
    """Probabilities of defective; between them a fruit is unsure. None: as the model's manifest says."""
    max_defective: Share = 0.1
    """A lot with more than this share of defective fruit is over its limit."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.good_below is not None and self.defective_from is not None and self.good_below > self.defective_from:
            raise ValueError(f"good_below ({self.good_below}) is above defective_from ({self.defective_from})")
        return self


class Recordings(_Part):
    """The raw reads of its doors that an agent keeps, so that a disputed pass can be decided again."""

    days: Annotated[float, Field(ge=0, le=365)] = 8.0
    """0: none are kept."""
    megabytes: int = Field(default=512, ge=1)
    """The oldest go first."""


class Agent(_Part):
    """One edge process. The name `gateway` is taken: the gateway's own rows in the log bear it."""

    name: Slug
    data: Path = Path("data/edge")
    window: int = Field(default=8, ge=1, le=100)
    """Batches that may be unacknowledged at once."""
    ack_timeout_s: Seconds = 2.0
    retain: int = Field(default=1000, ge=0)
    """Acknowledged events kept in the outbox for diagnosis."""
    recordings: Recordings = Recordings()
    evidence_megabytes: int = Field(default=256, ge=1)
    """Pictures of fruit that wait for the gateway: the oldest good ones go first, those of rejected fruit last."""

    @field_validator("name")
    @classmethod
    def _not_the_gateway(cls, name: str) -> str:
        if name == "gateway":
            raise ValueError("'gateway' is the name of the gateway's own rows in the log: choose another")
        return name


class Simulation(_Part):
    """What `truecount sim` plays at this site."""

    judge_port: Port = 8070
    """Loopback port where the simulator tells the truth about its world."""
    cases_per_pallet: int = Field(default=12, ge=1, le=60)
    pallets_per_truck: int = Field(default=3, ge=1, le=30)
    opening_pallets: int = Field(default=2, ge=0, le=100)
    """Pallets of each SKU that the house holds when the world begins."""
    sale_every_s: Seconds = 12.0
    """One case of some SKU is sold this often, in world seconds."""
    mishap_every_s: Seconds = 90.0
    """Somebody carries something the wrong way this often, in world seconds."""
    miss_rate: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Share of tags that are detuned and hardly ever read."""
    strays_per_door: int = Field(default=4, ge=0, le=200)
    fruit_per_s: Annotated[float, Field(ge=0, le=20)] = 1.5
    """Fruit on each sorting line, in real seconds: a belt does not run faster because the world's schedule does."""
    defective_share: Annotated[float, Field(ge=0, le=1)] = 0.04
    bad_lot_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Lots that are far worse than that."""
    lot_fruit: int = Field(default=60, ge=1)
    """Fruit in a lot."""
    fruit_images: Path | None = None
    """A folder of images, good ones in `good`, others in `defective`, to cut the fruit out of; None: it is drawn."""


class Site(_Part):
    """Everything about one site."""

    site: Slug
    title: Title
    broker: Broker = Broker()
    gateway: Gateway = Gateway()
    cloud: Cloud = Cloud()
    agents: list[Agent] = Field(min_length=1)
    zones: list[Zone] = Field(min_length=1)
    items: list[Item] = []
    doors: list[Door] = []
    zone_readers: list[ZoneReader] = []
    presence: PresenceRules = PresenceRules()
    modbus: list[ModbusDevice] = []
    lines: list[SortingLine] = []
    grades: list[Grade] = []
    simulation: Simulation = Simulation()
