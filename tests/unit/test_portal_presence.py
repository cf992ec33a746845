"""Zones: tags appear, stay, move and leave; nothing leaves because nobody listens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zonewords import COLD, SECOND, SHELF, START_US, Cold, both, epc, heard, zone_reader

from contract.events import ZoneLeft, ZoneSeen
from contract.portals import PresenceRules
from edge.portal import presence
from edge.portal.presence import ZoneTracker

OTHERS = dict.fromkeys(range(100, 105), 0.9)
"""Tags that stay, so that the reader is known to listen."""


def test_a_tag_that_is_heard_twice_is_in_the_zone_since_its_last_read():
    cold = Cold()
    cold.tracker.feed([heard(1, 0.2), heard(2, 0.3), heard(1, 0.9, -55)])
    cold.silent(6)
    [seen] = cold.told
    assert (seen.zone, seen.epcs, seen.at_us) == (COLD, (epc(1),), START_US + 900_000)
    assert (seen.evidence.rule, seen.evidence.reads, seen.evidence.peak_rssi_dbm) == ("appeared", 2, -55)
    assert seen.evidence.mean_rssi_dbm == pytest.approx(-56.8)
    assert cold.tracker.present == {COLD: 1}


def test_one_read_alone_is_a_stray():
    cold = Cold().until(0.5, lambda _: [heard(1, 0.2)])
    cold.until(700, cold.rounds(OTHERS))
    assert epc(1) not in cold.epcs(ZoneSeen)
    assert cold.tracker.strays == {"few_reads": 1}


def test_a_pallet_comes_and_goes_in_one_event_each():
    cold = Cold()
    pallet = dict.fromkeys(range(40), 0.9)
    cold.until(300, cold.rounds(OTHERS))
    cold.until(360, cold.rounds(pallet | OTHERS))
    cold.until(420, cold.rounds(OTHERS))
    arrivals = [event for event in cold.of(ZoneSeen) if epc(0) in event.epcs or epc(39) in event.epcs]
    assert sum(len(event.epcs) for event in cold.of(ZoneSeen)) == 45
    assert len(arrivals) <= 2
    departures = cold.of(ZoneLeft)
    assert cold.epcs(ZoneLeft) == {epc(serial) for serial in pallet}
    assert len(departures) <= 8, [len(event.epcs) for event in departures]
    for event in departures:
        assert START_US + 350 * SECOND < event.at_us <= START_US + 360 * SECOND < event.decided_us
        assert event.evidence.rule == "silent"
        assert event.decided_us - event.at_us >= (event.evidence.window_s - 10) * SECOND
        assert 0.7 < event.evidence.rate_hz < 1.0
    assert cold.tracker.present == {COLD: 5}


def test_seldom_heard_tags_are_waited_for_longer():
    cold = Cold()
    cold.until(1800, cold.rounds({1: 0.95, 2: 0.1} | OTHERS))
    cold.until(3000, cold.rounds(OTHERS))
    assert [event.epcs for event in cold.of(ZoneLeft)] == [(epc(1),), (epc(2),)]
    often, seldom = (event.evidence.window_s for event in cold.of(ZoneLeft))
    assert 5 <= often < 15
    assert 90 < seldom < 300


def test_antennas_and_readers_of_a_zone_add_up():
    readers = [zone_reader("left", a1=COLD), zone_reader("right", a1=COLD)]
    cold = Cold(*readers)
    cold.tracker.feed([heard(1, 0.2, reader="left"), heard(1, 0.4, reader="right")])
    cold.silent(6)
    assert cold.said() == [(COLD, "appeared")]
    assert cold.told[0].evidence.reads == 2


def test_a_tag_that_two_zones_hear_is_in_the_better_one_and_stays_there():
    cold = Cold(zone_reader(a1=COLD, a2=SHELF))
    cold.until(60, cold.rounds({1: 0.8}, -60))
    cold.until(3600, both(cold.rounds({1: 0.8}, -60), cold.rounds({1: 0.8}, -57, antenna=2)))
    assert cold.said() == [(COLD, "appeared")], "three decibels are no reason to move"
    cold.until(3660, both(cold.rounds({1: 0.8}, -60), cold.rounds({1: 0.8}, -48, antenna=2)))
    cold.until(7200, both(cold.rounds({1: 0.8}, -60), cold.rounds({1: 0.8}, -58, antenna=2)))
    assert cold.said() == [(COLD, "appeared"), (SHELF, "moved")], "and no way back"
    assert cold.tracker.present == {COLD: 0, SHELF: 1}


def test_a_tag_that_falls_silent_here_and_is_heard_there_has_moved():
    cold = Cold(zone_reader(a1=COLD, a2=SHELF))
    cold.until(60, cold.rounds({1: 0.8} | OTHERS, -50))
    cold.until(120, both(cold.rounds(OTHERS, -50), cold.rounds({1: 0.8}, -65, antenna=2)))
    assert cold.said()[-1] == (SHELF, "moved")
    assert cold.of(ZoneLeft) == []


def test_nothing_leaves_while_the_reader_is_blind_and_afterwards_each_has_its_whole_window():
    cold = Cold().silent(1)
    cold.until(120, cold.rounds(OTHERS))
    cold.tracker.blind(cold.now_us, "ceiling")
    cold.silent(3000)
    assert cold.of(ZoneLeft) == []
    cold.tracker.sighted(cold.now_us, "ceiling")
    cold.silent(3004)
    cold.until(3300, cold.rounds(OTHERS))
    assert cold.of(ZoneLeft) == []


def test_of_two_readers_both_must_see():
    readers = [zone_reader("left", a1=COLD), zone_reader("right", a1=COLD)]
    cold = Cold(*readers)
    cold.until(120, both(cold.rounds({1: 0.9}, reader="left"), cold.rounds(OTHERS, reader="right")))
    cold.tracker.blind(cold.now_us, "left")
    cold.until(600, cold.rounds(OTHERS, reader="right"))
    assert cold.of(ZoneLeft) == []
    cold.tracker.sighted(cold.now_us, "left")
    cold.until(700, both(cold.rounds({9: 0.9}, reader="left"), cold.rounds(OTHERS, reader="right")))
    assert cold.epcs(ZoneLeft) == {epc(1)}


def test_a_reader_that_freezes_takes_nothing_with_it_until_the_link_notices():
    cold = Cold()
    cold.until(120, cold.rounds(OTHERS))
    cold.silent(120 + 15)
    cold.tracker.blind(cold.now_us, "ceiling")
    cold.silent(200)
    assert cold.of(ZoneLeft) == []


def test_what_left_from_an_otherwise_empty_zone_is_noticed_all_the_same():
    cold = Cold()
    cold.until(120, cold.rounds({1: 0.9}))
    cold.silent(150)
    assert cold.epcs(ZoneLeft) == {epc(1)}


def test_a_process_that_stood_still_accuses_nobody():
    cold = Cold()
    cold.until(120, cold.rounds(OTHERS))
    cold.now_s = 300
    cold.tracker.blinked(cold.now_us)
    cold.until(360, cold.rounds(OTHERS))
    assert cold.of(ZoneLeft) == []


def test_a_tag_that_comes_back_is_told_again_and_its_silence_is_remembered():
    cold = Cold()
    cold.until(120, cold.rounds({1: 0.9} | OTHERS))
    cold.until(180, cold.rounds(OTHERS))
    cold.until(240, cold.rounds({1: 0.9} | OTHERS))
    cold.until(900, cold.rounds(OTHERS))
    mine = [event for event in cold.told if epc(1) in event.epcs]
    assert [type(event) for event in mine] == [ZoneSeen, ZoneLeft, ZoneSeen, ZoneLeft]
    assert mine[3].evidence.window_s > 2 * mine[1].evidence.window_s


# Doors


def test_a_door_that_speaks_before_the_zone_keeps_it_from_speaking():
    cold = Cold()
    cold.tracker.feed([heard(1, 0.2), heard(1, 0.9)])
    cold.silent(2)
    cold.tracker.passed(START_US + 800_000, [epc(1)], None)
    cold.silent(60)
    assert cold.told == []


def test_a_door_that_was_wrong_is_contradicted_by_a_tag_that_is_heard_as_before():
    cold = Cold()
    cold.until(120, cold.rounds({1: 0.9} | OTHERS))
    cold.tracker.passed(cold.now_us, [epc(1)], None)
    cold.until(150, cold.rounds({1: 0.9} | OTHERS))
    mine = [event for event in cold.told if epc(1) in event.epcs]
    assert [type(event) for event in mine] == [ZoneSeen, ZoneSeen]
    assert mine[1].at_us > START_US + 130 * SECOND


def test_a_tag_behind_the_door_that_is_still_heard_faintly_stays_out():
    cold = Cold()
    cold.until(120, cold.rounds({1: 0.9} | OTHERS, -55))
    cold.tracker.passed(cold.now_us, [epc(1)], None)
    cold.until(180, both(cold.rounds({1: 0.9}, -68), cold.rounds(OTHERS, -55)))
    assert len([event for event in cold.told if epc(1) in event.epcs]) == 1


def test_a_door_into_this_zone_contradicts_nothing():
    cold = Cold()
    cold.until(120, cold.rounds({1: 0.9}))
    cold.tracker.passed(cold.now_us, [epc(1)], COLD)
    cold.until(180, cold.rounds({1: 0.9}))
    assert cold.said() == [(COLD, "appeared")]


# Bounds


def test_tags_beyond_the_bound_are_refused_and_counted(monkeypatch):
    monkeypatch.setattr(presence, "MAX_TAGS", 10)
    cold = Cold()
    cold.until(20, cold.rounds(dict.fromkeys(range(15), 1.0)))
    assert sum(cold.tracker.present.values()) == 10
    assert cold.tracker.strays["overflow"] == 5 * 20


def test_tags_that_left_are_forgotten_in_the_end():
    cold = Cold(rules=PresenceRules(max_window_s=60))
    cold.until(60, cold.rounds(dict.fromkeys(range(500), 0.9)))
    cold.until(600, cold.rounds(OTHERS))
    assert len(cold.epcs(ZoneLeft)) == 500 - len(OTHERS)
    assert len(cold.tracker._tags) == len(OTHERS)


def test_an_antenna_without_a_zone_is_counted():
    cold = Cold()
    cold.tracker.feed([heard(1, 0, antenna=7)])
    assert cold.tracker.strays == {"unplaced": 1}
    assert cold.tracker.next_due_us() is None


def test_large_groups_are_cut():
    cold = Cold()
    cold.until(2, lambda now_s: [heard(serial, now_s + serial / 1e5) for serial in range(1000)])
    cold.silent(8)
    assert [len(event.epcs) for event in cold.told] == [400, 400, 200]


# Properties

LOOKS_AT = {"one": {COLD, SHELF}, "two": {COLD}}
NEAR = PresenceRules(min_window_s=1, max_window_s=60)


@st.composite
def lives(draw):
    """What befalls two readers in a quarter of an hour: reads, bursts of reads, blindness and its end, by time."""
    moments = st.tuples(
        st.floats(0, 900),
        st.sampled_from(["read", "burst", "burst", "blind", "sighted"]),
        st.sampled_from(sorted(LOOKS_AT)),
        st.integers(0, 3),
        st.integers(1, 2),
        st.floats(-75, -40),
    )
    ticks = [(n * 5.0, "tick", "", 0, 0, 0.0) for n in range(260)]
    return sorted([*draw(st.lists(moments, max_size=60)), *ticks])


@settings(max_examples=200, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_whatever_happens_each_departure_follows_an_arrival_and_a_silence_that_every_reader_saw(life, random):
    tracker = ZoneTracker([zone_reader("one", a1=COLD, a2=SHELF), zone_reader("two", a1=COLD, a2=COLD)], NEAR)
    blind: set[str] = set()
    sighted_us = dict.fromkeys(LOOKS_AT, 0)
    first_us: dict[tuple[str, str], int] = {}
    last_us: dict[tuple[str, str], int] = {}
    where: dict[str, str] = {}
    for at_s, kind, reader, serial, antenna, rssi_dbm in life:
        now_us = START_US + round(at_s * SECOND)
        if kind == "blind":
            blind.add(reader)
            tracker.blind(now_us, reader)
        elif kind == "sighted" and reader in blind:
            blind.remove(reader)
            sighted_us[reader] = now_us
            tracker.sighted(now_us, reader)
        elif kind in ("read", "burst") and reader not in blind:
            reads = [
                heard(serial, at_s - 0.6 * n, rssi_dbm, antenna, reader) for n in range(1 if kind == "read" else 6)
            ]
            tracker.feed(random.sample(reads, len(reads)))
            place = (epc(serial), SHELF if (reader, antenna) == ("one", 2) else COLD)
            first_us[place] = min(first_us.get(place, now_us), *(read.at_us for read in reads), now_us)
            last_us[place] = now_us
        for event in tracker.due(now_us):
            for tag in event.epcs:
                if isinstance(event, ZoneSeen):
                    assert where.get(tag) != event.zone
                    assert first_us[tag, event.zone] <= event.at_us <= last_us[tag, event.zone]
                    where[tag] = event.zone
                    continue
                assert where.pop(tag) == event.zone
                assert event.at_us >= last_us[tag, event.zone]
                watching = {name for name, zones in LOOKS_AT.items() if event.zone in zones}
                assert not watching & blind
                since_us = max(last_us[tag, event.zone], *(sighted_us[name] for name in watching))
                assert now_us - since_us >= NEAR.min_window_s * SECOND
    assert all(count >= 0 for count in tracker.present.values())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 4), st.integers(0, 3), st.floats(-75, -40)), max_size=60))
def test_the_order_in_which_the_reads_of_a_moment_come_does_not_change_who_is_there(told):
    reads = [heard(serial, at_s, rssi_dbm) for at_s, serial, rssi_dbm in told]
    outcomes = []
    for order in (sorted(reads, key=lambda read: read.at_us), sorted(reads, key=lambda read: read.rssi_dbm)):
        cold = Cold()
        cold.tracker.feed(order)
        cold.now_s = 5
        outcomes.append(cold.silent(10).epcs(ZoneSeen))
    assert outcomes[0] == outcomes[1] == {epc(n) for n in range(4) if [serial for _, serial, _ in told].count(n) > 1}
