"""Stock events: what an edge agent has decided, with its evidence.

Every event carries two times, both microseconds since 1970-01-01 UTC by the agent's own clock:
`at_us`, when it happened in the warehouse, and `decided_us`, when the agent decided it. The gateway
adds a third of its own, the record time.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Micros = Annotated[int, Meta(ge=0, le=4_102_444_800_000_000)]
"""Microseconds since 1970-01-01 UTC, up to the year 2100."""
Name = Annotated[str, Meta(min_length=1, max_length=100)]
EpcHex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){1,62}$(?!\n)")]
"""EPC memory bank without its length word: lower-case hexadecimal, up to 496 bits (Gen2 section 6.3.2.1.2)."""
MAX_EPCS: Final = 400
"""In one event."""
Epcs = Annotated[tuple[EpcHex, ...], Meta(min_length=1, max_length=MAX_EPCS)]
Count = Annotated[int, Meta(ge=0, le=2**53)]

Direction = Literal["inbound", "outbound", "unknown"]
Rule = Literal["centroid", "phase", "photo_eye", "group", "margin"]
"""What decided a direction: the centroids of the reads, their phases, the order of the photo-eyes, the pallet that it
moved with, or (unknown) too little evidence."""

DeviceState = Literal["connected", "lost", "blind", "drifted", "data_lost", "clock_stepped", "health"]
"""`drifted`, of a camera: it sees, but not what its model learned from; `connected` ends it."""
Quantity = Literal["temperature_c", "humidity_pct", "weight_kg", "door_open"]
Verdict = Literal["good", "defective", "unsure", "unseen"]
"""`unseen`: it was there, and no camera saw it well enough to judge."""
Share = Annotated[float, Meta(ge=0, le=1)]


class SideEvidence(Struct, frozen=True, kw_only=True):
    """The reads of one side of a door within one pass."""

    reads: Count
    peak_rssi_dbm: float | None = None
    mean_rssi_dbm: float | None = None
    """Mean of the linear powers, in dBm."""
    centroid_us: Micros | None = None
    """Time centroid of the reads, weighted by linear power."""


class PassEvidence(Struct, frozen=True, kw_only=True):
    """Why a pass was decided as it was."""

    first_read_us: Micros
    last_read_us: Micros
    inside: SideEvidence
    outside: SideEvidence
    neutral_reads: Count = 0
    """Reads of antennas that stand on neither side."""
    margin_s: float | None = None
    """Inside centroid minus outside centroid: positive is inbound. None when it did not come near both sides."""
    phase_inbound: float | None = None
    """How likely it was inbound by the phases alone; None where the reader tells none, or the levels left no doubt."""
    beam: Direction | None = None
    """What the pair of photo-eyes saw, if there is one and it saw something."""
    rule: Rule = "centroid"


class TagEvidence(Struct, frozen=True, kw_only=True):
    """What one tag of several that moved together was heard to do."""

    inside_reads: Count
    outside_reads: Count
    inside_peak_rssi_dbm: float | None = None
    outside_peak_rssi_dbm: float | None = None
    margin_s: float | None = None
    """As in `PassEvidence`, of this tag alone."""
    straggler: bool = False
    """It belongs to what moved, but came late, or its own reads do not show that it went with the rest."""


class DoorPass(Struct, frozen=True, kw_only=True, tag_field="kind", tag="door_pass"):
    """Tags went through a door together. `inbound` is from the outside zone to the inside zone."""

    at_us: Micros
    decided_us: Micros
    door: Name
    direction: Direction
    confidence: Annotated[float, Meta(ge=0, le=1)]
    """0 to 1: the share of events with such evidence whose tags went through, and as said."""
    epcs: Epcs
    """EPC memory bank, lower-case hexadecimal; the logistic unit, if its tag was read, too."""
    evidence: PassEvidence
    """Of all of them together."""
    container: EpcHex | None = None
    """The logistic unit (an SSCC) which the others moved with: one of `epcs`, or of those of another part, where the
    load was too large for one event."""
    tags: Annotated[tuple[TagEvidence, ...], Meta(max_length=MAX_EPCS)] = ()
    """One for each of `epcs`, in their order, where there are several; else nothing."""


class EmptyPass(Struct, frozen=True, kw_only=True, tag_field="kind", tag="empty_pass"):
    """The gate of a door opened and closed, and no tag went through: a load without tags, or with dead ones."""

    at_us: Micros
    """The middle of the time that the gate was open."""
    decided_us: Micros
    door: Name
    direction: Direction
    """By the photo-eyes; `unknown` without them."""
    opened_us: Micros
    closed_us: Micros
    reads: Count = 0
    """Reads of strays while it was open: the reader was not deaf."""


class ZoneEvidence(Struct, frozen=True, kw_only=True):
    """Why tags are taken to be in a zone, or to have left it; of several tags together."""

    reads: Count
    """In that zone since they were first seen there, or since they moved there."""
    peak_rssi_dbm: float | None = None
    mean_rssi_dbm: float | None = None
    """Mean of the linear powers, in dBm."""
    rate_hz: float | None = None
    """Median of the tags' read rates, in reads a second."""
    window_s: float | None = None
    """The longest silence that was waited for before a tag was taken to have left."""
    rule: Literal["appeared", "moved", "silent"]
    """First seen; heard better elsewhere; or not heard for longer than its own read rate explains."""


