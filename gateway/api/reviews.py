"""Reviews: verdicts that a person looks at, and what the person says. Each answer is a label to learn from."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from contract.wire import Outline
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.known import Words
from gateway.ledger.linerows import Review
from gateway.records import Label, ReviewAnswered
from gateway.views import ReviewView

router = APIRouter(prefix="/api/v1/reviews", tags=["lines"])


class ReviewDetail(ReviewView):
    """A verdict that waits for a person, or has been looked at."""

    state: Literal["open", "answered"]
    picture: bool
    """Whether /api/v1/evidence/{id}.jpg is there: it may be on its way, or gone under the quota."""
    label: Label | None
    who: str | None
    answered_us: int | None


class ReviewPage(BaseModel):
    """A page of reviews: open ones as they came in, answered ones as they were answered."""

    reviews: list[ReviewDetail]
    after: int
    """Pass it as `after` to go on."""


class Answer(BaseModel):
    """What a person sees in the picture, and who it is. `unusable`: it does not show the fruit well enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Label
    who: Words


ReviewPath = Annotated[str, Path(min_length=1, max_length=100)]


@router.get("", operation_id="getReviews", responses=documented("invalid-request", "evidence-unavailable"))
async def get_reviews(
    parts: GatewayParts,
    state: Literal["open", "answered"] = "open",
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ReviewPage:
    """Verdicts that wait for a person, or those that were answered."""
    found = parts.ledger.sorting.reviews(state, after, limit)
    outlines = await asyncio.to_thread(parts.pictures.outlines, [key for _, key, _ in found])
    return ReviewPage(
        reviews=[_detail(key, review, outlines) for _, key, review in found], after=found[-1][0] if found else after
    )


@router.get("/{review_id}", operation_id="getReview", responses=documented("unknown-review", "evidence-unavailable"))
async def get_review(parts: GatewayParts, review_id: ReviewPath) -> ReviewDetail:
    """One verdict, and what was said of it."""
    review = _review(parts, review_id)
    return _detail(review_id, review, await asyncio.to_thread(parts.pictures.outlines, [review_id]))


@router.post(
    "/{review_id}",
    operation_id="answerReview",
    responses=documented(
        "bad-request",
        "unknown-review",
        "already-answered",
        "invalid-request",
        "body-too-large",
        "ledger-failed",
        "evidence-unavailable",
    ),
)
async def answer_review(parts: GatewayParts, review_id: ReviewPath, answer: Answer) -> ReviewDetail:
    """Say what the picture shows. The same again changes nothing."""
    review = _review(parts, review_id)
    if review.label is None:
        await parts.ledger.record(ReviewAnswered(at_us=parts.clock(), id=review_id, label=answer.label, who=answer.who))
        review = _review(parts, review_id)
    if (review.label, review.who) != (answer.label, answer.who):
        raise ApiProblem("already-answered", f"{review.who} has said: {review.label}")
    return _detail(review_id, review, await asyncio.to_thread(parts.pictures.outlines, [review_id]))


def _review(parts: Parts, review_id: str) -> Review:
    review = parts.ledger.sorting.review(review_id)
    if review is None:
        raise ApiProblem("unknown-review", f"no verdict {review_id!r} waits for an answer, or has one")
    return review


def _detail(key: str, review: Review, outlines: Mapping[str, Outline]) -> ReviewDetail:
    return ReviewDetail(
        id=key,
        line=review.line,
        lot=review.lot,
        crop=review.crop,
        verdict=review.verdict,
        score=review.score,
        model=review.model,
        sampled=review.sampled,
        at_us=review.at_us,
        outline=list(outlines.get(key, ())),
        state="open" if review.label is None else "answered",
        picture=key in outlines,
        label=review.label,
        who=review.who,
        answered_us=review.answered_us,
    )
