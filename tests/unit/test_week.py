"""The simulated week: what truly happens in it, what a person sees of it, and how books are held to it."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accuracy.causes import Believed, wrong_ones
from accuracy.score import figures, score
from contract.site_file import load
from firmware_sim.config import WorldConfig
from firmware_sim.week.goods import Case, Goods, Moved
from firmware_sim.week.people import People
from firmware_sim.week.plan import Week
from firmware_sim.week.told import Entry, Heard, Minute
from firmware_sim.week.trouble import Clock

SITE = load(Path(__file__).parents[2] / "configs" / "week.yaml")
HEARD_BY = {reader.name: door.agent for door in SITE.doors for reader in door.readers} | {
    reader.name: reader.agent for reader in SITE.zone_readers
}
WORLD = msgspec.convert(SITE.model_dump(mode="json"), WorldConfig)
STOCKS = st.dictionaries(
    st.tuples(st.sampled_from(["lemon", "rice"]), st.sampled_from(["cold", "dry", "dock"])), st.integers(0, 50)
)


@pytest.fixture(scope="module")
def day() -> tuple[Week, int, list[Entry]]:
    """A day on which readers are lost, frozen and cut off; the units at its beginning, and what was told."""
    week = Week(WORLD, HEARD_BY, seed=22, days=1)
    kinds = {one.kind for outages in week.trouble.readers.values() for one in outages}
    assert kinds == {"lost", "blind", "buffered"}
    return week, sum(week.goods.stock().values()), list(week.entries())


def test_a_day_is_told_in_order_and_creates_and_destroys_nothing(day):
    week, began, entries = day
    times = [entry.at_us for entry in entries]

    assert times == sorted(times)
    moves = [move for case in set(week.goods.known.values()) for move in case.moves if move.how != "opening"]
    came = sum(move.origin is None for move in moves)
    went = sum(move.target is None for move in moves)
    assert came > 20
    assert went > 20
    assert sum(week.goods.stock().values()) == began + came - went
    for case in set(week.goods.known.values()):
        assert case.zone == case.moves[-1].target
        assert [move.target for move in case.moves[:-1]] == [move.origin for move in case.moves[1:]]


def test_what_a_lost_reader_would_have_heard_is_not_told_and_what_one_kept_is_told_later(day):
    week, _, entries = day
    late = 0
    for entry in entries:
        for one in week.trouble.readers[entry.reader] if isinstance(entry, Heard) else ():
            away = [read for read in entry.reads if one.from_us <= read.at_us < one.back_us]
            assert not away or (one.kind == "buffered" and entry.at_us > one.back_us)
            late += len(away)
    assert late


def test_the_same_seed_tells_the_same():
    def first(seed: int) -> list[object]:
        entries = Week(WORLD, HEARD_BY, seed, days=1).entries()
        return [entry for entry, _ in zip(entries, range(600), strict=False) if not isinstance(entry, Minute)]

    told = first(5)
    assert any(isinstance(entry, Heard) for entry in told)
    assert first(5) == told
    assert first(6) != told


def test_a_clock_that_is_set_wrong_and_right_again():
    clock = Clock(((0, 5), (100, -40), (200, 5)))

    assert [clock.at(true_us) for true_us in (50, 99, 100, 199, 200)] == [55, 104, 60, 159, 205]


def stood(goods: Goods, serial: int, zone: str, *, says: str = "lemon", detuned: bool = False) -> Case:
    case = Case(f"{serial:024x}", "lemon", says, (0.0, 0.0), detuned=detuned)
    goods.put(case, Moved(0, None, zone, "opening"))
    return case


def test_a_person_sees_only_what_is_in_the_zone():
    goods = Goods()
    here = [stood(goods, serial, "cold") for serial in range(1000)]
    away = stood(goods, 5000, "dry")
    people = People(goods, lambda sku: "f" * 24, seed=1)

    swept = people.sweep("cold")
    assert away.epc not in swept
    assert 970 < len(swept) <= len(here)
    assert abs(people.tally("cold")["lemon"] - 1000) <= 1
    assert not people.seek(away.epc, "cold")


def test_a_new_tag_takes_the_place_of_the_wrong_one():
    goods = Goods()
    case = stood(goods, 1, "cold", says="rice")
    people = People(goods, lambda sku: "f" * 24, seed=1)

    assert case.mistagged
    assert people.relabel(f"{1:024x}", "cold") == "f" * 24
    assert not case.mistagged
    assert list(goods.standing("cold")) == ["f" * 24]


@given(STOCKS, STOCKS)
def test_books_that_differ_are_wrong_by_as_much(truth, books):
    found = score(truth, books)

    assert score(truth, truth).wrong == 0
    assert found.wrong == score(books, truth).wrong
    assert (found.wrong == 0) == (found.exact == found.places)
    assert found.wrong >= abs(sum(truth.values()) - sum(books.values()))
    assert found.places == len(+(Counter(truth) | Counter(books)))


def test_figures_of_several_weeks():
    right, wrong = score({("lemon", "cold"): 100}, {("lemon", "cold"): 100}), score({("lemon", "cold"): 100}, {})
    told = figures([right, right, right, wrong])

    assert told.units_right.share == 0.75
    assert told.units_right.low <= 0.5 < 0.75 < told.units_right.high
    assert told.exact.share == 0.75
    assert told.exact.low < 0.75 < told.exact.high


def test_why_a_case_is_wrong():
    goods = Goods()
    unseen, mistagged, right = stood(goods, 1, "cold"), stood(goods, 2, "cold", says="rice"), stood(goods, 3, "cold")
    goods.lift([unseen])
    goods.put(unseen, Moved(9, "cold", None, "door", "dock-out", "outbound"))
    books = {unseen.epc: ("cold", "lemon"), mistagged.epc: ("cold", "rice"), right.epc: ("cold", "lemon")}

    def believed(epc: str) -> Believed:
        zone, sku = books.get(epc, (None, None))
        return Believed(zone, sku, "edge")

    assert {one.epc: one.cause for one in wrong_ones(goods.known, (), believed, {})} == {
        unseen.epc: "missed at the door",
        mistagged.epc: "mis-tagged",
    }
    books["a" * 24] = ("cold", "lemon")
    (phantom,) = (one for one in wrong_ones(goods.known, ["a" * 24], believed, {}) if one.epc == "a" * 24)
    assert phantom.cause == "announced, and never came"
