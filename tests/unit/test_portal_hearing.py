"""How long a tag may be silent, from how it was heard before."""

import math
from collections.abc import Iterable
from itertools import chain, repeat
from random import Random

import pytest

from edge.portal.hearing import MEMORY, Hearing

DELTA = 0.001
BEGIN_US = 1_790_000_000_000_000


def heard(gaps_s: Iterable[float], hearing: Hearing | None = None) -> Hearing:
    """A tag that is heard after each of these gaps."""
    hearing = hearing or Hearing("cold-room", BEGIN_US)
    for gap_s in gaps_s:
        at_us = hearing.last_us + round(gap_s * 1e6)
        if hearing.is_gap(at_us):
            hearing.end_gap(at_us)
        hearing.add(at_us, -60.0)
    return hearing


def geometric(chance: float, every_s: float, count: int, seed: int = 1) -> list[float]:
    """Gaps of a tag that is heard with a chance in rounds."""
    random = Random(seed)
    return [every_s * (1 + math.floor(math.log(1 - random.random()) / math.log(1 - chance))) for _ in range(count)]


@pytest.mark.parametrize("chance", [0.1, 0.3, 0.6, 0.8])
@pytest.mark.parametrize("every_s", [1.0, 10.0])
def test_the_window_is_that_of_the_lemma_though_nobody_said_what_a_round_is(chance, every_s):
    windows = [heard(geometric(chance, every_s, 400, seed)).window_s(DELTA) for seed in range(20)]
    an_hour = 3600 * chance / every_s
    exact_s = every_s * math.log(an_hour / DELTA) / -math.log(1 - chance)
    for window_s in windows:
        assert 0.75 * exact_s < window_s < 2 * exact_s, "more by what 128 gaps leave unsure"


def test_a_reader_that_never_fails_is_not_trusted_beyond_a_bound():
    window_s = heard(repeat(1.0, 400)).window_s(DELTA)
    assert 7 < window_s < 9, "half of that for pure chance at one read a second"


def test_few_gaps_make_it_careful():
    windows = [heard(repeat(1.0, count)).window_s(DELTA) for count in (1, 4, 8, 16, 32, 128)]
    assert windows == sorted(windows, reverse=True)
    assert windows[0] > 600
    assert windows[2] > 2 * windows[-1]
    assert heard([]).window_s(DELTA) == math.inf


def test_being_surer_takes_longer():
    hearing = heard(geometric(0.5, 1, 200))
    assert hearing.window_s(1e-6) > hearing.window_s(1e-3) > hearing.window_s(0.1)


def test_a_burst_counts_once():
    steady, bursts = repeat(2.5, 400), chain.from_iterable([25.0, *repeat(0.6, 10)] for _ in range(40))
    assert heard(bursts).window_s(DELTA) > 4 * heard(steady).window_s(DELTA)


def test_antennas_that_take_turns_within_a_moment_are_one_hearing():
    hearing = heard(chain.from_iterable([1.0, 0.02, 0.02, 0.02] for _ in range(50)))
    assert hearing.reads == 200
    assert hearing.gaps == 50
    assert hearing.rate_hz == pytest.approx(1 / 1.06, abs=0.01)


def test_a_tag_that_is_suddenly_heard_less_soon_gets_a_longer_window():
    hearing = heard(geometric(0.8, 1, 400))
    before_s = hearing.window_s(DELTA)
    heard(geometric(0.8, 4, 16), hearing)
    assert hearing.window_s(DELTA) > 3 * before_s
    assert hearing.gaps < MEMORY / 2, "what was learned before the change counts less"


def test_gaps_in_which_nobody_listened_are_left_out():
    hearing = heard(repeat(1.0, 50))
    before_s = hearing.window_s(DELTA)
    hearing.skip_gap(hearing.last_us + 500_000_000)
    hearing.add(hearing.counted_us, -60)
    assert hearing.window_s(DELTA) == before_s


def test_levels():
    hearing = Hearing("cold-room", BEGIN_US)
    for rssi_dbm in (-60.0, -50.0, -70.0):
        hearing.add(BEGIN_US, rssi_dbm)
    assert hearing.peak_dbm == -50
    assert 10 * math.log10(hearing.power_mw / hearing.reads) == pytest.approx(10 * math.log10((1e-6 + 1e-5 + 1e-7) / 3))
    assert hearing.level_dbm == pytest.approx(-60)
    assert hearing.level_error_db > 5
