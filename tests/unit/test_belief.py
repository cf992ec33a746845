"""Belief: what is not seen for long by a reader that sees it well is probably gone; one weak read moves nothing."""

import math

import msgspec
import pytest
from beliefbooks import AGENT, CASE, HOUR, READER, Books, lapses, left, seen, told, us
from hypothesis import given
from hypothesis import strategies as st
from zonewords import COLD, SHELF, epc

from contract.events import TagCount
from gateway.belief import tidings, words
from gateway.belief.bernoulli import LEAST, MOST, believe
from gateway.belief.trace import MEMORY, ZONE_MEMORY, Place, Trace
from gateway.belief.worth import first, gain, rounds, units

# What its reader sees


def test_what_its_reader_sees_is_certain_however_long_ago_that_was_told():
    belief = told(seen(0)).belief(CASE, us(30 * 24 * HOUR))
    assert (belief.state, belief.word, belief.r) == ("seen", "certain", MOST)
    assert belief.looked_s == belief.dark_s == 0


def test_not_seen_for_six_hours_by_a_reader_that_sees_it_95_percent_of_the_time_is_probably_gone():
    books = told(*lapses(0.95, 8, 2 * HOUR), left(17 * HOUR))
    now_s = 17 * HOUR
    shown = [(hours, books.belief(CASE, us(now_s + hours * HOUR))) for hours in (0.02, 1, 6)]
    print(*(f"{hours} h: {belief.r:.3f} {belief.word}" for hours, belief in shown), sep="\n")
    assert shown[0][1].word in ("likely", "doubtful"), "a moment of silence decides nothing"
    assert shown[2][1].word == "probably_gone"
    assert shown[2][1].looked_s == 6 * HOUR
    assert shown[2][1].missed > 10


def test_a_detuned_tag_is_believed_longer():
    well, badly = (told(*lapses(share, 8, 4 * HOUR), left(33 * HOUR)) for share in (0.95, 0.4))
    now_us = us(37 * HOUR)
    assert well.belief(CASE, now_us).word == "probably_gone"
    assert badly.belief(CASE, now_us).word == "likely"
    assert badly.belief(CASE, us(200 * HOUR)).word == "probably_gone", "but not for ever"


def test_a_new_tag_is_judged_by_what_its_zone_taught():
    hides = told(
        *(event for n in range(2, 40) for event in (seen(n, epc(n)), left(n + 9, epc(n)), seen(n + 90, epc(n))))
    )
    steals = told(*(event for n in range(2, 40) for event in (seen(n, epc(n)), left(n + 9, epc(n)))))
    for books in (hides, steals):
        books.tell(seen(200))
        books.tell(left(300))
    assert hides.belief(CASE, us(310)).r > 0.8
    assert steals.belief(CASE, us(310)).r < 0.2


def test_silence_that_a_door_explains_teaches_nothing_about_the_zone():
    books = told(seen(0), left(100))
    assert books.zones[COLD].silences.open == 1
    books.put(CASE, None, us(130))
    silences = books.zones[COLD].silences
    assert (silences.open, silences.gone, silences.returned) == (0, 0, 0)


def test_silence_that_ends_in_another_zone_is_a_proof_of_absence():
    books = told(seen(0), left(100))
    books.tell(seen(400, zone=SHELF), "shelf-edge")
    silences = books.zones[COLD].silences
    assert (silences.open, silences.gone) == (0, 1)


# What nobody looks at


def test_nothing_is_absent_because_nobody_looks():
    books = told(seen(0))
    tidings.reader(books.zones[COLD], READER, us(HOUR), sees=False)
    for days in (0.1, 1, 10, 100, 10_000):
        assert books.belief(CASE, us(days * 24 * HOUR)).r >= 0.5
    assert books.belief(CASE, us(3 * HOUR)).word == "certain"
    unwatched = Books()
    unwatched.put(CASE, SHELF, us(0))
    assert unwatched.belief(CASE, us(10 * 365 * 24 * HOUR)).r >= 0.5


def test_what_an_agent_has_not_delivered_is_no_silence():
    books = told(seen(0), left(HOUR))
    behind = books.belief(CASE, us(9 * HOUR), told_us=us(HOUR + 60))
    assert behind.looked_s == 60
    assert behind.r > books.belief(CASE, us(9 * HOUR)).r


