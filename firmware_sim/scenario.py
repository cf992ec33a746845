"""What happens when. Pure and level-triggered: each decision looks at the world as it is, never at what was planned.

World time is wall time multiplied by the speed. A door that is free asks `begin` for its next movement; while it is
busy the work waits where it is: pallets on trucks and in zones, customers in the demand's bounded backlog.

          road ----> yard ----unload----> receiving zone ----putaway----> store ----sale----> sold
          (due_s)   (bounded)             (staged a while)               (demand)
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from random import Random

from msgspec import Struct

from firmware_sim.config import WorldConfig
from firmware_sim.demand import Demand
from firmware_sim.mishaps import Mishap, MishapKind, Mishaps
from firmware_sim.movement import Body, Direction, Kind, Movement
from firmware_sim.routes import Routes
from firmware_sim.world import Case, Line, Pallet, Truck, World
from firmware_sim.yard import Yard

STAGING_S = 12.0
"""A pallet rests in a zone for this long before somebody puts it away."""
LOOSE_CASES = 6
"""Cases without a pallet that go on one trolley."""
DOOR_LEFT_OPEN_S = 75.0
PENDING_MISHAPS = 3


class Happening(Struct, frozen=True):
    """Something worth a line in the log."""

    what: str
    facts: dict[str, str | int]


class Scenario:
    """The story of one world. The same seed and the same calls tell the same story."""

    def __init__(self, config: WorldConfig, world: World, seed: int, tell: Callable[[Happening], None]) -> None:
        self.world = world
        self.routes = Routes(config.doors)
        self.yard = Yard(world, self.routes.receiving, config.simulation, seed)
        self.demand = Demand(world.skus, config.simulation.sale_every_s, seed)
        self.excursions: dict[str, float] = {}
        """Zones that get warm, and the world time until which they do."""
        self.figures: Counter[str] = Counter()
        """Mishaps by kind."""
        self._simulation = config.simulation
        self._mishaps = Mishaps([door.name for door in config.doors], config.simulation.mishap_every_s, seed)
        self._random = Random(f"scenario {seed}")
        self._tell = tell
        self._opened = False
        self._quiesced = False
        self._number = 0
        self._returns: dict[str, str] = {}
        self._at_door: dict[str, deque[MishapKind]] = {
            door.name: deque(maxlen=PENDING_MISHAPS) for door in config.doors
        }
        self._on_pallet: deque[MishapKind] = deque(maxlen=PENDING_MISHAPS)
        self._tasks = (self._unload, self._putaway, self._sale)
        self._turn = dict.fromkeys(self._at_door, 0)

    @property
    def opened(self) -> bool:
        """Things may move."""
        return self._opened

    @property
    def quiesced(self) -> bool:
        """Nothing new begins."""
        return self._quiesced

    @property
    def quiet(self) -> bool:
        """Nothing moves, and nothing will."""
        return self._quiesced and not self.world.moving

    def open(self, now_s: float) -> None:
        """The house opens its doors: before this nothing moves."""
        self._opened = True
        self.demand.open(now_s)
        self._mishaps.open(now_s)

    def quiesce(self) -> None:
        """Begin nothing new; what is in a door finishes its way."""
        self._quiesced = True

    def opening_lines(self) -> tuple[Line, ...]:
        """What the first truck brings: the SKUs that are least wanted, so that the others soon need ordering."""
        skus = self.demand.popular[::-1]
        wanted = [skus[i % len(skus)] for i in range(self._simulation.pallets_per_truck)] if skus else []
        return tuple(Line(sku, self._simulation.cases_per_pallet * count) for sku, count in Counter(wanted).items())

    def advance(self, now_s: float) -> None:
        """Let everything fall due whose time has come."""
        if not self._opened or self._quiesced:
            return
        self.demand.advance(now_s)
        while (mishap := self._mishaps.due(now_s)) is not None:
            self._take_mishap(mishap, now_s)
        for truck in self.yard.arrive(now_s):
            self._note("truck arrived", shipment=truck.shipment, door=truck.door, pallets=len(truck.waiting))

    def _take_mishap(self, mishap: Mishap, now_s: float) -> None:
        match mishap.kind:
            case "unexpected_case" | "missing_case":
                self._on_pallet.append(mishap.kind)
            case "door_left_open":
                zone = self.routes.doors[mishap.door].inside
                self.excursions[zone] = now_s + DOOR_LEFT_OPEN_S
                self._count(mishap.kind, door=mishap.door, zone=zone)
            case _:
                self._at_door[mishap.door].append(mishap.kind)

    def begin(self, door: str, now_s: float) -> Movement | None:
        """The next movement through a free door, or None while there is none. It has begun when this returns."""
        if not self._opened or self._quiesced:
            return None
        movement = self._carry_back(door) or self._mishap(door)
        for _ in range(len(self._tasks) if movement is None else 0):
            task = self._tasks[self._turn[door]]
            self._turn[door] = (self._turn[door] + 1) % len(self._tasks)
            movement = task(door, now_s)
            if movement is not None:
                break
        if movement is not None:
            self.world.begin(movement)
        return movement

    def cross(self, movement: Movement) -> None:
        """The body crosses the plane of the door."""
        self.world.cross(movement)

    def end(self, movement: Movement, now_s: float) -> None:
        """The body has left the door."""
        self.world.end(movement, now_s)
        what = movement.kind.replace("_", " ")
        self._note(what, door=movement.door, direction=movement.direction, cases=len(movement.cases))
        match movement.kind:
            case "unload":
                self._unloaded(self.yard.unloaded(movement))
            case "sale":
                self.demand.figures["sold"] += len(movement.cases)
            case "carry_out":
                self._returns[movement.door] = movement.cases[0]

    def _unloaded(self, truck: Truck) -> None:
        if truck.state == "gone":
            counts = {"announced": len(truck.announced), "unloaded": len(truck.unloaded)}
            self._note("truck unloaded", shipment=truck.shipment, door=truck.door, **counts)

    def _movement(self, door: str, kind: Kind, body: Body, direction: Direction, cases: Iterable[str] = ()) -> Movement:
        self._number += 1
        to = self.routes.beyond(door, direction)
        return Movement(
            number=self._number, door=door, kind=kind, body=body, direction=direction, to=to, cases=tuple(cases)
        )

    def _pallet_movement(self, door: str, kind: Kind, direction: Direction, sscc: str) -> Movement:
        self._number += 1
        return Movement(
            number=self._number,
            door=door,
            kind=kind,
            body="pallet",
            direction=direction,
            to=self.routes.beyond(door, direction),
            cases=tuple(self.world.pallets[sscc].cases),
            pallet=sscc,
        )

    def _unload(self, door: str, now_s: float) -> Movement | None:
        truck = self.yard.truck_at(door)
        if truck is None or not truck.waiting:
            return None
        sscc = truck.waiting.popleft()
        if self._on_pallet:
            self._spoil(self._on_pallet.popleft(), truck, self.world.pallets[sscc])
        return self._pallet_movement(door, "unload", "inbound", sscc)

    def _spoil(self, kind: MishapKind, truck: Truck, pallet: Pallet) -> None:
        spoil = self.yard.slip_in if kind == "unexpected_case" else self.yard.leave_behind
        case = spoil(truck, pallet)
        self._count(kind, shipment=truck.shipment, epc=case.epc, sku=case.sku)

    def _putaway(self, door: str, now_s: float) -> Movement | None:
        for zone, step in self.routes.toward_store.items():
            if step.door != door:
                continue
            for pallet in self.world.stacks(zone):
                if now_s - pallet.rests_since_s >= STAGING_S:
                    return self._pallet_movement(door, "putaway", step.direction, pallet.epc)
            owed = set(self._returns.values())
            loose = [case.epc for case in self.world.loose(zone) if case.epc not in owed]
            if loose:
                return self._movement(door, "putaway", "trolley", step.direction, loose[:LOOSE_CASES])
        return None

    def _sale(self, door: str, now_s: float) -> Movement | None:
        if door not in self.routes.serving:
            return None
        picked: list[Case] = []
        for sku in self.demand.take(now_s):
            case = self._pick(door, sku, picked)
            if case is None:
                self.demand.figures["lost_no_stock"] += 1
                self._note("sale lost", sku=sku, door=door)
            else:
                picked.append(case)
        if not picked:
            return None
        return self._movement(door, "sale", "trolley", "outbound", [case.epc for case in picked])

    def _pick(self, door: str, sku: str, picked: Sequence[Case]) -> Case | None:
        zone = self.routes.doors[door].inside
        taken = {case.epc for case in picked}
        return next((one for one in self.world.available(zone) if one.sku == sku and one.epc not in taken), None)

    def _carry_back(self, door: str) -> Movement | None:
        """Somebody brings back what was carried the wrong way."""
        epc = self._returns.pop(door, None)
        if epc is None:
            return None
        case = self.world.cases[epc]
        direction: Direction = "inbound" if case.zone == self.routes.doors[door].outside else "outbound"
        if case.carried or case.zone != self.routes.before(door, direction):
            return None
        return self._movement(door, "carry_back", "person", direction, [epc])

    def _mishap(self, door: str) -> Movement | None:
        while self._at_door[door]:
            kind = self._at_door[door].popleft()
            directions: list[Direction] = ["outbound", "inbound"]
            self._random.shuffle(directions)
            for direction in directions:
                movement = self._person(door, kind, direction)
                if movement is not None:
                    self._count(kind, door=door, direction=direction)
                    return movement
        return None

    def _person(self, door: str, kind: MishapKind, direction: Direction) -> Movement | None:
        """Somebody with a case (or with none) sets out from one side of a door; None if no case is at hand there."""
        if kind == "empty_handed":
            return self._movement(door, "empty_handed", "person", direction)
        zone = self.routes.before(door, direction)
        cases = [] if zone is None else list(self.world.available(zone))
        if not cases or kind not in ("carry_out", "turn_back"):
            return None
        case = self._random.choice(cases)
        return self._movement(
            door, "carry_out" if kind == "carry_out" else "turn_back", "person", direction, [case.epc]
        )

    def _count(self, kind: MishapKind, **facts: str | int) -> None:
        self.figures[kind] += 1
        self._note(kind.replace("_", " "), **facts)

    def _note(self, what: str, **facts: str | int) -> None:
        self._tell(Happening(what, facts))
