"""A door, from reads to passes: given these reads and beams, these decisions."""

import random
from itertools import pairwise

import pytest
from doorwalk import (
    EPC,
    IN_EDGES,
    NOW_US,
    OUT_EDGES,
    READER,
    SECOND,
    TURN_EDGES,
    beams,
    by_time,
    door,
    walk,
)
from doorwalk import passes as decisions
from hypothesis import given
from hypothesis import strategies as st

from contract import wire
from contract.events import DoorPass
from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal import field
from edge.portal.beams import Beam
from edge.portal.door import DoorTracker


def standing_inside(heard_outside_s: tuple[float, ...], length_s: float) -> list[Read]:
    """A case beside the inside antennas, somebody in the way now and then, and caught faintly from the outside."""
    chance = random.Random(5)
    near = [(n * 0.2, 1, -58 + (10 if n % 30 < 15 else 0) + chance.randint(-4, 4)) for n in range(int(length_s / 0.2))]
    faint = [(at_s, 2, -75) for at_s in heard_outside_s]
    return [Read(NOW_US + round(at_s * 1e6), EPC, port, rssi, "reader-1") for at_s, port, rssi in near + faint]


def test_a_case_that_stands_inside_and_is_faintly_heard_outside_does_not_depart() -> None:
    for heard_outside_s in ((13.0, 13.5), (1.0, 1.3, 1.9), (0.5, 7.0, 13.9)):
        tracker = DoorTracker(door())
        beams(tracker, *((at_s + 5, beam, broken) for at_s, beam, broken in IN_EDGES))  # somebody else comes in
        tracker.feed(standing_inside(heard_outside_s, 14.0))
        assert {decided.direction for decided in decisions(tracker)} <= {"unknown"}


def test_a_tag_comes_in_and_another_goes_out() -> None:
    tracker = DoorTracker(door())
    tracker.feed(walk())
    tracker.feed(walk(10, epc="aa", inbound=False))
    inbound, outbound = decisions(tracker)
    assert (inbound.direction, inbound.epcs, inbound.door) == ("inbound", (EPC,), "dock-1")
    assert (outbound.direction, outbound.epcs) == ("outbound", ("aa",))
    assert inbound.confidence > 0.9
    evidence = inbound.evidence
    assert evidence.margin_s is not None
    assert evidence.margin_s > 1
    assert evidence.inside.reads + evidence.outside.reads == 100
    assert evidence.rule == "centroid"
    assert wire.decode_event(wire.encode(inbound)) == inbound


def test_a_pass_is_decided_when_the_tag_has_been_silent_for_the_gap() -> None:
    tracker = DoorTracker(door())
    reads = walk()
    tracker.feed(reads)
    last_us = reads[-1].at_us
    while (due_us := tracker.next_due_us()) is not None and due_us < last_us + 1_200_000:
        assert tracker.due(due_us) == []
    (decided,) = decisions(tracker)
    assert 1_200_000 <= decided.decided_us - last_us <= 1_300_000
    assert tracker.next_due_us() is None


@given(st.integers(0, 2**32), st.integers(1, 7))
def test_the_order_and_the_grouping_of_reads_change_nothing(seed: int, batches: int) -> None:
    reads = walk() + walk(0.5, epc="aa", inbound=False, seed=2)
    expected = DoorTracker(door())
    expected.feed(reads)
    random.Random(seed).shuffle(reads)
    tracker = DoorTracker(door())
    for batch in range(batches):
        tracker.feed(reads[batch::batches])
    now_us = NOW_US + 10_000_000
    assert tracker.due(now_us) == expected.due(now_us)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 200_000_000), st.sampled_from(["aa", "bb", "cc"]), st.integers(1, 5), st.integers(-80, -30)
        ),
        max_size=200,
    ),
    st.integers(0, 3),
)
def test_no_read_is_invented_and_none_counted_twice(raw: list[tuple[int, str, int, int]], least: int) -> None:
    reads = [Read(NOW_US + after, epc, antenna, float(rssi), "reader-1") for after, epc, antenna, rssi in raw]
    tracker = DoorTracker(door(rules=PassRules(min_reads=least + 1)))
    passes: list[DoorPass] = []
    for read in by_time(reads):
        passes += [told for told in tracker.due(read.at_us) if isinstance(told, DoorPass)]
        tracker.feed([read])
    passes += decisions(tracker)
    for epc in ("aa", "bb", "cc"):
        own = [one.evidence for one in passes if one.epcs == (epc,)]
        counted = sum(one.inside.reads + one.outside.reads + one.neutral_reads for one in own)
        assert counted <= sum(read.epc == epc for read in reads)
        times = {read.at_us for read in reads if read.epc == epc}
        assert all({one.first_read_us, one.last_read_us} <= times for one in own)
        assert all(a.last_read_us < b.first_read_us for a, b in pairwise(own))
    assert tracker.next_due_us() is None


