"""Which lot runs next over a line, and the judge of a line: each fruit told once, each verdict beside the truth."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from simhouse import config

from firmware_sim.lots import BAD_SHARE, Lots
from firmware_sim.sorting import Inspected, TrueFruit, TrueLine, compare, match
from firmware_sim.world import World

S = 1_000_000


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


def fruit(at_s: float, *, defective: bool = False, passed: bool = True) -> TrueFruit:
    return TrueFruit(defective, round(at_s * S), passed)


def told(at_s: float, verdict: str = "good", gate: str = "passed") -> Inspected:
    return Inspected("line-a", round(at_s * S), verdict, gate)


def test_each_fruit_has_the_event_that_is_nearest_to_it_and_none_has_two() -> None:
    matched = match([fruit(1), fruit(1.4), fruit(3)], [told(1.42), told(1.03), told(1.05), told(5)])
    assert [one and one.at_us for one in matched] == [round(1.03 * S), round(1.42 * S), None]


def test_fruit_that_is_close_is_not_mistaken_for_its_neighbour() -> None:
    matched = match([fruit(1), fruit(1.1), fruit(1.2)], [told(1.01), told(1.21)])
    assert [one and one.at_us for one in matched] == [round(1.01 * S), None, round(1.21 * S)]


def test_the_figures_of_a_line() -> None:
    went = (
        fruit(1),
        fruit(2, defective=True, passed=False),
        fruit(3, defective=True),
        fruit(4, passed=False),
        fruit(6, passed=False),
    )
    gate = {"true_pass": 1, "true_reject": 1, "false_reject": 2, "miss": 1}
    events = [
        told(1.01),
        told(2.01, "defective", "pushed"),
        told(3.01),
        told(5.4, "unseen", "missed"),
        told(9.0, "defective", "pushed"),
    ]
    figures = compare(TrueLine("line-a", went, gate), events)
    assert (figures["fruit"], figures["defective"], figures["gate"]) == (5, 2, gate)
    assert (figures["miss_share"], figures["false_reject_share"]) == (0.5, 2 / 3)
    assert (figures["told"], figures["untold"], figures["invented"]) == (4, 1, 1)
    assert figures["verdicts"] == {"good": {"good": 1, "unseen": 1}, "defective": {"defective": 1, "good": 1}}
    assert figures["misplaced"] == 1, "the fourth or fifth was told, nearly half a second late"
    assert (figures["unseen"], figures["missed_deadlines"], figures["differing"]) == (1, 1, 0)


def test_a_line_on_which_nothing_ran_has_no_shares() -> None:
    figures = compare(TrueLine("line-a", (), {}), [])
    assert (figures["miss_share"], figures["false_reject_share"], figures["fruit"]) == (None, None, 0)
