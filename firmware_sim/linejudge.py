"""The judge of sorting lines: which fruit went by, what the gate did, and what the house told of it. Pure."""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from firmware_sim.wentby import TrueFruit

SLACK_US = 250_000
"""An event belongs to a fruit if it says that the eye was broken within this time of the truth, and nearer to this
fruit than to any other."""
LATE_US = 2_000_000
"""What is left over belongs together in its order, within this time: it was told, with the wrong time."""


class TrueLine(Struct, frozen=True):
    """A sorting line in the truth (truth.py); its fruit are told beside it, page by page."""

    line: str
    crop: str
    began_us: int
    """When its belt began to run; another moment is another life of the simulator."""
    count: int
    """Fruit whose way is over."""
    defective: int
    gate: Mapping[str, int]
    """How often the gate did right (`true_pass`, `true_reject`) and wrong (`false_reject`, `miss`)."""
    pictures: int
    """Taken by its camera."""


class Inspected(Struct, frozen=True):
    """An `inspection` event in the ledger's log."""

    line: str
    at_us: int
    verdict: str
    gate: str | None


def compare(line: TrueLine, fruit: Sequence[TrueFruit], told: Sequence[Inspected]) -> dict[str, object]:
    """The figures of one line; `fruit` are all that went by, in their order.

    `untold` are fruit without an event, `invented` events without a fruit (a second one of the same fruit, too), and
    `misplaced` of those told had a time that is wrong by more than `SLACK_US` or by more than half a fruit's distance;
    `differing` events say that the gate let a fruit pass that it pushed, or the other way round.
    """
    assert len(fruit) == line.count
    placed = match(fruit, told)
    matched = match_late(fruit, told, placed)
    pairs = [(one, event) for one, event in zip(fruit, matched, strict=True) if event is not None]
    return {
        "fruit": line.count,
        "defective": line.defective,
        "gate": dict(line.gate),
        "miss_share": _share(line.gate["miss"], line.defective),
        "false_reject_share": _share(line.gate["false_reject"], line.count - line.defective),
        "told": len(pairs),
        "untold": line.count - len(pairs),
        "invented": len(told) - len(pairs),
        "misplaced": len(pairs) - sum(one is not None for one in placed),
        "verdicts": {
            name: dict(Counter(event.verdict for one, event in pairs if one.defective is truth))
            for name, truth in (("good", False), ("defective", True))
        },
        "unseen": sum(event.verdict == "unseen" for _, event in pairs),
        "missed_deadlines": sum(event.gate == "missed" for _, event in pairs),
        "differing": sum(_differ(*pair) for pair in pairs),
    }


def match(fruit: Sequence[TrueFruit], told: Sequence[Inspected]) -> list[Inspected | None]:
    """The event of each fruit, in the order of the fruit, which is that of their times; both ways at most one."""
    waiting = sorted(told, key=lambda one: one.at_us)
    matched: list[Inspected | None] = []
    next_place = 0
    for one, (from_us, to_us) in zip(fruit, _own_times(fruit), strict=True):
        first = bisect_left(waiting, from_us, lo=next_place, key=_at_us)
        next_place = bisect_left(waiting, to_us, lo=first, key=_at_us)
        near = waiting[first:next_place]
        matched.append(min(near, key=lambda event: abs(event.at_us - one.eye_us), default=None))
    return matched


def _own_times(fruit: Sequence[TrueFruit]) -> Iterator[tuple[int, int]]:
    """From when until before when an event is nearest to this fruit, and near enough. No two fruit share a time."""
    reaches_us = [min(SLACK_US, (behind.eye_us - one.eye_us) // 2) for one, behind in pairwise(fruit)]
    for one, before_us, after_us in zip(fruit, [SLACK_US, *reaches_us], [*reaches_us, SLACK_US], strict=False):
        yield one.eye_us - before_us, one.eye_us + after_us


def match_late(
    fruit: Sequence[TrueFruit], told: Sequence[Inspected], placed: Sequence[Inspected | None]
) -> list[Inspected | None]:
    """The same, and what is left on both sides put together in its order."""
    known = {id(one) for one in placed if one is not None}
    left = deque(sorted((one for one in told if id(one) not in known), key=lambda one: one.at_us))
    matched: list[Inspected | None] = []
    for one, event in zip(fruit, placed, strict=True):
        if event is None:
            while left and left[0].at_us < one.eye_us - LATE_US:
                left.popleft()
            if left and left[0].at_us <= one.eye_us + LATE_US:
                event = left.popleft()
        matched.append(event)
    return matched


def _differ(fruit: TrueFruit, told: Inspected) -> bool:
    return fruit.passed is not None and told.gate is not None and (told.gate == "passed") is not fruit.passed


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _at_us(told: Inspected) -> int:
    return told.at_us
