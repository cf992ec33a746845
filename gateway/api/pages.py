"""Lists that grow are read page by page, all in the same way.

    GET /api/v1/orders?limit=50           -> {"orders": [...], "next": "1763900000000000-north:lemon-4kg:7", ...}
    GET /api/v1/orders?limit=50&after=... -> {"orders": [...], "next": null, ...}

`after` is a place in the order of the list, which never changes for a row: a row that is there from the first page to
the last is told once, whatever comes and goes meanwhile. What is new stands before the newest, where no later page is.
"""

import heapq
from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeVar

from fastapi import Query
from pydantic import BaseModel

from gateway.views import GatewayTime

Row = TypeVar("Row")

MAX_LIMIT: Final = 1000
_AFTER: Final = "`next` of the page before."
LAST: Final[tuple[int, str]] = (2**63 - 1, "")
"""A place before every row, the newest included."""


class Page(BaseModel):
    """A part of a list that grows."""

    next: str | None
    """Pass it as `after` to go on; None: this is the end."""
    now_us: GatewayTime
    """To tell how old the gateway's times are, without a clock of one's own."""


Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows of a page, at most.")]
AfterKey = Annotated[str, Query(max_length=200, description=_AFTER)]
AfterTime = Annotated[str | None, Query(max_length=300, pattern=r"^[0-9]{1,18}-", description=_AFTER)]
AfterNumber = Annotated[int, Query(ge=0, le=2**63 - 1, description=_AFTER)]


def place(time_us: int, key: str) -> str:
    """A place in a list whose newest row comes first."""
    return f"{time_us}-{key}"


def before(after: str | None) -> tuple[int, str]:
    """The time and key that a place stands for; rows with smaller ones come after it."""
    if after is None:
        return LAST
    time_us, _, key = after.partition("-")
    return int(time_us), key


def newest_first(
    rows: Iterable[Row], time_and_key: Callable[[Row], tuple[int, str]], after: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """The rows of a page, and its `next`. `time_and_key` is of a row for good, and no other row has it."""
    bound = before(after)
    found = heapq.nlargest(limit + 1, (row for row in rows if time_and_key(row) < bound), key=time_and_key)
    return cut(found, limit, lambda row: place(*time_and_key(row)))


def by_key(rows: Iterable[Row], key: Callable[[Row], str], after: str, limit: int) -> tuple[list[Row], str | None]:
    """The rows of a page, by a key that no two have, and its `next`."""
    found = heapq.nsmallest(limit + 1, (row for row in rows if key(row) > after), key=key)
    return cut(found, limit, key)


def cut(found: list[Row], limit: int, place_of: Callable[[Row], str]) -> tuple[list[Row], str | None]:
    """Of `limit` rows and perhaps one more: those of the page, and its `next`."""
    return found[:limit], place_of(found[limit - 1]) if len(found) > limit else None