def test_after_an_agent_began_anew_its_old_word_is_worth_what_it_repeats():
    tags = [epc(n) for n in range(1, 20)]
    books = told(seen(0, *tags))
    tidings.agent(books.zones[COLD], AGENT, us(HOUR), heard=False)
    tidings.agent(books.zones[COLD], AGENT, us(3 * HOUR), heard=True)
    assert books.belief(CASE, us(12 * HOUR)).word == "certain", "an agent may be silent without having forgotten"
    books.tell(seen(3 * HOUR + 10, *tags[1:]))
    for n in range(1, 19):
        assert books.belief(tags[n], us(12 * HOUR)).word == "certain"
    forgotten = books.belief(CASE, us(15 * HOUR))
    assert (forgotten.state, forgotten.word) == ("silent", "probably_gone")


# Weak reads, doors, searches


def test_one_weak_read_does_not_move_a_pallet_and_is_doubted_itself():
    tags = [epc(n) for n in range(1, 41)]
    books = told(seen(0, *tags))
    books.container = dict.fromkeys(tags, "pallet")
    books.tell(seen(5 * HOUR, tags[0], zone=SHELF, reads=2), "shelf-edge")
    beliefs = books.beliefs(us(6 * HOUR))
    assert beliefs[tags[0]].word == "doubtful"
    assert beliefs[tags[0]].r < books.belief(tags[0], us(6 * HOUR)).r, "the others were seen where they were"
    assert all(beliefs[tag].word == "certain" for tag in tags[1:])


def test_a_case_that_fell_silent_alone_is_believed_more_than_one_whose_pallet_went():
    tags = [epc(n) for n in range(1, 41)]
    stays, goes = told(seen(0, *tags), left(HOUR)), told(seen(0, *tags), left(HOUR, *tags))
    for books in (stays, goes):
        books.container = dict.fromkeys(tags, "pallet")
    for tag in tags[1:]:
        goes.put(tag, None, us(HOUR + 60))
    now_us = us(HOUR + 1200)
    alone = stays.belief(CASE, now_us).r
    assert goes.beliefs(now_us)[CASE].word == "probably_gone"
    assert goes.beliefs(now_us)[CASE].r < alone < stays.beliefs(now_us)[CASE].r


def test_cases_that_fall_silent_one_after_the_other_do_not_speak_for_each_other():
    tags = [epc(n) for n in range(1, 41)]
    books = told(seen(0, *tags))
    books.container = dict.fromkeys(tags, "pallet")
    for n, tag in enumerate(tags):
        books.tell(left(HOUR + n, tag))
    now_us = us(HOUR + 300)
    assert books.beliefs(now_us)[CASE].r == books.belief(CASE, now_us).r


def test_what_another_agent_no_longer_hears_its_own_may_still_hear():
    books = told(seen(0))
    books.tell(left(HOUR), "other-edge")
    assert books.belief(CASE, us(2 * HOUR)).state == "seen"


def test_a_late_pass_out_and_in_does_not_hide_a_later_silence():
    books = told(seen(0), left(100))
    books.put(CASE, SHELF, us(50))
    books.put(CASE, COLD, us(60))
    assert books.belief(CASE, us(200)).state == "silent"


def test_a_pass_of_unknown_direction_leaves_doubt():
    place = Place(SHELF, us(0), Trace(), door_us=us(100))
    assert believe(place, None, us(200)).word == "doubtful"


def test_a_count_that_finds_it_ends_all_doubt_and_its_reader_is_known_to_be_deaf_to_it():
    books = told(seen(0), left(HOUR))
    assert books.belief(CASE, us(9 * HOUR)).word == "probably_gone"
    books.tell(TagCount(at_us=us(9 * HOUR), decided_us=us(9 * HOUR), count="c", zone=COLD, epcs=(CASE,)), "handheld")
    found = books.belief(CASE, us(20 * HOUR))
    assert (found.state, found.word) == ("deaf", "likely" if found.r < 0.98 else "certain")
    assert books.zones[COLD].silences.returned == 1
    books.tell(seen(21 * HOUR))
    assert books.belief(CASE, us(22 * HOUR)).state == "seen"


def test_a_search_in_vain_lowers_by_how_well_it_finds_until_something_is_seen_again():
    books = Books()
    books.put(CASE, SHELF, us(0))
    books.search(CASE, us(HOUR), 0.9)
    by_sweep = books.belief(CASE, us(2 * HOUR)).r
    books.search(CASE, us(HOUR), 0.99)
    by_hand = books.belief(CASE, us(2 * HOUR)).r
    assert by_hand < by_sweep < 0.998
    books.put(CASE, SHELF, us(3 * HOUR))
    assert books.belief(CASE, us(4 * HOUR)).word == "certain"


