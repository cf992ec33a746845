"""What is believed of items: which may not be where the books have them, and are worth looking for."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from gateway.api import pages
from gateway.api.parts import GatewayParts
from gateway.api.problems import documented
from gateway.belief import words
from gateway.belief.bernoulli import Belief
from gateway.ledger.goods.beliefs import Doubt
from gateway.views import EventTime, GatewayTime, TitleView

router = APIRouter(prefix="/api/v1/beliefs", tags=["stock"])


class BeliefView(BaseModel):
    """How likely an item still is where the books have it, and why."""

    probability: float
    word: Literal["certain", "likely", "doubtful", "probably_gone"]
    sentence: TitleView
    """What it rests on, in both languages."""
    seen_us: EventTime
    """The last moment at which it was known to be there."""
    looked_s: float
    """Since then, how long its zone was looked at in vain."""
    dark_s: float
    """Since then, how long nobody looked: a reader was lost, or its agent silent."""


class DoubtView(BaseModel):
    """An item that is worth looking for."""

    epc: str
    sku: str | None
    zone: str | None
    lot: str | None
    container: str | None
    belief: BeliefView
    gain: float
    """Units of error that the books lose, as is to be expected, when somebody looks for it."""


class DoubtList(BaseModel):
    """Items that nobody hears at the moment, those first that are most worth looking for."""

    doubts: list[DoubtView]
    unheard: int
    """All of them."""
    lacking: float
    """Units that the books have and that are not there, as is to be expected."""
    now_us: GatewayTime


@router.get("", operation_id="getBeliefs", responses=documented("invalid-request"))
async def get_beliefs(
    parts: GatewayParts,
    zone: Annotated[str | None, Query(max_length=100)] = None,
    sku: Annotated[str | None, Query(max_length=100)] = None,
    limit: pages.Limit = 100,
) -> DoubtList:
    """What to look for first. The books are not changed by it: a count, a read or a person does that."""
    now_us = parts.clock()
    doubts = parts.ledger.beliefs.doubts(now_us, zone, sku)
    return DoubtList(
        doubts=list(map(_doubt, doubts[:limit])),
        unheard=len(doubts),
        lacking=sum(1 - doubt.belief.r for doubt in doubts),
        now_us=now_us,
    )


def view(belief: Belief) -> BeliefView:
    """A belief, for people."""
    english, chinese = words.sentences(belief)
    return BeliefView(
        probability=belief.r,
        word=belief.word,
        sentence=TitleView(en=english, zh=chinese),
        seen_us=belief.seen_us,
        looked_s=belief.looked_s,
        dark_s=belief.dark_s,
    )


def _doubt(doubt: Doubt) -> DoubtView:
    item = doubt.item
    return DoubtView(
        epc=doubt.epc,
        sku=item.sku,
        zone=item.zone,
        lot=item.lot,
        container=item.container,
        belief=view(doubt.belief),
        gain=doubt.gain,
    )
