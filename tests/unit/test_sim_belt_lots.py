"""Which lot runs next over a line."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from simhouse import config

from firmware_sim.lots import BAD_SHARE, Lots
from firmware_sim.world import World


def house() -> World:
    site = config()
    return World(site.items, [zone.name for zone in site.zones], seed=7, miss_rate=0.0)


def lots(world: World, seed: int = 7, bad: float = 0.25, customers: tuple[str, ...] = ()) -> Lots:
    return Lots(world, "line-a", "lemon-4kg", customers, defective_share=0.04, bad_lot_share=bad, seed=seed)


def test_lots_that_stand_in_the_house_run_first_and_then_such_as_come_from_the_field() -> None:
    world = house()
    pallets = [
        world.make_pallet("lemon-4kg", 3),
        world.make_pallet("tomato-tray", 3),
        world.make_pallet("lemon-4kg", 3),
    ]
    for pallet in pallets:
        world.place_pallet(pallet, "cold-room")
    on_the_road = world.make_pallet("lemon-4kg", 3)
    line = lots(world)
    names = [line.next().name for _ in range(3)]
    stand = [world.cases[pallet.cases[0]].lot for pallet in pallets]
    assert names == [stand[0], stand[2], "line-a-0003"]
    world.place_pallet(on_the_road, "cold-room")
    assert line.next().name == world.cases[on_the_road.cases[0]].lot


@given(seed=st.integers())
def test_of_four_lots_one_is_far_worse_and_of_the_first_it_is_the_second(seed: int) -> None:
    line = lots(house(), seed)
    shares = [line.next().defective_share for _ in range(40)]
    assert shares[1] == BAD_SHARE
    assert all(Counter(shares[at : at + 4]) == {0.04: 3, BAD_SHARE: 1} for at in range(0, 40, 4))


def test_no_lot_is_bad_or_every_lot_where_that_is_asked_for() -> None:
    fine, awful = lots(house(), bad=0.0), lots(house(), bad=1.0)
    assert {fine.next().defective_share for _ in range(12)} == {0.04}
    assert {awful.next().defective_share for _ in range(12)} == {BAD_SHARE}


def test_every_customer_has_a_turn() -> None:
    line = lots(house(), customers=("juicer", "grocer"))
    assert [line.next().customer for _ in range(4)] == [None, "juicer", "grocer", None]
