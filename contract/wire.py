"""What travels over MQTT, as JSON, and the only place that encodes and decodes it.

    agent                              gateway
      |-- events: Batch ----------------->|   first = next expected sequence: committed, then acknowledged
      |<-------------- ack: Ack ----------|   through = last sequence committed (cumulative)
      |-- status: Status (retained) ----->|   a heartbeat, and the agent's last will

Delivery is described in docs/delivery.md.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from contract.errors import BadMessage
from contract.events import Event

T = TypeVar("T")

SCHEMA = 2
READABLE = frozenset({1, SCHEMA})
"""1 had no groups, no `empty_pass` and no evidence of zones: all of them additions."""
MAX_BATCH_BYTES = 64 * 1024
MAX_EVENT_BYTES = 32 * 1024
MAX_EVIDENCE_BYTES = 512 * 1024
MAX_TALK_BYTES = 4 * 1024
"""An ack or a status."""

Sequence = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Micros = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Epoch = Annotated[str, Meta(max_length=64)]


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
    version: Annotated[str, Meta(max_length=100)] = ""
    interval_s: Annotated[float, Meta(gt=0, le=86_400)] = 5.0
    """The next heartbeat comes within this time."""


_encoder = msgspec.json.Encoder()
_batch = msgspec.json.Decoder(Batch)
_ack = msgspec.json.Decoder(Ack)
_status = msgspec.json.Decoder(Status)
_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(message: Batch | Ack | Status | Event) -> bytes:
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


def _short(data: bytes, what: str) -> bytes:
    if len(data) > MAX_TALK_BYTES:
        raise BadMessage(f"{what} of {len(data)} bytes: at most {MAX_TALK_BYTES}")
    return data


def _decode(decoder: "msgspec.json.Decoder[T]", data: bytes | msgspec.Raw, what: str) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessage(f"{what}: {error}") from error
