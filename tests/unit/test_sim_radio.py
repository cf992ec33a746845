"""The simulated radio: the same seed tells the same story, and the story is that of real recordings."""

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from llrpdata import DATA

from firmware_sim.antennas import PORTAL_ROOM, portal_antennas
from firmware_sim.radio import Antenna, RadioModel, RadioRules, TagAt, TagRead
from firmware_sim.recording import load
from firmware_sim.room import Room

PASSES = DATA / "passes"

FOOT_M = 0.3048
ROOMS = 3
"""Simulated rooms for each recorded pass."""
STEP_US = 20_000
BEGIN_US = 1_700_000_000_000_000
DOOR = (Antenna(1, -1.5, 1.5), Antenna(2, -1.5, -1.5), Antenna(3, 1.5, -1.5), Antenna(4, 1.5, 1.5))


def listen(radio: RadioModel, tags: Sequence[TagAt], seconds: float) -> list[TagRead]:
    """The reads of tags that stand still."""
    return [
        read for at_us in range(BEGIN_US, BEGIN_US + round(seconds * 1e6), STEP_US) for read in radio.sense(at_us, tags)
    ]


def walk(radio: RadioModel, start: tuple[float, float], end: tuple[float, float], seconds: float) -> list[TagRead]:
    """The reads of one tag that is carried in a straight line."""
    reads = []
    for at_us in range(0, round(seconds * 1e6), STEP_US):
        share = at_us / seconds / 1e6
        x_m, y_m = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        reads += radio.sense(BEGIN_US + at_us, [TagAt("aa", x_m, y_m)])
    return reads


def mean_dbm(reads: Sequence[TagRead]) -> float:
    return sum(read.rssi_dbm for read in reads) / len(reads)


def test_the_same_seed_gives_the_same_reads_and_another_seed_others() -> None:
    first, second, other = (walk(RadioModel(DOOR, seed), (0, -3), (0, 3), 4.0) for seed in (7, 7, 8))
    assert first == second
    assert first
    assert first != other


def test_reads_come_in_the_order_of_their_times_and_never_from_the_future() -> None:
    radio = RadioModel(DOOR, seed=1)
    tags = [TagAt(f"{place:02x}", 0.1 * place - 1, 0.0) for place in range(20)]
    last_us = 0
    for at_us in range(BEGIN_US, BEGIN_US + 2_000_000, STEP_US):
        for read in radio.sense(at_us, tags):
            assert last_us <= read.at_us <= at_us
            last_us = read.at_us


def test_the_antenna_that_the_tag_is_near_hears_it_loudest() -> None:
    reads = [read for seed in range(10) for read in listen(RadioModel(DOOR, seed), [TagAt("aa", *near(DOOR[0]))], 3.0)]
    by_antenna = {port: mean_dbm([read for read in reads if read.antenna == port]) for port in (1, 2, 3, 4)}
    assert max(by_antenna, key=lambda port: by_antenna[port]) == DOOR[0].port


def near(antenna: Antenna) -> tuple[float, float]:
    """A place 0.5 m in front of an antenna."""
    far = math.hypot(antenna.x_m, antenna.y_m)
    return antenna.x_m * (1 - 0.5 / far), antenna.y_m * (1 - 0.5 / far)


def test_a_stray_far_beside_the_door_is_read_flat_and_weak() -> None:
    strays = [listen(RadioModel(DOOR, seed), [TagAt("aa", 4.0, 2.5)], 10.0) for seed in range(10)]
    passes = [walk(RadioModel(DOOR, seed), (0, -3), (0, 3), 6.0) for seed in range(10)]
    assert sum(map(len, strays)) > 0
    assert all(max((read.rssi_dbm for read in stray), default=-76) < -55 for stray in strays)
    assert spread(strays) < 0.7 * spread(passes)


