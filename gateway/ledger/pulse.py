"""What is known of an agent at the moment, by its heartbeats and batches."""

from msgspec import Struct


class Pulse(Struct):
    """What is known of an agent at the moment. It is not in the log: after a restart nobody has been heard."""

    heard_us: int | None = None
    here: bool | None = None
    """What the log last said, or is about to say: heard, silent, or nothing yet."""
    epoch: str = ""
    made: int = 0
    waiting: int | None = None
    clock_offset_us: int | None = None
    """Its clock minus the gateway's, as the last heartbeat says."""
    offsets: list[int] = []
    """The same of the last heartbeats since its clock goes as it does: a late one seems to be behind."""
    judged: tuple[str, int, int] | None = None
    """What the log last said of its clock: epoch, began, and how far ahead it is."""
    batches: int = 0
    """Batches of it since the start, of whatever worth."""
    gaps: int = 0
    """Of these, batches behind a gap: it was asked to send again."""
    renumberings: int = 0
    """Of these, batches with other events under known numbers: it was asked to number anew."""
    duplicates: int = 0
    """Events that the log already held."""
