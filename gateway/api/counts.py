"""Cycle counts: asked for, counted blind, looked into, reviewed by another person, booked.

No answer here tells what the books say before a count is submitted, and none while it is to be counted again.
"""

import asyncio
import contextlib
import secrets
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from gateway.api import etags, pages, uploads
from gateway.api.countbodies import (
    Beginning,
    Cancellation,
    CountDetail,
    CountEntryView,
    CountList,
    CountOrder,
    CountTurnView,
    Investigation,
    Submission,
    Verdict,
)
from gateway.api.etags import IfMatch, IfNoneMatch
from gateway.api.parts import GatewayParts, Parts
from gateway.api.problems import ApiProblem, Slug, documented
from gateway.documents import countentries
from gateway.documents.known import LINE
from gateway.errors import BodyMistake
from gateway.ledger.counting.countrows import Count, CountState
from gateway.ledger.counting.countturns import MAX_ROUNDS, Refusal, Step, taken
from gateway.ledger.showing.shown_counts import count_view
from gateway.records.countrecords import (
    MAX_COUNT_LINES,
    CountBegun,
    CountCancelled,
    CountedLine,
    CountEntered,
    CountInvestigated,
    CountRequested,
    CountReviewed,
    CountSubmitted,
)
from gateway.records.stockrecords import MAX_LINES

router = APIRouter(prefix="/api/v1/counts", tags=["counts"])

CountPath = Annotated[str, Path(min_length=1, max_length=100)]
_STEPS: tuple[Slug, ...] = (
    "bad-request",
    "unknown-count",
    "count-out-of-turn",
    "invalid-request",
    "body-too-large",
    "ledger-failed",
)
_RESPONSES = etags.Guarded | documented(*_STEPS)
_IN_ROUNDS = etags.Guarded | documented(*_STEPS, "count-other-round", "count-other-counter")
_APART = etags.Guarded | documented(*_STEPS, "count-other-round", "count-not-apart")


@router.post(
    "",
    operation_id="requestCount",
    status_code=201,
    response_model=CountDetail,
    responses=documented("bad-request", "count-exists", "invalid-request", "body-too-large", "ledger-failed"),
)
async def request_count(parts: GatewayParts, order: CountOrder) -> Response:
    """Ask for a count of a zone, or of some SKUs in it."""
    _check_names(parts, order)
    key = order.id or f"count-{secrets.token_hex(5)}"
    record = CountRequested(
        at_us=parts.clock(),
        id=key,
        who=order.who,
        zone=order.zone,
        skus=tuple(dict.fromkeys(order.skus)),
        methods=tuple(dict.fromkeys(order.methods)),
        plan=order.plan,
    )
    await parts.ledger.record(record, refusal=lambda: _problem(parts.ledger.counts.clash(record)))
    return etags.shown(_detail(parts, key), at=_path(key), status=201)


@router.get("", operation_id="getCounts", responses=documented("invalid-request"))
async def get_counts(
    parts: GatewayParts,
    state: CountState | None = None,
    zone: Annotated[str | None, Query(max_length=100)] = None,
    after: pages.AfterTime = None,
    limit: pages.Limit = 100,
) -> CountList:
    """Counts, in a state, of a zone."""
    wanted = (
        (key, count)
        for key, count in parts.ledger.counts.all()
        if state in (None, count.state) and zone in (None, count.zone)
    )
    found, next_ = pages.newest_first(wanted, lambda one: (one[1].requested_us, one[0]), after, limit)
    return CountList(counts=[count_view(*one) for one in found], next=next_, now_us=parts.clock())


@router.get(
    "/{count_id}",
    operation_id="getCount",
    response_model=CountDetail,
    responses=etags.Conditional | documented("unknown-count", "invalid-request"),
)
async def get_count(parts: GatewayParts, count_id: CountPath, if_none_match: IfNoneMatch = None) -> Response:
    """One count."""
    return etags.shown(_detail(parts, count_id), if_none_match)


@router.post("/{count_id}/begin", operation_id="beginCount", response_model=CountDetail, responses=_APART)
async def begin_count(
    parts: GatewayParts, count_id: CountPath, beginning: Beginning, if_match: IfMatch = None
) -> Response:
    """A counter goes to count. The same again changes nothing."""
    step = CountBegun(
        at_us=parts.clock(),
        id=count_id,
        counter=beginning.counter,
        round=beginning.round,
        skus=tuple(dict.fromkeys(beginning.skus)),
    )
    return await _take(parts, if_match, step)


@router.post(
    "/{count_id}/entries",
    operation_id="enterCount",
    response_model=CountDetail,
    responses=_IN_ROUNDS | documented("unsupported-media-type", "invalid-body", "invalid-request"),
    openapi_extra=uploads.documented("Found", csv=",".join(countentries.COLUMNS), single=True),
)
async def enter_count(
    request: Request,
    parts: GatewayParts,
    count_id: CountPath,
    counter: Annotated[str, Query(min_length=1, max_length=100, pattern=LINE)],
    round: Annotated[int, Query(ge=1, le=MAX_ROUNDS)] = 1,  # noqa: A002
    if_match: IfMatch = None,
) -> Response:
    """What was found. A line replaces what was entered before of its SKU, lot and disposition; tags are added."""
    form, data = await uploads.read(request)
    read = countentries.from_json if form == "json" else countentries.from_csv
    lines, epcs = await asyncio.to_thread(read, data, parts.master)
    count = _found(parts, count_id)
    if len(lines) > MAX_COUNT_LINES:
        raise ApiProblem("invalid-request", f"{len(lines)} lines: a count holds {MAX_COUNT_LINES}")
    _check_scope(count, lines)
    now_us = parts.clock()
    news = [
        CountEntered(
            at_us=now_us,
            id=count_id,
            counter=counter,
            lines=tuple(lines[n : n + MAX_LINES]),
            epcs=tuple(epcs[n : n + MAX_LINES]),
            round=round,
        )
        for n in range(0, max(len(lines), len(epcs)), MAX_LINES)
    ]
    return await _take(parts, if_match, *news)


