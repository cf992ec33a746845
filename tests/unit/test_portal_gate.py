"""A door with a gate: what passes while it is closed does not count, and an opening without a pass is told."""

from itertools import pairwise

from doorwalk import IN_EDGES, NOW_US, OUT_EDGES, all_told, at, beams, door, pallet, passes, shelf, walk
from hypothesis import given
from hypothesis import strategies as st

from contract import wire
from contract.events import DoorPass, EmptyPass
from contract.portals import EyesGate, GpiGate
from edge.portal.door import DoorTracker
from edge.portal.gate import MAX_WINDOWS, Gate

GPI = GpiGate(kind="gpi", reader="reader-1", port=1)
EYES = EyesGate(kind="photo_eyes")


def gated(*opened_s: tuple[float, float]) -> DoorTracker:
    """A door whose gate was open at these times."""
    tracker = DoorTracker(door(gate=GPI))
    for from_s, until_s in opened_s:
        tracker.gate(at(from_s), True)
        tracker.gate(at(until_s), False)
    return tracker


def test_what_passes_while_the_gate_is_open_is_a_pass_and_no_opening_was_empty() -> None:
    tracker = gated((1.0, 3.0))
    tracker.feed(pallet())
    (told,) = all_told(tracker)
    assert isinstance(told, DoorPass)
    assert not tracker.strays


def test_what_passes_while_the_gate_is_closed_is_a_stray() -> None:
    tracker = gated((20.0, 21.0))
    tracker.feed(walk())
    assert [type(told) for told in all_told(tracker)] == [EmptyPass]
    assert tracker.strays == {"ungated": 1}


def test_the_gate_stays_open_for_a_while_after_it_closed() -> None:
    for closed_s, counts in ((-0.9, True), (-1.1, False)):
        tracker = gated((-3.0, closed_s))
        tracker.feed(walk())
        assert bool(passes(tracker)) is counts


def test_an_opening_without_a_tag_is_an_empty_pass_and_the_eyes_say_which_way() -> None:
    for edges, direction in ((IN_EDGES, "inbound"), (OUT_EDGES, "outbound"), ([], "unknown")):
        tracker = gated((1.0, 3.0))
        beams(tracker, *edges)
        tracker.feed(shelf("5001", -10.0, 20.0))
        (told,) = all_told(tracker)
        assert isinstance(told, EmptyPass)
        assert (told.direction, told.opened_us, told.closed_us, told.at_us) == (direction, at(1.0), at(3.0), at(2.0))
        assert 5 <= told.reads <= 8
        assert wire.decode_event(wire.encode(told)) == told


def test_an_opening_is_not_empty_while_a_tag_of_its_time_is_undecided() -> None:
    tracker = gated((1.0, 3.0))
    tracker.feed(shelf("5001", 2.0, 14.0))
    assert all_told(tracker, until_s=14.0) == []
    assert [type(told) for told in all_told(tracker)] == [EmptyPass]


def test_a_load_that_turns_back_explains_the_opening() -> None:
    tracker = gated((1.0, 3.0))
    forth = [read for read in walk(length_s=8.0) if read.at_us < at(4.4)]
    tracker.feed([*forth, *(read._replace(at_us=2 * at(4.4) - read.at_us) for read in forth)])
    assert all_told(tracker) == []
    assert tracker.strays == {"turned_back": 1}


def test_nobody_knows_whether_an_opening_was_empty_while_a_reader_was_blind() -> None:
    tracker = gated((1.0, 3.0))
    tracker.blind(at(2.0), "reader-1")
    tracker.sighted(at(2.5), "reader-1")
    assert all_told(tracker) == []


def test_a_gate_whose_reader_is_lost_is_taken_to_be_open() -> None:
    tracker = gated((-20.0, -19.0))
    tracker.blind(at(-5.0), "reader-1")
    assert [type(one) for one in all_told(tracker, until_s=-5.0)] == [EmptyPass]
    tracker.sighted(at(5.0), "reader-1")
    tracker.feed(walk())  # the reader kept them
    told = all_told(tracker)
    assert [type(one) for one in told] == [DoorPass]


def test_the_photo_eyes_may_be_the_gate() -> None:
    tracker = DoorTracker(door(gate=EYES))
    beams(tracker, *IN_EDGES)
    beams(tracker, *OUT_EDGES, after_s=30.0)
    tracker.feed(walk())
    tracker.feed(walk(60, epc="aa"))
    passed, empty = all_told(tracker)
    assert isinstance(passed, DoorPass)
    assert isinstance(empty, EmptyPass)
    assert (empty.direction, empty.opened_us, empty.closed_us) == ("outbound", at(31.6), at(32.8))
    assert tracker.strays == {"ungated": 1}


def test_while_the_photo_eyes_are_lost_every_pass_counts_and_no_direction_comes_from_them() -> None:
    tracker = DoorTracker(door(gate=EYES))
    beams(tracker, (-9.0, "outer", True))
    tracker.eyes_lost(at(-5.0))
    tracker.feed(walk())
    (told,) = all_told(tracker)
    assert isinstance(told, DoorPass)
    assert told.evidence.beam is None
    tracker.eyes_back(at(20.0))
    tracker.feed(walk(30))
    assert all_told(tracker) == []
    assert tracker.strays == {"ungated": 1}


def test_lost_eyes_do_not_count_as_eyes_that_saw_nothing() -> None:
    """Where working eyes saw nobody, a doubtful margin is no direction; lost eyes say nothing."""
    told = []
    for lost in (False, True):
        tracker = DoorTracker(door())
        beams(tracker, (-9.0, "outer", True), (-8.0, "outer", False))
        if lost:
            tracker.eyes_lost(at(-5.0))
        tracker.feed(read for read in walk(length_s=8.0) if read.at_us > at(3.2))
        told += [(one.direction != "unknown") for one in passes(tracker)]
    assert told[-1]


@given(st.lists(st.tuples(st.integers(0, 60_000), st.booleans()), max_size=300), st.integers(0, 60_000))
def test_windows_are_those_of_the_input_held_open(edges: list[tuple[int, bool]], asked_ms: int) -> None:
    edges = sorted(edges)
    gate = Gate(1.0)
    is_open, open_ms = False, set[int]()
    for (at_ms, opens), (next_ms, _) in pairwise([*edges, (200_000, False)]):
        gate.change(NOW_US + at_ms * 1000, opens)
        if is_open and not opens:
            open_ms.update(range(at_ms, at_ms + 1001))
        is_open = opens
        if is_open:
            open_ms.update(range(at_ms, min(next_ms, 61_001) + 1))
    known = len(edges) <= MAX_WINDOWS
    assert not known or gate.was_open(NOW_US + asked_ms * 1000, NOW_US + asked_ms * 1000) == (asked_ms in open_ms)
    assert len(list(gate.over(NOW_US + 10**9))) <= MAX_WINDOWS
