"""Lots: what the fruit of each lot came to on each line, and whether it is over its customer's limit.

A lot is over its limit when even the low end of the confidence interval of its share of defective fruit is above it:
then its stock goes to quarantine, until somebody frees it; what comes after that is judged by itself. Because it is
asked again at every fruit, the interval alone would call one lot in twenty bad that is not: for that the first fruit
must be defective, or two of the first five. So while more of its fruit may come, a lot is not over its limit before
`LEAST_DEFECTIVE` of it are defective.

That another lot has begun does not mean that all fruit of the one before was told: its agent may be behind by days.
But an agent tells the fruit of a line in their order, so the first fruit of another lot does.
"""

from bisect import insort
from typing import Final, Literal

from contract.events import Inspection
from gateway import wilson
from gateway.ledger.fruit.linerows import Run
from gateway.ledger.goods import inventory, quarantine
from gateway.ledger.rows import Param
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow, LotBegun, LotFound, LotReleased

Standing = Literal["running", "within", "over", "released"]

LEAST_DEFECTIVE: Final = 5
MAX_STRAYS: Final = 200
"""Lots of a line that nobody began and that were never over their limit: their names come from the agents, so beyond
these the one that began first is forgotten."""
NAMED: Final = 3
"""Lots that an exception about lost fruit names."""
_NOBODY_SAID: Final = "judged on the line, but never told to the gateway: this lot's figures lack them"


def key_of(line: str, lot: str) -> str:
    """Key of a lot on a line in its table; a line's name has no space."""
    return f"{line} {lot}"


def begun(state: State, row: LogRow, record: LotBegun) -> None:
    """Another lot runs over a line, or the same one for another customer."""
    run = _of(state, record.line, record.lot, record.at_us)
    run.sku, run.customer, run.ordered, run.ended_us = record.sku, record.customer, True, None
    said = record.limit
    run.limit = state.house.most_defective(record.line, record.customer) if said is None else said
    _runs_now(state, run, record.at_us)
    _judge(state, run, row.recorded_us)


def news(state: State, event: Inspection, now_us: int) -> LotFound | None:
    """What is to be recorded before the first fruit of a lot that nobody began."""
    if event.lot is None or key_of(event.line, event.lot) in state.lots.rows:
        return None
    limit = state.house.most_defective(event.line, None)
    return LotFound(at_us=inventory.believed(event.at_us, now_us), line=event.line, lot=event.lot, limit=limit)


def found(state: State, record: LotFound) -> None:
    """Fruit of a lot comes that nobody began."""
    _of(state, record.line, record.lot, record.at_us).limit = record.limit


def counted(state: State, row: LogRow, event: Inspection, at_us: int) -> None:
    """One more fruit of its lot, however late it is told. `at_us` is its event time."""
    if event.lot is None:
        return
    run = _of(state, event.line, event.lot, at_us)
    setattr(run, event.verdict, getattr(run, event.verdict) + 1)
    run.missed += event.gate == "missed"
    line = state.lines.rows[event.line]
    current = state.lots.get(key_of(event.line, line.lot)) if line.lot is not None else None
    if current is None or (not run.ordered and not current.ordered and run.begun_us > current.begun_us):
        _runs_now(state, run, at_us)
    _compare(state, row, event, run)
    _judge(state, run, row.recorded_us)
    before, line.told = line.told, event.lot
    if before not in (None, event.lot, line.lot):
        _judge(state, state.lots.rows[key_of(event.line, before)], row.recorded_us, all_told=True)


def released(state: State, row: LogRow, record: LotReleased) -> None:
    """Somebody frees a lot, on every line where it is over its limit, unless another has decided meanwhile."""
    if record.exception is not None and not exceptions.is_open(state, record.exception):
        return
    held = [run for run in runs_of(state, record.lot) if run.held]
    for run in held:
        run.released_by, run.release_reason, run.freed = record.who, record.why, (run.defective, run.judged)
        state.lots.touch(key_of(run.line, run.lot))
    if held:
        quarantine.free(state, record.lot, row.recorded_us)
        exceptions.end(state, "quality", record.lot, row.recorded_us, record.why, record.who, "release")


def runs_of(state: State, lot: str) -> list[Run]:
    """A lot on every line where it ran, those that are not in the site file any more included."""
    runs = (state.lots.get(key_of(line, lot)) for line in state.lines.rows)
    return [run for run in runs if run is not None]


def standing(state: State, run: Run) -> Standing:
    """How a lot stands."""
    if run.over:
        return "over" if run.held else "released"
    line = state.lines.get(run.line)
    return "running" if line is not None and line.lot == run.lot else "within"


