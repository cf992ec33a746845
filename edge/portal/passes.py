"""From a group to the events that tell of it."""

import math
from collections.abc import Iterable, Iterator

from msgspec import structs

from contract.events import MAX_EPCS, DoorPass, EmptyPass, PassEvidence, Rule, SideEvidence, TagEvidence
from edge.portal.beams import Beams
from edge.portal.gate import Window
from edge.portal.group import Group
from edge.portal.visit import Visit


def passes_of(group: Group, door: str, beams: Beams, now_us: int) -> Iterator[DoorPass]:
    """The events of one group: one, unless it has more tags than an event may hold."""
    evidence = evidence_of(group, beams)
    for begin in range(0, len(group.members), MAX_EPCS):
        part = group.members[begin : begin + MAX_EPCS]
        yield DoorPass(
            at_us=group.at_us,
            decided_us=now_us,
            door=door,
            direction=group.direction,
            confidence=group.confidence if group.way else 0.0,
            epcs=tuple(visit.epc for visit in part),
            evidence=evidence,
            container=group.container,
            tags=tuple(_tag(visit, group) for visit in part) if len(group.members) > 1 else (),
        )


def empty_pass(window: Window, reads: int, door: str, beams: Beams, now_us: int) -> EmptyPass:
    """The event of a window of the gate that is over and in which nothing passed."""
    assert window.closed_us is not None
    middle_us = (window.opened_us + window.closed_us) // 2
    crossing = beams.witness(window.opened_us, window.closed_us, middle_us)
    return EmptyPass(
        at_us=middle_us,
        decided_us=now_us,
        door=door,
        direction=crossing.direction if crossing else "unknown",
        opened_us=window.opened_us,
        closed_us=window.closed_us,
        reads=reads,
    )


def evidence_of(group: Group, beams: Beams) -> PassEvidence:
    """The evidence of all members together; of one alone, its own."""
    members = [visit.decision.evidence for visit in group.members]
    if len(members) == 1:
        own = members[0]
        return own if group.way or own.rule != "centroid" else structs.replace(own, rule="margin")
    first_us = min(one.first_read_us for one in members)
    last_us = max(one.last_read_us for one in members)
    inside, outside = pooled(one.inside for one in members), pooled(one.outside for one in members)
    margin_s = None
    if inside.centroid_us is not None and outside.centroid_us is not None:
        near = any(one.margin_s is not None for one in members)
        margin_s = (inside.centroid_us - outside.centroid_us) / 1e6 if near else None
    crossing = beams.witness(first_us, last_us, group.at_us)
    rule: Rule = "group" if group.way else "margin"
    return PassEvidence(
        first_read_us=first_us,
        last_read_us=last_us,
        inside=inside,
        outside=outside,
        neutral_reads=sum(one.neutral_reads for one in members),
        margin_s=margin_s,
        beam=crossing.direction if crossing else None,
        rule=rule,
    )


def pooled(sides: Iterable[SideEvidence]) -> SideEvidence:
    """The reads of one side of several tags together."""
    heard = [side for side in sides if side.mean_rssi_dbm is not None and side.centroid_us is not None]
    if not heard:
        return SideEvidence(reads=0)
    reads = sum(side.reads for side in heard)
    powers_mw = [side.reads * math.pow(10, (side.mean_rssi_dbm or 0.0) / 10) for side in heard]
    total_mw, begin_us = sum(powers_mw), min(side.centroid_us or 0 for side in heard)
    after_us = sum(power * ((side.centroid_us or 0) - begin_us) for power, side in zip(powers_mw, heard, strict=True))
    return SideEvidence(
        reads=reads,
        peak_rssi_dbm=max(side.peak_rssi_dbm for side in heard if side.peak_rssi_dbm is not None),
        mean_rssi_dbm=round(10 * math.log10(total_mw / reads), 1),
        centroid_us=begin_us + round(after_us / total_mw),
    )


def _straggles(visit: Visit, group: Group) -> bool:
    """Whether it came early or late, or its own reads do not show that it went with the rest."""
    early_or_late = abs(visit.middle_us - group.at_us) > group.reach_us
    contrary = group.way is not None and visit.decision.direction != group.direction
    return visit.reason is not None or contrary or early_or_late


def _tag(visit: Visit, group: Group) -> TagEvidence:
    evidence = visit.decision.evidence
    return TagEvidence(
        inside_reads=evidence.inside.reads,
        outside_reads=evidence.outside.reads,
        inside_peak_rssi_dbm=evidence.inside.peak_rssi_dbm,
        outside_peak_rssi_dbm=evidence.outside.peak_rssi_dbm,
        margin_s=evidence.margin_s,
        straggler=_straggles(visit, group),
    )