def test_what_a_door_brought_and_no_reader_of_the_zone_ever_saw_is_doubted_if_they_see_what_comes():
    books = Books()
    for n in range(2, 60):
        books.put(epc(n), COLD, us(n))
        books.tell(seen(n + 30, epc(n)))
    books.put(CASE, COLD, us(100), 0.95)
    belief = books.belief(CASE, us(6 * HOUR))
    assert (belief.state, belief.word) == ("unseen", "doubtful")
    blind_corner = Books()
    for n in range(1, 60):
        blind_corner.put(epc(n), COLD, us(n), 0.95)
    assert blind_corner.belief(CASE, us(6 * HOUR)).word == "likely", "in a zone whose reader sees little"


def test_a_handheld_is_a_look_and_no_watch():
    books = Books()
    books.tell(seen(0, reads=5), "handheld")
    assert books.belief(CASE, us(60)).state == "unseen"


# What is kept, and what it is worth


def test_cases_told_in_one_event_share_what_is_kept_of_them():
    books = told(seen(0, *(epc(n) for n in range(40))))
    assert len({id(place.trace) for place in books.places.values()}) == 1


def test_what_is_kept_of_an_item_is_small_and_survives_the_table():
    trace = told(*lapses(0.9, 3, HOUR)).places[CASE].trace
    assert msgspec.json.decode(msgspec.json.encode(trace), type=Trace) == trace
    assert (trace.lapses, trace.lapsed_s) == (3, round(3 * 0.1 * HOUR))
    assert msgspec.json.encode(Trace()) == b"{}"


def test_what_a_zone_learned_long_ago_fades():
    books = Books()
    silences = books.zones[COLD].silences
    for n in range(5000):
        books.tell(seen(n * 100, CASE))
        books.tell(left(n * 100 + 50, CASE))
    assert 2000 < silences.returned <= ZONE_MEMORY
    assert silences.return_s == pytest.approx(50, rel=0.1)


def test_old_lapses_fade():
    many = told(*lapses(0.9, 3 * MEMORY, 600))
    assert many.places[CASE].trace.lapses <= MEMORY
    assert math.isclose(many.places[CASE].trace.lapsed_s / many.places[CASE].trace.lapses, 60, rel_tol=0.05)


@given(st.lists(st.tuples(st.sampled_from([None, "p1", "p2"]), st.floats(0, 1)), max_size=20))
def test_expected_units_and_their_variance(items):
    found = units(items)
    assert found.books == len(items)
    assert 0 <= found.expected <= found.books + 1e-9
    independent = sum(r * (1 - r) for _, r in items)
    assert found.variance >= independent - 1e-9, "pallets go together: the sum is less sure, never surer"
    low, high = found.interval
    assert low <= found.expected + 1e-9
    assert high >= found.expected - 1e-9


def test_a_pallet_in_doubt_is_less_sure_than_ten_cases_apart():
    apart, together = units([(None, 0.5)] * 10), units([("pallet", 0.5)] * 10)
    assert apart.variance == 2.5
    assert together.variance == pytest.approx(1.25 + 0.5 * 25)


def test_what_is_worth_looking_for():
    assert gain(1.0, 0.99) == 0
    assert gain(0.5, 0.99) == pytest.approx(0.495)
    assert gain(0.02, 0.99) > gain(0.5, 0.99) > gain(0.9, 0.99), "the books are wrong by most where it is gone"
    assert first([("a", 0.999), ("b", 0.1), ("c", 0.6)], 2, 0.99) == [
        ("b", pytest.approx(0.899)),
        ("c", pytest.approx(0.394)),
    ]
    assert list(rounds([("x", 0.9), ("y", 0.4), ("x", 0.9), ("z", 1.0)], 0.99)) == ["y", "x", "z"]


@given(st.floats(LEAST, MOST), st.floats(0, 1))
def test_the_gain_of_a_look_is_the_fall_of_the_expected_error(r, find_rate):
    not_found = 1 - r * find_rate
    after = r * (1 - find_rate) / not_found
    assert gain(r, find_rate) == pytest.approx((1 - r) - not_found * min(after, 1 - after), abs=1e-9)


def test_the_sentences_say_what_was_looked_for_in_both_languages():
    english, chinese = words.sentences(told(seen(0), left(HOUR)).belief(CASE, us(7 * HOUR)))
    assert english.startswith("probably gone (")
    assert "looked for 6.0 h in vain" in english
    assert "已白找 6.0 小时" in chinese
