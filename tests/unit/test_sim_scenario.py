"""The simulated world as a story told by a virtual clock: nothing is created or destroyed, and a seed says it all."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simhouse import config

from firmware_sim.config import WorldConfig
from firmware_sim.movement import Movement
from firmware_sim.opening import opening_balance, stock_house
from firmware_sim.scenario import Happening, Scenario
from firmware_sim.world import Line, World

STEP_S = 0.5
WALK_S, PAUSE_S = 5.0, 2.0


class House:
    """A scenario under a virtual clock: a walk through a door takes five seconds of world time."""

    def __init__(self, config: WorldConfig, seed: int) -> None:
        self.story: list[Happening] = []
        zones = [zone.name for zone in config.zones]
        self.world = World(config.items, zones, seed=seed, miss_rate=config.simulation.miss_rate)
        self.scenario = Scenario(config, self.world, seed, self.story.append)
        stock_house(self.world, self.scenario.routes, config.simulation)
        self.opening = {epc: zone for epc, zone, _ in opening_balance(self.world)}
        self.now_s = 0.0
        self.passes: list[tuple[float, Movement]] = []
        self._busy: dict[str, tuple[float, Movement]] = {}
        self._free_s = {door.name: 0.0 for door in config.doors}
        self.scenario.open(0.0)

    def deliver(self, sku: str, units: int, order: str | None = None, lead_s: float = 0.0) -> str:
        truck = self.scenario.yard.load("Hongda Fruit", (Line(sku, units),), order)
        self.scenario.yard.depart(truck, self.now_s + lead_s)
        return truck.shipment

    def play(self, for_s: float) -> None:
        """Let world time pass."""
        end_s = self.now_s + for_s
        while self.now_s < end_s:
            self.now_s += STEP_S
            self.scenario.advance(self.now_s)
            for door in self._free_s:
                self._step(door)

    def _step(self, door: str) -> None:
        if door in self._busy:
            until_s, movement = self._busy[door]
            if self.now_s >= until_s:
                del self._busy[door]
                if not movement.turns_back:
                    self.scenario.cross(movement)
                self.scenario.end(movement, self.now_s)
                self.passes.append((self.now_s, movement))
                self._free_s[door] = self.now_s + PAUSE_S
        elif self.now_s >= self._free_s[door]:
            movement = self.scenario.begin(door, self.now_s)
            if movement is not None:
                self._busy[door] = (self.now_s + WALK_S, movement)

    def check(self) -> None:
        """Each EPC is in one place, and the places agree with each other."""
        on_bodies = Counter(epc for _, movement in self._busy.values() for epc in movement.epcs)
        assert set(on_bodies.values()) <= {1}
        carried = {epc for epc, case in self.world.cases.items() if case.carried}
        assert carried == {epc for epc in on_bodies if epc in self.world.cases}
        for pallet in self.world.pallets.values():
            for epc in pallet.cases:
                case = self.world.cases[epc]
                assert (case.pallet, case.zone, case.carried) == (pallet.epc, pallet.zone, pallet.carried)
        for zone in ("receiving", "cold-room"):
            stored = [case.epc for case in self.world.stored(zone)]
            assert Counter(stored) == Counter(case.epc for case in self.world.cases.values() if case.zone == zone)

    def replayed(self) -> dict[str, str | None]:
        """Where each case must be, by the opening balance and the passes alone."""
        places: dict[str, str | None] = {epc: self.opening.get(epc) for epc in self.world.cases}
        for _, movement in self.passes:
            if not movement.turns_back:
                places |= dict.fromkeys(movement.cases, movement.to)
        return places


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    doors=st.integers(1, 3),
    opening=st.integers(0, 3),
    strays=st.integers(0, 9),
    sale_every_s=st.floats(0.5, 20),
    mishap_every_s=st.floats(2, 100),
)
def test_nothing_is_created_or_destroyed(
    seed: int, doors: int, opening: int, strays: int, sale_every_s: float, mishap_every_s: float
) -> None:
    site = config(
        doors,
        opening_pallets=opening,
        strays_per_door=strays,
        sale_every_s=sale_every_s,
        mishap_every_s=mishap_every_s,
    )
    house, random = House(site, seed), Random(seed)
    for order in range(6):
        house.deliver(random.choice(house.world.skus), random.randint(1, 40), f"PO-{order}", random.uniform(0, 60))
        house.play(random.uniform(5, 60))
        house.check()
    house.scenario.quiesce()
    house.play(10)
    house.check()
    assert house.scenario.quiet
    assert house.replayed() == {epc: case.zone for epc, case in house.world.cases.items()}
    sold = sum(len(movement.cases) for _, movement in house.passes if movement.kind == "sale")
    assert sold == house.scenario.demand.figures["sold"]


def test_the_same_seed_tells_the_same_story() -> None:
    def story(seed: int) -> list[object]:
        house = House(config(mishap_every_s=20), seed)
        house.deliver("lemon-4kg", 30, "PO-1")
        house.play(400)
        return [*house.story, *house.passes]

    assert story(7) == story(7)
    assert story(7) != story(8)


def test_a_truck_unloads_and_its_pallets_are_put_away() -> None:
    house = House(config(sale_every_s=10_000, mishap_every_s=10_000), seed=7)
    before = dict(house.opening)
    shipment = house.deliver("lemon-4kg", 30, "PO-9")
    house.play(120)

    truck = house.world.trucks[shipment]
    assert (truck.state, truck.door, shipment) == ("gone", "dock-1", "ASN-9")
    assert sorted(truck.unloaded) == sorted(case.epc for case in truck.announced)
    assert {house.world.cases[epc].zone for epc in truck.unloaded} == {"cold-room"}
    walked = [(movement.door, movement.kind, len(movement.cases)) for _, movement in house.passes]
    assert [one for one in walked if one[0] == "dock-1"] == [("dock-1", "unload", units) for units in (12, 12, 6)]
    assert [one for one in walked if one[0] != "dock-1"] == [("cold-gate", "putaway", units) for units in (12, 12, 6)]
    assert {epc: house.world.cases[epc].zone for epc in before} == before


def test_customers_take_cases_out_of_the_store_until_there_are_none() -> None:
    house = House(config(sale_every_s=2, mishap_every_s=10_000, strays_per_door=0), seed=3)
    house.play(600)
    figures = house.scenario.demand.figures
    assert figures["sold"] == len(house.opening) == 96
    assert figures["lost_no_stock"] > 0
    assert {case.zone for case in house.world.cases.values()} == {None}
    assert {movement.door for _, movement in house.passes} == {"dock-2"}


def test_a_busy_door_loses_customers_rather_than_queueing_them_for_ever() -> None:
    house = House(config(sale_every_s=0.1, mishap_every_s=10_000, opening_pallets=50), seed=3)
    house.play(120)
    assert house.scenario.demand.figures["lost_door_busy"] > 0
    assert all(len(movement.cases) <= 6 for _, movement in house.passes)


def test_mishaps_come_round_and_leave_a_true_trace() -> None:
    house = House(config(sale_every_s=10_000, mishap_every_s=15), seed=11)
    for order in range(12):
        house.deliver("tomato-tray", 24, f"PO-{order}")
        house.play(60)
    figures = house.scenario.figures
    kinds = {"carry_out", "turn_back", "empty_handed", "unexpected_case", "missing_case", "door_left_open"}
    assert set(figures) == kinds

    walked = Counter(movement.kind for _, movement in house.passes)
    assert walked["carry_out"] == figures["carry_out"]
    assert walked["carry_back"] > 0
    trucks = house.world.trucks.values()
    announced = {case.epc for truck in trucks for case in truck.announced}
    loaded = {epc for truck in trucks for epc in truck.loaded}
    assert len(loaded - announced) == figures["unexpected_case"]
    assert len(announced - loaded) == figures["missing_case"]
    assert all(house.world.cases[epc].zone is None for epc in announced - loaded)


@pytest.mark.parametrize("doors", [0, 1, 2, 3])
def test_a_house_of_any_number_of_doors_works(doors: int) -> None:
    house = House(config(doors, sale_every_s=3), seed=5)
    if house.scenario.yard.docks:
        house.deliver("orange-8kg", 24)
    house.play(200)
    house.check()
    assert (house.scenario.demand.figures["sold"] > 0) == (doors > 0)


def test_a_quiesced_house_finishes_what_is_in_its_doors_and_begins_nothing() -> None:
    house = House(config(), seed=7)
    house.deliver("lemon-4kg", 36)
    house.play(12)
    house.scenario.quiesce()
    assert not house.scenario.quiet
    house.play(WALK_S + STEP_S)
    passes = len(house.passes)
    assert house.scenario.quiet
    house.play(300)
    assert len(house.passes) == passes
