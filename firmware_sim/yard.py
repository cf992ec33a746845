"""Deliveries: loaded at the supplier's, on the road, waiting at a dock, unloaded pallet by pallet."""

from collections import deque
from collections.abc import Iterable, Sequence
from random import Random

from firmware_sim.config import SimulationConfig
from firmware_sim.movement import Movement
from firmware_sim.world import Announced, Case, Line, Pallet, Truck, World

DOCK_TRUCKS = 4
"""Trucks that wait at one dock; further ones wait on the road."""
MAX_PALLETS = 30
"""What one truck carries; what an order wants beyond that stays at the supplier's."""


class Yard:
    """Every truck on its way to one of the docks, in the order of arrival."""

    def __init__(self, world: World, docks: Sequence[str], simulation: SimulationConfig, seed: int) -> None:
        self.docks = tuple(docks)
        self._world = world
        self._simulation = simulation
        self._random = Random(f"yard {seed}")
        self._loaded = 0
        self._road: list[Truck] = []
        self._at_dock: dict[str, deque[Truck]] = {dock: deque() for dock in docks}

    def load(self, partner: str, lines: Sequence[Line], order: str | None) -> Truck:
        """A truck with pallets for these lines, each pallet of one SKU; it stays at the supplier's until `depart`."""
        loads = self._pallet_loads(lines)
        assert self.docks, "no truck sets out for a house without docks"
        assert loads, "no truck goes empty"
        dock = self.docks[self._loaded % len(self.docks)]
        self._loaded += 1
        pallets = [self._world.make_pallet(load.sku, load.units) for load in loads]
        cases = [(self._world.cases[epc], pallet) for pallet in pallets for epc in pallet.cases]
        announced = tuple(Announced(case.epc, pallet.epc, case.lot) for case, pallet in cases)
        truck = Truck(
            shipment=f"ASN-{order.removeprefix('PO-')}" if order else f"ASN-START-{self._loaded}",
            partner=partner,
            door=dock,
            order=order,
            lines=tuple(lines),
            announced=announced,
            loaded=[case.epc for case in announced],
            waiting=deque(pallet.epc for pallet in pallets),
            unloaded=[],
        )
        self._world.trucks[truck.shipment] = truck
        return truck

    def depart(self, truck: Truck, due_s: float) -> None:
        """The truck leaves the supplier and will be here at `due_s`, or later if its dock is crowded then."""
        truck.due_s, truck.state = due_s, "underway"
        self._road.append(truck)

    def arrive(self, now_s: float) -> list[Truck]:
        """The trucks that come to their docks now."""
        arrived: list[Truck] = []
        for truck in sorted(self._road, key=lambda truck: truck.due_s):
            dock = self._at_dock[truck.door]
            if truck.due_s <= now_s and len(dock) < DOCK_TRUCKS:
                truck.state = "at_door"
                dock.append(truck)
                self._road.remove(truck)
                arrived.append(truck)
        return arrived

    def truck_at(self, dock: str) -> Truck | None:
        """The truck that is unloaded now."""
        trucks = self._at_dock.get(dock)
        return trucks[0] if trucks else None

    def unloaded(self, movement: Movement) -> Truck:
        """A pallet is in; its truck, whose state is `gone` if that was the last one."""
        truck = self._at_dock[movement.door][0]
        truck.unloaded.extend(movement.cases)
        if not truck.waiting:
            truck.state = "gone"
            self._at_dock[movement.door].popleft()
        return truck

    def slip_in(self, truck: Truck, pallet: Pallet) -> Case:
        """Put a case on a pallet that the despatch advice does not name."""
        case = self._world.make_case(self._random.choice(self._world.skus))
        self._world.stack(case, pallet)
        truck.loaded.append(case.epc)
        return case

    def leave_behind(self, truck: Truck, pallet: Pallet) -> Case:
        """Take a case off a pallet that the despatch advice names: it stays at the supplier's."""
        case = self._world.cases[self._random.choice(pallet.cases)]
        self._world.unstack(case)
        truck.loaded.remove(case.epc)
        return case

    def _pallet_loads(self, lines: Iterable[Line]) -> list[Line]:
        full = self._simulation.cases_per_pallet
        loads: list[Line] = []
        for line in lines:
            begun = range(0, min(line.units, full * MAX_PALLETS), full)
            loads += [Line(line.sku, min(full, line.units - done)) for done in begun]
        return loads[:MAX_PALLETS]
