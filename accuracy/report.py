"""The figures of many weeks, for people and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean

from accuracy.score import Score, Share, added, figures
from accuracy.trial import Result

BOOKS = ("clerked", "alone", "naive")
WORDS = {
    "clerked": "Truecount with its staff",
    "alone": "Truecount's ledger alone",
    "naive": "adding up what doors report",
}


def week_line(result: Result) -> str:
    """One week, as it is done."""
    wrong = "  ".join(f"{name} {_last(result, name).wrong}" for name in BOOKS)
    last = _last(result, "clerked")
    return f"seed {result.seed}: {last.units} units, {last.places} SKU-zones, {last.exact} exact; wrong units: {wrong}"


def lines(results: Sequence[Result]) -> Iterator[str]:
    """All of them together."""
    for name in BOOKS:
        told = figures([_last(one, name) for one in results])
        yield (
            f"{WORDS[name]:29} units right {_share(told.units_right)}  SKU-zones exact {_share(told.exact)}"
            f"  ({told.wrong} of {told.units} units wrong)"
        )
    evenings = figures([_pooled(one) for one in results])
    yield f"with its staff on every evening of the week: units right {_share(evenings.units_right)}"
    yield f"causes, with staff: {_causes(added([one.causes_clerked for one in results]))}"
    yield f"causes, ledger alone: {_causes(added([one.causes_alone for one in results]))}"
    rates = [rate for one in results for rate in one.reads.values()]
    spread = f"{min(rates):.0%} to {max(rates):.0%} a door and week, mean {mean(rates):.0%}"
    yield f"tags told of by the doors they passed: {spread}"
    yield f"passes of tags: {_causes(added([one.directions for one in results]))}"
    yield f"work of the staff, a day: {_causes(_a_day(results))}"


def document(results: Sequence[Result]) -> dict[str, object]:
    """For `--report`."""
    days = len(results[0].clerked)
    return {
        "seeds": [one.seed for one in results],
        "days": days,
        "figures": {name: figures([_last(one, name) for one in results]) for name in BOOKS},
        "every_evening": figures([_pooled(one) for one in results]),
        "wrong_by_day": {
            name: [sum(getattr(one, name)[day].wrong for one in results) for day in range(days)] for name in BOOKS
        },
        "causes": {
            "clerked": added([one.causes_clerked for one in results]),
            "alone": added([one.causes_alone for one in results]),
        },
        "directions": added([one.directions for one in results]),
        "work_a_day": _a_day(results),
        "weeks": results,
    }


def _last(result: Result, name: str) -> Score:
    scores: tuple[Score, ...] = getattr(result, name)
    return scores[-1]


def _pooled(result: Result) -> Score:
    """Every evening of a week."""
    days = result.clerked
    return Score(
        units=sum(one.units for one in days),
        wrong=sum(one.wrong for one in days),
        places=sum(one.places for one in days),
        exact=sum(one.exact for one in days),
    )


def _share(told: Share) -> str:
    return f"{100 * told.share:.2f} % ({100 * told.low:.2f} to {100 * told.high:.2f})"


def _causes(counts: dict[str, int]) -> str:
    return ", ".join(f"{cause} {count}" for cause, count in counts.items()) or "none"


def _a_day(results: Sequence[Result]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in results:
        total.update(one.clerk)
    days = sum(len(one.clerked) for one in results)
    return {name: round(count / days) for name, count in total.items()}
