"""Whether a step of a cycle count may be taken: the state machine as a table, who may do what, and why not."""

import unicodedata
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from gateway.ledger.counting import countjudge
from gateway.ledger.counting.countrows import Count, CountState
from gateway.ledger.state import State
from gateway.records.countrecords import (
    MAX_COUNT_LINES,
    CountBegun,
    CountCancelled,
    CountEntered,
    CountInvestigated,
    CountRequested,
    CountReviewed,
    CountSubmitted,
)

MAX_ROUNDS: Final = 9
MAX_EPCS: Final = 20_000
"""Cases that one count may find missing or misplaced."""
MAX_OPEN: Final = 1_000

Slug = Literal["count-exists", "count-out-of-turn", "count-other-round", "count-other-counter", "count-not-apart"]
Step = CountBegun | CountEntered | CountSubmitted | CountInvestigated | CountReviewed | CountCancelled

_TURNS: Final[dict[type, tuple[str, frozenset[CountState]]]] = {
    CountBegun: ("begin", frozenset({"requested", "counting", "counted", "investigating", "ready_for_review"})),
    CountEntered: ("enter", frozenset({"counting"})),
    CountSubmitted: ("submit", frozenset({"counting", "counted"})),
    CountInvestigated: ("investigate", frozenset({"counted", "investigating", "ready_for_review"})),
    CountReviewed: ("review", frozenset({"ready_for_review"})),
    CountCancelled: (
        "cancel",
        frozenset({"requested", "counting", "counted", "investigating", "ready_for_review"}),
    ),
}


class Refusal(NamedTuple):
    """Why a step may not be taken."""

    slug: Slug
    text: str


def person(name: str) -> str:
    """A name to be compared: " Ana" and "ANA" are one person."""
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()


def refused(state: State, count: Count, step: Step) -> Refusal | None:
    """Why a step may not be taken now; None if it may."""
    verb, states = _TURNS[type(step)]
    if isinstance(step, CountEntered) and count.state in ("counted", "investigating", "ready_for_review"):
        text = f"it was submitted: nothing can be entered any more; begin round {count.round + 1} to count again"
        return Refusal("count-out-of-turn", text)
    if count.state not in states:
        return Refusal("count-out-of-turn", f"it is {count.state}: to {verb} it must be {_or(states)}")
    match step:
        case CountBegun():
            return _not_begun(count, step)
        case CountEntered() | CountSubmitted():
            return _not_counters(count, step)
        case CountReviewed():
            return _not_reviewed(state, count, step)
        case _:
            return None


def taken(count: Count, step: Step) -> bool:
    """Whether this very step was taken already and still stands: somebody tapped twice."""
    match step:
        case CountBegun():
            return count.state == "counting" and _same_round(count, step)
        case CountEntered():
            known = {(one.sku, one.lot, one.disposition): one.units for one in count.entries.values()}
            same = all(known.get((line.sku, line.lot or "", line.disposition)) == line.units for line in step.lines)
            return count.state == "counting" and _same_round(count, step) and same and not step.epcs
        case CountSubmitted():
            return count.state in ("ready_for_review", "completed") and _same_round(count, step)
        case CountReviewed():
            to = "reviewed" if step.verdict == "accept" else "requested"
            last = count.turns[-2:] if count.state == "completed" else count.turns[-1:]
            return [(turn.state, person(turn.who)) for turn in last[:1]] == [(to, person(step.approver))]
        case CountCancelled():
            last_turn = count.turns[-1]
            return (last_turn.state, last_turn.who, last_turn.note) == ("cancelled", step.who, step.why)
        case CountInvestigated():
            return False


def _same_round(count: Count, step: CountBegun | CountEntered | CountSubmitted) -> bool:
    return step.round == count.round and person(step.counter) == person(count.counter)


def _not_begun(count: Count, step: CountBegun) -> Refusal | None:
    if step.round != count.round + 1:
        return Refusal("count-other-round", f"its next round is {count.round + 1}, not {step.round}")
    if step.round > MAX_ROUNDS:
        return Refusal("count-other-round", f"{MAX_ROUNDS} rounds are enough: cancel it")
    if count.revealed and person(step.counter) in map(person, [*count.informed, *count.counters]):
        text = f"{step.counter} may have seen what the books say: somebody else must count, or cancel it and ask anew"
        return Refusal("count-not-apart", text)
    return None


def _not_counters(count: Count, step: CountEntered | CountSubmitted) -> Refusal | None:
    if step.round != count.round:
        return Refusal("count-other-round", f"round {count.round} is counted, not {step.round}")
    if person(step.counter) != person(count.counter):
        text = f"{count.counter} counts it: to take over, begin round {count.round + 1}"
        return Refusal("count-other-counter", text)
    if isinstance(step, CountEntered) and len(count.entries) + len(step.lines) > MAX_COUNT_LINES:
        return Refusal("count-out-of-turn", f"a count holds {MAX_COUNT_LINES} lines: count fewer SKUs at a time")
    if isinstance(step, CountEntered) and step.epcs and not count.swept:
        return Refusal("count-out-of-turn", "it is counted by number alone: ask for a count by `handheld` to name tags")
    if isinstance(step, CountSubmitted) and not step.empty:
        if count.by_hand and not count.entries:
            return Refusal("count-out-of-turn", "nothing was entered by hand: say `empty` if nothing is there")
        if count.swept and not count.steps:
            return Refusal("count-out-of-turn", "no sweep found anything yet: say `empty` if nothing is there")
    return None


def _not_reviewed(state: State, count: Count, step: CountReviewed) -> Refusal | None:
    if person(step.approver) in map(person, count.counters):
        return Refusal("count-not-apart", f"{step.approver} has counted it: somebody else must review it")
    if step.verdict == "recount":
        return None
    judged = countjudge.judge(state, count)
    if judged.needs:
        return Refusal("count-out-of-turn", f"late events changed what the books say: it needs {_or(judged.needs)}")
    epcs = sum(len(line.missing) + len(line.misplaced) for line in judged.lines)
    if max(len(judged.lines), len(judged.bins)) > MAX_COUNT_LINES or epcs > MAX_EPCS:
        return Refusal("count-out-of-turn", "it says too much for one count: count fewer SKUs at a time")
    return None


def _or(words: Iterable[str]) -> str:
    return " or ".join(sorted(words))


def clash(state: State, asked: CountRequested) -> Refusal | None:
    """Why a count may not be asked for: another open one is about the same stock."""
    if asked.id in state.counts.rows:
        return Refusal("count-exists", f"there is a count {asked.id!r} already")
    for key in state.index.open_counts.get(asked.zone, ()):
        other = state.counts.rows[key]
        if not asked.skus or not other.skus or set(asked.skus) & set(other.skus):
            text = f"count {key!r} of {asked.zone!r}, which is {other.state}, is about the same stock"
            return Refusal("count-exists", text)
    if sum(map(len, state.index.open_counts.values())) >= MAX_OPEN:
        return Refusal("count-exists", f"{MAX_OPEN} counts are open: complete or cancel some")
    return None