@router.post("/{count_id}/submit", operation_id="submitCount", response_model=CountDetail, responses=_IN_ROUNDS)
async def submit_count(
    parts: GatewayParts, count_id: CountPath, submission: Submission, if_match: IfMatch = None
) -> Response:
    """The counter has finished: from now on nothing can be entered. Once more after another sweep of a count that
    lacked one; else the same again changes nothing."""
    step = CountSubmitted(
        at_us=parts.clock(),
        id=count_id,
        counter=submission.counter,
        round=submission.round,
        empty=submission.empty,
    )
    return await _take(parts, if_match, step)


@router.post(
    "/{count_id}/investigate", operation_id="investigateCount", response_model=CountDetail, responses=_RESPONSES
)
async def investigate_count(
    parts: GatewayParts, count_id: CountPath, told: Investigation, if_match: IfMatch = None
) -> Response:
    """Look into the differences, and say why they are."""
    step = CountInvestigated(
        at_us=parts.clock(),
        id=count_id,
        who=told.who,
        reasons=told.reasons,
        note=told.note,
        epcs=tuple(dict.fromkeys(told.found)),
    )
    return await _take(parts, if_match, step)


@router.post("/{count_id}/review", operation_id="reviewCount", response_model=CountDetail, responses=_APART)
async def review_count(
    parts: GatewayParts, count_id: CountPath, verdict: Verdict, if_match: IfMatch = None
) -> Response:
    """Accept the differences, which books them, or ask for a recount. The same again changes nothing."""
    step = CountReviewed(
        at_us=parts.clock(),
        id=count_id,
        approver=verdict.approver,
        verdict=verdict.verdict,
        note=verdict.note,
    )
    return await _take(parts, if_match, step)


@router.post("/{count_id}/cancel", operation_id="cancelCount", response_model=CountDetail, responses=_RESPONSES)
async def cancel_count(
    parts: GatewayParts, count_id: CountPath, told: Cancellation, if_match: IfMatch = None
) -> Response:
    """Give it up. The same again changes nothing."""
    return await _take(parts, if_match, CountCancelled(at_us=parts.clock(), id=count_id, who=told.who, why=told.why))


async def _take(parts: Parts, if_match: str | None, *steps: Step) -> Response:
    """Record steps of one count, if the first may be taken when it is its turn; nothing if they were taken before."""
    key = steps[0].id
    count = _found(parts, key)
    unseen = etags.refusal(if_match, lambda: _detail(parts, key))

    def refusal() -> Exception | None:
        if all(taken(count, step) for step in steps):
            return _Taken()
        return _problem(parts.ledger.counts.refused(steps[0])) or (unseen() if unseen is not None else None)

    with contextlib.suppress(_Taken):
        await parts.ledger.record(*steps, refusal=refusal)
    return _shown(parts, key)


class _Taken(Exception):
    """A step was taken before: a double tap."""


def _problem(refusal: Refusal | None) -> ApiProblem | None:
    return None if refusal is None else ApiProblem(refusal.slug, refusal.text)


def _check_names(parts: Parts, order: CountOrder) -> None:
    asked = [("body.zone", parts.master.unknown_zone(order.zone))]
    asked += [(f"body.skus.{n}", parts.master.unknown_sku(sku)) for n, sku in enumerate(order.skus)]
    mistakes = [BodyMistake(where, text) for where, text in asked if text is not None]
    if mistakes:
        raise ApiProblem("invalid-request", "; ".join(map(str, mistakes[:5])), mistakes)


def _check_scope(count: Count, lines: list[CountedLine]) -> None:
    strays = sorted({line.sku for line in lines if not count.covers(line.sku)})
    if strays:
        text = f"this count is about {', '.join(count.skus[:20])} only: leave out {', '.join(strays[:20])}"
        raise ApiProblem("invalid-request", text, [BodyMistake("body", text)])


def _found(parts: Parts, key: str) -> Count:
    count = parts.ledger.counts.one(key)
    if count is None:
        raise ApiProblem("unknown-count", f"nobody asked for a count {key!r}")
    return count


def _path(key: str) -> str:
    return f"/api/v1/counts/{quote(key, safe='')}"


def _shown(parts: Parts, key: str) -> Response:
    return etags.shown(_detail(parts, key), at=_path(key))


def _detail(parts: Parts, key: str) -> CountDetail:
    count = _found(parts, key)
    entries = [
        CountEntryView(sku=one.sku, lot=one.lot or None, disposition=one.disposition, units=one.units, at_us=one.at_us)
        for one in count.entries.values()
        if not one.noted
    ]
    turns = [
        CountTurnView(state=turn.state, at_us=turn.at_us, who=turn.who, round=turn.round, note=turn.note)
        for turn in count.turns
    ]
    view = count_view(key, count)
    return CountDetail(**vars(view), entries=entries, lines=parts.ledger.counts.lines(count), turns=turns)
