"""Which tags moved together, and which way: a pallet, a trolley, or one case.

Tags that are sure of their way by themselves make the groups. Those of one way are sorted by the time at which they
were in the middle of the door, and cut where two bodies stand apart: where the means of the two halves of the best
cut (least squares) lie further apart than the parts of one load do. How far that is follows the pace, for the margin
is the time from one pair of antennas to the other: `REACH` of it, and at least `group_s`. A pallet of 1.2 m between
antennas 2.4 m apart spreads over half a margin, and its halves lie a quarter of it apart. An SSCC in each part says
that they are two loads, one in only one of them that they are one; a lone tag in front or behind is a straggler.

Then the others find their group, by when they were heard on the sides that heard them: tags that are unsure, tags
heard on one side only, and (with a group of `SOLID` or more) tags of few or weak reads, if they fit within it. Not a
tag that stands still by its own reads, nor one that was heard before as part of the place (residents.py): these never
come here. What fits two groups of different ways about as well stays alone, and so does what fits none.

The direction of a group comes from its members' log-odds. They err together (the same fork-lift hides them all), so
they count as fewer: n samples with correlation c are worth n / (1 + (n - 1) c) independent ones, the design effect of
cluster sampling (L. Kish, Survey Sampling, 1965, section 5.4). So does a few tags' certainty of the contrary: below
`OTHER_BODY` it is taken for an error of theirs and joins a group of at least three times as many that is there at the
same time; from there on it is another body that crosses.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import median, median_low
from typing import Final, NamedTuple

from contract.epc import identify
from contract.errors import BadEpc
from contract.events import Direction
from contract.portals import PassRules
from edge.portal.field import SoFar
from edge.portal.odds import MOST_CONFIDENT, share
from edge.portal.visit import Visit, Way, by_middle

REACH: Final = 0.4
"""Of the margin: as far from the middle, in time, may the parts of one load be."""
MOST_FAINTER_DB: Final = 15.0
ALIKE: Final = 0.5
"""Correlation of the errors of tags on one load."""
OTHER_BODY: Final = math.log(0.98 / 0.02)
"""Two bodies that cross each other within the time of one pass are rarer than one time in fifty."""
MORE: Final = 3
"""A group takes in what contradicts it if it has so many times as many sure members."""
SOLID: Final = 3
"""Sure members of a group that takes in tags which would be strays by themselves."""
ELSEWHERE_DB: Final = 18.0
"""A tag that is fainter than the group by more, at its loudest, is not on one load with it, though the time fits."""
FAINTER_DB: Final = {None: MOST_FAINTER_DB, "flat": 10.0, "weak": 10.0, "few_reads": 5.0}
"""How much fainter than the group a tag that joins it may be at its loudest, by the reason for which it is no pass."""
TWO_UNITS: Final = 0.75
ONE_UNIT: Final = 1.25
LONE: Final = 2.0
"""How much nearer or further two parts with two, or only one, logistic unit may be; and a lone tag."""
CLEARLY: Final = 1.0
"""Difference of the costs from which a tag fits one group rather than another of a different way."""


class Group(NamedTuple):
    """What moved together."""

    members: tuple[Visit, ...]
    """By the time at which they were in the middle; one is a group, too."""
    way: Way | None
    """None: it is not known, or it is a stray."""
    confidence: float
    """In the direction, if it went through."""
    at_us: int
    reach_us: float
    """Whose middle is further away than this came early or late."""

    @property
    def first_us(self) -> int:
        return min(visit.first_us for visit in self.members)

    @property
    def last_us(self) -> int:
        return max(visit.last_us for visit in self.members)

    @property
    def direction(self) -> Direction:
        """As an event says it."""
        return "unknown" if self.way is None or self.way == "back" else self.way

    @property
    def container(self) -> str | None:
        """The logistic unit, if exactly one moved here with others."""
        units = [visit.epc for visit in self.members if is_unit(visit.epc)] if len(self.members) > 1 else []
        return units[0] if len(units) == 1 else None


class Outline(NamedTuple):
    """What a tag that is still read must be like to belong to a group."""

    from_us: float
    """Its first read, at the earliest and at the latest."""
    until_us: float
    least_dbm: float
    half_margin_us: float
    at_us: int
    reach_us: float

    @classmethod
    def of(cls, group: Group) -> "Outline":
        margins = [visit.decision.evidence.margin_s or 0.0 for visit in group.members]
        return cls(
            from_us=group.first_us - 2 * group.reach_us,
            until_us=group.at_us + group.reach_us,
            least_dbm=median(visit.peak_dbm for visit in group.members) - MOST_FAINTER_DB,
            half_margin_us=median(margins) * 5e5,
            at_us=group.at_us,
            reach_us=group.reach_us,
        )

    def may_hold(self, so_far: SoFar) -> bool:
        """Whether a tag may belong to the group, by what was heard of it until now."""
        if not self.from_us <= so_far.first_us <= self.until_us or so_far.peak_dbm < self.least_dbm:
            return False
        middle_us = middle_of(so_far.centroid_us("inside"), so_far.centroid_us("outside"), self.half_margin_us)
        return middle_us is not None and abs(middle_us - self.at_us) <= self.reach_us


def groups_of(visits: Sequence[Visit], rules: PassRules) -> list[Group]:
    """All visits, each in one group; the order of the visits does not matter."""
    ordered = sorted(visits, key=by_middle)
    bodies = [
        _Body(way, part)
        for way in ("inbound", "outbound", "back")
        for part in _parts([visit for visit in ordered if visit.way == way], rules)
    ]
    bodies = _without_errors(bodies, rules)
    shapes = [(body, _Shape.of(body.sure, rules)) for body in bodies]
    left: list[Visit] = []
    for visit in ordered:
        if visit.way is None:
            body = _best(visit, shapes)
            (left if body is None else body.others).append(visit)
    bodies += [_Body(None, part) for part in _parts([visit for visit in left if visit.reason is None], rules)]
    bodies += [_Body(None, [visit]) for visit in left if visit.reason is not None]
    return sorted((body.group(rules) for body in bodies), key=lambda group: by_middle(group.members[0]))


def alone(visit: Visit, rules: PassRules) -> Group:
    """A tag that is a group of its own."""
    decision = visit.decision
    return Group((visit,), visit.way or _own_way(visit), decision.confidence, visit.middle_us, reach_us([visit], rules))


def without_faint(group: Group) -> tuple[Group, list[Visit]]:
    """A group without those that are so faint beside the others that they were somewhere else; and these."""
    least_dbm = median(visit.peak_dbm for visit in group.members) - ELSEWHERE_DB
    heard = tuple(visit for visit in group.members if visit.peak_dbm >= least_dbm)
    faint = [visit for visit in group.members if visit.peak_dbm < least_dbm]
    return (group._replace(members=heard), faint) if faint else (group, [])


def gone_through(group: Group, rules: PassRules) -> Group:
    """A group that seemed to have turned back, with the way that it went after all; as it was if that is not known."""
    way, confidence = _likely_way(group.members, rules)
    return group._replace(way=way, confidence=confidence) if way else group


def is_unit(epc: str) -> bool:
    """Whether an EPC is that of a logistic unit."""
    try:
        return identify(epc).sscc is not None
    except BadEpc:
        return False


class _Body:
    """A group that is being put together."""

    def __init__(self, way: Way | None, sure: list[Visit]) -> None:
        self.way = way
        self.sure = sure
        """By their middles."""
        self.others: list[Visit] = []

    def group(self, rules: PassRules) -> Group:
        members = sorted([*self.sure, *self.others], key=by_middle)
        if len(members) == 1:
            return alone(members[0], rules)
        at_us = round(median(visit.middle_us for visit in self.sure))
        reach = reach_us(self.sure, rules)
        if self.way == "back":
            return Group(tuple(members), "back", 0.0, at_us, reach)
        way, confidence = self._verdict(members, rules)
        return Group(tuple(members), way, confidence, at_us, reach)

    def _verdict(self, members: Sequence[Visit], rules: PassRules) -> tuple[Way | None, float]:
        way, confidence = _likely_way(members, rules)
        if self.way is None and not _may_be_told(members, rules):
            return None, 0.0
        if self.way not in (None, way):
            return None, 0.0  # those that joined say the contrary
        return way, confidence


class _Shape(NamedTuple):
    """When those who are sure of their way were where."""

    middle_us: float
    reach_us: float
    half_margin_us: float
    first_us: int
    last_us: int
    peak_dbm: float
    size: int

    @classmethod
    def of(cls, sure: Sequence[Visit], rules: PassRules) -> "_Shape":
        return cls(
            middle_us=median(visit.middle_us for visit in sure),
            reach_us=reach_us(sure, rules),
            half_margin_us=median((visit.decision.evidence.margin_s or 0.0) * 5e5 for visit in sure),
            first_us=min(visit.first_us for visit in sure),
            last_us=max(visit.last_us for visit in sure),
            peak_dbm=median(visit.peak_dbm for visit in sure),
            size=len(sure),
        )

    def distance(self, visit: Visit) -> float:
        """How far a tag is from the middle of this, 1 being as far as it may be."""
        evidence = visit.decision.evidence
        middle_us = None
        if evidence.margin_s is None:
            inside_us, outside_us = evidence.inside.centroid_us, evidence.outside.centroid_us
            if inside_us is None or outside_us is None:
                middle_us = middle_of(inside_us, outside_us, self.half_margin_us)
        return abs((visit.middle_us if middle_us is None else middle_us) - self.middle_us) / self.reach_us

    def holds(self, visit: Visit) -> bool:
        """Whether a tag was heard while this was there, neither long before nor long after, and about as loud."""
        if self.peak_dbm - visit.peak_dbm > FAINTER_DB.get(visit.reason, 0.0):
            return False
        if visit.reason is not None and self.size < SOLID:
            return False
        slack_us = self.reach_us / 2
        return self.first_us - slack_us <= visit.first_us and visit.last_us <= self.last_us + slack_us


def middle_of(inside_us: float | None, outside_us: float | None, half_margin_us: float) -> float | None:
    """When a tag was in the middle of the door; if one side alone heard it, by the margin of what it moved with."""
    if inside_us is not None and outside_us is not None:
        return (inside_us + outside_us) / 2
    if inside_us is not None:
        return inside_us - half_margin_us
    return None if outside_us is None else outside_us + half_margin_us


def log_odds(visits: Iterable[Visit]) -> float:
    """ln(P(inbound) / P(outbound)) of tags that moved together; the photo-eyes saw them once."""
    heard = [visit for visit in visits if visit.decision.evidence.margin_s is not None]
    if not heard:
        return 0.0
    own = sum(visit.log_odds for visit in heard) / (1 + (len(heard) - 1) * ALIKE)
    return own + median_low(visit.beam_odds for visit in heard)


def _best(visit: Visit, shapes: Sequence[tuple[_Body, _Shape]]) -> _Body | None:
    """The group that a tag which is not sure of its way fits best, if it fits one clearly."""
    fits = [
        (distance * distance + _against(visit, body.way), index)
        for index, (body, shape) in enumerate(shapes)
        if shape.holds(visit) and (distance := shape.distance(visit)) <= 1
    ]
    if not fits:
        return None
    fits.sort()
    best = shapes[fits[0][1]][0]
    rivals = (cost for cost, index in fits if shapes[index][0].way != best.way)
    return best if next(rivals, math.inf) - fits[0][0] >= CLEARLY else None


def _against(visit: Visit, way: Way | None) -> float:
    """How much a tag's own reads speak against a way: -ln P."""
    if way == "back" or way is None:
        return math.log(2)
    odds = visit.log_odds + visit.beam_odds
    odds = odds if way == "inbound" else -odds
    return math.log1p(math.exp(-odds))


