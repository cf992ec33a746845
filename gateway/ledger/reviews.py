"""Reviews: verdicts that a person shall look at, because they are unsure or were drawn by chance.

Only so many wait at once: beyond it the oldest is let go. What a person has answered stays.
"""

import re
from bisect import bisect_left, insort

from contract.events import Inspection
from gateway.ledger.linerows import Review
from gateway.ledger.state import State
from gateway.records import LogRow, ReviewAnswered

_PICTURE_ID = re.compile(r"[a-z0-9-]{1,100}")
"""Another one can never come (contract/wire.py, `Evidence`)."""


def asked(state: State, row: LogRow, event: Inspection, at_us: int) -> None:
    """A verdict that may be one to look at."""
    key = event.evidence
    if key is None or key in state.reviews.rows or _PICTURE_ID.fullmatch(key) is None:
        return
    if event.verdict != "unsure" and not event.sampled:
        return
    review = Review(
        row=row.id,
        line=event.line,
        at_us=at_us,
        verdict=event.verdict,
        model=event.model,
        score=event.score,
        lot=event.lot,
        crop=event.crop or state.house.lines[event.line].crop,
        sampled=event.sampled,
    )
    state.reviews.put(key, review)
    insort(state.index.open_reviews[event.line], (at_us, key))
    _let_go(state)


def answered(state: State, row: LogRow, record: ReviewAnswered) -> None:
    """A person said what it is. One that was let go, or has an answer, stays as it is."""
    review = state.reviews.get(record.id)
    if review is None or review.label is not None:
        return
    _close(state, record.id, review)
    review.row, review.label, review.who, review.answered_us = row.id, record.label, record.who, row.recorded_us
    state.reviews.touch(record.id)


def reindex(state: State) -> None:
    """Derive the index from the table."""
    for key, review in state.reviews.rows.items():
        if review.label is None:
            insort(state.index.open_reviews[review.line], (review.at_us, key))


def _let_go(state: State) -> None:
    queues = state.index.open_reviews
    while sum(map(len, queues.values())) > state.house.site.gateway.max_reviews:
        _, key = min(queue[0] for queue in queues.values() if queue)
        _close(state, key, state.reviews.rows[key])
        state.reviews.drop(key)


def _close(state: State, key: str, review: Review) -> None:
    queue = state.index.open_reviews[review.line]
    del queue[bisect_left(queue, (review.at_us, key))]
    if not queue:
        del state.index.open_reviews[review.line]
    state.shown.add(("lines", review.line))