class ZoneSeen(Struct, frozen=True, kw_only=True, tag_field="kind", tag="zone_seen"):
    """Tags are in a zone: a shelf, ceiling or handheld reader saw them there."""

    at_us: Micros
    decided_us: Micros
    zone: Name
    epcs: Epcs
    evidence: ZoneEvidence | None = None


class ZoneLeft(Struct, frozen=True, kw_only=True, tag_field="kind", tag="zone_left"):
    """Tags are no longer seen in a zone by a reader that is not blind."""

    at_us: Micros
    decided_us: Micros
    zone: Name
    epcs: Epcs
    evidence: ZoneEvidence | None = None


class TagCount(Struct, frozen=True, kw_only=True, tag_field="kind", tag="tag_count"):
    """One step of a cycle count: the tags found in a zone."""

    at_us: Micros
    decided_us: Micros
    count: Name
    zone: Name
    epcs: Epcs


class Tally(Struct, frozen=True, kw_only=True):
    """The fruit of a lot on a line so far, by verdict, the one that tells of it included."""

    good: Count = 0
    defective: Count = 0
    unsure: Count = 0
    unseen: Count = 0
    missed: Count = 0
    """Of all these, those whose verdict came too late for the gate."""


class SecondOpinion(Struct, frozen=True, kw_only=True):
    """What a model says that is tried beside the one that decides."""

    model: Name
    verdict: Verdict
    score: Share | None


class Inspection(Struct, frozen=True, kw_only=True, tag_field="kind", tag="inspection"):
    """A camera's verdict on one piece of fruit, or on one item with a tag."""

    at_us: Micros
    """When it broke the photo-eye; without one, when it left the picture."""
    decided_us: Micros
    line: Name
    subject: Name
    """EPC of the item; of a piece of fruit LINE-EPOCH-NUMBER, which is never given twice."""
    verdict: Verdict
    score: Share | None
    """Probability of defective: the median over the views. None when unseen."""
    model: Name
    """NAME-VERSION-BACKEND-HASH, the hash being the first 8 digits of the file's SHA-256."""
    evidence: Name | None = None
    """Id of the picture that was sent for it."""
    lot: Name | None = None
    crop: Name | None = None
    views: Count = 0
    gate: Literal["passed", "pushed", "missed"] | None = None
    """What became of it there. `passed`: the gate was told in time to let it pass, and its coil was not cleared before
    it was there. `missed`: it was told too late, or the coil was cleared, and the gate did what it does untold: it
    pushes.
    """
    sampled: bool = False
    """Chosen by chance for a person to look at."""
    second: SecondOpinion | None = None
    tally: Tally | None = None


class Condition(Struct, frozen=True, kw_only=True, tag_field="kind", tag="condition"):
    """One reading of a sensor in a zone or at a door."""

    at_us: Micros
    decided_us: Micros
    device: Name
    zone: Name
    quantity: Quantity
    value: float


class Device(Struct, frozen=True, kw_only=True, tag_field="kind", tag="device"):
    """Something happened to a device, or to what it should have told us."""

    at_us: Micros
    decided_us: Micros
    device: Name
    """A device of the site file, or a sensor behind one, by the name of its register."""
    state: DeviceState
    detail: Annotated[str, Meta(max_length=1000)] = ""
    """For people: what happened, then what to do."""
    counts: Annotated[dict[str, Count], Meta(max_length=50)] = {}
    """Health figures by name, e.g. reads, strays, reconnects."""


Event = DoorPass | EmptyPass | ZoneSeen | ZoneLeft | TagCount | Inspection | Condition | Device