def _without_errors(bodies: list["_Body"], rules: PassRules) -> list["_Body"]:
    """Join the few that contradict many, at the same time and not surely enough to be another body."""
    bodies = sorted(bodies, key=lambda body: -len(body.sure))
    kept: list[tuple[_Body, _Shape]] = []
    for body in bodies:
        shape = _Shape.of(body.sure, rules)
        hosts = [
            (abs(host.middle_us - shape.middle_us), index)
            for index, (_, host) in enumerate(kept)
            if len(body.sure) * MORE <= host.size and abs(host.middle_us - shape.middle_us) <= host.reach_us
        ]
        other = body.way != "back" and abs(log_odds(body.sure)) >= OTHER_BODY
        if not hosts or other:
            kept.append((body, shape))
        else:
            kept[min(hosts)[1]][0].others += body.sure
    return [body for body, _ in kept]


def _parts(visits: list[Visit], rules: PassRules) -> list[list[Visit]]:
    """Visits by their middles, cut into bodies."""
    parts, uncut = [], [visits] if visits else []
    while uncut:
        part = uncut.pop()
        cut = _cut(part, rules) if len(part) > 1 else None
        if cut is None:
            parts.append(part)
        else:
            uncut += [part[:cut], part[cut:]]
    return parts


def _cut(visits: list[Visit], rules: PassRules) -> int | None:
    """Where the best cut is, if the two parts are two bodies. Linear in the visits."""
    origin_us, count = visits[0].middle_us, len(visits)
    total_us = sum(visit.middle_us - origin_us for visit in visits)
    best, cut, before_us, apart_us = 0.0, 0, 0, 0.0
    for place in range(1, count):
        before_us += visits[place - 1].middle_us - origin_us
        distance_us = (total_us - before_us) / (count - place) - before_us / place
        spread = distance_us * distance_us * place * (count - place)
        if spread > best:
            best, cut, apart_us = spread, place, distance_us
    if not cut:
        return None
    return cut if apart_us > _least_us(visits, cut, rules) else None


