"""Who is where, at every moment: the truth. Pure state; what happens when stands in scenario.py.

A case or pallet is in one zone, or outside (zone None: at the supplier's, on a truck, sold). It changes its zone at
the moment its body crosses the plane of a door, and by nothing else. Nothing is destroyed: what is sold stays known.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from msgspec import Struct

from firmware_sim.config import ItemConfig
from firmware_sim.movement import Movement
from firmware_sim.tags import TagPrinter


class Case(Struct):
    """One tagged case."""

    epc: str
    sku: str
    detuned: bool
    """Its tag is hardly ever read."""
    lot: str | None = None
    zone: str | None = None
    pallet: str | None = None
    """The pallet it stands on."""
    shelf: str | None = None
    """The door beside which it stands on a shelf, for good."""
    carried: bool = False


class Pallet(Struct):
    """One tagged pallet and the cases on it."""

    epc: str
    detuned: bool
    cases: list[str]
    zone: str | None = None
    carried: bool = False
    rests_since_s: float = 0.0
    """World time at which it was set down."""


class Line(NamedTuple):
    """So many units of one SKU."""

    sku: str
    units: int


class Announced(NamedTuple):
    """A case that a despatch advice names, its pallet and its lot."""

    epc: str
    sscc: str
    lot: str | None


class Truck(Struct):
    """A delivery. `announced` is what the despatch advice says; `loaded` is what is truly on it."""

    shipment: str
    partner: str
    door: str
    order: str | None
    lines: tuple[Line, ...]
    announced: tuple[Announced, ...]
    loaded: list[str]
    waiting: deque[str]
    """Pallets that are still on the truck."""
    unloaded: list[str]
    state: Literal["loading", "underway", "at_door", "gone"] = "loading"
    due_s: float = 0.0


class World:
    """Cases, pallets and trucks. The same seed and the same calls give the same world."""

    def __init__(self, items: Sequence[ItemConfig], zones: Sequence[str], *, seed: int, miss_rate: float) -> None:
        self.cases: dict[str, Case] = {}
        self.pallets: dict[str, Pallet] = {}
        self.trucks: dict[str, Truck] = {}
        self.moving: dict[int, Movement] = {}
        self._gtins: Mapping[str, str] = {item.sku: item.gtin for item in items}
        self._stock: dict[str, dict[str, Case]] = {zone: {} for zone in zones}
        self._stacks: dict[str, dict[str, Pallet]] = {zone: {} for zone in zones}
        self._printer = TagPrinter(seed)
        self._detuning = Random(f"detuned {seed}")
        self._miss_rate = miss_rate

    @property
    def skus(self) -> tuple[str, ...]:
        """Every SKU, in the order of the item master."""
        return tuple(self._gtins)

    def make_case(self, sku: str, lot: str | None = None) -> Case:
        """A new case, outside."""
        case = Case(self._printer.case(self._gtins[sku]), sku, self._detuned(), lot)
        self.cases[case.epc] = case
        return case

    def make_pallet(self, sku: str, units: int) -> Pallet:
        """A new pallet of one SKU and one lot, outside."""
        pallet = Pallet(self._printer.pallet(self._gtins[sku]), self._detuned(), [])
        self.pallets[pallet.epc] = pallet
        lot = f"L{len(self.pallets):04}"
        for _ in range(units):
            self.stack(self.make_case(sku, lot), pallet)
        return pallet

    def stack(self, case: Case, pallet: Pallet) -> None:
        """Put a case on a pallet that stands in the same place."""
        assert case.zone == pallet.zone
        case.pallet = pallet.epc
        pallet.cases.append(case.epc)

    def unstack(self, case: Case) -> None:
        """Take a case off its pallet, if it stands on one."""
        if case.pallet is not None:
            self.pallets[case.pallet].cases.remove(case.epc)
            case.pallet = None

    def place_case(self, case: Case, zone: str) -> None:
        """Let a case begin in a zone (the opening stock)."""
        self._set_zone(case, zone)

    def place_pallet(self, pallet: Pallet, zone: str) -> None:
        """Let a pallet and its cases begin in a zone (the opening stock)."""
        self._set_pallet_zone(pallet, zone)
        for epc in pallet.cases:
            self._set_zone(self.cases[epc], zone)

    def stored(self, zone: str) -> Iterator[Case]:
        """Every case in a zone, the longest there first."""
        return iter(self._stock[zone].values())

    def tagged(self, zone: str) -> Iterator[Case | Pallet]:
        """Everything in a zone that bears a tag, carried or not."""
        yield from self._stock[zone].values()
        yield from self._stacks[zone].values()

    def available(self, zone: str) -> Iterator[Case]:
        """Those of them that somebody may pick."""
        return (case for case in self.stored(zone) if not case.carried and case.shelf is None)

    def loose(self, zone: str) -> Iterator[Case]:
        """Cases that may be picked in a zone and stand on no pallet."""
        return (case for case in self.available(zone) if case.pallet is None)

    def stacks(self, zone: str) -> Iterator[Pallet]:
        """Pallets with cases on them that stand in a zone, the longest there first."""
        return (pallet for pallet in self._stacks[zone].values() if pallet.cases and not pallet.carried)

    def shelf(self, door: str) -> Iterator[Case]:
        """Cases on the shelves beside a door."""
        return (case for case in self.cases.values() if case.shelf == door)

    def begin(self, movement: Movement) -> None:
        """The body sets out: its cases can no longer be picked."""
        self.moving[movement.number] = movement
        for epc in movement.cases:
            case = self.cases[epc]
            assert not case.carried, "a case is on one body at a time"
            if case.pallet != movement.pallet:
                self.unstack(case)
            case.carried = True
        if movement.pallet is not None:
            self.pallets[movement.pallet].carried = True

    def cross(self, movement: Movement) -> None:
        """The body crosses the plane of the door: this is the moment at which the truth changes."""
        assert movement.number in self.moving
        assert not movement.turns_back
        for epc in movement.cases:
            self._set_zone(self.cases[epc], movement.to)
        if movement.pallet is not None:
            self._set_pallet_zone(self.pallets[movement.pallet], movement.to)

    def end(self, movement: Movement, now_s: float) -> None:
        """The body has left the door; what it carried is set down."""
        del self.moving[movement.number]
        for epc in movement.cases:
            self.cases[epc].carried = False
        if movement.pallet is not None:
            pallet = self.pallets[movement.pallet]
            pallet.carried, pallet.rests_since_s = False, now_s

    def _detuned(self) -> bool:
        return self._detuning.random() < self._miss_rate

    def _set_zone(self, case: Case, zone: str | None) -> None:
        if case.zone is not None:
            del self._stock[case.zone][case.epc]
        if zone is not None:
            self._stock[zone][case.epc] = case
        case.zone = zone

    def _set_pallet_zone(self, pallet: Pallet, zone: str | None) -> None:
        if pallet.zone is not None:
            self._stacks[pallet.zone].pop(pallet.epc, None)
        if zone is not None:
            self._stacks[zone][pallet.epc] = pallet
        pallet.zone = zone
