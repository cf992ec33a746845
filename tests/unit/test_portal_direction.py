"""One tag's way through a door, by the levels, times and phases of its reads alone."""

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from doorwalk import NOW_US, walk
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.portals import PassRules
from edge.llrp.read import Read
from edge.portal.beams import Beams
from edge.portal.direction import Decision, decide
from edge.portal.levels import levels_of
from edge.portal.phase import QUARTER_WAVE_M, phase_log_odds
from edge.portal.sides import Side
from edge.portal.stray import why_stray

RULES = PassRules()
ANY = PassRules(min_peak_rssi_dbm=-200.0)
"""Every level is near enough."""


def side_of(read: Read) -> Side | None:
    """Antennas 1 and 4 inside, 2 and 3 outside, 5 overhead."""
    return {1: "inside", 4: "inside", 2: "outside", 3: "outside"}.get(read.antenna)  # type: ignore[return-value]


def decided(reads: Sequence[Read], rules: PassRules = RULES) -> Decision:
    return decide(reads, side_of, Beams(), rules)


def thinned(reads: Sequence[Read], count: int, seed: int = 1) -> list[Read]:
    return random.Random(seed).sample(list(reads), count)


def turned_back(seed: int = 1) -> list[Read]:
    """Up to the plane of the door from the outside, and back again."""
    half = [read for read in walk(seed=seed) if read.at_us <= NOW_US + 1_800_000]
    again = [
        read._replace(at_us=2 * NOW_US + 3_610_000 - read.at_us)
        for read in walk(seed=seed + 1)
        if read.at_us <= NOW_US + 1_800_000
    ]
    return half + again


reads_of_a_stay = st.lists(
    st.builds(
        Read,
        at_us=st.integers(NOW_US, NOW_US + 5_000_000),
        epc=st.just("aa"),
        antenna=st.sampled_from([1, 2, 3, 4, 5]),
        rssi_dbm=st.integers(-76, -30).map(float),
        reader=st.just("reader-1"),
        channel=st.none() | st.integers(1, 3),
        phase=st.none() | st.integers(0, 4095),
    ),
    min_size=1,
    max_size=60,
)


# What does not matter


@given(reads_of_a_stay, st.integers(-(10**12), 10**12))
def test_the_hour_does_not_matter(reads: list[Read], later_us: int) -> None:
    before, after = decided(reads), decided([read._replace(at_us=read.at_us + later_us) for read in reads])
    assert after[:2] == before[:2]
    assert (after.inbound, after.turned_back) == (before.inbound, before.turned_back)
    assert after.at_us - before.at_us == later_us


@given(reads_of_a_stay)
def test_in_a_mirror_inbound_is_outbound_and_as_sure(reads: list[Read]) -> None:
    mirrored = [read._replace(antenna={1: 2, 4: 3, 2: 1, 3: 4, 5: 5}[read.antenna]) for read in reads]
    seen, reflected = decided(reads), decided(mirrored)
    opposite = {"inbound": "outbound", "outbound": "inbound", "unknown": "unknown"}
    assert reflected.direction == opposite[seen.direction]
    assert reflected.confidence == pytest.approx(seen.confidence, abs=0.0011)
    assert reflected.inbound == pytest.approx(1 - seen.inbound, abs=0.0011)
    assert reflected.turned_back == seen.turned_back


@given(reads_of_a_stay, st.randoms(use_true_random=False), st.integers(0, 20))
def test_order_and_repeated_reports_do_not_matter(reads: list[Read], chance: random.Random, repeated: int) -> None:
    again = reads + [chance.choice(reads) for _ in range(repeated)]
    chance.shuffle(again)
    told_once = list(dict.fromkeys(reads))
    assume(len({(read.at_us, read.antenna) for read in told_once}) == len(told_once))
    assert decided(again) == decided(told_once)


@given(reads_of_a_stay, st.integers(-40, 40))
def test_how_loud_all_is_does_not_matter(reads: list[Read], louder_db: int) -> None:
    before = decided(reads, ANY)
    after = decided([read._replace(rssi_dbm=read.rssi_dbm + louder_db) for read in reads], ANY)
    assert (after.direction, after.confidence, after.at_us) == (before.direction, before.confidence, before.at_us)


@given(reads_of_a_stay)
def test_every_decision_can_be_sent(reads: list[Read]) -> None:
    found = decided(reads)
    evidence = found.evidence
    assert 0 <= found.confidence <= 1
    assert (found.confidence >= RULES.min_confidence) == (found.direction != "unknown")
    assert 0 < found.inbound < 1
    assert evidence.first_read_us <= found.at_us <= evidence.last_read_us
    assert math.isfinite(evidence.margin_s or 0)
    assert evidence.inside.reads + evidence.outside.reads + evidence.neutral_reads <= len(reads)


# What matters


def test_more_reads_of_the_same_pass_make_surer() -> None:
    confidences = [
        sum(decided(thinned(walk(seed=seed), count, seed)).inbound for seed in range(20)) / 20
        for count in (6, 12, 25, 100)
    ]
    assert all(fewer < more for fewer, more in pairwise(confidences))


def test_a_pallet_that_hurries_through_with_few_reads_has_a_direction() -> None:
    few = [thinned(walk(length_s=2.0, seed=seed, inbound=seed % 2 == 0), 16, seed) for seed in range(40)]
    found = [decided(reads).direction for reads in few]
    right = sum(direction == ("inbound", "outbound")[seed % 2] for seed, direction in enumerate(found))
    assert right >= 38
    assert sum(direction != "unknown" for direction in found) == right


