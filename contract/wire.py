"""What travels over MQTT, as JSON, and the only place that encodes and decodes it.

    agent                              gateway
      |-- events: Batch ----------------->|   first = next expected sequence: committed, then acknowledged
      |<-------------- ack: Ack ----------|   through = last sequence committed (cumulative)
      |-- status: Status (retained) ----->|   a heartbeat, and the agent's last will
      |-- evidence: Evidence ------------>|   a picture: kept under a quota or refused, then told with EvidenceKept
      |<---------------- command: Command-|   EvidenceKept, LineOrders

Delivery is described in docs/delivery.md.
"""

from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from contract.errors import BadMessage
from contract.events import Event, Name, Share, Verdict

T = TypeVar("T")

SCHEMA = 3
READABLE = frozenset({1, 2, SCHEMA})
"""What the older ones lacked are additions (SCHEMA.md)."""
MAX_BATCH_BYTES = 64 * 1024
MAX_EVENT_BYTES = 32 * 1024
MAX_EVIDENCE_BYTES = 512 * 1024
MAX_TALK_BYTES = 4 * 1024
"""An ack or a status."""

Sequence = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Micros = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Epoch = Annotated[str, Meta(max_length=64)]
PICTURE_ID: Final = "[a-z0-9-]{1,100}"
"""What the id of a picture is made of: it stands in paths and in names of files."""
PictureId = Annotated[str, Meta(pattern=rf"^{PICTURE_ID}$(?!\n)")]
Outline = tuple[tuple[Share, Share], ...]
"""Of a fruit: corners as shares of the picture's width and height."""
MAX_REASON: Final = 300
"""Characters of a reason."""


class Batch(Struct, frozen=True, kw_only=True):
    """Consecutive events of one agent: `first`, `first + 1`, ..."""

    schema: int
    agent: str
    epoch: str
    """Random name of the outbox file; a new one says that the numbers began again at 1."""
    first: int
    floor: int
    """Lowest sequence that the agent still holds: what is below it can never be resent."""
    events: tuple[msgspec.Raw, ...]
    """Each decoded on its own, so that one bad event cannot stop the stream."""


class Ack(Struct, frozen=True, kw_only=True):
    """The gateway holds every sequence up to `through`, on disk."""

    epoch: Epoch
    through: Sequence
    resend: bool = False
    """A gap was seen (or the gateway began anew): send again from `through + 1`."""
    renumber: bool = False
    """The agent's numbers ran backwards (a restored outbox): begin a new epoch with what is unacknowledged."""


class Status(Struct, frozen=True, kw_only=True):
    """An agent's heartbeat; `offline` is its last will."""

    agent: str
    state: Literal["online", "offline"]
    at_us: Micros = 0
    epoch: Epoch = ""
    made: Sequence = 0
    """Last sequence number given out."""
    waiting: Sequence = 0
    """Events in the outbox that are not yet acknowledged."""
    began: Sequence = 0
    """The last number that was given out before the agent's clock began to go as it does now: at its start, or when
    somebody set the clock."""
    version: Annotated[str, Meta(max_length=100)] = ""
    interval_s: Annotated[float, Meta(gt=0, le=86_400)] = 5.0
    """The next heartbeat comes within this time."""


class Evidence(Struct, frozen=True, kw_only=True):
    """A picture for people, from a line's camera."""

    schema: int
    agent: str
    id: PictureId
    line: Name
    at_us: Micros
    kind: Literal["fruit", "belt"]
    """One fruit, with its verdict; or the belt as it is now, which is shown and not kept."""
    picture: Annotated[bytes, Meta(min_length=1)]
    """JPEG."""
    outline: Annotated[Outline, Meta(max_length=64)] = ()
    verdict: Verdict | None = None
    score: Share | None = None
    model: Name | None = None


class EvidenceKept(Struct, frozen=True, kw_only=True, tag_field="kind", tag="evidence_kept"):
    """The gateway has these pictures on disk, or will never want them: the agent may forget them."""

    ids: Annotated[tuple[str, ...], Meta(max_length=500)]
    refused: Annotated[dict[str, Annotated[str, Meta(max_length=MAX_REASON)]], Meta(max_length=500)] = {}
    """Why, of those of `ids` that it will never want."""


