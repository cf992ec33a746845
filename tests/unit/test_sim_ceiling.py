"""The simulated reader at a ceiling hears what is in its zones, as often as where it stands allows."""

from collections import Counter

from firmware_sim.ceiling import LEAST_HEARD, MOST_HEARD, ROUND_S, STEP_S, WALL_HEARD, Ceiling
from firmware_sim.clock import WorldClock
from firmware_sim.config import ItemConfig, ZoneReaderConfig
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader
from firmware_sim.world import World

START_US = 1_790_000_000_000_000
ITEM = ItemConfig("lemon-4kg", "09506000134352")
CONFIG = ZoneReaderConfig("ceiling", "127.0.0.1", 0, {"1": "cold-room", "2": "cold-room", "3": "shelf"})


def house(*, miss_rate: float = 0.0) -> World:
    """Two pallets in the cold room and one in the receiving zone, which the reader does not look at."""
    world = World([ITEM], ["cold-room", "shelf", "receiving"], seed=1, miss_rate=miss_rate)
    for zone in ("cold-room", "cold-room", "receiving"):
        world.place_pallet(world.make_pallet(ITEM.sku, 30), zone)
    return world


def ceiling(world: World, seed: int = 1, read_loss: float = 0.0) -> Ceiling:
    return Ceiling(CONFIG, SimReader("ceiling"), world, WorldClock(1.0), seed=seed, read_loss=read_loss)


def listen(one: Ceiling, seconds: float, from_s: float = 0.0) -> list[TagRead]:
    steps = range(round(from_s / STEP_S), round((from_s + seconds) / STEP_S) + 1)
    return [read for step in steps for read in one.listen(START_US + round(step * STEP_S * 1e6))]


def test_it_hears_everything_in_its_zones_and_nothing_else():
    world = house()
    reads = listen(ceiling(world), 60)
    inside = {tagged.epc for tagged in world.tagged("cold-room")}
    assert len(inside) == 62
    assert {read.epc for read in reads} == inside
    assert [read.at_us for read in reads] == sorted(read.at_us for read in reads)


def test_each_tag_has_a_chance_of_its_own_in_every_round():
    reads = listen(ceiling(house()), 600)
    rounds = 600 / ROUND_S
    shares = [count / rounds for count in Counter(read.epc for read in reads if read.antenna != 3).values()]
    assert LEAST_HEARD - 0.1 < min(shares) < 0.85 < max(shares) < MOST_HEARD + 0.03
    through_the_wall = sum(read.antenna == 3 for read in reads) / len(reads)
    assert 0.5 * WALL_HEARD < through_the_wall < 2 * WALL_HEARD


def test_what_leaves_is_silent_at_once_and_what_comes_is_heard():
    world = house()
    one = ceiling(world)
    listen(one, 10)
    case = next(iter(world.stored("cold-room")))
    world.place_case(case, "receiving")
    assert case.epc not in {read.epc for read in listen(one, 20, from_s=10)}
    world.place_case(case, "shelf")
    assert {read.antenna for read in listen(one, 60, from_s=30) if read.epc == case.epc} >= {3}


def test_detuned_tags_are_hardly_heard_and_reads_can_be_lost():
    usual = len(listen(ceiling(house()), 60))
    assert len(listen(ceiling(house(miss_rate=1.0)), 60)) < 0.1 * usual
    assert 0.3 * usual < len(listen(ceiling(house(), read_loss=0.5), 60)) < 0.7 * usual


def test_the_same_seed_hears_the_same():
    assert listen(ceiling(house(), seed=4), 20) == listen(ceiling(house(), seed=4), 20)
    assert listen(ceiling(house(), seed=4), 20) != listen(ceiling(house(), seed=5), 20)
