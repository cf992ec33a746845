"""Simulated door scenes: the fast radio is the fitted one, and what is told agrees with what is said to be true."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from firmware_sim.antennas import PORTAL_ROOM
from firmware_sim.doorscene.air import Air, Track, inventory
from firmware_sim.doorscene.eyes import edges
from firmware_sim.doorscene.load import Printer, load
from firmware_sim.doorscene.place import Eyes, SceneDoor, place
from firmware_sim.doorscene.scene import BEGIN_US, Edge, Heard, Lost, Scene, scene
from firmware_sim.doorscene.traffic import Movement
from firmware_sim.doorscene.waves import WALLS_ALONE, Box, Sticker
from firmware_sim.doorscene.way import Leg, Way, walk
from firmware_sim.radio import Antenna, RadioModel, RadioRules, RoomRules, TagAt, TagRead

DOOR = (
    Antenna(1, -1.3, 1.2, (0, 1.8)),
    Antenna(2, -1.3, -1.2, (0, -1.8)),
    Antenna(3, 1.3, -1.2, (0, -1.8)),
    Antenna(4, 1.3, 1.2, (0, 1.8)),
)
SEEDS = range(8)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene(seed, 25.0, 10.0) for seed in SEEDS]


def through(seed: int, pace: float = 1.0) -> Way:
    return walk(0.0, (0.0, -4.0), [Leg((0.0, 4.0))], pace, Random(seed))


def crowd(count: int, seed: int) -> tuple[Sticker, ...]:
    random = Random(seed)
    return tuple(
        Sticker(f"{number:04x}{seed:04x}", random.uniform(-0.5, 0.5), random.uniform(-0.6, 0.6), False, None)
        for number in range(count)
    )


def dwell_by_dwell(stickers: Sequence[Sticker], way: Way, room: RoomRules, seed: int) -> list[TagRead]:
    """The same walk through the radio of the live simulator."""
    radio, reads = RadioModel(DOOR, seed, RadioRules(), room), list[TagRead]()
    for at_s in np.arange(0, way.end_s, 0.02):
        (x_m,), (y_m,), _ = way.where(np.array([at_s]))
        tags = [TagAt(one.epc, x_m + one.right_m, y_m + one.forward_m) for one in stickers]
        reads += radio.sense(BEGIN_US + round(at_s * 1e6), tags)
    return reads


class Figures(NamedTuple):
    per_second: float
    levels_dbm: tuple[float, ...]
    gaps_s: tuple[float, ...]


def figures(walks: Sequence[Sequence[TagRead]], lasted_s: float) -> Figures:
    reads = [read for one in walks for read in one]
    by_tag: dict[str, list[int]] = {}
    for read in reads:
        by_tag.setdefault(read.epc, []).append(read.at_us)
    gaps_s = [(after - before) / 1e6 for times in by_tag.values() for before, after in pairwise(times)]
    levels = np.quantile([read.rssi_dbm for read in reads], (0.05, 0.25, 0.5, 0.75, 0.95))
    return Figures(len(reads) / lasted_s, tuple(levels), tuple(np.quantile(gaps_s, (0.5, 0.9, 0.99))))


@pytest.mark.parametrize(("tags", "walks"), [(1, 30), (30, 4)])
@pytest.mark.parametrize("room", [RoomRules(), PORTAL_ROOM], ids=["fitted room", "portal"])
def test_the_fast_radio_tells_the_same_story_as_the_fitted_one(room: RoomRules, tags: int, walks: int) -> None:
    fast, fitted, lasted_s = list[list[TagRead]](), list[list[TagRead]](), 0.0
    for seed in range(walks):
        way, stickers = through(seed), crowd(tags, seed)
        fast.append(
            Air(DOOR, None, room, RadioRules(), seed, WALLS_ALONE).listen([Track(way, stickers)], BEGIN_US, way.end_s)
        )
        fitted.append(dwell_by_dwell(stickers, way, room, seed))
        lasted_s += way.end_s
    came, expected = figures(fast, lasted_s), figures(fitted, lasted_s)
    print(f"\n{room}\nfast   {came}\nfitted {expected}")
    assert came.per_second == pytest.approx(expected.per_second, rel=0.1)
    assert came.levels_dbm == pytest.approx(expected.levels_dbm, abs=2)
    assert came.gaps_s == pytest.approx(expected.gaps_s, rel=0.2)


def test_a_round_reads_each_tag_once_at_most_and_ends_in_time() -> None:
    rules = RadioRules()
    for answering in (1, 2, 3, 17, 60):
        *found, (nobody, spent_us) = inventory(answering, rules, Random(answering))
        numbers = [number for number, _ in found]
        assert nobody is None
        assert len(set(numbers)) == len(numbers) <= answering
        assert all(after <= rules.max_dwell_us for _, after in found)
        assert sorted(after for _, after in found) == [after for _, after in found]
        assert spent_us >= found[-1][1]
    assert not [*inventory(0, rules, Random(0))]


def test_a_wet_load_hides_its_tags_from_the_antennas_behind_it() -> None:
    quiet = RadioRules(shadow=0.0)
    by_side = {}
    for loss_db_per_m in (0.0, 20.0):
        box = Box(0.0, 0.5, 0.6, loss_db_per_m)
        left = Track(walk(0.0, (0.0, -3.0), [Leg((0.0, 3.0))], 0.5, Random(1)), (Sticker("aa", -0.5, 0.0, False, box),))
        reads = Air(DOOR, None, PORTAL_ROOM, quiet, 1, WALLS_ALONE).listen([left], BEGIN_US, left.way.end_s)
        by_side[loss_db_per_m] = [
            max(read.rssi_dbm for read in reads if read.antenna in ports) for ports in ((1, 2), (3, 4))
        ]
    (dry_left, dry_right), (wet_left, wet_right) = by_side[0.0], by_side[20.0]
    assert wet_left == pytest.approx(dry_left, abs=3)
    assert wet_right < dry_right - 5


def test_nothing_is_heard_behind_a_wall() -> None:
    walls = {(1, 0): 2.0, (-1, 0): 5.0, (0, 1): 5.0, (0, -1): 5.0}
    shelf = walk(0.0, (2.2, 1.0), [Leg((2.2, 1.0))], 1.0, Random(1))
    stands = Track(shelf, (Sticker("aa", 0.0, 0.0, False, None),))
    assert not Air(DOOR, walls, PORTAL_ROOM, RadioRules(), 1).listen([stands], BEGIN_US, 10.0)
    assert Air(DOOR, {**walls, (1, 0): 5.0}, PORTAL_ROOM, RadioRules(), 1).listen([stands], BEGIN_US, 10.0)


def test_the_same_seed_gives_the_same_scene_and_another_seed_another(scenes: Sequence[Scene]) -> None:
    assert scene(3, 25.0, 10.0) == scenes[3]
    assert scenes[3].timeline != scenes[4].timeline


def test_the_agent_is_told_in_order_and_of_nothing_before_it_happens(scenes: Sequence[Scene]) -> None:
    for played in scenes:
        moments = [entry.at_us for entry in played.timeline]
        assert moments == sorted(moments), played.seed
        for entry in played.timeline:
            if isinstance(entry, Heard):
                assert all(read.at_us <= entry.at_us for read in entry.reads), played.seed


def test_what_went_through_crossed_the_plane_and_nothing_else_did(scenes: Sequence[Scene]) -> None:
    kinds = set()
    for played in scenes:
        names = {door.name for door in played.doors}
        assert len({truth.epc for truth in played.truth}) == len(played.truth)
        for truth in played.truth:
            kinds.add(truth.kind)
            passed = truth.kind == "passed"
            assert passed == (truth.direction is not None) == (truth.crossed_us is not None), (played.seed, truth)
            assert truth.crossed_us is None or truth.from_us < truth.crossed_us < truth.to_us
            assert truth.door in names
    assert kinds == {"passed", "turned_back", "driven_past", "stray"}


def test_an_outage_swallows_reads_or_keeps_them_for_later(scenes: Sequence[Scene]) -> None:
    outages = [(played, outage) for played in scenes for outage in played.outages]
    assert outages
    for played, outage in outages:
        from_us, back_us = (BEGIN_US + round(at_s * 1e6) for at_s in (outage.from_s, outage.back_s))
        told = [entry for entry in played.timeline if isinstance(entry, Heard) and entry.reader == outage.reader]
        late = [read for entry in told for read in entry.reads if from_us <= read.at_us < back_us]
        assert not [entry for entry in told if from_us + 130_000 < entry.at_us < back_us], played.seed
        assert outage.kind == "buffered" or not late, played.seed
        lost = [entry for entry in played.timeline if isinstance(entry, Lost) and entry.reader == outage.reader]
        assert bool(lost) >= (outage.noticed_s is not None)


def a_pass(sign: int) -> tuple[SceneDoor, Movement]:
    door = place(Random(1)).doors[0]
    way = walk(1.0, (door.x_m, -4.0 * sign), [Leg((door.x_m, 4.0 * sign))], 1.2, Random(2))
    cargo = load("hand", Printer(Random(3)), Random(3))
    return door, Movement(door, "single", "passed", "inbound" if sign > 0 else "outbound", way, cargo)


@pytest.mark.parametrize(("sign", "first"), [(1, "outer"), (-1, "inner")])
def test_who_goes_through_breaks_one_beam_and_then_the_other(sign: int, first: str) -> None:
    door, movement = a_pass(sign)
    eyes = Eyes(reach_m=0.4, poll_s=0.03, missed=0.0, stuck=None)
    found = edges(door, eyes, [movement], Random(4))
    assert [edge.broken for edge in found if edge.beam == first] == [True, False]
    assert found[0].beam == first
    assert found[-1].beam != first
    assert len(found) == 4


def test_bad_photo_eyes_miss_or_stick() -> None:
    door, movement = a_pass(1)
    assert not edges(door, Eyes(0.4, 0.03, missed=1.0, stuck=None), [movement], Random(4))
    stuck = edges(door, Eyes(0.4, 0.03, missed=0.0, stuck="inner"), [movement], Random(4))
    assert [edge.broken for edge in stuck if edge.beam == "inner"] == [True]


def test_beams_are_seen_where_there_are_photo_eyes_only(scenes: Sequence[Scene]) -> None:
    for played in scenes:
        with_eyes = {door.name for door in played.doors if door.eyes}
        assert {entry.door for entry in played.timeline if isinstance(entry, Edge)} <= with_eyes