def _least_us(visits: list[Visit], cut: int, rules: PassRules) -> float:
    """How far the means of two parts lie apart if these are two bodies."""
    reach = reach_us(visits, rules)
    units = [any(is_unit(visit.epc) for visit in part) for part in (visits[:cut], visits[cut:])]
    if all(units):
        return TWO_UNITS * reach
    if min(cut, len(visits) - cut) == 1 and len(visits) > 2:
        return LONE * reach
    return (ONE_UNIT if any(units) else 1.0) * reach


def reach_us(visits: Sequence[Visit], rules: PassRules) -> float:
    """How far from the middle the parts of one load may be in time."""
    margins = [abs(visit.decision.evidence.margin_s or 0.0) for visit in visits]
    return max(rules.group_s, REACH * median(margins)) * 1e6


def _likely_way(members: Sequence[Visit], rules: PassRules) -> tuple[Way | None, float]:
    """The way that tags together say they went, and how surely; None if not surely enough."""
    odds = log_odds(members)
    sure = share(abs(odds))
    if sure < rules.min_confidence:
        return None, 0.0
    return "inbound" if odds > 0 else "outbound", round(min(sure, MOST_CONFIDENT), 3)


def _may_be_told(members: Sequence[Visit], rules: PassRules) -> bool:
    """Whether tags that are all unsure may have a direction together."""
    margins = [visit.decision.evidence.margin_s for visit in members]
    known = [margin for margin in margins if margin is not None]
    withheld = sum(visit.is_withheld(rules) for visit in members)
    return bool(known) and abs(median(known)) >= rules.margin_s and 2 * withheld < len(members)


def _own_way(visit: Visit) -> Way | None:
    direction = visit.decision.direction
    return None if visit.reason or direction == "unknown" else direction
