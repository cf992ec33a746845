"""What people come for in a week: trucks, orders, returns, and what goes wrong on the way."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Final

from firmware_sim.config import SimulationConfig
from firmware_sim.doorscene.load import Carrier
from firmware_sim.week.goods import Case
from firmware_sim.week.told import Notice, NoticeCase, NoticeLine, Said
from firmware_sim.week.trouble import DAY_US, HOUR_US
from firmware_sim.week.ways import Leg

if TYPE_CHECKING:
    from firmware_sim.week.plan import Week

MINUTE_US: Final = 60_000_000
TRUCKS, ORDERS = 4, 12
"""A day."""
ORDER_LINES, LINE_UNITS = (2, 4), (2, 6)
ADVISED_BY_CASE: Final = 0.75
"""Share of the partners who name every case, besides SKUs and units."""
SHORT, OVER = 0.08, 0.08
"""Shares of the trucks that lack cases which were announced, or bring some that were not."""
MISTAGGED, OTHER_TAG = 0.004, 0.004
"""Shares of the cases whose tag says another SKU, and whose tag is not the one that was announced."""
UNWATCHED: Final = 0.04
"""Share of the putaways and picks that go by a way without a reader."""
WRONG_SKU, WRONG_COUNT = 0.01, 0.02
"""Shares of the picked lines."""
FORGOTTEN: Final = 0.03
"""Share of the orders of which a case is left in the dispatch zone."""
A_DAY: Final = {"misplace": 1.0, "waste": 1.5, "theft": 0.3, "give_back": 1.0, "turn_back": 3.0, "drive_past": 4.0}
WASTE_TOLD: Final = 0.7
"""Share of what is thrown away that staff say so of."""


class Errands:
    """The calendar of a week, drawn day by day."""

    def __init__(self, week: "Week", config: SimulationConfig, days: int, seed: int) -> None:
        self._week = week
        self._config = config
        self._random = Random(f"errands {seed}")
        self._number = 0
        odd: dict[str, Callable[[int], None]] = {
            "misplace": self._misplace,
            "waste": self._waste,
            "theft": self._theft,
            "give_back": self._give_back,
            "turn_back": self._turn_back,
            "drive_past": self._drive_past,
        }
        for day in range(days):
            midnight_us = week.begin_us // DAY_US * DAY_US + day * DAY_US
            for n in range(TRUCKS):
                week.at(self._hour(midnight_us, 6.0 + 2 * n, 7.5 + 2 * n), self._advise)
            for n in range(ORDERS):
                week.at(self._hour(midnight_us, 6.5 + 0.7 * n, 7.2 + 0.7 * n), self._order)
            for kind, work in odd.items():
                for _ in range(self._some(A_DAY[kind])):
                    week.at(self._hour(midnight_us, 6.5, 17.5), work)

    def _hour(self, midnight_us: int, from_h: float, to_h: float) -> int:
        return midnight_us + round(self._random.uniform(from_h, to_h) * HOUR_US)

    def _some(self, mean: float) -> int:
        """About so many: Poisson."""
        count, left = 0, self._random.expovariate(1.0)
        while left < mean:
            count += 1
            left += self._random.expovariate(1.0)
        return count

    # Goods come in

    def _advise(self, now_us: int) -> None:
        """A partner loads a truck, says so (and is wrong now and then), and it comes an hour later."""
        random, week = self._random, self._week
        self._number += 1
        name, by_case = f"in-{self._number}", random.random() < ADVISED_BY_CASE
        wanted = self._least(self._config.pallets_per_truck)
        pallets = [
            (week.pallet_tag(), [self._new_case(sku) for _ in range(self._config.cases_per_pallet)]) for sku in wanted
        ]
        cases = [NoticeCase(self._announced(case), sscc) for sscc, held in pallets for case in held]
        lines = Counter(case.sku for _, held in pallets for case in held)
        lot = random.random()
        sscc, held = pallets[-1]
        if lot < SHORT:
            del held[: random.randint(1, 2)]
        elif lot < SHORT + OVER:
            held += [week.case(random.choice(wanted)) for _ in range(random.randint(1, 2))]
        told = tuple(NoticeLine(sku, units) for sku, units in lines.items())
        week.tell(
            Notice(
                now_us,
                name,
                "inbound",
                f"partner-{random.randrange(6)}",
                week.ways.inward.name,
                lines=told,
                cases=tuple(cases) if by_case else (),
            )
        )
        at_us = now_us + round(random.uniform(0.5, 1.5) * HOUR_US)
        for n, (sscc, held) in enumerate(pallets):
            behind = [case for _, later in pallets[n + 1 :] for case in later]
            self._unload(sscc, held, behind, at_us + n * round(random.uniform(2, 5) * MINUTE_US))

    def _new_case(self, sku: str) -> Case:
        others = [other for other in self._week.skus if other != sku]
        return self._week.case(sku, self._random.choice(others) if self._random.random() < MISTAGGED else None)

    def _announced(self, case: Case) -> str:
        """What the partner thinks that the tag says."""
        return self._week.tag(case.sku) if self._random.random() < OTHER_TAG else case.epc

    def _least(self, count: int) -> list[str]:
        """SKUs that the house is short of."""
        held: Counter[str] = Counter()
        for (sku, _), units in self._week.goods.stock().items():
            held[sku] += units
        return sorted(self._week.skus, key=lambda sku: held[sku] + self._random.uniform(0, 15))[:count]

    def _unload(self, sscc: str, cases: list[Case], behind: list[Case], at_us: int) -> None:
        week = self._week
        rest_us = round(self._random.uniform(20, 120) * MINUTE_US)

        def landed(now_us: int) -> None:
            week.at(now_us + rest_us, lambda later_us: self._put_away(sscc, cases, later_us))

        leg = Leg(week.ways.inward, inbound=True)
        week.go(leg, cases, "pallet", at_us, sscc=sscc, behind=behind, then=landed)

    def _put_away(self, sscc: str | None, cases: Sequence[Case], at_us: int) -> None:
        week = self._week
        for home in sorted({week.home(case.sku) for case in cases}):
            mine = [case for case in cases if week.home(case.sku) == home]
            week.carry(mine, "pallet", home, at_us, sscc=sscc, watched=self._random.random() >= UNWATCHED)

    # Goods go out

    def _order(self, now_us: int) -> None:
        """A customer orders, goods are picked, brought to the dispatch zone and loaded."""
        random, week = self._random, self._week
        self._number += 1
        lines: dict[str, int] = {}
        for sku in random.sample(week.skus, random.randint(*ORDER_LINES)):
            there = len(week.goods.of(week.home(sku), sku))
            units = min(random.randint(*LINE_UNITS), there - 2)
            if units > 0:
                lines[sku] = units
        if not lines:
            return
        told = tuple(NoticeLine(sku, units) for sku, units in lines.items())
        name = f"out-{self._number}"
        door = week.ways.outward.name
        week.tell(Notice(now_us, name, "outbound", f"customer-{random.randrange(20)}", door, lines=told))
        picked: list[Case] = []
        at_us = now_us + round(random.uniform(5, 40) * MINUTE_US)
        homes = sorted({week.home(sku) for sku in lines})
        for home in homes:
            mine = {sku: units for sku, units in lines.items() if week.home(sku) == home}
            week.at(at_us, lambda now_us, home=home, mine=mine: self._pick(home, mine, picked, now_us))  # type: ignore[misc]
        week.at(at_us + round(random.uniform(40, 120) * MINUTE_US), lambda now_us: self._load(name, picked, now_us))

    def _pick(self, home: str, lines: dict[str, int], picked: list[Case], at_us: int) -> None:
        random, week = self._random, self._week
        found: list[Case] = []
        for sku, units in lines.items():
            taken = random.choice(week.skus) if random.random() < WRONG_SKU else sku
            if random.random() < WRONG_COUNT:
                units += random.choice((-1, 1))
            found += [case for case in week.goods.of(home, taken) if case not in found][:units]
        picked += found
        carrier: Carrier = "trolley" if len(found) <= 8 else "pallet"
        watched = random.random() >= UNWATCHED
        week.carry(found, carrier, week.ways.dispatch, at_us, watched=watched)

    def _load(self, name: str, picked: list[Case], at_us: int) -> None:
        week = self._week

        def gone(now_us: int) -> None:
            week.tell(Said(now_us + 5 * MINUTE_US, "loaded", name))

        here = week.goods.standing(week.ways.dispatch)
        ready = [case for case in picked if case.epc in here]
        if len(ready) > 2 and self._random.random() < FORGOTTEN:
            ready.pop(self._random.randrange(len(ready)))
        if ready:
            week.go(Leg(week.ways.outward, inbound=False), ready, "pallet", at_us, sscc=week.pallet_tag(), then=gone)

    # What is neither

    def _misplace(self, at_us: int) -> None:
        """Somebody puts a few cases into the wrong zone, by a way without a reader."""
        week = self._week
        zones = [*week.ways.homes, week.ways.receiving]
        target = self._random.choice(zones)
        cases = self._any(self._random.choice([zone for zone in zones if zone != target]), self._random.randint(1, 4))
        if cases:
            week.carry(cases, "hand", target, at_us, watched=False)

    def _waste(self, at_us: int) -> None:
        for case in self._any(self._random.choice(self._week.ways.homes), 1):
            self._week.vanish(case, "damaged", at_us)
            if self._random.random() < WASTE_TOLD:
                self._week.tell(Said(at_us + MINUTE_US, "scrapped", case.epc))

    def _theft(self, at_us: int) -> None:
        for case in self._any(self._random.choice(self._week.ways.homes), 1):
            self._week.vanish(case, "stolen", at_us)

    def _give_back(self, at_us: int) -> None:
        """A customer brings back what was sold, and it is put away again."""
        week, sold = self._week, self._week.goods.sold
        cases = [sold.pop(self._random.randrange(len(sold))) for _ in range(min(len(sold), self._random.randint(1, 3)))]
        if not cases:
            return

        def landed(now_us: int) -> None:
            self._put_away(None, cases, now_us + round(self._random.uniform(10, 60) * MINUTE_US))

        week.go(Leg(week.ways.inward, inbound=True), cases, "trolley", at_us, then=landed)

    def _turn_back(self, at_us: int) -> None:
        """Somebody comes to a door with goods, and goes back with them."""
        door = self._random.choice(self._week.doors)
        origin, inbound = (door.outside, True) if door.outside and self._random.random() < 0.5 else (door.inside, False)
        cases = self._any(origin, self._random.randint(1, 6))
        if cases:
            self._week.go(Leg(door, inbound), cases, "trolley", at_us, outcome="turned_back")

    def _drive_past(self, at_us: int) -> None:
        door = self._random.choice(self._week.doors)
        cases = self._any(door.inside, self._random.randint(1, 8))
        if cases:
            self._week.go(Leg(door, inbound=True), cases, "pallet", at_us, outcome="driven_past")

    def _any(self, zone: str, count: int) -> list[Case]:
        here = list(self._week.goods.standing(zone).values())
        return self._random.sample(here, min(count, len(here)))
