"""Reviews: verdicts that a person looks at, and what the person says. Each answer is a label to learn from."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict

from contract.wire import Outline
from gateway.api import etags, pages
from gateway.api.etags import IfMatch, IfNoneMatch
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, documented
from gateway.documents.known import Words
from gateway.ledger.fruit.linerows import Review
from gateway.records import Label, ReviewAnswered
from gateway.views import GatewayTime, ReviewView

router = APIRouter(prefix="/api/v1/reviews", tags=["lines"])


class ReviewDetail(ReviewView):
    """A verdict that waits for a person, or has been looked at."""

    state: Literal["open", "answered"]
    picture: bool
    """Whether /api/v1/evidence/{id}.jpg is there: it may be on its way, or gone under the quota."""
    label: Label | None
    who: str | None
    answered_us: GatewayTime | None


class ReviewPage(pages.Page):
    """A page of reviews: open ones as they came in, answered ones as they were answered."""

    reviews: list[ReviewDetail]
    after: int
    """Pass it as `after` to hear of later ones, even at the end."""


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
    after: pages.AfterNumber = 0,
    limit: pages.Limit = 100,
) -> ReviewPage:
    """Verdicts that wait for a person, or those that were answered."""
    rows = parts.ledger.sorting.reviews(state, after, limit + 1)
    found, next_ = pages.cut(rows, limit, lambda one: str(one[0]))
    outlines = await asyncio.to_thread(parts.pictures.outlines, [key for _, key, _ in found])
    return ReviewPage(
        reviews=[_detail(key, review, outlines) for _, key, review in found],
        after=found[-1][0] if found else after,
        next=next_,
        now_us=parts.clock(),
    )


@router.get(
    "/{review_id}",
    operation_id="getReview",
    response_model=ReviewDetail,
    responses=etags.Conditional | documented("unknown-review", "invalid-request", "evidence-unavailable"),
)
async def get_review(parts: GatewayParts, review_id: ReviewPath, if_none_match: IfNoneMatch = None) -> Response:
    """One verdict, and what was said of it."""
    outlines = await asyncio.to_thread(parts.pictures.outlines, [review_id])
    return etags.shown(_detail(review_id, _review(parts, review_id), outlines), if_none_match)


@router.post(
    "/{review_id}",
    operation_id="answerReview",
    response_model=ReviewDetail,
    responses=etags.Guarded
    | documented(
        "bad-request",
        "unknown-review",
        "already-answered",
        "invalid-request",
        "body-too-large",
        "ledger-failed",
        "evidence-unavailable",
    ),
)
async def answer_review(
    parts: GatewayParts, review_id: ReviewPath, answer: Answer, if_match: IfMatch = None
) -> Response:
    """Say what the picture shows. The same again changes nothing."""
    review = _review(parts, review_id)
    outlines = await asyncio.to_thread(parts.pictures.outlines, [review_id])
    if review.label is None:
        record = ReviewAnswered(at_us=parts.clock(), id=review_id, label=answer.label, who=answer.who)
        unseen = etags.refusal(if_match, lambda: _detail(review_id, _review(parts, review_id), outlines))
        await parts.ledger.record(record, refusal=unseen)
        review = _review(parts, review_id)
    view = _detail(review_id, review, outlines)
    if (review.label, review.who) != (answer.label, answer.who):
        etags.check(if_match, view)
        raise ApiProblem("already-answered", f"{review.who} has said: {review.label}")
    return etags.shown(view)


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
