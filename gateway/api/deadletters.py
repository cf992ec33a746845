"""Dead letters: messages that could not be read. They are no events; staff see one exception for them."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from gateway.api import pages
from gateway.api.parts import GatewayParts
from gateway.api.problems import documented
from gateway.ledger.storage.reader import DeadLetter
from gateway.views import GatewayTime

router = APIRouter(prefix="/api/v1/dead-letters", tags=["log"])


class DeadLetterView(BaseModel):
    """One message that could not be read."""

    id: int
    recorded_us: GatewayTime
    """When it came, by the gateway's clock."""
    topic: str
    """Where it came from: a topic, or agent, epoch and number of an event in a batch."""
    reason: str
    size: int
    """Its length in bytes."""
    text: str
    """Its beginning as UTF-8; a byte that is none stands as `\\xNN`."""


class DeadLetterList(pages.Page):
    """Messages that could not be read, the newest first. The gateway keeps the last thousand."""

    dead_letters: list[DeadLetterView]


@router.get("", operation_id="getDeadLetters", responses=documented("invalid-request"))
async def get_dead_letters(
    parts: GatewayParts, after: pages.AfterNumber = 2**63 - 1, limit: pages.Limit = 100
) -> DeadLetterList:
    """What could not be read, and why."""
    found = await asyncio.to_thread(parts.ledger.kept.dead_letters, after, limit + 1)
    letters, next_ = pages.cut([_view(*one) for one in found], limit, lambda letter: str(letter.id))
    return DeadLetterList(dead_letters=letters, next=next_, now_us=parts.clock())


def _view(id_: int, letter: DeadLetter) -> DeadLetterView:
    return DeadLetterView(
        id=id_,
        recorded_us=letter.recorded_us,
        topic=letter.topic,
        reason=letter.reason,
        size=letter.size,
        text=letter.data.decode("utf-8", "backslashreplace"),
    )
