"""Rules of belief that hold for every history: sightings never lower, silence never raises, darkness says nothing."""

import pytest
from beliefbooks import AGENT, CASE, HOUR, READER, Books, left, seen, us
from hypothesis import given, settings
from hypothesis import strategies as st
from zonewords import COLD, SECOND, SHELF, START_US

from gateway.belief import tidings
from gateway.belief.bernoulli import LEAST, MOST, believe, predict, update
from gateway.belief.siblings import pooled
from gateway.belief.trace import MEMORY, Place, Silences, Trace

moments = st.floats(0, 40 * HOUR)
traces = st.builds(
    Trace,
    trust=st.integers(50, 100),
    home=st.sampled_from(["", COLD]),
    by=st.just(AGENT),
    told_us=st.just(us(0)),
    left_us=st.one_of(st.just(0), moments.map(us)),
    lapses=st.integers(0, MEMORY),
    lapsed_s=st.integers(0, 100_000),
    searched_us=st.one_of(st.just(0), moments.map(us)),
    found_pct=st.integers(0, 99),
)
places = st.builds(Place, st.just(COLD), st.just(us(0)), traces, st.one_of(st.none(), moments.map(us)))
learned = st.builds(
    Silences,
    returned=st.floats(0, 500),
    looked_s=st.floats(0, 1e6),
    open=st.integers(0, 50),
    gone=st.floats(0, 500),
    came=st.floats(100, 200),
    heard=st.floats(0, 100),
    stayed_h=st.floats(0, 1e5),
)


def looked(silences: Silences, *dark_s: tuple[float, float]) -> tidings.Watched:
    zone = Books().zones[COLD]
    zone.silences = silences
    for since_s, length_s in dark_s:
        tidings.reader(zone, READER, us(since_s), sees=False)
        tidings.reader(zone, READER, us(since_s + length_s), sees=True)
    return zone


@given(places, learned, moments, moments, st.floats(0.01, 10))
def test_a_belief_is_a_probability_that_only_falls_while_nothing_is_heard(place, silences, one, other, odds):
    zone = looked(silences)
    earlier, later = (believe(place, zone, us(40 * HOUR + s), odds=odds) for s in sorted((one, other)))
    assert LEAST <= later.r <= MOST
    if earlier.state != "seen":
        assert later.r <= earlier.r + 1e-12


@given(places, learned, moments, st.floats(1, 10 * HOUR))
def test_darkness_is_never_taken_for_absence(place, silences, since_s, length_s):
    """The same silence, once looked at all the time and once partly in the dark."""
    now_us = us(95 * HOUR)
    lit = believe(place, looked(silences), now_us)
    last_s = (lit.seen_us - START_US) / SECOND if lit.state != "seen" else 0.0
    dark = believe(place, looked(silences, (last_s + since_s, length_s)), now_us)
    if lit.state != "seen":
        assert dark.r >= lit.r - 1e-9
        assert dark.looked_s <= lit.looked_s
        assert dark.dark_s + dark.looked_s == pytest.approx(lit.dark_s + lit.looked_s)


@given(places, learned, st.integers(1, 99))
def test_a_search_in_vain_never_raises(place, silences, found_pct):
    zone, now_us = looked(silences), us(41 * HOUR)
    after = place._replace(trace=tidings.searched(place, us(40 * HOUR + 1), found_pct / 100))
    newest = place.trace.searched_us <= place.placed_us
    if newest:
        assert believe(after, zone, now_us).r <= believe(place, zone, now_us).r


@given(places, learned)
def test_to_be_told_gone_never_raises(place, silences):
    zone, at_us = looked(silences), us(41 * HOUR)
    before = believe(place, zone, at_us).r
    trace = tidings.left({COLD: zone}, place, COLD, AGENT, at_us)
    assert believe(place._replace(trace=trace), zone, at_us).r <= before + 1e-12


@given(places, learned, st.integers(1, 50), st.booleans())
def test_a_detection_never_lowers(place, silences, reads, by_reader):
    zone, at_us = looked(silences), us(41 * HOUR)
    before = believe(place, zone, at_us).r
    if by_reader:
        trace = tidings.seen({COLD: zone}, place, COLD, AGENT, at_us, reads, appeared=True)
    else:
        trace = tidings.put({COLD: zone}, place, COLD, at_us, 0.9)
    after = believe(Place(COLD, at_us, trace), zone, at_us).r
    assert after >= before - 1e-9


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_siblings_that_are_here_raise_and_those_elsewhere_lower_within_bounds(here, away, stayed):
    odds = pooled(here, away, stayed)
    assert 0.1 <= odds <= 2
    assert pooled(here + 1, away, stayed) >= odds or away + stayed == 0
    assert pooled(here, away + 1, stayed) <= odds
    assert pooled(0, 0, 0) == 1


@given(st.floats(LEAST, MOST), st.floats(1e-6, 0.1), st.floats(0, 1e7), st.floats(0, 1e3))
def test_the_two_steps_of_the_filter_keep_to_their_bounds(r, hazard_h, seconds, likelihood):
    predicted = predict(r, hazard_h, seconds)
    assert min(r, 0.5) <= predicted <= r
    updated = update(r, likelihood)
    assert 0 <= updated <= 1
    assert (updated >= r - 1e-12) if likelihood >= 1 else (updated <= r + 1e-12)


steps = st.lists(st.sampled_from(["seen", "left"]), max_size=6)
passes = st.lists(st.sampled_from([COLD, SHELF, None]), max_size=4)


@settings(max_examples=200)
@given(steps, passes, st.data())
def test_where_it_is_believed_to_be_does_not_depend_on_the_order_between_agents(told_by_zone, told_by_door, data):
    """Each agent's own tidings come in order; those of the other, and of a search, at any time between."""
    zone_s = sorted(data.draw(st.lists(st.integers(1, 99), min_size=6, max_size=6, unique=True)))
    door_s = sorted(data.draw(st.lists(st.integers(100, 199), min_size=4, max_size=4, unique=True)))
    shift = data.draw(st.integers(-99, 0))
    streams = [
        [(kind, s * 2) for kind, s in zip(told_by_zone, zone_s, strict=False)],
        [(zone, (s + shift) * 2 + 1) for zone, s in zip(told_by_door, door_s, strict=False)],
        [("search", 77), ("search", 33)],
    ]

    def tell(order: list[int]) -> object:
        books, queues = Books(), [list(stream) for stream in streams]
        books.put(CASE, COLD, us(0))
        for which in order:
            word, s = queues[which].pop(0)
            if word == "search":
                books.search(CASE, us(s))
            elif which == 1:
                books.put(CASE, word, us(s))
            else:
                books.tell(seen(s) if word == "seen" else left(s))
        place = books.places[CASE]
        latched = place.trace.home == place.zone == COLD and not place.trace.left_us
        return place.zone, place.placed_us, place.silent, latched, place.trace.searched_us, place.trace.found_pct

    order = [which for which, stream in enumerate(streams) for _ in stream]
    assert tell(order) == tell(data.draw(st.permutations(order)))