def reindex(state: State) -> None:
    """Derive the index from the table. Of a lot freed by an older version, what there is of it was decided about."""
    for key, run in state.lots.rows.items():
        insort(state.index.lots_of_line[run.line], (run.begun_us, key))
        if run.released_by is not None and run.freed is None:
            run.freed = (run.defective, run.judged)


def _of(state: State, line: str, lot: str, at_us: int) -> Run:
    key = key_of(line, lot)
    run = state.lots.get(key)
    if run is None:
        run = Run(line=line, lot=lot, begun_us=at_us, limit=state.house.most_defective(line, None))
        _forget_strays(state, line)
        insort(state.index.lots_of_line[line], (at_us, key))
        return state.lots.put(key, run)
    state.lots.touch(key)
    return run


def _forget_strays(state: State, name: str) -> None:
    """Make room for one more lot on a line. Should fruit of a forgotten one come, it is found once more."""
    line, lots = state.lines.rows[name], state.index.lots_of_line[name]
    runs = [(place, state.lots.rows[place[1]]) for place in lots]
    strays = [place for place, run in runs if not run.ordered and not run.over and run.lot not in (line.lot, line.told)]
    for place in strays[: max(0, len(strays) + 1 - MAX_STRAYS)]:
        lots.remove(place)
        state.lots.drop(place[1])


def _runs_now(state: State, run: Run, at_us: int) -> None:
    """The lot is the one on its line; the one before has ended."""
    line = state.lines.rows[run.line]
    if line.lot is not None and line.lot != run.lot:
        _of(state, run.line, line.lot, at_us).ended_us = at_us
    line.lot = run.lot
    state.lines.touch(run.line)


def _compare(state: State, row: LogRow, event: Inspection, run: Run) -> None:
    """The line's own tally, beside what came: a line that counted more has made events that are gone.

    It is an exception about the line, counted in fruit: the one about its agent counts how often events were lost.
    """
    if event.tally is None:
        return
    tally = event.tally
    told = tally.good + tally.defective + tally.unsure + tally.unseen
    untold = told - (run.judged + run.unsure + run.unseen)
    if untold > run.untold:
        detail = f"lot {run.lot}: {untold} fruit {_NOBODY_SAID}"
        what: dict[str, Param] = {"lots": _lacking(state, run), "detail": detail}
        exceptions.add(state, "data_lost", run.line, row.recorded_us, untold - run.untold, what)
        run.untold = untold


def _lacking(state: State, run: Run) -> str:
    """The lots of a line that its open exception about lost fruit is about, this one among them."""
    line = state.lines.rows[run.line]
    if exceptions.current(state, "data_lost", run.line) is None:
        line.lacking = []
    if run.lot not in line.lacking and len(line.lacking) <= NAMED:
        line.lacking.append(run.lot)
    return ", ".join([*line.lacking[:NAMED], *("…" for _ in line.lacking[NAMED:])])


def _judge(state: State, run: Run, now_us: int, *, all_told: bool = False) -> None:
    """Whether it is over its limit. `all_told`: no more of its fruit comes, unless it runs once more."""
    defective, judged = run.fresh
    if judged == 0:
        return
    if run.held:
        exceptions.update(state, "quality", run.lot, now_us, *_figures(state, run.lot))
        return
    low, _ = wilson.interval(defective, judged)
    if low > run.limit and (all_told or defective >= LEAST_DEFECTIVE):
        run.over, run.released_by, run.release_reason = True, None, None
        state.lots.touch(key_of(run.line, run.lot))
        _hold(state, run.lot, now_us)


def _hold(state: State, lot: str, now_us: int) -> None:
    """It is over its limit on one line more."""
    count, params = _figures(state, lot)
    if exceptions.current(state, "quality", lot) is None:
        params["rate"] = params["now"]
        if gone := quarantine.gone(state, lot):
            params["shipped"] = gone
    exceptions.begin(state, "quality", lot, now_us, count, params)
    quarantine.hold(state, lot, now_us)


def _figures(state: State, lot: str) -> tuple[int, dict[str, Param]]:
    """Defective fruit, and what else is told of a lot as it is now: of all lines together that hold it."""
    held = [run for run in runs_of(state, lot) if run.held]
    defective, judged = (sum(figure) for figure in zip(*(run.fresh for run in held), strict=True))
    low, high = wilson.interval(defective, judged)
    return defective, {
        "line": ", ".join(sorted(run.line for run in held)),
        "now": round(defective / judged, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "limit": min(run.limit for run in held),
        "inspected": judged,
    }
