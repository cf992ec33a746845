"""The judge of sorting lines: which fruit went by, what the gate did, and what the house told of it. Pure."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from msgspec import Struct

SLACK_US = 250_000
"""An event belongs to a fruit if it says that the eye was broken within this time of the truth, and nearer to this
fruit than to any other."""
LATE_US = 2_000_000
"""What is left over belongs together in its order, within this time: it was told, with the wrong time."""


class TrueFruit(Struct, frozen=True):
    """A fruit that has broken a line's photo-eye."""

    defective: bool
    eye_us: int
    passed: bool | None
    """What the gate did; None where there is none."""


class TrueLine(Struct, frozen=True):
    """A sorting line."""

    line: str
    fruit: tuple[TrueFruit, ...]
    gate: Mapping[str, int]
    """How often the gate did right (`true_pass`, `true_reject`) and wrong (`false_reject`, `miss`)."""


class Inspected(Struct, frozen=True):
    """An `inspection` event in the ledger's log."""

    line: str
    at_us: int
    verdict: str
    gate: str | None


def compare(line: TrueLine, told: Sequence[Inspected]) -> dict[str, object]:
    """The figures of one line.

    `untold` are fruit without an event, `invented` events without a fruit (a second one of the same fruit, too), and
    `misplaced` of those told had a time that is wrong by more than `SLACK_US` or by more than half a fruit's distance;
    `differing` events say that the gate let a fruit pass that it pushed, or the other way round.
    """
    placed = match(line.fruit, told)
    matched = match_late(line.fruit, told, placed)
    defective = sum(fruit.defective for fruit in line.fruit)
    pairs = [(fruit, one) for fruit, one in zip(line.fruit, matched, strict=True) if one is not None]
    good = len(line.fruit) - defective
    return {
        "fruit": len(line.fruit),
        "defective": defective,
        "gate": dict(line.gate),
        "miss_share": _share(line.gate.get("miss", 0), defective),
        "false_reject_share": _share(line.gate.get("false_reject", 0), good),
        "told": len(pairs),
        "untold": len(line.fruit) - len(pairs),
        "invented": len(told) - len(pairs),
        "misplaced": len(pairs) - sum(one is not None for one in placed),
        "verdicts": {
            name: dict(Counter(one.verdict for fruit, one in pairs if fruit.defective is truth))
            for name, truth in (("good", False), ("defective", True))
        },
        "unseen": sum(one.verdict == "unseen" for _, one in pairs),
        "missed_deadlines": sum(one.gate == "missed" for _, one in pairs),
        "differing": sum(_differ(fruit, one) for fruit, one in pairs),
    }


def match(fruit: Sequence[TrueFruit], told: Sequence[Inspected]) -> list[Inspected | None]:
    """The event of each fruit, in the order of the fruit; both ways at most one."""
    waiting = sorted(told, key=lambda one: one.at_us)
    matched: list[Inspected | None] = []
    for index, one in enumerate(fruit):
        before_us = SLACK_US if index == 0 else min(SLACK_US, (one.eye_us - fruit[index - 1].eye_us) // 2)
        after_us = SLACK_US if index + 1 == len(fruit) else min(SLACK_US, (fruit[index + 1].eye_us - one.eye_us) // 2)
        near = [event for event in waiting if one.eye_us - before_us <= event.at_us < one.eye_us + after_us]
        best = min(near, key=lambda event: abs(event.at_us - one.eye_us), default=None)
        if best is not None:
            waiting.remove(best)
        matched.append(best)
    return matched


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
