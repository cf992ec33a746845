"""The measurement `log` of one site, read from an InfluxDB in pages by time. A part of `restore`."""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import msgspec

from gateway.errors import HistoryDown, RestoreFailed
from gateway.history.influxlink import Series, name, text
from gateway.history.line import tag_text
from gateway.history.measurements import LOG, log_row
from gateway.history.words import Field
from gateway.records import LogRow

PAGE: Final = 10_000
"""Rows of one question. At most 100 rows of a site have one time, so that every full page ends at a later one."""
MIN_PAGE: Final = 200
PAGE_BYTES: Final = 16_000_000
"""Of bodies in a page: after large documents fewer rows are asked for."""
SPANS_NS: Final = (60 * 10**9, 30 * 86_400 * 10**9)
"""The shortest and the longest time that one question asks of."""


class Asked(Protocol):
    """Whom to ask: `InfluxLink`, and one that asks again when there is no answer."""

    def ask(self, query: str) -> list[Series]:
        """What a query finds; raises `HistoryDown`."""


def sources(link: Asked, site: str, policies: Iterable[str] = ()) -> dict[str, int]:
    """Where the log is, with the number of its rows: it may be in several retention policies.

    `policies`: where to look on a server that does not tell its policies, besides the default one.
    """
    try:
        told = [str(row[0]) for series in link.ask("SHOW RETENTION POLICIES") for row in series.values]
    except HistoryDown:
        told = []
    places = [f"{name(policy)}.{name(LOG)}" for policy in told or policies]
    if not told:
        places.append(name(LOG))
    return {place: count for place in places if (count := _count(link, place, site))}


def pages(link: Asked, source: str, site: str, limit: int = PAGE) -> Iterator[list[LogRow]]:
    """All rows of a site's log, oldest record time first, in pages. A row is in one page or, at its edge, in two."""
    ours = f"site = {text(tag_text(site))}"
    first, last = (_edge(link, source, site, order) for order in ("ASC", "DESC"))
    if first is None or last is None:
        return
    since, span, count = first, SPANS_NS[0], limit
    while since <= last:
        until = since + span
        found = _page(link, source, f"{ours} AND time >= {since} AND time < {until}", count)
        rows = [_row(at_ns, fields) for at_ns, fields in found]
        if len(found) < count:
            since = until
            span = min(2 * span, SPANS_NS[1]) if len(found) < count // 4 else span
        else:
            if found[-1][0] == since:
                raise RestoreFailed(f"{count} rows of the log have one time, {since} ns: Truecount wrote no such log")
            since = found[-1][0]  # there may be more of this very time
        if rows:
            yield rows
            size = sum(len(row.body) for row in rows)
            count = max(min(limit, MIN_PAGE), min(limit, PAGE_BYTES * len(rows) // max(size, 1)))


def _page(link: Asked, source: str, where: str, limit: int) -> list[tuple[int, dict[str, Field]]]:
    """Times and fields (and tags), by time."""
    found: list[tuple[int, dict[str, Field]]] = []
    for series in link.ask(f"SELECT * FROM {source} WHERE {where} ORDER BY time LIMIT {limit}"):
        at = series.columns.index("time")
        for values in series.values:
            fields = {name: value for name, value in zip(series.columns, values, strict=True) if value is not None}
            found.append((int(values[at] or 0), fields))
    return found


def _row(at_ns: int, fields: dict[str, Field]) -> LogRow:
    try:
        return log_row(at_ns, fields)
    except msgspec.ValidationError as error:
        raise RestoreFailed(f"the point of `{LOG}` at {at_ns} ns is no row of a log: {error}") from error


def _count(link: Asked, source: str, site: str) -> int:
    query = f"SELECT count(id) FROM {source} WHERE site = {text(tag_text(site))}"
    return sum(int(row[1] or 0) for series in link.ask(query) for row in series.values)


def _edge(link: Asked, source: str, site: str, order: str) -> int | None:
    query = f"SELECT id FROM {source} WHERE site = {text(tag_text(site))} ORDER BY time {order} LIMIT 1"
    times = [int(row[0] or 0) for series in link.ask(query) for row in series.values]
    return times[0] if times else None
