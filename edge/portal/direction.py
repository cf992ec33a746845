"""Which way a tag went through a door, how sure that is, and why.

Three witnesses speak, each in log-odds, ln(P(inbound) / P(outbound)), and what they say is added (Bayes' rule, even
priors): the levels of the reads on each side (levels.py), the phases where the reader tells them (phase.py), and the
photo-eyes. The levels count if the tag came near both sides. The phases are asked only where the levels leave doubt.
A photo-eye pair is taken to be right nine times in ten.

Confidence is P of the direction: the share of passes with such evidence that went that way. Below `min_confidence` the
direction is unknown, and so it is where only the levels speak and the centroids lie nearer together than `margin_s`.

A tag that was louder on one side both before and after it was nearest turned back, and that is no pass. Beams that were
broken and cleared on one side say the same, but so do two bodies that meet between them: there the levels decide. Who
comes up to the door and turns back before the beams breaks none: where beams work and none broke, only clear levels
count as a direction.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from contract.events import Direction, PassEvidence, Rule
from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.beams import Beams, Crossing
from edge.portal.levels import Levels, levels_of
from edge.portal.odds import MOST_CONFIDENT, share
from edge.portal.phase import phase_log_odds
from edge.portal.sides import Side

BEAM_ODDS: Final = math.log(9)
CLEAR_ODDS: Final = math.log(19)
"""From here on the levels leave little doubt, and the phases are not asked."""
UNCLEAR_ODDS: Final = math.log(4)
TURNED_DB: Final = 12.0
UNCLEAR_DB: Final = 9.0
UNSEEN_DB: Final = 2.0
"""How much louder on one side, before and after, a tag is that turned back: if the levels show a direction; if they
hardly do; and if beams work and saw nobody go through. About 1 pass in 100 of simulated doors is so, too."""


class Decision(NamedTuple):
    """What was decided about the reads of one tag."""

    direction: Direction
    confidence: float
    at_us: int
    evidence: PassEvidence
    inbound: float
    """How likely it was inbound, 0 to 1, if it went through at all; 0.5 where nothing tells."""
    turned_back: bool = False
    """It came up to the door and went back: `unknown`, and no pass."""


class _Verdict(NamedTuple):
    rule: Rule
    direction: Direction = "unknown"
    turned_back: bool = False


class _Witnesses(NamedTuple):
    """What was said, in log-odds of inbound."""

    levels: float
    clear: bool
    """Whether the levels alone may give a direction."""
    phases: float | None
    beam: float
    beams_turn: bool
    """They were broken and cleared by somebody who did not go through, or by several at once."""

    @property
    def others(self) -> float:
        return (self.phases or 0.0) + self.beam

    @property
    def together(self) -> float:
        odds = self.levels + self.others
        return max(-CLEAR_ODDS, min(CLEAR_ODDS, odds)) if self.beams_turn else odds


def decide(reads: Sequence[Read], side_of: Callable[[Read], Side | None], beams: Beams, rules: PassRules) -> Decision:
    """The direction of one stay; `reads` of one tag, in any order, at least one."""
    levels = levels_of(reads, side_of)
    near = levels.came_near(rules.min_peak_rssi_dbm)
    at_us = levels.middle_us if near else (levels.first_us + levels.last_us) // 2
    crossing = beams.witness(levels.first_us, levels.last_us, at_us)
    unseen = crossing is None and beams.watching(levels.last_us)
    inbound, phases = 0.5, None
    verdict = _Verdict("margin")  # only one side heard it well: the beams may speak of another tag
    if near:
        odds = levels.log_odds()
        phases = phase_log_odds(reads, side_of) if abs(odds) < CLEAR_ODDS else None
        said = _Witnesses(odds, _is_clear(odds, levels, unseen, rules), phases, *_beams_say(crossing))
        verdict = _verdict(said, levels, unseen, rules)
        inbound = min(max(share(said.together), 1 - MOST_CONFIDENT), MOST_CONFIDENT)
    confidence = {"inbound": inbound, "outbound": 1 - inbound, "unknown": 0.0}[verdict.direction]
    return Decision(
        direction=verdict.direction,
        confidence=round(confidence, 3),
        at_us=at_us,
        evidence=PassEvidence(
            first_read_us=levels.first_us,
            last_read_us=levels.last_us,
            inside=levels.inside.evidence(),
            outside=levels.outside.evidence(),
            neutral_reads=levels.neutral_reads,
            margin_s=round((levels.margin_us or 0) / 1e6, 6) if near else None,
            phase_inbound=None if phases is None else round(share(phases), 3),
            beam=crossing.direction if crossing else None,
            rule=verdict.rule,
        ),
        inbound=round(inbound, 3),
        turned_back=verdict.turned_back,
    )


def _verdict(said: _Witnesses, levels: Levels, unseen: bool, rules: PassRules) -> _Verdict:
    """What the witnesses come to, for a tag that came near both sides."""
    if _turned_back(said, levels, unseen):
        return _Verdict("photo_eye" if said.beams_turn else "centroid", turned_back=True)
    odds = said.together
    if not said.clear and (unseen or said.others * odds <= 0 or share(abs(said.others)) < rules.min_confidence):
        return _Verdict("margin")
    if share(abs(odds)) < rules.min_confidence or not odds:
        return _Verdict("photo_eye" if said.beam else "margin")  # nobody is sure, or they contradict each other
    direction: Direction = "inbound" if odds > 0 else "outbound"
    if said.clear and said.levels * odds > 0:
        return _Verdict("centroid", direction)
    return _Verdict("photo_eye" if said.beam * odds > 0 else "phase", direction)


def _turned_back(said: _Witnesses, levels: Levels, unseen: bool) -> bool:
    if said.beam:
        return False  # somebody went through
    if said.beams_turn and abs(said.levels) < CLEAR_ODDS:
        return True
    least_db = UNCLEAR_DB if abs(said.levels) < UNCLEAR_ODDS else TURNED_DB
    return levels.same_side_db() >= (UNSEEN_DB if said.beams_turn or unseen else least_db)


def _is_clear(odds: float, levels: Levels, unseen: bool, rules: PassRules) -> bool:
    if unseen and abs(odds) < CLEAR_ODDS:
        return False
    return odds != 0 and abs(levels.margin_us or 0) >= rules.margin_s * 1e6


def _beams_say(crossing: Crossing | None) -> tuple[float, bool]:
    """Log-odds of inbound, and whether they were broken without anybody going through."""
    match crossing.direction if crossing else None:
        case "inbound":
            return BEAM_ODDS, False
        case "outbound":
            return -BEAM_ODDS, False
        case "unknown":
            return 0.0, True
        case None:
            return 0.0, False
