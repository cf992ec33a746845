"""Loads: tags that move together are one pass, and those that do not are not."""

import random
from collections import Counter
from collections.abc import Sequence

from doorwalk import (
    IN_EDGES,
    NOW_US,
    SSCC,
    at,
    beams,
    by_time,
    door,
    epcs_of,
    live,
    pallet,
    passes,
    shelf,
    walk,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from contract import wire
from contract.events import DoorPass, EmptyPass
from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.door import DoorTracker
from edge.portal.passes import MAX_EPCS


def decided(*stories: list[Read]) -> list[DoorPass]:
    tracker = DoorTracker(door())
    return live(tracker, by_time(*stories))


def lean(reads: list[Read], share: float, seed: int = 1) -> list[Read]:
    """A few of the reads."""
    chance = random.Random(seed)
    return [read for read in reads if chance.random() < share]


def test_a_pallet_is_one_pass_with_its_container_and_the_evidence_of_all() -> None:
    (told,) = decided(pallet(tags=8))
    assert (told.direction, set(told.epcs), told.container) == ("inbound", {*epcs_of(1, 8)}, SSCC.format(1))
    assert told.confidence > 0.95
    assert len(told.tags) == len(told.epcs)
    assert not any(tag.straggler for tag in told.tags)
    evidence = told.evidence
    assert evidence.rule == "group"
    assert evidence.inside.reads == sum(tag.inside_reads for tag in told.tags)
    assert evidence.outside.reads == sum(tag.outside_reads for tag in told.tags)
    assert evidence.inside.peak_rssi_dbm == max(tag.inside_peak_rssi_dbm or -99 for tag in told.tags)
    assert evidence.margin_s is not None
    assert evidence.margin_s > 0.5
    assert wire.decode_event(wire.encode(told)) == told


def test_a_pass_of_one_tag_is_told_as_before() -> None:
    (told,) = decided(walk())
    assert (len(told.epcs), told.tags, told.container) == (1, (), None)


def test_it_is_decided_soon_after_the_last_read_of_all() -> None:
    (told,) = decided(pallet(tags=8), walk(0.5, epc="aa", length_s=4.5))
    assert told.evidence.last_read_us == at(4.94)
    assert told.decided_us - told.evidence.last_read_us <= 1_500_000


def test_tags_wait_for_those_that_are_still_read_but_not_for_ever() -> None:
    lingering = walk(0.2, epc="aa") + shelf("aa", 4.2, 30.0, rssi_dbm=-75.0)
    told = decided(pallet(tags=4), lingering)
    assert set(told[0].epcs) >= {*epcs_of(1, 4)}
    assert told[0].decided_us <= at(4.0 + 1.2 + PassRules().group_wait_s + 0.5)
    assert Counter(epc for one in told for epc in one.epcs).most_common(1)[0][1] == 1


def test_a_tag_that_stands_near_the_door_holds_up_nobody() -> None:
    still = [shelf(f"50{number:02x}", -20.0, 40.0) for number in range(6)]
    (told,) = decided(pallet(tags=8), *still)
    assert set(told.epcs) == {*epcs_of(1, 8)}
    assert told.decided_us - told.evidence.last_read_us <= 1_500_000


def test_weak_tags_get_the_direction_of_their_pallet() -> None:
    """Alone, none of these few reads would say where it went."""
    first, second, third, *_, sscc = epcs_of(1, 8)
    load = pallet(tags=8)
    one_side = [read for read in load if read.epc != first or read.antenna in (1, 4)]
    few = [read for read in one_side if read.epc != second or read.antenna == 1]
    weak = {read.epc for read in few}
    (told,) = decided(few)
    assert weak == set(told.epcs)
    assert told.direction == "inbound"
    straggling = {epc for epc, tag in zip(told.epcs, told.tags, strict=True) if tag.straggler}
    assert {first, second} <= straggling
    assert not {third, sscc} & straggling


def test_one_odd_tag_splits_no_pallet() -> None:
    odd = epcs_of(1, 8)[0]
    load = [read for read in pallet(tags=8) if read.epc != odd]
    contrary = lean(walk(0.0, epc=odd, inbound=False, every_s=0.1, seed=3), 0.2)
    (alone,) = decided(contrary)
    assert alone.direction == "outbound"
    told = decided(load, contrary)
    assert [(one.direction, odd in one.epcs) for one in told] == [("inbound", True)]
    assert [tag.straggler for epc, tag in zip(told[0].epcs, told[0].tags, strict=True) if epc == odd] == [True]


def test_pallets_that_cross_in_the_door_stay_apart() -> None:
    told = decided(pallet(load=1), pallet(load=2, inbound=False))
    assert {(one.direction, one.container) for one in told} == {
        ("inbound", SSCC.format(1)),
        ("outbound", SSCC.format(2)),
    }
    assert all(set(one.epcs) == {*epcs_of(1 if one.direction == "inbound" else 2, 8)} for one in told)


def test_pallets_that_follow_each_other_closely_stay_apart() -> None:
    told = decided(*(pallet(2.0 * load, load=load) for load in range(4)))
    assert [one.container for one in told] == [SSCC.format(load) for load in range(4)]
    assert [set(one.epcs) for one in told] == [{*epcs_of(load, 8)} for load in range(4)]


def test_a_case_that_is_carried_behind_a_pallet_at_some_distance_is_a_pass_of_its_own() -> None:
    told = decided(pallet(), walk(3.0, epc="aa"))
    assert [one.epcs == ("aa",) for one in told] == [False, True]


def test_two_logistic_units_on_one_fork_have_no_container() -> None:
    (told,) = decided(pallet(load=1), walk(0.0, epc=SSCC.format(2), every_s=0.1))
    assert told.container is None
    assert {SSCC.format(1), SSCC.format(2)} <= set(told.epcs)


def test_a_slow_pallet_is_one_pass() -> None:
    (told,) = decided(pallet(length_s=20.0, tags=12))
    assert set(told.epcs) == {*epcs_of(1, 12)}


def test_a_tag_that_the_crowd_hides_for_a_while_is_told_once() -> None:
    hidden = epcs_of(1, 8)[0]
    load = [read for read in pallet(tags=8) if read.epc != hidden or not at(1.2) < read.at_us < at(2.9)]
    (told,) = decided(load)
    assert told.epcs.count(hidden) == 1


def test_a_tag_on_a_shelf_is_not_swept_along() -> None:
    often = shelf("5001", -60.0, 60.0)
    seldom = [read for read in shelf("5002", -60.0, 60.0, every_s=0.5) if read.at_us // 1_000_000 % 10 in (0, 1)]
    (told,) = decided(pallet(), often, seldom)
    assert set(told.epcs) == {*epcs_of(1, 8)}


def test_the_photo_eyes_count_once_for_all() -> None:
    """They are one witness, however many tags they saw: against many sure tags they do not win."""
    tracker = DoorTracker(door())
    beams(tracker, *((at_s, "inner" if beam == "outer" else "outer", broken) for at_s, beam, broken in IN_EDGES))
    tracker.feed(pallet())
    (told,) = passes(tracker)
    assert (told.direction, told.evidence.beam) == ("inbound", "outbound")


def test_a_load_that_turns_back_is_no_pass() -> None:
    forth = [read for read in pallet(length_s=8.0) if read.at_us < at(4.4)]
    back = [read._replace(at_us=2 * at(4.4) - read.at_us) for read in forth]
    tracker = DoorTracker(door())
    assert live(tracker, by_time(forth, back)) == []
    assert tracker.strays["turned_back"] >= 8
    assert tracker.strays.total() == 9


def test_a_load_with_more_tags_than_an_event_holds_becomes_several_of_one_container() -> None:
    tags = MAX_EPCS + 100
    told = decided(pallet(tags=tags))
    assert sorted(len(one.epcs) for one in told) == [101, MAX_EPCS]
    assert {epc for one in told for epc in one.epcs} == {*epcs_of(1, tags)}
    assert {one.container for one in told} == {SSCC.format(1)}
    assert len({one.evidence for one in told}) == 1


def test_five_hundred_tags_on_three_pallets_are_three_passes() -> None:
    told = decided(*(pallet(2.2 * load, load=load, tags=166) for load in range(3)))
    assert [one.container for one in told] == [SSCC.format(load) for load in range(3)]
    assert sum(len(one.epcs) for one in told) >= 0.99 * 3 * 167


@st.composite
def traffic(draw: st.DrawFn) -> list[Read]:
    """Some loads and cases that go through now and then, with tags that are read badly, and a tag on a shelf."""
    seed = draw(st.integers(0, 2**20))
    stories = [
        lean(
            pallet(
                draw(st.floats(0, 12)),
                load=load,
                tags=draw(st.integers(0, 4)),
                inbound=draw(st.booleans()),
                length_s=draw(st.sampled_from([3.0, 4.0, 7.0])),
                seed=seed,
            ),
            draw(st.sampled_from([0.1, 0.4, 1.0])),
            seed,
        )
        for load in range(draw(st.integers(1, 3)))
    ]
    return by_time(*stories, shelf("5001", 0.0, draw(st.floats(0.5, 20))))


@given(traffic(), st.integers(0, 2**20))
@settings(max_examples=40, deadline=None)
def test_the_order_in_which_reads_come_changes_nothing(reads: list[Read], seed: int) -> None:
    expected = live(DoorTracker(door()), reads)
    shuffled = reads[:]
    random.Random(seed).shuffle(shuffled)
    at_once = DoorTracker(door())
    at_once.feed(shuffled)
    assert _facts(at_once.due(at(3600))) == _facts(expected)


@given(traffic(), st.integers(0, 2**20))
@settings(max_examples=40, deadline=None)
def test_nothing_is_lost_and_nothing_is_told_twice(reads: list[Read], seed: int) -> None:
    late = random.Random(seed)
    arriving = sorted(reads, key=lambda read: (read.at_us + late.randrange(400_000), read.epc))
    tracker = DoorTracker(door())
    told = live(tracker, arriving)
    times: dict[str, list[tuple[int, int]]] = {}
    for one in told:
        assert len(set(one.epcs)) == len(one.epcs)
        for epc in one.epcs:
            own = [read.at_us for read in reads if read.epc == epc]
            first_us = max(one.evidence.first_read_us, min(own))
            times.setdefault(epc, []).append((first_us, min(one.evidence.last_read_us, max(own))))
    assert {read.epc for read in reads} - times.keys() <= {"5001"} or tracker.strays.total() > 0
    assert len(times.keys() | {"5001"}) + tracker.strays.total() >= len({read.epc for read in reads})
    assert tracker.next_due_us() is None


def _facts(told: Sequence[DoorPass | EmptyPass]) -> list[DoorPass | EmptyPass]:
    """What was decided, but for when."""
    return sorted((structs.replace(one, decided_us=0) for one in told), key=wire.encode)


def test_the_moments_of_the_story_are_those_of_the_reads() -> None:
    assert at(1.5) == NOW_US + 1_500_000
