"""The audit of the books: how many of their records to count, which, and what that proves."""

import asyncio
from collections import defaultdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from gateway import sampling
from gateway.api.parts import GatewayParts
from gateway.api.problems import documented
from gateway.views import GatewayTime

router = APIRouter(prefix="/api/v1/counts", tags=["counts"])


class StratumView(BaseModel):
    """The records of one class."""

    abc: Literal["A", "B", "C"]
    records: int
    sampled: int


class RoundView(BaseModel):
    """A count to ask for."""

    zone: str
    skus: list[str]


class PlanView(BaseModel):
    """How to prove that so many records of the books are right, and how far that is. A record: one SKU in one zone."""

    plan: str
    """Give it as `plan` of the counts: they count for the proof."""
    seed: str
    """The sample follows from it and from the names of the records alone."""
    accuracy: float
    confidence: float
    allowed: int
    """Wrong records that the sample may hold."""
    records: int
    sample: int
    strata: list[StratumView]
    days: list[list[RoundView]]
    """What of the sample has not been counted yet, day by day: the longest ago first."""
    audited: int
    wrong: int
    proven: float
    """With that confidence, at least this share of the records is right, if what is left of the sample is as what was
    counted: the order of counting is no matter of chance."""
    reached: bool
    """The whole sample is counted, and proves the accuracy."""
    now_us: GatewayTime


@router.get("/plan", operation_id="getCountPlan", responses=documented("invalid-request"))
async def get_plan(
    parts: GatewayParts,
    accuracy: Annotated[float, Query(ge=0.5, lt=1)] = 0.999,
    confidence: Annotated[float, Query(ge=0.5, lt=1)] = 0.95,
    allowed: Annotated[int, Query(ge=0, le=sampling.MAX_ALLOWED)] = 0,
    days: Annotated[int, Query(ge=1, le=366)] = 20,
    seed: Annotated[str, Query(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")] = "1",
) -> PlanView:
    """The audit sample that proves an accuracy of the books, its counts by day, and what is proven so far."""
    lacking: dict[tuple[str, str], float] = defaultdict(float)
    for doubt in parts.ledger.beliefs.doubts(parts.clock()):
        lacking[doubt.item.sku or "", doubt.item.zone or ""] += 1 - doubt.belief.r
    records = parts.ledger.counts.records(lacking)
    name = f"audit-{seed}"
    done = parts.ledger.counts.audited(name)

    def planned() -> tuple[int, sampling.Plan]:
        size = sampling.sample_size(len(records), accuracy, confidence, allowed)
        return size, sampling.plan(records, size, seed, days, done)

    size, plan = await asyncio.to_thread(planned)
    proof = parts.ledger.counts.proof(plan.sample, plan.records, name, confidence)
    return PlanView(
        plan=name,
        seed=seed,
        accuracy=accuracy,
        confidence=confidence,
        allowed=allowed,
        records=plan.records,
        sample=size,
        strata=[StratumView(abc=one.abc, records=one.records, sampled=one.sampled) for one in plan.strata],
        days=[[RoundView(zone=one.zone, skus=list(one.skus)) for one in day] for day in plan.days],
        audited=proof.audited,
        wrong=proof.wrong,
        proven=proof.proven,
        reached=proof.audited >= size > 0 and proof.proven >= accuracy,
        now_us=parts.clock(),
    )
