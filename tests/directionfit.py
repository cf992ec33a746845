"""Is the direction right for passes that it was not fitted to? The one figure of the levels' odds, left one out.

python tests/directionfit.py     the table of every recorded pass; needs the data folder

`MARGIN_ODDS` turns the separation of a pass into log-odds. Here it is fitted anew by maximum likelihood to all recorded
passes but one, which is then decided, and to all passes of one session, to decide those of the other. The phases have
no figure that was fitted, and are added as they are.
"""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent.parent)]

from llrpdata import Walk, recorded_walks

from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.direction import CLEAR_ODDS
from edge.portal.levels import MARGIN_ODDS, MOST_ODDS, levels_of
from edge.portal.phase import phase_log_odds
from edge.portal.sides import Side
from edge.replay import read_csv


class Pass(NamedTuple):
    """What the reads of one recorded pass, which went in, say."""

    name: str
    separation: float
    phases: float
    centroid_s: float
    """The plain margin."""
    first_last: int
    """+1 if an outside antenna read it first and an inside one last, -1 the other way about, 0 if the same side did."""

    @property
    def session(self) -> str:
        return self.name.partition("-")[0]

    def inbound(self, margin_odds: float, *, phases: bool = True) -> float:
        """P(inbound), as decided with this figure."""
        odds = max(-MOST_ODDS, min(MOST_ODDS, margin_odds * self.separation))
        if phases and abs(odds) < CLEAR_ODDS:
            odds += self.phases
        return 1 / (1 + math.exp(-odds))


def passes() -> list[Pass]:
    """The recorded passes; skips the test where they are not at hand."""
    return [_pass(walk) for walk in recorded_walks()]


def fitted(passes: Sequence[Pass]) -> float:
    """The figure under which these passes are likeliest, where levels never reach more than 99 in 100.

    Of several that are equally good the smallest: passes that are all right and clear do not say how clear.
    """

    def log_likelihood(figure: float) -> float:
        return round(sum(math.log(one.inbound(figure, phases=False)) for one in passes), 6)

    return max((step / 20 for step in range(1, 1000)), key=log_likelihood)


def leave_one_out(passes: Sequence[Pass], same: Callable[[Pass, Pass], bool]) -> list[float]:
    """For each pass the figure that was fitted to those which are not the same."""
    return [fitted([other for other in passes if not same(one, other)]) for one in passes]


class Score(NamedTuple):
    """Counts of passes."""

    right: int
    wrong: int
    unknown: int


def score(inbound: Sequence[float], least: float = PassRules().min_confidence) -> Score:
    """By P(inbound) of passes that all went in."""
    right, wrong = sum(one >= least for one in inbound), sum(1 - one >= least for one in inbound)
    return Score(right, wrong, len(inbound) - right - wrong)


def table(passes: Sequence[Pass]) -> str:
    """Every pass, and the scores."""
    by_pass = leave_one_out(passes, lambda one, other: one is other)
    by_session = leave_one_out(passes, lambda one, other: one.session == other.session)
    columns: dict[str, list[float]] = {
        "as shipped": [one.inbound(MARGIN_ODDS) for one in passes],
        "no phases": [one.inbound(MARGIN_ODDS, phases=False) for one in passes],
        "pass out": [one.inbound(figure) for one, figure in zip(passes, by_pass, strict=True)],
        "session out": [one.inbound(figure) for one, figure in zip(passes, by_session, strict=True)],
    }
    lines = [f"{'P(inbound) of a pass in':24}" + "".join(f"{name:>13}" for name in columns)]
    for place, one in enumerate(passes):
        lines.append(f"{one.name:24}" + "".join(f"{column[place]:13.3f}" for column in columns.values()))
    lines.append(
        f"{'right, wrong, unknown':24}" + "".join(f"{'{} {} {}'.format(*score(c)):>13}" for c in columns.values())
    )
    figures = f"{min(by_pass):.1f} to {max(by_pass):.1f}, by session {min(by_session):.1f} and {max(by_session):.1f}"
    lines.append(f"figure as shipped {MARGIN_ODDS:.1f}, of all {fitted(passes):.1f}, left one out {figures}")
    centroid = score([1.0 if one.centroid_s > 0 else 0.0 for one in passes])
    first_last = score([(one.first_last + 1) / 2 for one in passes])
    lines.append("plain centroid {} {} {}; first antenna against last {} {} {}".format(*centroid, *first_last))
    return "\n".join(lines)


def _pass(walk: Walk) -> Pass:
    reads = sorted(read_csv(walk.file), key=lambda read: read.at_us)

    def side_of(read: Read) -> Side | None:
        return "inside" if read.antenna in walk.inside else "outside" if read.antenna in walk.outside else None

    levels = levels_of(reads, side_of)
    sides = [side for read in reads if (side := side_of(read)) is not None]
    first_last = (sides[-1] == "inside") - (sides[0] == "inside")
    return Pass(
        name=walk.file.stem,
        separation=levels.separation(),
        phases=phase_log_odds(reads, side_of) or 0.0,
        centroid_s=(levels.margin_us or 0) / 1e6,
        first_last=first_last,
    )


if __name__ == "__main__":
    print(table(passes()))
