"""What a ceiling reader tells beside what a door tells, and what the books make of both."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ledgerhouse import House, play
from ledgersite import LEMON, SECOND, case, door_pass
from zonewords import COLD, zone_reader

from contract.events import ZoneLeft, ZoneSeen
from contract.portals import PresenceRules
from edge.llrp.read import Read
from edge.portal.presence import ZoneTracker

CASE, NEIGHBOUR = case(LEMON, 1), case(LEMON, 2)


def listen(begin_us: int, seconds: int, heard: Callable[[int], list[str]], leaves_s: int) -> list[ZoneSeen | ZoneLeft]:
    """What the tracker tells of the tags of each second; the door speaks two seconds after the case left."""
    tracker = ZoneTracker([zone_reader(a1=COLD)], PresenceRules())
    told: list[ZoneSeen | ZoneLeft] = []
    for second in range(seconds):
        at_us = begin_us + second * SECOND
        tracker.feed([Read(at_us + 1000 * n, epc, 1, -60.0, "ceiling") for n, epc in enumerate(heard(second))])
        if second == leaves_s + 2:
            tracker.passed(begin_us + leaves_s * SECOND, [CASE], None)
        told += tracker.due(at_us + SECOND)
    return told


@pytest.mark.parametrize("late", ["the zone", "the door"])
@pytest.mark.parametrize("came_s", [0, 57])
def test_a_case_that_was_sold_stays_sold_whoever_speaks_last(tmp_path: Path, late: str, came_s: int) -> None:
    async def story(house: House) -> None:
        await house.holds(CASE, NEIGHBOUR, zone=COLD)
        begin_us, leaves_s = house.clock(), 60
        told = listen(begin_us, 180, lambda now_s: [NEIGHBOUR, *([CASE] if came_s <= now_s < 60 else [])], leaves_s)
        house.clock.turn(200)
        sold = door_pass(CASE, begin_us + leaves_s * SECOND, "dock-2", "outbound")
        await house.edge.tell(*([sold, *told] if late == "the zone" else [*told, sold]))
        assert house.stock().zones == {COLD: 1}
        assert [type(event) for event in told if CASE in event.epcs] == ([ZoneSeen, ZoneLeft] if came_s == 0 else [])

    play(tmp_path, story)


def test_a_door_that_missed_a_case_and_one_that_was_wrong_are_put_right_by_the_ceiling(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.holds(CASE, zone="receiving")
        await house.holds(NEIGHBOUR, zone=COLD)
        begin_us = house.clock()
        wrong = door_pass(CASE, begin_us + 60 * SECOND, "dock-2", "outbound")
        told = listen(begin_us, 180, lambda now_s: [NEIGHBOUR, CASE], 60)
        house.clock.turn(200)
        await house.edge.tell(told[0])
        assert house.stock().zones == {COLD: 2}, "nobody saw it come in by the gate"
        await house.edge.tell(wrong, *told[1:])
        assert house.stock().zones == {COLD: 2}, "it never left"

    play(tmp_path, story)
