"""Sorting lines: how each does, from the verdicts on its fruit. Fruit is not stock: a verdict moves no item.

Which lines the site file names is no matter here: fruit counts of any line whose name could stand in it, and the site
file says what is shown. So the log gives the same whatever became of the site file since.
"""

import re
from bisect import bisect_left, insort
from typing import Final

from contract.events import Inspection
from contract.topics import NAME_PATTERN
from gateway.errors import Misfit
from gateway.ledger.fruit import lots, reviews
from gateway.ledger.fruit.linerows import Fruit, Shadow, SortingLine
from gateway.ledger.goods import inventory
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LineFound, LogRow, LotBegun, LotFound, UnknownLine

LATEST: Final = 12
"""Fruit that a line shows."""
MINUTE_S: Final = 60
MAX_LINES: Final = 200
"""Beyond so many lines fruit of another one counts only where the site file names it: agents may invent names."""
_NAME: Final = re.compile(NAME_PATTERN)


def inspected(state: State, row: LogRow, event: Inspection) -> None:
    """A verdict on one fruit."""
    _check(state, event.line)
    line = _of(state, event.line)
    at_us = inventory.stamp(row)[0]
    _modelled(line, event)
    _second(line, at_us)
    fruit = Fruit(event.subject, event.verdict, event.score, at_us, event.gate, event.evidence)
    insort(line.latest, fruit, key=lambda one: one.at_us)
    del line.latest[:-LATEST]
    line.last_us = max(line.last_us or at_us, at_us)
    lots.counted(state, row, event, at_us)
    if event.gate == "missed":
        exceptions.add(state, "gate_missed", event.line, row.recorded_us)
    reviews.asked(state, row, event, at_us)


def begun(state: State, row: LogRow, record: LotBegun) -> None:
    """Another lot runs over a line."""
    _of(state, record.line)
    lots.begun(state, row, record)


def found(state: State, row: LogRow, record: LotFound) -> None:
    """Fruit of a lot comes that nobody began."""
    _check(state, record.line)
    _of(state, record.line)
    lots.found(state, record)


def line_found(state: State, row: LogRow, record: LineFound) -> None:
    """Fruit of a line comes that the site file names: it counts, however many lines there are."""
    _of(state, record.line)


def stranger_told(state: State, row: LogRow, record: UnknownLine) -> None:
    """Fruit of a line came that the site file did not name: somebody should look at one of the two."""
    exceptions.add(state, "unknown_line", record.line, row.recorded_us, record.count, {"agent": record.agent})


def unfit(state: State, name: str) -> str | None:
    """Why no fruit of a line of this name counts; None if it does."""
    if _NAME.fullmatch(name) is None:
        return f"{name!r} cannot be the name of a line"
    if name not in state.lines.rows and len(state.lines.rows) >= MAX_LINES:
        return f"line {name!r} is one more than {MAX_LINES}"
    return None


def in_last_minute(line: SortingLine, now_us: int) -> int:
    """Fruit in the 60 s before `now_us`."""
    now_s = now_us // 1_000_000
    return sum(count for second, count in line.seconds if now_s - MINUTE_S < second <= now_s)


def _check(state: State, name: str) -> None:
    if why := unfit(state, name):
        raise Misfit(why)


def _of(state: State, name: str) -> SortingLine:
    state.lines.touch(name)
    return state.lines.get(name) or state.lines.put(name, SortingLine())


def _second(line: SortingLine, at_us: int) -> None:
    """One more fruit in its second; what is a minute older than the newest is forgotten."""
    second = at_us // 1_000_000
    place = bisect_left(line.seconds, (second,))
    if place < len(line.seconds) and line.seconds[place][0] == second:
        line.seconds[place] = (second, line.seconds[place][1] + 1)
    else:
        line.seconds.insert(place, (second, 1))
    old = line.seconds[-1][0] - MINUTE_S
    del line.seconds[: bisect_left(line.seconds, (old,))]


def _modelled(line: SortingLine, event: Inspection) -> None:
    """Which model decides, and how the one that is tried agrees with it. Fruit that no model saw says nothing."""
    if event.verdict == "unseen":
        return
    line.model = event.model
    second = event.second
    if second is None:
        line.shadow = None
        return
    shadow = line.shadow
    if shadow is None or (shadow.model, shadow.beside) != (second.model, event.model):
        shadow = line.shadow = Shadow(second.model, event.model)
    shadow.compared += 1
    shadow.disagreed += second.verdict != event.verdict
