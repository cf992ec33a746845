"""Visits that have ended and wait for those that may be on the same load and are still read.

A group waits for a tag that, by what was heard of it until now, was in the middle of the door at the same time: on its
way out of the field a tag is faint, and that hardly moves its centroids any more. It never waits longer than
`group_wait_s` after its own end. A tag that is a stray unless it finds companions waits so long for these to end.
"""

from collections.abc import Iterable
from typing import NamedTuple

from contract.portals import PassRules
from edge.portal.group import reach_us
from edge.portal.visit import Visit, by_middle


class Waiting(NamedTuple):
    """A visit, and when its stay ended."""

    visit: Visit
    ended_us: int

    def is_overdue(self, wait_us: int, now_us: int) -> bool:
        """Whether it must be decided now."""
        return self.ended_us + wait_us <= now_us


def bunches_of(waiting: Iterable[Waiting], rules: PassRules) -> list[list[Waiting]]:
    """All that wait, by time, cut where two middles lie so far apart that no group could hold both."""
    bunches: list[list[Waiting]] = []
    before_us, before_reach_us = 0, 0.0
    for one in sorted(waiting, key=lambda one: by_middle(one.visit)):
        middle_us, own_reach_us = one.visit.middle_us, reach_us([one.visit], rules)
        if bunches and middle_us - before_us <= max(own_reach_us, before_reach_us):
            bunches[-1].append(one)
        else:
            bunches.append([one])
        before_us, before_reach_us = middle_us, own_reach_us
    return bunches
