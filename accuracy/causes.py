"""Why a case stands elsewhere in the books than in truth: what its last movement was, and what was told of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from firmware_sim.week.goods import Case

BEFORE_US, AFTER_US = 60_000_000, 300_000_000
"""A decision about a crossing is made so long before and after it, by the true clock."""
LATER: Final = "a later event"


class Said(NamedTuple):
    """What an agent decided about one tag, and truly when."""

    at_us: int
    place: str
    """Door or zone."""
    direction: str
    """Of a door: inbound, outbound or unknown; of a zone: seen or left."""


class Wrong(NamedTuple):
    """One case that the books have elsewhere."""

    epc: str
    sku: str
    true_zone: str | None
    book_zone: str | None
    book_sku: str | None
    cause: str


class Believed(NamedTuple):
    """What the books say of a tag."""

    zone: str | None
    sku: str | None
    by: str
    """The agent that told where it is."""


def wrong_ones(
    known: Mapping[str, Case],
    announced: Iterable[str],
    believed: Callable[[str], Believed],
    said: Mapping[str, Sequence[Said]],
) -> Iterator[Wrong]:
    """Every tag whose place or SKU is not that of its case, and those in the books that were only announced."""
    for epc in announced:
        mine = believed(epc)
        if epc not in known and mine.zone is not None and mine.sku is not None:
            yield Wrong(epc, mine.sku, None, mine.zone, mine.sku, "announced, and never came")
    for epc, case in known.items():
        mine = believed(epc)
        true_zone = case.zone if case.epc == epc else None
        mistaken = mine.zone is not None and true_zone is not None and mine.sku != case.sku
        if mine.zone != true_zone or mistaken:
            cause = _cause(case, epc, mine, said.get(epc, ()))
            yield Wrong(epc, case.sku, true_zone, mine.zone, mine.sku, cause)


def _cause(case: Case, epc: str, mine: Believed, said: Sequence[Said]) -> str:
    if case.epc != epc:
        return "old tag of a case that was tagged anew"
    last = case.moves[-1]
    if mine.zone == case.zone:
        return "mis-tagged"
    match last.how:
        case "damaged" | "stolen":
            return f"left the house unseen: {last.how}"
        case "unwatched":
            return "moved by an unwatched way" if mine.zone == last.origin else f"{LATER} was wrong ({mine.by})"
        case "opening":
            return f"{LATER} was wrong ({mine.by})"
        case "door":
            pass
    about = _about(said, last.door, last.at_us)
    if not about:
        return "outage at the door" if last.dark else "detuned" if case.detuned else "missed at the door"
    if all(one.direction == "unknown" for one in about):
        return "direction unknown"
    if last.way not in {one.direction for one in about}:
        return "direction wrong"
    return f"{LATER} was wrong ({mine.by})" if mine.zone != last.origin else "told, but the books did not follow"


def tally(wrong: Sequence[Wrong]) -> Counter[str]:
    """By cause."""
    return Counter(one.cause for one in wrong)


def at_doors(
    went_through: Iterable[tuple[int, str, bool, Sequence[str]]], said: Mapping[str, Sequence[Said]]
) -> tuple[dict[str, float], dict[str, int]]:
    """By door, the share of the tags that went through of which anything was told; and the verdicts of all doors.

    `went_through`: (true time, door, inbound, EPCs).
    """
    passed: Counter[str] = Counter()
    told: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for at_us, door, inbound, epcs in went_through:
        passed[door] += len(epcs)
        for epc in epcs:
            directions = {one.direction for one in _about(said.get(epc, ()), door, at_us)}
            told[door] += bool(directions)
            verdicts[_verdict(directions, "inbound" if inbound else "outbound")] += 1
    return {door: round(told[door] / count, 4) for door, count in passed.items()}, dict(verdicts)


def _about(said: Sequence[Said], door: str | None, at_us: int) -> list[Said]:
    """What was said of a crossing."""
    return [one for one in said if one.place == door and -BEFORE_US <= one.at_us - at_us <= AFTER_US]


def _verdict(directions: set[str], right: str) -> str:
    if not directions:
        return "missed"
    return "right" if right in directions else "unknown" if "unknown" in directions else "wrong"
