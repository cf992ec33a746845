"""Streams: whether a batch is the next of its agent's numbers. Pure.

known epoch, next is E        first..last of the batch
------------------------      ----------------------------------------------
last < E                      all of it is known: acknowledge again
first <= E <= last            cut what is known, take the rest
first > E, first > floor      a gap: ask again from E
first > E, first == floor     a gap that nobody can fill: data lost, take it

unknown epoch                 as if E were 1; of an agent that had another epoch before, data lost as well
"""

from typing import Literal, NamedTuple

from contract.wire import Batch


class Verdict(NamedTuple):
    """What to do with a batch."""

    act: Literal["take", "known", "resend"]
    known: int = 0
    """So many events at its beginning are in the log already."""
    lost: str | None = None
    """Why data is lost, for people; None when it is not."""


def judge(batch: Batch, through: int | None, *, had_epochs: bool) -> Verdict:
    """Place a batch. `through`: last number taken of its epoch, None for an epoch that is new."""
    expected = 1 if through is None else through + 1
    first, last = batch.first, batch.first + len(batch.events) - 1
    if last < expected:
        return Verdict("known", len(batch.events))
    if first > expected and first != batch.floor:
        return Verdict("resend")
    reasons = []
    if through is None and had_epochs:
        reasons.append("the agent began a new outbox: events that were not yet sent from the old one are lost")
    if first > expected:
        reasons.append(f"events {expected} to {first - 1} are gone from the agent's outbox")
    return Verdict("take", max(0, expected - first), "; ".join(reasons) or None)