def test_two_antennas_are_enough_and_one_overhead_changes_nothing() -> None:
    two = [read for read in walk() if read.antenna in (1, 2)]
    overhead = [read._replace(antenna=5, rssi_dbm=-45.0, at_us=read.at_us + 7) for read in walk() if read.antenna == 3]
    alone, with_neutral = decided(two), decided(two + overhead)
    assert alone.direction == with_neutral.direction == "inbound"
    assert with_neutral.confidence == pytest.approx(alone.confidence, abs=0.02)
    assert with_neutral.evidence.neutral_reads == 25


def test_a_side_that_hears_the_tag_only_faintly_gives_no_direction() -> None:
    reads = [read._replace(rssi_dbm=read.rssi_dbm - 30) if side_of(read) == "inside" else read for read in walk()]
    found = decided(reads)
    assert (found.direction, found.inbound, found.evidence.margin_s) == ("unknown", 0.5, None)


def test_a_direction_needs_the_confidence_and_the_margin_that_the_site_asks_for() -> None:
    reads = thinned(walk(), 8)
    found = decided(reads)
    assert found.direction == "inbound"
    assert decided(reads, PassRules(min_confidence=min(0.99, found.confidence + 0.01))).direction == "unknown"
    assert decided(reads, PassRules(margin_s=1000)).direction == "unknown"


def test_who_turns_back_before_the_plane_is_a_stray_and_who_goes_through_is_none() -> None:
    turned = [turned_back(seed) for seed in range(20)]
    passed = [walk(seed=seed, inbound=seed % 2 == 0) for seed in range(20)]
    assert [why_stray(reads, decided(reads), RULES) for reads in turned] == ["turned_back"] * 20
    assert [why_stray(reads, decided(reads), RULES) for reads in passed] == [None] * 20


def test_photo_eyes_that_saw_somebody_go_through_outweigh_the_look_of_a_turn() -> None:
    beams = Beams()
    for at_us, beam, broken in ((1.5, "outer", 1), (1.7, "inner", 1), (1.9, "outer", 0), (2.1, "inner", 0)):
        beams.change(NOW_US + round(at_us * 1e6), beam, bool(broken))  # type: ignore[arg-type]
    found = decide(turned_back(), side_of, beams, RULES)
    assert not found.turned_back
    assert found.direction in ("inbound", "unknown")


# Phases


def carried(pace_m_per_s: float, *, channels: int = 50, noise: float = 0.05, seed: int = 1) -> list[Read]:
    """A tag that all antennas hear alike, so that only the phase tells its way: past 2 and 3, then past 1 and 4."""
    chance = random.Random(seed)
    reads = []
    for step in range(140):
        at_s, antenna = step * 0.0275, 1 + step % 4
        place_m = pace_m_per_s * (at_s - 1.925)
        away_m = math.hypot(1.4, place_m - (1.2 if antenna in (1, 4) else -1.2))
        phase = -2048 * away_m / QUARTER_WAVE_M + chance.gauss(0, noise * 4096) + chance.choice((0, 2048))
        reads.append(
            Read(
                NOW_US + round(at_s * 1e6),
                "aa",
                antenna,
                -50.0,
                "reader-1",
                1 + step // 8 % channels,
                int(phase) % 4096,
            )
        )
    return reads


def test_phases_tell_the_way_that_levels_do_not() -> None:
    for seed in range(10):
        inbound, outbound = decided(carried(0.6, seed=seed)), decided(carried(-0.6, seed=seed))
        assert (inbound.direction, inbound.evidence.rule) == ("inbound", "phase")
        assert (outbound.direction, outbound.evidence.rule) == ("outbound", "phase")
        assert inbound.evidence.phase_inbound is not None
        assert inbound.evidence.phase_inbound > 0.8


def test_phases_of_a_tag_that_nobody_carries_tell_nothing() -> None:
    odds = [phase_log_odds(carried(0.0, seed=seed), side_of) for seed in range(20)]
    assert sum(odd or 0.0 for odd in odds) / len(odds) == pytest.approx(0.0, abs=0.7)


def test_a_reader_without_phases_or_channels_has_no_phase_witness() -> None:
    assert phase_log_odds(walk(), side_of) is None
    assert phase_log_odds([read._replace(channel=None) for read in carried(0.6)], side_of) is None
    assert decided(walk()).evidence.phase_inbound is None


def test_phases_of_antennas_on_neither_side_count_for_nothing() -> None:
    assert phase_log_odds([read._replace(antenna=5) for read in carried(0.6)], side_of) is None


@given(reads_of_a_stay)
def test_levels_are_sums_that_agree_with_their_reads(reads: list[Read]) -> None:
    levels = levels_of(reads, side_of)
    assert levels.first_us == min(read.at_us for read in reads)
    assert levels.last_us == max(read.at_us for read in reads)
    for side, powers in (("inside", levels.inside), ("outside", levels.outside)):
        mine = [read for read in reads if side_of(read) == side]
        assert bool(mine) == bool(powers.powers)
        if mine:
            assert powers.peak_dbm == max(read.rssi_dbm for read in mine)
            assert powers.centroid_us is not None
            assert min(read.at_us for read in mine) <= powers.centroid_us <= max(read.at_us for read in mine)
