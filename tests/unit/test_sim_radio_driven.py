"""How a reader drives its antennas shows in what the simulated radio hears: power, sensitivity, sessions, filters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from firmware_sim.emission import Emission
from firmware_sim.radio import Antenna, RadioModel, TagAt, TagRead

STEP_US = 20_000
BEGIN_US = 1_700_000_000_000_000
DOOR = (Antenna(1, -1.5, 1.5), Antenna(2, -1.5, -1.5), Antenna(3, 1.5, -1.5), Antenna(4, 1.5, 1.5))
NEAR = [TagAt("aa", 0.2, 0.1)]
SHELF = [TagAt(f"{place:02x}", 2.0 + 0.1 * place, 2.0) for place in range(10)]


def listen(
    emission: Emission | None, tags: Sequence[TagAt] = NEAR, seconds: float = 10.0, seed: int = 3, skip_s: float = 0.0
) -> list[TagRead]:
    """What a reader hears that drives all its antennas alike; while `skip_s` runs, from 4 s on, it is off."""
    radio = RadioModel(DOOR, seed)
    on_air = None if emission is None else dict.fromkeys((1, 2, 3, 4), emission)
    reads = []
    for after_us in range(0, round(seconds * 1e6), STEP_US):
        off = 4e6 <= after_us < 4e6 + skip_s * 1e6
        reads += radio.sense(BEGIN_US + after_us, tags, {} if off else on_air)
    return reads


def mean_dbm(reads: Sequence[TagRead]) -> float:
    return sum(read.level_cdbm for read in reads) / 100 / len(reads)


def test_full_power_and_dual_target_is_what_the_radio_was_fitted_with() -> None:
    assert listen(Emission()) == listen(None)


def test_only_antennas_on_air_hear_anything() -> None:
    radio = RadioModel(DOOR, 3)
    on_air: Mapping[int, Emission] = {2: Emission(), 4: Emission()}
    reads = [read for step in range(200) for read in radio.sense(BEGIN_US + step * STEP_US, NEAR, on_air)]
    assert Counter(read.antenna for read in reads).keys() == {2, 4}
    assert len(radio.sense(BEGIN_US + 210 * STEP_US, NEAR, {})) <= 1  # the end of the turn that was under way
    assert radio.sense(BEGIN_US + 220 * STEP_US, NEAR, {}) == []
    again = [read for step in range(230, 280) for read in radio.sense(BEGIN_US + step * STEP_US, NEAR, on_air)]
    assert min(read.at_us for read in again) > BEGIN_US + 220 * STEP_US


def test_less_power_is_heard_weaker_by_as_much_and_reaches_less_far() -> None:
    full, less = listen(Emission()), listen(Emission(attenuation_db=6.0))
    assert mean_dbm(full) - mean_dbm(less) == pytest.approx(6.0, abs=1.0)
    far, weak, none = (len(listen(Emission(attenuation_db=db), SHELF)) for db in (0.0, 5.0, 15.0))
    assert weak < 0.5 * far
    assert none < 0.02 * far


def test_less_sensitivity_loses_what_is_weak_and_changes_no_level() -> None:
    full, deaf = listen(Emission(), SHELF), listen(Emission(deafness_db=12.0), SHELF)
    assert 0 < len(deaf) < len(full)
    assert min(read.rssi_dbm for read in deaf) >= -64
    assert min(read.rssi_dbm for read in full) < -64


def test_the_session_says_how_soon_a_tag_that_was_read_answers_again() -> None:
    seconds = 30.0
    counts = {session: len(listen(Emission(session=session), seconds=seconds)) for session in (0, 1, 2, 3)}
    assert counts[0] == pytest.approx(len(listen(Emission(), seconds=seconds)), rel=0.05)
    assert seconds / 5.5 < counts[1] < seconds / 0.5
    assert counts[2] == counts[3] == 1


def test_a_tag_of_session_1_forgets_after_half_a_second_to_five() -> None:
    for seed in range(6):
        reads = listen(Emission(session=1), seed=seed, seconds=20.0)
        gaps_s = [(later.at_us - sooner.at_us) / 1e6 for sooner, later in pairwise(reads)]
        assert all(0.5 <= gap_s < 6.0 for gap_s in gaps_s), seed


def test_a_tag_of_session_2_forgets_when_the_power_has_been_off_for_two_seconds() -> None:
    assert len(listen(Emission(session=2), skip_s=1.5)) == 1
    assert len(listen(Emission(session=2), skip_s=3.0)) == 2


def test_a_crowd_in_session_2_is_read_to_the_last_tag() -> None:
    crowd = [TagAt(f"{place:02x}", 0.02 * place - 0.8, 0.0) for place in range(80)]
    once = Counter(read.epc for read in listen(Emission(session=2), crowd))
    assert set(once.values()) == {1}
    assert len(once) == 80


def test_tags_that_a_filter_leaves_out_take_no_air_time() -> None:
    crowd = [TagAt(f"{place:02x}", 0.02 * place - 0.8, 0.0) for place in range(80)]
    chosen = {f"{place:02x}" for place in range(0, 80, 20)}
    everybody = Counter(read.epc for read in listen(Emission(), crowd, 4.0))
    some = Counter(read.epc for read in listen(Emission(selects=chosen.__contains__), crowd, 4.0))
    assert some.keys() == chosen
    assert sum(some.values()) > 1.3 * sum(everybody[epc] for epc in chosen)
