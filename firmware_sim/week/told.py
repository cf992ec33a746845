"""What reaches the agents and the staff, each with the true moment at which it does (microseconds since 1970, UTC)."""

from typing import Literal, NamedTuple

from firmware_sim.radio import TagRead


class Heard(NamedTuple):
    """A reader reports reads, stamped by the true clock: whose clock it is by is for the receiver to add."""

    at_us: int
    reader: str
    reads: tuple[TagRead, ...]


class Beam(NamedTuple):
    """A photo-eye changed; by the name of its register."""

    at_us: int
    register: str
    broken: bool


class Sight(NamedTuple):
    """An agent notices that a reader is lost or frozen, or has it again."""

    at_us: int
    reader: str
    state: Literal["lost", "blind", "connected"]


class NoticeLine(NamedTuple):
    """Units of one SKU."""

    sku: str
    units: int


class NoticeCase(NamedTuple):
    """A case that the partner names, and its pallet."""

    epc: str
    sscc: str | None


class Notice(NamedTuple):
    """A despatch advice, or an order that is to go out."""

    at_us: int
    id: str
    direction: Literal["inbound", "outbound"]
    partner: str
    door: str
    lines: tuple[NoticeLine, ...] = ()
    cases: tuple[NoticeCase, ...] = ()


class Said(NamedTuple):
    """Staff say at a terminal what they have just done: thrown a case away, or sent a truck with an order off."""

    at_us: int
    what: Literal["scrapped", "loaded"]
    subject: str
    """EPC of the case, or the order."""


class Minute(NamedTuple):
    """A minute is over."""

    at_us: int


Entry = Heard | Beam | Sight | Notice | Said | Minute