def test_many_passes_that_arrive_late_and_at_once_are_told_apart() -> None:
    tracker = DoorTracker(door())
    tracker.feed([read for begin_s in (0, 30, 70, 200) for read in walk(begin_s, inbound=begin_s != 30)])
    found = [one.direction for one in tracker.due(NOW_US + 300_000_000)]
    assert found == ["inbound", "outbound", "inbound", "inbound"]
    assert not tracker.strays


def test_strays_are_counted_by_reason_and_make_no_pass() -> None:
    tracker = DoorTracker(door())
    tracker.feed(walk(epc="01")[:2])
    tracker.feed(read._replace(epc="02", rssi_dbm=-71.0) for read in walk())
    tracker.feed(read._replace(epc="03", rssi_dbm=-60.0 + (read.at_us // 40_000 % 3)) for read in walk())
    tracker.feed(read._replace(epc="04", antenna=1, rssi_dbm=-60.0) for read in walk())
    tracker.feed(read._replace(epc="05") for begin_s in range(0, 80, 4) for read in walk(begin_s))
    assert decisions(tracker) == []
    assert tracker.strays == {"few_reads": 1, "weak": 1, "flat": 2, "standing": 1}


def test_a_tag_that_stood_still_and_was_taken_through_later_is_a_pass() -> None:
    tracker = DoorTracker(door())
    for begin_s in range(0, 80, 4):
        tracker.feed(walk(begin_s))
    tracker.feed(walk(100))
    assert [one.direction for one in decisions(tracker)] == ["inbound"]
    assert tracker.strays == {"standing": 1}


def test_reads_of_one_side_alone_are_no_pass() -> None:
    tracker = DoorTracker(door())
    beams(tracker, *IN_EDGES)
    tracker.feed(read for read in walk() if read.antenna in (1, 4))
    assert decisions(tracker) == []
    assert tracker.strays == {"far": 1}


def test_where_all_count_that_are_heard_reads_of_one_side_give_no_direction() -> None:
    tracker = DoorTracker(door(rules=PassRules(min_passed=0)))
    beams(tracker, *IN_EDGES)
    tracker.feed(read for read in walk() if read.antenna in (1, 4))
    (decided,) = decisions(tracker)
    assert (decided.direction, decided.confidence, decided.evidence.margin_s) == ("unknown", 0.0, None)
    assert decided.evidence.beam == "inbound"


# Photo-eyes


def unclear() -> list[Read]:
    """A pass whose centroids coincide: all antennas hear it best in the middle."""
    return [read._replace(rssi_dbm=-48.0 - abs(read.at_us - NOW_US - 2_000_000) // 125_000) for read in walk()]


def test_the_beams_decide_where_the_antennas_cannot() -> None:
    for edges, direction in ((IN_EDGES, "inbound"), (OUT_EDGES, "outbound")):
        tracker = DoorTracker(door())
        beams(tracker, *edges)
        tracker.feed(unclear())
        (decided,) = decisions(tracker)
        assert (decided.direction, decided.evidence.rule, decided.evidence.beam) == (direction, "photo_eye", direction)
        assert 0.7 < decided.confidence < 0.9  # one in ten of what the beams say, and whether it passed at all
    tracker = DoorTracker(door())
    tracker.feed(unclear())
    (decided,) = decisions(tracker)
    assert (decided.direction, decided.evidence.rule, decided.evidence.beam) == ("unknown", "margin", None)


def test_beams_that_agree_raise_the_confidence_and_beams_that_disagree_lower_it() -> None:
    confidences = []
    for edges in (OUT_EDGES, [], IN_EDGES):
        tracker = DoorTracker(door())
        beams(tracker, *edges)
        tracker.feed(walk())
        (decided,) = decisions(tracker)
        assert decided.direction == "inbound"
        assert decided.evidence.rule == "centroid"
        confidences.append(decided.confidence)
    against, alone, agreeing = confidences
    assert against < alone < agreeing


def test_who_turns_back_between_the_beams_did_not_pass() -> None:
    tracker = DoorTracker(door())
    beams(tracker, *TURN_EDGES)
    tracker.feed(unclear())
    assert decisions(tracker) == []
    assert tracker.strays == {"turned_back": 1}


def test_two_bodies_that_meet_between_the_beams_look_like_a_turn_and_clear_reads_decide() -> None:
    tracker = DoorTracker(door())
    beams(tracker, *TURN_EDGES)
    tracker.feed(walk())
    (decided,) = decisions(tracker)
    assert (decided.direction, decided.evidence.beam, decided.evidence.rule) == ("inbound", "unknown", "centroid")
    assert decided.confidence <= 0.95


def test_who_turns_back_before_the_beams_is_no_clear_case_where_beams_work() -> None:
    nearly = [*walk(), *(read._replace(at_us=2 * NOW_US + 7_000_000 - read.at_us) for read in walk())]
    directions = []
    for edges in ([], [(-60.0, "outer", True), (-59.0, "outer", False)]):
        tracker = DoorTracker(door(rules=PassRules(min_passed=0)))
        beams(tracker, *edges)
        tracker.feed(read for read in nearly if read.at_us > NOW_US + 1_000_000)
        directions += [(one.direction, one.evidence.rule) for one in decisions(tracker)]
    assert directions == [("outbound", "centroid"), ("unknown", "margin")]


def test_who_comes_up_to_the_door_and_goes_back_is_no_pass() -> None:
    there = [read for read in walk() if read.at_us < NOW_US + 2_200_000]
    back = [read._replace(at_us=2 * NOW_US + 4_600_000 - read.at_us) for read in there]
    tracker = DoorTracker(door())
    tracker.feed(there + back)
    assert decisions(tracker) == []
    assert sum(tracker.strays.values()) == 1


def test_who_drives_past_at_a_distance_is_no_pass_however_clear_its_direction() -> None:
    tracker = DoorTracker(door())
    tracker.feed(walk(fainter_db=18.0))
    assert decisions(tracker) == []
    assert tracker.strays == {"far": 1}
    weaker = DoorTracker(door(rules=PassRules(near_peak_rssi_dbm=-70.0, min_peak_rssi_dbm=-84.0)))
    weaker.feed(walk(fainter_db=18.0))
    assert [one.direction for one in decisions(weaker)] == ["inbound"]


def test_a_lone_tag_that_both_sides_hear_alike_from_afar_is_told_with_little_confidence() -> None:
    tracker = DoorTracker(door())
    tracker.feed(walk(fainter_db=14.0))
    (decided,) = decisions(tracker)
    assert decided.direction == "inbound"
    assert 0.45 < decided.confidence < 0.65


def test_a_small_thing_clears_the_first_beam_before_it_breaks_the_second() -> None:
    tracker = DoorTracker(door())
    beams(tracker, (1.7, "outer", True), (1.8, "outer", False), (2.2, "inner", True), (2.3, "inner", False))
    tracker.feed(unclear())
    assert [one.direction for one in decisions(tracker)] == ["inbound"]


def test_each_pass_gets_its_own_crossing() -> None:
    tracker = DoorTracker(door())
    beams(tracker, *IN_EDGES, *((at_s + 10, beam, broken) for at_s, beam, broken in OUT_EDGES))
    tracker.feed(walk())
    tracker.feed(walk(10, inbound=False))
    assert [one.evidence.beam for one in decisions(tracker)] == ["inbound", "outbound"]


@given(st.lists(st.tuples(st.floats(-1, 6), st.sampled_from(["outer", "inner"]), st.booleans()), max_size=40))
def test_whatever_the_beams_say_a_pass_stays_a_pass(edges: list[tuple[float, Beam, bool]]) -> None:
    tracker = DoorTracker(door())
    beams(tracker, *edges)
    tracker.feed(walk())
    (decided,) = decisions(tracker)
    assert decided.direction in ("inbound", "unknown")
    assert (decided.confidence > 0.5) == (decided.direction == "inbound")


# Several readers, blindness, bounds


def test_two_readers_of_one_door_see_one_pass() -> None:
    tracker = DoorTracker(door(READER, SECOND))
    reads = walk()
    tracker.feed(reads[::2])
    tracker.feed(read._replace(reader="reader-2", antenna=1 if read.antenna in (1, 4) else 2) for read in reads[1::2])
    (decided,) = decisions(tracker)
    assert decided.direction == "inbound"
    assert decided.evidence.inside.reads + decided.evidence.outside.reads == 100


def test_a_blind_reader_decides_no_departure() -> None:
    tracker = DoorTracker(door())
    reads = walk()
    tracker.feed(reads[:50])
    tracker.blind(NOW_US + 2_500_000, "reader-1")
    assert decisions(tracker, until_s=20) == []
    tracker.sighted(NOW_US + 20_000_000, "reader-1")
    late = [read._replace(at_us=read.at_us + 18_500_000) for read in reads[50:]]
    tracker.feed(late)
    (decided,) = decisions(tracker)
    assert decided.direction == "inbound"
    assert decided.evidence.inside.reads + decided.evidence.outside.reads == 100


def test_a_tag_that_is_gone_when_the_reader_is_back_ends_with_what_was_read() -> None:
    tracker = DoorTracker(door())
    tracker.feed(walk())
    tracker.blind(NOW_US + 4_000_000, "reader-1")
    tracker.sighted(NOW_US + 9_000_000, "reader-1")
    assert decisions(tracker, until_s=9.9) == []
    (decided,) = decisions(tracker, until_s=10.3)
    assert decided.direction == "inbound"


def test_a_door_that_stays_blind_ends_its_passes_at_the_longest_pass() -> None:
    tracker = DoorTracker(door())
    tracker.feed(walk())
    tracker.blind(NOW_US + 4_000_000, "reader-1")
    assert decisions(tracker, until_s=60) == []
    assert [one.direction for one in decisions(tracker, until_s=70)] == ["inbound"]


def test_a_door_sees_again_when_its_last_reader_does() -> None:
    tracker = DoorTracker(door(READER, SECOND))
    tracker.feed(walk())
    tracker.blind(NOW_US, "reader-1")
    tracker.blind(NOW_US, "reader-2")
    tracker.sighted(NOW_US + 5_000_000, "reader-2")
    assert decisions(tracker, until_s=20) == []
    tracker.sighted(NOW_US + 20_000_000, "reader-1")
    assert len(decisions(tracker)) == 1


def test_more_tags_than_can_be_followed_are_refused_and_counted() -> None:
    tracker = DoorTracker(door())
    tracker.feed(Read(NOW_US, f"{number:024x}", 1, -50.0, "reader-1") for number in range(field.MAX_TAGS + 5))
    assert tracker.strays == {"overflow": 5}
    tracker.due(NOW_US + 5_000_000)
    tracker.feed(walk(10))
    assert len(decisions(tracker)) == 1


def test_a_tag_read_without_end_fills_no_memory() -> None:
    tracker = DoorTracker(door())
    tracker.feed(
        Read(NOW_US + number * 1000, EPC, 1 + number % 4, -50.0, "reader-1") for number in range(field.MAX_READS + 9)
    )
    assert decisions(tracker) == []
    assert tracker.strays == {"standing": 1}


def test_more_reads_than_can_be_held_are_refused_and_counted_until_passes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field, "MAX_HELD", 300)
    tracker = DoorTracker(door())
    for step in range(10):
        tracker.feed(Read(NOW_US + step, f"{number:024x}", 1, -50.0, "reader-1") for number in range(40))
    assert tracker.strays == {"overflow": 100}
    tracker.due(NOW_US + 100_000_000)
    refused = tracker.strays["overflow"]
    tracker.feed(Read(NOW_US + 200_000_000 + step, "aa", 1, -50.0, "reader-1") for step in range(310))
    assert tracker.strays["overflow"] == refused + 10


def test_tags_that_stand_still_hold_no_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field, "MAX_HELD", 300)
    tracker = DoorTracker(door())
    tracker.feed(Read(NOW_US + step * 500_000, "aa", 1, -50.0, "reader-1") for step in range(2000))
    tracker.feed(Read(NOW_US + step, "bb", 1, -50.0, "reader-1") for step in range(300))
    assert tracker.strays["overflow"] == 0