class LotOrder(Struct, frozen=True, kw_only=True):
    """What runs over a line now."""

    lot: Name
    sku: Name | None = None
    customer: Name | None = None


class LineOrders(Struct, frozen=True, kw_only=True, tag_field="kind", tag="line_orders"):
    """The lots of an agent's lines, by line: sent at every change, and whenever the agent comes online."""

    lines: Annotated[dict[Name, LotOrder], Meta(max_length=50)]


Command = EvidenceKept | LineOrders


_encoder = msgspec.json.Encoder()
_batch = msgspec.json.Decoder(Batch)
_ack = msgspec.json.Decoder(Ack)
_status = msgspec.json.Decoder(Status)
_evidence = msgspec.json.Decoder(Evidence)
_command: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(message: Batch | Ack | Status | Evidence | Command | Event) -> bytes:
    """JSON bytes of any message."""
    return _encoder.encode(message)


def encode_batch(agent: str, epoch: str, first: int, floor: int, events: tuple[bytes, ...]) -> bytes:
    """A batch of events that are already encoded, at most `MAX_BATCH_BYTES` long (the caller's duty)."""
    raw = tuple(msgspec.Raw(event) for event in events)
    return _encoder.encode(Batch(schema=SCHEMA, agent=agent, epoch=epoch, first=first, floor=floor, events=raw))


def decode_batch(data: bytes) -> Batch:
    """A batch with its events still raw; raises `BadMessage`."""
    if len(data) > MAX_BATCH_BYTES:
        raise BadMessage(f"batch of {len(data)} bytes: at most {MAX_BATCH_BYTES}")
    batch = _decode(_batch, data, "batch")
    if batch.schema not in READABLE:
        raise BadMessage(f"batch has schema {batch.schema}: this side speaks {sorted(READABLE)}")
    if batch.first < 1 or batch.floor < 1 or batch.floor > batch.first or not batch.events:
        raise BadMessage(f"batch has first {batch.first}, floor {batch.floor}, {len(batch.events)} events")
    if batch.first + len(batch.events) > 2**63:
        raise BadMessage("batch has sequence numbers beyond 63 bits")
    if not 1 <= len(batch.epoch) <= 64:
        raise BadMessage("batch has an epoch that is not 1 to 64 characters long")
    return batch


def decode_event(data: bytes | msgspec.Raw) -> Event:
    """One event; raises `BadMessage`."""
    return _decode(_event, data, "event")


def decode_ack(data: bytes) -> Ack:
    """An acknowledgement; raises `BadMessage`."""
    return _decode(_ack, _short(data, "ack"), "ack")


def decode_status(data: bytes) -> Status:
    """A status; raises `BadMessage`."""
    return _decode(_status, _short(data, "status"), "status")


def decode_evidence(data: bytes) -> Evidence:
    """A picture with what is known of it; raises `BadMessage`. The picture's own bytes are not looked at."""
    if len(data) > MAX_EVIDENCE_BYTES:
        raise BadMessage(f"evidence of {len(data)} bytes: at most {MAX_EVIDENCE_BYTES}")
    evidence = _decode(_evidence, data, "evidence")
    if evidence.schema not in READABLE:
        raise BadMessage(f"evidence has schema {evidence.schema}: this side speaks {sorted(READABLE)}")
    return evidence


def decode_command(data: bytes) -> Command:
    """A command; raises `BadMessage`."""
    if len(data) > MAX_BATCH_BYTES:
        raise BadMessage(f"command of {len(data)} bytes: at most {MAX_BATCH_BYTES}")
    return _decode(_command, data, "command")


def _short(data: bytes, what: str) -> bytes:
    if len(data) > MAX_TALK_BYTES:
        raise BadMessage(f"{what} of {len(data)} bytes: at most {MAX_TALK_BYTES}")
    return data


def _decode(decoder: "msgspec.json.Decoder[T]", data: bytes | msgspec.Raw, what: str) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessage(f"{what}: {error}") from error
