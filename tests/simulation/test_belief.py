"""Is what is believed at 0.9 so nine times in ten? Days of a cold room, through the edge's own presence rule."""

import pytest
from beliefsim import WORLDS, House, brier, curve, table

SEED = 3


@pytest.fixture(scope="module")
def house():
    house = House(SEED).run(3)
    print(f"seed {SEED}\n{table(house)}")
    return house


def test_beliefs_are_as_often_right_as_they_say(house):
    said = [(one.r, one.here) for one in house.said]
    for one in curve(said):
        if one.count >= 300:
            assert abs(one.believed - one.here) < 0.2, one
    units, true = sum(r for r, _ in said), sum(here for _, here in said)
    assert abs(units - true) < 0.02 * true, "the books were wrong by far more"
    assert len(said) - true > 0.1 * true


def test_they_tell_more_than_the_books_and_more_than_silence(house):
    believed = brier([(one.r, one.here) for one in house.said])
    assert believed < 0.2 * brier([(1.0, one.here) for one in house.said])
    assert believed < 0.8 * brier([(float(not one.silent), one.here) for one in house.said])


def test_few_that_are_there_are_called_probably_gone_and_those_that_went_soon_are(house):
    here = [one for one in house.said if one.here]
    false, silent = sum(one.r < 0.2 for one in here), sum(one.silent for one in here)
    assert false < 0.01 * len(here)
    assert false < silent / 4
    waits = sorted(house.noticed_s)
    assert house.unnoticed <= 0.05 * len(waits)
    assert waits[len(waits) // 2] < 4 * 3600


def test_where_nothing_ever_goes_unseen_almost_nothing_is_believed_gone():
    honest = House(SEED, WORLDS["nobody steals, all leave by the door"]).run(1.5)
    here = [one for one in honest.said if one.here]
    assert sum(one.r < 0.2 for one in here) <= 0.005 * len(here)
