"""What other rules would have decided of the same reads: pass by pass, and in sum.

Passes of a tag at a door are the same pass if the times between their first and last reads overlap.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from pydantic import ValidationError

from contract.events import Direction, DoorPass, EmptyPass
from contract.portals import Door, PassRules
from edge.errors import BadReads

Outcome = Literal["same", "turned", "decided", "undecided", "appeared", "gone"]
OUTCOMES: Final[Mapping[Outcome, str]] = {
    "same": "as before",
    "turned": "the other direction",
    "decided": "unknown before, now a direction",
    "undecided": "a direction before, now unknown",
    "appeared": "no pass before",
    "gone": "no pass any more",
}
"""In words, in the order in which people want to know them."""


class Judged(NamedTuple):
    """One tag of one pass, as some rules see it."""

    door: str
    epc: str
    first_us: int
    last_us: int
    direction: Direction
    confidence: float


class Difference(NamedTuple):
    """What became of one tag's pass. Either side may be missing, not both."""

    outcome: Outcome
    before: Judged | None
    after: Judged | None


def judged(told: Iterable[DoorPass | EmptyPass]) -> list[Judged]:
    """Tag by tag; what passed unread is nobody's."""
    return [
        Judged(
            event.door,
            epc,
            event.evidence.first_read_us,
            event.evidence.last_read_us,
            event.direction,
            event.confidence,
        )
        for event in told
        if isinstance(event, DoorPass)
        for epc in event.epcs
    ]


def compare(before: Sequence[Judged], after: Sequence[Judged]) -> list[Difference]:
    """Every pass of either, in the order of time."""
    rest: dict[tuple[str, str], list[Judged]] = {}
    for one in after:
        rest.setdefault((one.door, one.epc), []).append(one)
    found = []
    for old in before:
        candidates = rest.get((old.door, old.epc), [])
        new = next((one for one in candidates if one.first_us <= old.last_us and old.first_us <= one.last_us), None)
        if new is not None:
            candidates.remove(new)
        found.append(Difference(_outcome(old, new), old, new))
    found += [Difference("appeared", None, one) for ones in rest.values() for one in ones]
    return sorted(found, key=_when)


def summary(differences: Iterable[Difference]) -> Counter[Outcome]:
    """How many passes of each outcome."""
    return Counter(difference.outcome for difference in differences)


def with_rules(doors: Sequence[Door], settings: Sequence[str]) -> tuple[Door, ...]:
    """The same doors by other rules, each given as `name=value`; the unit at the end of a name may be left out.

    Raises `BadReads` that names the nearest rule, or says what a rule may be.
    """
    changes = dict(_setting(text) for text in settings)
    changed = []
    for door in doors:
        try:
            rules = PassRules.model_validate(door.rules.model_dump() | changes)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise BadReads(f"--set {first['loc'][0]}={first['input']}: {first['msg'].lower()}") from error
        changed.append(door.model_copy(update={"rules": rules}))
    return tuple(changed)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    known = list(PassRules.model_fields)
    full = [field for field in known if field == name or field.rsplit("_", 1)[0] == name]
    if not equals or len(full) != 1:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        advice = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
        raise BadReads(f"--set {text}: expected name=value with a rule of the door: {advice}")
    return full[0], value


def _outcome(old: Judged, new: Judged | None) -> Outcome:
    if new is None:
        return "gone"
    if new.direction == old.direction:
        return "same"
    if old.direction == "unknown":
        return "decided"
    return "undecided" if new.direction == "unknown" else "turned"


def _when(difference: Difference) -> tuple[int, str, str]:
    one = difference.before or difference.after
    assert one is not None
    return one.first_us, one.door, one.epc
