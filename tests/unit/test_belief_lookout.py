"""When a zone was looked at: darkness of several causes, in any order, within bounds."""

import msgspec
from beliefbooks import AGENT, READER, watched_zone
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.belief import tidings
from gateway.belief.lookout import BEGAN_US, MAX_SPANS, RETOLD, RETOLD_US, Lookout

S = 1_000_000

darknesses = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)), max_size=30)
"""(since, for how long), in seconds."""


def dark(spans: list[tuple[int, int]]) -> Lookout:
    lookout = Lookout()
    for n, (since, length) in enumerate(spans):
        lookout.darken(f"reader-{n}", since * S)
        lookout.lighten(f"reader-{n}", (since + length) * S)
    return lookout


def test_a_zone_is_looked_at_once_all_its_readers_are_connected():
    zone = tidings.watch(["north", "south"], [AGENT])
    assert zone.lookout.looked_s(0, 100 * S) == 0
    tidings.reader(zone, "north", 10 * S, sees=True)
    assert zone.lookout.looked_s(0, 100 * S) == 0
    tidings.reader(zone, "south", 30 * S, sees=True)
    assert zone.lookout.looked_s(0, 100 * S) == 70


def test_while_a_reader_is_lost_or_its_agent_silent_nobody_looks():
    zone = watched_zone(0)
    tidings.reader(zone, READER, 10 * S, sees=False)
    tidings.agent(zone, AGENT, 15 * S, heard=False)
    assert zone.lookout.dark_since_us == 10 * S
    assert zone.lookout.looked_s(0, 100 * S) == 10
    tidings.reader(zone, READER, 20 * S, sees=True)
    tidings.agent(zone, AGENT, 40 * S, heard=True)
    assert zone.lookout.dark_since_us is None
    assert zone.lookout.looked_s(0, 100 * S) == 70
    assert zone.lookout.looked_s(12 * S, 38 * S) == 0
    assert zone.lookout.looked_s(35 * S, 45 * S) == 5


def test_a_reader_told_lost_and_then_blind_is_dark_since_the_first():
    lookout = Lookout()
    lookout.darken(READER, 10 * S)
    lookout.darken(READER, 20 * S)
    lookout.lighten(READER, 30 * S)
    assert lookout.looked_s(0, 30 * S) == 10


@given(darknesses, st.integers(0, 130), st.integers(0, 130))
def test_looked_time_is_what_no_darkness_covers(spans, one, other):
    begin, end = sorted((one, other))
    covered = {second for since, length in spans for second in range(since, since + length)}
    lit = [second for second in range(begin, end) if second not in covered]
    assert dark(spans).looked_s(begin * S, end * S) == len(lit)


@given(darknesses.flatmap(lambda spans: st.tuples(st.just(spans), st.permutations(spans))))
def test_the_order_in_which_darkness_is_told_does_not_matter(both):
    told, otherwise = both
    assert dark(told).spans == dark(otherwise).spans


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 9)), min_size=100, max_size=200, unique_by=lambda s: s[0])
)
def test_many_darknesses_are_bounded_and_never_look_longer_than_we_did(spans):
    lookout = dark(spans)
    assert len(lookout.spans) <= MAX_SPANS
    covered = {second for since, length in spans for second in range(since, since + length)}
    assert lookout.looked_s(0, 6000 * S) <= 6000 - len(covered)
    decoded = msgspec.json.decode(msgspec.json.encode(lookout), type=Lookout)
    assert decoded == lookout


def test_several_tags_told_twice_are_an_agent_begun_anew_and_one_is_not():
    lookout, hour = Lookout(), BEGAN_US
    lookout.tell_again(10 * hour)
    lookout.tell_again(10 * hour + RETOLD_US + 1)
    assert lookout.begun_us == 0
    for n in range(1, RETOLD):
        lookout.tell_again(10 * hour + RETOLD_US + 1 + n)
    assert lookout.begun_us == 9 * hour + RETOLD_US + 1


def test_a_reader_connected_twice_running_is_an_agent_begun_anew():
    zone = watched_zone(5 * S)
    assert zone.lookout.begun_us == 0
    tidings.reader(zone, READER, 50 * S, sees=True)
    assert zone.lookout.begun_us == 50 * S
    zone.lookout.begin_anew(20 * S)
    assert zone.lookout.begun_us == 50 * S, "told late"
