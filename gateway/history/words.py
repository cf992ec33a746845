"""What a history is: points, and the protocol that InfluxDB and the local tables both serve."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

Field = float | int | str | bool
Tags = tuple[tuple[str, str], ...]

MAX_LIMIT = 10_000
"""Points that one query may ask for."""


class Point(Struct, frozen=True):
    """One point of one series. The series is the measurement with its tags."""

    measurement: str
    tags: Tags
    """In order of their keys. Values may be any text but the empty one: an absent tag is left out."""
    fields: dict[str, Field]
    """At least one. A field keeps its type for ever; floats are finite, integers have 64 bits."""
    at_ns: int
    """Nanoseconds since 1970-01-01 UTC."""


class Refused(NamedTuple):
    """A point that a history can never keep, and why."""

    point: Point
    reason: str


class History(Protocol):
    """A site's history. Every method may raise `HistoryDown`: nothing is lost if the caller tries again."""

    async def ready(self) -> None:
        """Make what must be there before the first write, so far as it is allowed to."""

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Keep points; on return all are on disk but those that are named.

        A point with the series and time of an earlier one adds its fields to it and overwrites those that it
        shares, so that writing twice is the same as once.
        """

    async def query(
        self, measurement: str, since_ns: int, until_ns: int, limit: int, tags: Mapping[str, str]
    ) -> list[Point]:
        """The first `limit` (at most `MAX_LIMIT`) points with these tags in [since, until), oldest first.

        Points of one time come in no stated order. What was never written is an empty answer.
        """

    async def close(self) -> None:
        """End the connection."""
