"""Reviews: verdicts that a person shall look at, because they are unsure or were drawn by chance.

Only so many wait at once: beyond it the oldest are let go, but none that stands before a person. Those whose picture
never comes nobody can answer. Both are closed by a record of their own, so that the log says of each verdict what
became of it; what a person has answered stays.
"""

import heapq
import re
from bisect import bisect_left, insort
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice

from contract.events import Inspection
from contract.wire import PICTURE_ID
from gateway.ledger.fruit.linerows import Review
from gateway.ledger.state import State
from gateway.records import MAX_CLOSED, LogRow, Record, ReviewAnswered, ReviewsClosed, WhyClosed

_PICTURE_ID = re.compile(PICTURE_ID)
"""Another one can never come."""


def asked(state: State, row: LogRow, event: Inspection, at_us: int) -> None:
    """A verdict that may be one to look at."""
    key = event.evidence
    if key is None or key in state.reviews.rows or _PICTURE_ID.fullmatch(key) is None:
        return
    if event.verdict != "unsure" and not event.sampled:
        return
    site_line = state.house.lines.get(event.line)
    review = Review(
        row=row.id,
        line=event.line,
        at_us=at_us,
        verdict=event.verdict,
        model=event.model,
        score=event.score,
        lot=event.lot,
        crop=event.crop or (site_line.crop if site_line is not None else None),
        sampled=event.sampled,
        asked_us=row.recorded_us,
    )
    state.reviews.put(key, review)
    insort(state.index.open_reviews[event.line], (at_us, key))


def answered(state: State, row: LogRow, record: ReviewAnswered) -> None:
    """A person said what it is. One that was let go, or has an answer, stays as it is."""
    review = state.reviews.get(record.id)
    if review is None or review.label is not None:
        return
    _close(state, record.id, review)
    review.row, review.label, review.who, review.answered_us = row.id, record.label, record.who, row.recorded_us
    state.reviews.touch(record.id)


def closed(state: State, row: LogRow, record: ReviewsClosed) -> None:
    """Nobody will answer these. One that was answered meanwhile stays."""
    for key in record.ids:
        review = state.reviews.get(key)
        if review is None or review.label is not None:
            continue
        _close(state, key, review)
        state.reviews.drop(key)
        if record.why == "unpictured":
            state.lines.rows[review.line].unpictured += 1
            state.lines.touch(review.line)


def surplus(state: State, shown: Collection[str]) -> list[str]:
    """Those beyond what may wait: the oldest of those that are not shown to a person, then the last of those."""
    over = sum(map(len, state.index.open_reviews.values())) - state.house.site.gateway.max_reviews
    if over <= 0:
        return []
    others = (key for key in oldest(state) if key not in shown)
    on_page = (key for key in reversed([*shown]) if is_open(state, key))
    return list(islice(chain(others, on_page), over))


def oldest(state: State) -> Iterator[str]:
    """Those that wait, the oldest first."""
    return (key for _, key in heapq.merge(*state.index.open_reviews.values()))


def is_open(state: State, key: str) -> bool:
    """Whether it waits for an answer."""
    review = state.reviews.get(key)
    return review is not None and review.label is None


def closing(keys: Sequence[str], why: WhyClosed, now_us: int) -> list[Record]:
    """What is to be recorded when nobody will answer these."""
    groups = (keys[start : start + MAX_CLOSED] for start in range(0, len(keys), MAX_CLOSED))
    return [ReviewsClosed(at_us=now_us, ids=tuple(group), why=why) for group in groups]


def reindex(state: State) -> None:
    """Derive the index from the table."""
    for key, review in state.reviews.rows.items():
        if review.label is None:
            insort(state.index.open_reviews[review.line], (review.at_us, key))


def _close(state: State, key: str, review: Review) -> None:
    queue = state.index.open_reviews[review.line]
    del queue[bisect_left(queue, (review.at_us, key))]
    if not queue:
        del state.index.open_reviews[review.line]
    state.shown.add(("lines", review.line))
