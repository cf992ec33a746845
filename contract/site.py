"""The site: what one YAML document says of it (read by contract/site_file.py), and the processes that serve it.

Its doors, devices and lines stand in portals.py, fieldbus.py and sortingline.py. Every default stands there and here
alone.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from contract.coldchain import HumidityLimits, Keeps, Minutes, TemperatureLimits
from contract.fieldbus import ModbusDevice
from contract.portals import Door, PresenceRules, ZoneReader
from contract.sitepart import Part, Port, Seconds, Slug, Title
from contract.sortingline import Grade, SortingLine


class Broker(Part):
    """The MQTT broker. `nats` and `mosquitto` are started by `truecount broker`; `external` is not ours to start."""

    kind: Literal["nats", "mosquitto", "external"] = "nats"
    host: str = "127.0.0.1"
    port: Port = 1883
    data: Path = Path("data/broker")
    username: str | None = None
    password: str | None = None


class LocalHistory(Part):
    """History in SQLite tables beside the ledger. What is older, or beyond the size, goes: the oldest first."""

    kind: Literal["local"] = "local"
    days: Annotated[float, Field(gt=0, le=36_500)] = 400.0
    megabytes: int = Field(default=4096, ge=16)


class InfluxHistory(Part):
    """History in InfluxDB 1.8, 2.x or 3, by `/write` and InfluxQL `/query`."""

    kind: Literal["influx"]
    url: str
    database: str = "truecount"
    username: str | None = None
    password: str | None = None
    token: str | None = None
    retention_days: Annotated[int | None, Field(ge=1, le=36_500)] = None
    """So long InfluxDB 1.x keeps everything but the measurement `log`, which it keeps for good; None: all for good."""


class CountRules(Part):
    """How exact a cycle count must be. Percents are of the units that the books expect."""

    a_pct: Annotated[float, Field(ge=0, le=100)] = 0.0
    b_pct: Annotated[float, Field(ge=0, le=100)] = 0.5
    c_pct: Annotated[float, Field(ge=0, le=100)] = 2.0
    """Also for products without a class."""
    min_confidence: Annotated[float, Field(ge=0, lt=1)] = 0.98
    """Cases that a sweep did not find are missing only if it would have found such a share of what is there."""


class Gateway(Part):
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
    log_days: Annotated[float, Field(ge=1)] = 400.0
    """The log is kept at least so long, and the state of any moment can be told so far back."""
    books_days: Annotated[float, Field(ge=1)] = 100.0
    """Shipments that ended, items that left the house and resolved exceptions leave the books after so long."""
    disk_reserve_megabytes: int = Field(default=512, ge=1)
    """The last of the disk is for stock events: pictures, local history and snapshots wait. Staff is told at four times
    as much."""
    evidence_megabytes: int = Field(default=2048, ge=1)
    """Pictures of fruit that are kept: the oldest good ones go first, those of rejected fruit last."""
    max_reviews: int = Field(default=500, ge=1, le=10_000)
    """Verdicts that wait for a person's answer; beyond it the oldest are let go."""
    counts: CountRules = CountRules()


class Cloud(Part):
    """The company's cloud service."""

    url: str = "http://127.0.0.1:8090"
    host: str = "127.0.0.1"
    port: Port = 8090
    database: str = "sqlite:///data/cloud/cloud.db"
    supplier: str = "Hongda Fruit"
    """Supplier of every SKU until suppliers have offers of their own."""


class Recordings(Part):
    """The raw reads of its doors that an agent keeps, so that a disputed pass can be decided again."""

    days: Annotated[float, Field(ge=0, le=365)] = 8.0
    """0: none are kept."""
    megabytes: int = Field(default=512, ge=1)
    """The oldest go first."""


class Agent(Part):
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


class Zone(Part):
    """A place that holds stock."""

    name: Slug
    title: Title
    parent: Slug | None = None
    """The zone that it is a part of."""
    temperature: TemperatureLimits | None = None
    humidity: HumidityLimits | None = None
    door_open_minutes: Minutes | None = None
    """A door of it that stands open for longer is told; a door's own register may say another time."""


class Item(Part):
    """One line of the item master."""

    sku: Slug
    gtin: str = Field(pattern=r"^\d{14}$", description="GTIN-14")
    title: Title
    reorder_point: int = Field(default=0, ge=0)
    order_up_to: int = Field(default=0, ge=0)
    pack: int = Field(default=1, ge=1)
    abc: Literal["A", "B", "C"] | None = None
    """Class by value: how exact its counts must be. None: as C."""
    shelf_life_days: int | None = Field(default=None, ge=1)
    """From receipt, of a lot whose expiry nobody told."""
    keeps: Keeps = None
    """How long it keeps at which temperature: a name out of `contract.coldchain.PRODUCE`, or figures."""


class Simulation(Part):
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


class Site(Part):
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
