"""The jobs of a week, in virtual time: what moves when, and what is told of it.

    ASN -> truck -> unload -> receiving -> putaway -> home zone -> pick -> dispatch -> load -> sold -> (return)
                                   unwatched ways, misplaced trolleys, waste, theft beside all of that

The seed alone decides what happens: the books are never asked. Only a tag that staff put on anew changes an EPC.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

from firmware_sim.config import DoorConfig, WorldConfig
from firmware_sim.doorscene.load import Carrier
from firmware_sim.doorscene.way import Point
from firmware_sim.radio import TagRead
from firmware_sim.tags import TagPrinter
from firmware_sim.week import sweep
from firmware_sim.week.errands import Errands
from firmware_sim.week.goods import Case, Goods, How, Moved
from firmware_sim.week.people import People
from firmware_sim.week.portal import Body, Outcome, Portal
from firmware_sim.week.sweep import Ceiling
from firmware_sim.week.told import Entry, Heard, Minute, Sight
from firmware_sim.week.trouble import DAY_US, HOUR_US, Trouble, draw
from firmware_sim.week.ways import Leg, Ways

BEGIN_US: Final = 1_800_230_400_000_000
"""A Monday, midnight."""
OPENS_US, CLOSES_US = 5 * HOUR_US, 22 * HOUR_US
MINUTE_US: Final = 60_000_000
REPORT_US: Final = 500_000
"""A reader gathers reads for so long before it reports them."""
UNITS_OF_SKU: Final = (25, 50)
"""Cases of each SKU that the house holds when the week begins."""
NEAR_DOOR: Final = 0.04
"""Share of the cases in a zone that stand beside one of its doors."""
MOST_BESIDE: Final = 8


class Job(NamedTuple):
    """Something that is done at a moment."""

    at_us: int
    number: int
    work: Callable[[int], None]


class Week:
    """One week of one house."""

    def __init__(self, config: WorldConfig, agents: Mapping[str, str], seed: int, days: int = 7) -> None:
        """`agents`: whom each reader talks to."""
        self.goods = Goods()
        self.ways = Ways([zone.name for zone in config.zones], config.doors)
        self.begin_us, self.end_us = BEGIN_US + OPENS_US, BEGIN_US + (days - 1) * DAY_US + CLOSES_US
        self.trouble: Trouble = draw(sorted(agents), sorted(set(agents.values())), BEGIN_US, days, seed)
        self._agents = agents
        self._random = Random(f"week {seed}")
        self._printer = TagPrinter(seed)
        self._gtins = {item.sku: item.gtin for item in config.items}
        self._home = {sku: self.ways.homes[n % len(self.ways.homes)] for n, sku in enumerate(self._gtins)}
        self._wetness = {sku: self._random.choice(((1.0, 5.0), (4.0, 12.0), (8.0, 20.0))) for sku in self._gtins}
        self._detuned = config.simulation.miss_rate
        self._portals = {door.name: Portal(door, seed) for door in config.doors}
        self._doors_of: dict[str, list[DoorConfig]] = {}
        for door in config.doors:
            for zone in filter(None, (door.inside, door.outside)):
                self._doors_of.setdefault(zone, []).append(door)
        self._ceilings = [Ceiling(reader, self.goods, seed) for reader in config.zone_readers]
        self._heard_zones = sorted({zone for ceiling in self._ceilings for zone in ceiling.zones})
        self._free_us = dict.fromkeys(self._portals, 0)
        """When the next body may come to each door."""
        self.people = People(self.goods, self.tag, seed)
        self._jobs: list[Job] = []
        self._told: list[tuple[int, int, Entry]] = []
        self._number = 0
        self.went_through: list[tuple[int, str, bool, tuple[str, ...]]] = []
        """(true time, door, inbound, EPCs)."""
        self._open(days)
        self._errands = Errands(self, config.simulation, days, seed)

    # For errands

    @property
    def skus(self) -> Sequence[str]:
        """All of them."""
        return list(self._gtins)

    @property
    def doors(self) -> Sequence[DoorConfig]:
        """All of them."""
        return [portal.door for portal in self._portals.values()]

    def home(self, sku: str) -> str:
        """Where a SKU is kept."""
        return self._home[sku]

    def tag(self, sku: str) -> str:
        """The EPC of a new tag."""
        return self._printer.case(self._gtins[sku])

    def pallet_tag(self) -> str:
        """The EPC of a new pallet's tag."""
        return self._printer.pallet(next(iter(self._gtins.values())))

    def case(self, sku: str, says: str | None = None) -> Case:
        """A new case, still outside."""
        random, says = self._random, says or sku
        lean = random.gauss(0, 1), random.gauss(0, 1)
        return Case(self.tag(says), sku, says, lean, detuned=random.random() < self._detuned)

    def at(self, at_us: int, work: Callable[[int], None]) -> None:
        """Do something at a moment; what would begin after the end is left."""
        if at_us < self.end_us:
            self._number += 1
            heapq.heappush(self._jobs, Job(at_us, self._number, work))

    def tell(self, entry: Entry) -> None:
        """Somebody is told something."""
        self._number += 1
        heapq.heappush(self._told, (entry.at_us, self._number, entry))

    def vanish(self, case: Case, how: How, at_us: int) -> None:
        """A case leaves the house where no reader is."""
        self.goods.lift([case])
        self.goods.put(case, Moved(at_us, case.zone, None, how))

    def carry(
        self,
        cases: Sequence[Case],
        carrier: Carrier,
        target: str,
        at_us: int,
        *,
        sscc: str | None = None,
        watched: bool = True,
        then: Callable[[int], None] = lambda at_us: None,
    ) -> None:
        """Cases of one zone go to another, through all doors between; `then` is done when they are there."""
        here = [case for case in cases if case.zone is not None and case.epc in self.goods.standing(case.zone)]
        if not here or here[0].zone == target:
            then(at_us)
            return
        assert here[0].zone is not None
        legs = self.ways.between(here[0].zone, target) if watched else None
        if not legs:
            self.goods.lift(here)
            arrives_us = at_us + 2 * MINUTE_US
            self._arrive_unwatched(here, target, arrives_us, then)
            return

        def on(at_us: int) -> None:
            self.carry(cases, carrier, target, at_us + MINUTE_US, sscc=sscc, then=then)

        self.go(legs[0], here, carrier, at_us, sscc=sscc, then=on)

    def go(
        self,
        leg: Leg,
        cases: Sequence[Case],
        carrier: Carrier,
        at_us: int,
        *,
        sscc: str | None = None,
        outcome: Outcome = "passed",
        behind: Sequence[Case] = (),
        then: Callable[[int], None] = lambda at_us: None,
    ) -> None:
        """Cases go to a door at a moment (later if it is busy) and through it, or not. `behind`: what waits in the
        truck."""
        at_us = max(at_us, self._free_us[leg.door.name])
        self._free_us[leg.door.name] = at_us + 45_000_000
        if outcome == "passed":
            self.goods.lift(list(cases))
        self.at(at_us, lambda now_us: self._pass(leg, cases, carrier, sscc, outcome, behind, then, now_us))

    # The calendar

    def entries(self) -> Iterator[Entry]:
        """All that is told, by time."""
        while self._jobs or self._told:
            if self._told and (not self._jobs or self._told[0][0] <= self._jobs[0].at_us):
                yield heapq.heappop(self._told)[2]
            else:
                job = heapq.heappop(self._jobs)
                job.work(job.at_us)

    def opening(self) -> list[tuple[str, str]]:
        """EPC and zone of every case that is there, as an opening balance says."""
        return [(case.epc, case.zone) for case in self.goods.all() if case.zone is not None]

    def _open(self, days: int) -> None:
        for sku in self._gtins:
            for _ in range(self._random.randint(*UNITS_OF_SKU)):
                self._put(self.case(sku), Moved(self.begin_us, None, self._home[sku], "opening"))
        for minute in range((self.end_us - self.begin_us) // MINUTE_US + 1):
            self.tell(Minute(self.begin_us + minute * MINUTE_US))
        for at_us in range(self.begin_us, self.end_us, sweep.EVERY_S * 1_000_000):
            self.at(at_us, self._sweep)
        for reader, outages in self.trouble.readers.items():
            for one in outages:
                self.tell(Sight(one.noticed_us, reader, "blind" if one.kind == "blind" else "lost"))
                self.tell(Sight(one.back_us, reader, "connected"))

    # Doors

    def _pass(
        self,
        leg: Leg,
        cases: Sequence[Case],
        carrier: Carrier,
        sscc: str | None,
        outcome: Outcome,
        behind: Sequence[Case],
        then: Callable[[int], None],
        at_us: int,
    ) -> None:
        door = leg.door
        loss = max((self._random.uniform(*self._wetness[case.sku]) for case in cases), default=0.0)
        body = Body(carrier, tuple(cases), sscc, loss)
        beside = self._beside(door, {case.epc for case in cases}, behind)
        played = self._portals[door.name].play(body, inbound=leg.inbound, outcome=outcome, beside=beside, at_us=at_us)
        for reader, reads in played.reads:
            self._report(reader, reads)
        agent = self._agents[door.readers[0].name]
        for beam in played.beams:
            if not any(span.holds(beam.at_us) for span in self.trouble.dead[agent]):
                self.tell(beam)
        if played.crossed_s is None:
            return
        crossed_us = at_us + round(played.crossed_s * 1e6)

        def cross(now_us: int) -> None:
            way = "inbound" if leg.inbound else "outbound"
            dark = any(self.trouble.away(reader.name, agent, now_us) for reader in door.readers)
            self.went_through.append((now_us, door.name, leg.inbound, tuple(case.epc for case in cases)))
            for case in cases:
                self._put(case, Moved(now_us, case.zone, leg.target, "door", door.name, way, dark))
            self.at(at_us + round(played.lasts_s * 1e6), then)

        self.at(crossed_us, cross)

    def _beside(
        self, door: DoorConfig, moving: set[str], behind: Sequence[Case]
    ) -> list[tuple[str, Point, Case | None]]:
        """What stands near a door: on shelves on both sides of it, and in the truck."""
        found: list[tuple[str, Point, Case | None]] = []
        for zone, side in ((door.inside, 1), (door.outside, -1)):
            cases = self.goods.standing(zone).values() if zone is not None else ()
            for case in cases:
                if case.near == door.name and case.epc not in moving and len(found) < MOST_BESIDE:
                    own = Random(case.epc)
                    aside_m = own.choice((1, -1)) * own.uniform(1.9, 3.5)
                    found.append((case.epc, (aside_m, side * own.uniform(1.6, 5.0)), case))
        for case in behind[:MOST_BESIDE]:
            own = Random(case.epc)
            found.append((case.epc, (own.uniform(-1, 1), -own.uniform(3.0, 8.0)), case))
        return found

    def _report(self, reader: str, reads: Sequence[TagRead]) -> None:
        reports: dict[int, list[TagRead]] = {}
        agent = self._agents[reader]
        for read in reads:
            if not self.trouble.away(reader, agent, read.at_us):
                told_us = (read.at_us // REPORT_US + 1) * REPORT_US + 30_000
                reports.setdefault(self.trouble.told_us(reader, read.at_us, told_us), []).append(read)
        for told_us, gathered in reports.items():
            self.tell(Heard(told_us, reader, tuple(gathered)))

    def _put(self, case: Case, move: Moved) -> None:
        self.goods.put(case, move)
        if move.target is not None:
            sweep.set_down(case, self._heard_zones, self._random)
            doors = self._doors_of.get(move.target, [])
            case.near = self._random.choice(doors).name if doors and self._random.random() < NEAR_DOOR else None

    def _arrive_unwatched(self, cases: list[Case], target: str, at_us: int, then: Callable[[int], None]) -> None:
        for case in cases:
            self._put(case, Moved(at_us, case.zone, target, "unwatched"))
        self.at(at_us, then)

    def _sweep(self, at_us: int) -> None:
        for ceiling in self._ceilings:
            reads = ceiling.round(at_us)
            if reads and not self.trouble.away(ceiling.name, self._agents[ceiling.name], at_us):
                told_us = at_us + round(sweep.SWEEP_S * 1e6) + REPORT_US
                self.tell(Heard(self.trouble.told_us(ceiling.name, at_us, told_us), ceiling.name, tuple(reads)))