def spread(stories: Sequence[Sequence[TagRead]]) -> float:
    """How far the loudest seconds of a story stand above its quietest, on average, in dB."""
    spreads = []
    for reads in stories:
        parts: dict[int, list[TagRead]] = {}
        for read in reads:
            parts.setdefault(read.at_us // 1_000_000, []).append(read)
        loudness = [mean_dbm(part) for part in parts.values() if len(part) >= 3]
        if len(loudness) > 2:
            spreads.append(max(loudness) - min(loudness))
    return sum(spreads) / max(1, len(spreads))


def test_a_detuned_tag_is_hardly_ever_read() -> None:
    tuned = sum(len(walk(RadioModel(DOOR, seed), (0, -3), (0, 3), 6.0)) for seed in range(5))
    radios = [RadioModel(DOOR, seed) for seed in range(5)]
    detuned = sum(len(listen(radio, [TagAt("aa", 0.2, 0.1, detuned=True)], 6.0)) for radio in radios)
    assert detuned < 0.08 * tuned


def test_many_tags_share_the_air_time() -> None:
    alone = len(listen(RadioModel(DOOR, 3), [TagAt("00", 0, 0)], 6.0))
    crowd = [TagAt(f"{place:02x}", 0.02 * place - 0.8, 0.0) for place in range(80)]
    reads = listen(RadioModel(DOOR, 3), crowd, 6.0)
    counts = Counter(read.epc for read in reads)
    assert len(counts) > 70
    assert len(reads) > 5 * alone
    assert sum(counts.values()) / len(crowd) < alone


def test_antennas_take_turns_and_channels_hop_through_all_fifty() -> None:
    reads = listen(RadioModel(DOOR, 3), [TagAt("00", 0, 0), TagAt("01", 0.3, 0)], 15.0)
    assert {read.antenna for read in reads} == {1, 2, 3, 4}
    assert {read.channel for read in reads} == set(range(1, 51))
    assert all(0 <= read.phase < 4096 for read in reads)


def test_the_phase_of_a_still_tag_is_steady_on_a_channel_but_for_half_a_turn() -> None:
    reads = listen(RadioModel(DOOR, 3), [TagAt("00", 0.3, 0.2)], 25.0)
    ((antenna, channel), _), *_ = Counter((read.antenna, read.channel) for read in reads).most_common(1)
    phases = [read.phase % 2048 for read in reads if (read.antenna, read.channel) == (antenna, channel)]
    turns = [abs((phase - phases[0] + 1024) % 2048 - 1024) for phase in phases]
    assert len(phases) > 2
    assert max(turns) < 350


def test_a_tag_that_comes_nearer_is_shifted_upwards() -> None:
    quiet = RadioRules(doppler_noise=1.0)
    coming = walk(RadioModel([Antenna(1, 0, 3)], 3, quiet), (0, -3), (0, 2), 3.0)
    going = walk(RadioModel([Antenna(1, 0, 3)], 3, quiet), (0, 2), (0, -3), 3.0)
    assert min(read.doppler for read in coming[1:]) > 100
    assert max(read.doppler for read in going[1:]) < -100


class Figures(NamedTuple):
    """What a set of passes looks like."""

    per_second: float
    gaps_s: tuple[float, ...]
    """Quantiles 0.5, 0.9 and 0.99 of the time between reads."""
    rssi_dbm: tuple[float, ...]
    """Quantiles 0.1, 0.25, 0.5, 0.75 and 0.9."""
    lowest_dbm: float
    highest_dbm: float


def figures(passes: Sequence[Sequence[TagRead]]) -> Figures:
    gaps = sorted((b.at_us - a.at_us) / 1e6 for reads in passes for a, b in pairwise(reads))
    levels = sorted(read.rssi_dbm for reads in passes for read in reads)
    lasted_s = sum(seconds(reads) for reads in passes)
    return Figures(
        per_second=len(levels) / lasted_s,
        gaps_s=tuple(gaps[int(share * len(gaps))] for share in (0.5, 0.9, 0.99)),
        rssi_dbm=tuple(levels[int(share * len(levels))] for share in (0.1, 0.25, 0.5, 0.75, 0.9)),
        lowest_dbm=levels[0],
        highest_dbm=levels[-1],
    )


@pytest.mark.skipif(not PASSES.is_dir(), reason=f"no recorded passes at {PASSES}")
def test_a_simulated_walk_through_the_real_square_looks_like_the_recorded_ones() -> None:
    with (PASSES / "truth.csv").open(newline="") as file:
        truths = list(csv.DictReader(file)) * ROOMS
    real = [load(PASSES / truth["file"]) for truth in truths]
    pairs = enumerate(zip(truths, real, strict=True))
    simulated = [simulate(truth, seconds(reads), seed) for seed, (truth, reads) in pairs]
    expected, came = figures(real), figures(simulated)
    print(f"\nreal      {expected}\nsimulated {came}")
    assert came.per_second == pytest.approx(expected.per_second, rel=0.15)
    for mine, theirs, within in zip(came.gaps_s, expected.gaps_s, (0.2, 0.2, 0.35), strict=True):
        assert mine == pytest.approx(theirs, rel=within)
    for mine, theirs in zip(came.rssi_dbm, expected.rssi_dbm, strict=True):
        assert mine == pytest.approx(theirs, abs=4)
    assert came.lowest_dbm == pytest.approx(expected.lowest_dbm, abs=2)
    assert came.highest_dbm == pytest.approx(expected.highest_dbm, abs=6)


def simulate(truth: Mapping[str, str], lasts_s: float, seed: int) -> list[TagRead]:
    """A walk like a recorded one, in a room of its own, by an antenna in each corner of the square."""
    middle_ft = 7.5
    corners = {1: (0, 0), 2: (0, 15), 3: (15, 15), 4: (15, 0)}
    square = [Antenna(port, (x - middle_ft) * FOOT_M, (y - middle_ft) * FOOT_M) for port, (x, y) in corners.items()]
    places = {key: (float(value) - middle_ft) * FOOT_M for key, value in truth.items() if key.endswith("_ft")}
    start, end = (places["start_x_ft"], places["start_y_ft"]), (places["end_x_ft"], places["end_y_ft"])
    return walk(RadioModel(square, seed), start, end, lasts_s)


def seconds(reads: Sequence[TagRead]) -> float:
    return (reads[-1].at_us - reads[0].at_us) / 1e6


def test_antennas_of_neither_side_hang_overhead_and_hear_best_what_is_below_them() -> None:
    antennas = portal_antennas(inside=[1, 4], outside=[2, 3], neutral=[5, 6])
    assert [(one.port, round(one.x_m, 3), one.y_m) for one in antennas[4:]] == [(5, -0.433, 0), (6, 0.433, 0)]
    room = Room(portal_antennas([1], [2], [3]), 7, PORTAL_ROOM._replace(reflection=0.0))
    levels = {y_m: room.echo(3, 0.0, y_m, 0)[0] for y_m in (-3.0, -1.0, 0.0, 1.0, 3.0)}
    assert levels[-3.0] == levels[3.0] < levels[1.0] == levels[-1.0] < levels[0.0]
    sideways = room.echo(3, 1.0, 0.0, 0)[0]
    assert sideways == pytest.approx(levels[1.0]), "it looks straight down"


def test_a_door_with_an_overhead_antenna_hears_a_walk_with_it_in_the_middle() -> None:
    reads = walk(RadioModel(portal_antennas([1, 4], [2, 3], [5]), 3, room=PORTAL_ROOM), (0.2, -3), (0.2, 3), 5.0)
    overhead, sides = [[one.at_us for one in reads if (one.antenna == 5) == above] for above in (True, False)]
    assert len(overhead) > 5
    middle_us, spread_us = sum(overhead) / len(overhead), max(overhead) - min(overhead)
    assert min(sides) < middle_us < max(sides)
    assert spread_us < max(sides) - min(sides)
