"""The field: reads of a tag become stays, in any order and within bounds."""

import random
import time
from collections import Counter

from doorwalk import NOW_US, at, door, passes, shelf, walk
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp.read import Read
from edge.portal.door import DoorTracker
from edge.portal.field import LEAVING_US, MAX_TRAIL, Field
from edge.portal.sight import Sight

GAP_US, LONGEST_US = 1_200_000, 60_000_000
moments = st.lists(st.integers(0, 400_000), max_size=60)


def field(sight: Sight | None = None) -> Field:
    return Field(GAP_US, LONGEST_US, sight or Sight(), Counter())


def reads_at(moments_ms: list[int]) -> list[Read]:
    return [Read(NOW_US + moment * 1000, "aa", 1, -50.0, "reader-1") for moment in moments_ms]


@given(moments, st.randoms(use_true_random=False))
def test_the_stays_of_a_tag_are_those_of_its_sorted_reads(moments_ms: list[int], chance: random.Random) -> None:
    expected: list[list[int]] = []
    for moment in sorted(moments_ms):
        if not expected or moment - expected[-1][-1] > GAP_US / 1000:
            expected.append([])
        expected[-1].append(moment)
    reads = reads_at(moments_ms)
    chance.shuffle(reads)
    tags = field()
    tags.feed(reads)
    ended = [*tags.ended(at(10_000))]
    assert [(stay.first_us, stay.last_us) for stay in ended] == [
        (NOW_US + part[0] * 1000, NOW_US + part[-1] * 1000) for part in expected
    ]
    short = [
        (stay, part) for stay, part in zip(ended, expected, strict=True) if part[-1] - part[0] <= LONGEST_US / 1000
    ]
    assert all(len(stay.reads) == len(part) and not stay.standing for stay, part in short)
    assert tags.next_end_us() is None
    assert (tags._held, tags._trailing) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 50_000), st.integers(1, 30_000)), max_size=6), st.integers(0, 50_000))
def test_silence_ends_when_enough_of_it_was_seen(blind_ms: list[tuple[int, int]], since_ms: int) -> None:
    sight, until_ms = Sight(), 0
    for begin_ms, length_ms in blind_ms:
        begin_ms = max(begin_ms, until_ms)
        sight.lose("reader-1", begin_ms)
        until_ms = begin_ms + length_ms
        sight.regain("reader-1", until_ms)
    end_ms = sight.silent_at(since_ms, 1200)
    assert end_ms is not None
    assert sight.silence_us(since_ms, end_ms) == 1200
    assert sight.silence_us(since_ms, end_ms - 1) == 1199
    sight.lose("reader-1", end_ms - 1)
    assert sight.silent_at(since_ms, 1200) is None


def test_old_and_new_reads_of_one_tag_in_turn_cost_no_more_than_new_ones() -> None:
    """A reader that hands over what it kept while it goes on reading."""
    kept = reads_at([n * 10 for n in range(5_000)])
    new = reads_at([200_000 + n * 10 for n in range(5_000)])
    tags = field()
    begun_s = time.process_time()
    for old, fresh in zip(kept, new, strict=True):
        tags.feed([fresh, old])
    assert [len(stay.reads) for stay in tags.ended(at(1000))] == [5_000, 5_000]
    assert time.process_time() - begun_s < 5


def test_a_tag_that_stands_still_is_known_by_its_newest_reads() -> None:
    tags = field()
    tags.feed(reads_at([n * 200 for n in range(1_000)]))
    (stay,) = tags.ended(at(1000))
    assert stay.standing
    newest = sorted(read.at_us for read in stay.reads)
    assert newest[-1] == stay.last_us
    assert len(newest) <= MAX_TRAIL
    assert newest[0] >= stay.last_us - LEAVING_US


def test_what_stood_near_the_door_and_is_carried_through_in_the_end_is_a_pass() -> None:
    """A pallet that waits for its fork-lift where the antennas hear it."""
    for ending, expected in ((walk(90.0, inbound=False), ["outbound"]), ([], [])):
        tracker = DoorTracker(door())
        tracker.feed(shelf(walk()[0].epc, 0.0, 90.0))
        tracker.feed(ending)
        assert [one.direction for one in passes(tracker)] == expected
        assert tracker.strays == ({} if expected else {"standing": 1})


def test_a_static_tag_is_a_stray_until_it_is_carried_off() -> None:
    tracker = DoorTracker(door(static=["5001"]))
    tracker.feed(read._replace(epc="5001") for read in walk()[::9])
    assert passes(tracker) == []
    assert tracker.strays == {"static": 1}
    tracker.feed(walk(60.0, epc="5001"))
    assert [one.direction for one in passes(tracker)] == ["inbound"]


def test_a_tag_that_stands_there_again_and_again_is_learned() -> None:
    tracker = DoorTracker(door())
    for visit in range(8):
        tracker.feed(shelf("5001", visit * 30.0, visit * 30.0 + 12.0))
        assert passes(tracker, visit * 30.0 + 29) == []
    assert set(tracker.strays) == {"flat", "static"}


def test_a_late_read_takes_back_an_end_that_is_not_yet_told() -> None:
    """One reader's reports come seconds after the other's."""
    tracker = DoorTracker(door())
    tracker.feed(walk(0.0, epc="bb", length_s=6.0))
    reads = walk()
    tracker.feed([read for read in reads if read.at_us < at(2.0)])
    early = passes(tracker, until_s=3.4)
    tracker.feed([read for read in reads if read.at_us >= at(2.0)])
    told = early + passes(tracker)
    assert [one.direction for one in told] == ["inbound"]
    assert set(told[0].epcs) == {"bb", reads[0].epc}


def test_reads_of_a_pass_that_was_told_make_no_second_one() -> None:
    tracker = DoorTracker(door())
    reads = walk()
    tracker.feed(reads[::2])
    assert len(passes(tracker)) == 1
    tracker.feed(reads[1::2])
    assert passes(tracker) == []
    assert tracker.strays == {"late": 1}
