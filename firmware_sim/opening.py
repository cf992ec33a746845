"""The stock that the house holds when the world begins."""

from collections import Counter
from collections.abc import Iterator

from firmware_sim.config import SimulationConfig
from firmware_sim.routes import Routes
from firmware_sim.world import Case, World

SHELF_SHARE = 0.25
"""At most this share of a SKU's opening pallets goes on the shelves beside doors; further shelf stock comes on top."""


def stock_house(world: World, routes: Routes, simulation: SimulationConfig) -> None:
    """Put the opening pallets into the store, and a few of their cases on the shelf beside each door."""
    if routes.store is None:
        return
    for sku in world.skus:
        for _ in range(simulation.opening_pallets):
            world.place_pallet(world.make_pallet(sku, simulation.cases_per_pallet), routes.store)
    for door in routes.doors.values():
        _fill_shelf(world, door.name, door.inside, routes.store, simulation)


def opening_balance(world: World) -> Iterator[tuple[str, str, str]]:
    """(EPC, zone, lot or nothing) of everything that a stock-take of the house would find."""
    for case in world.cases.values():
        if case.zone is not None:
            yield case.epc, case.zone, case.lot or ""


def _fill_shelf(world: World, door: str, zone: str, store: str, simulation: SimulationConfig) -> None:
    spare = SHELF_SHARE * simulation.opening_pallets * simulation.cases_per_pallet
    shelved = Counter(case.sku for case in world.cases.values() if case.shelf is not None)
    for place in range(simulation.strays_per_door):
        if not world.skus:
            return
        sku = world.skus[place % len(world.skus)]
        case = _from_store(world, store, sku) if shelved[sku] < spare else world.make_case(sku)
        world.unstack(case)
        world.place_case(case, zone)
        case.shelf = door
        shelved[sku] += 1


def _from_store(world: World, store: str, sku: str) -> Case:
    return [case for case in world.available(store) if case.sku == sku][-1]
