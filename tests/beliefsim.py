"""Pallets in a cold room under a ceiling reader: what is believed of each case, beside what is so.

    python tests/beliefsim.py [DAYS SEED HOUSES]

Reads go through the real presence rule of the edge, its events through `gateway.belief` as the fold calls it. Each case
is read in 60 to 97 % of the rounds. Now and then a case, or most of a pallet, is hidden for a time (median 20 minutes,
one in forty for more than six hours). Pallets leave by a door, which books it, or unseen to a shelf, where most of
their cases are seen within an hour and a half; single cases are stolen. The reader is lost for hours, and the agent
begins anew.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from beliefbooks import READER, Books
from zonewords import COLD, SECOND, SHELF, START_US, epc, zone_reader

from contract.events import TagCount, ZoneSeen
from contract.portals import PresenceRules
from edge.llrp.read import Read
from edge.portal.presence import ZoneTracker
from gateway.belief import tidings

ROUND_S: Final = 30
SAMPLE_S: Final = 1800
PALLETS: Final = 8
CASES: Final = 10
HOUR_S: Final = 3600.0
BINS: Final = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.995)


@dataclass
class Case:
    """One case, as it is."""

    epc: str
    chance: float
    """That it is read in a round."""
    steal_s: float
    hidden_until_s: float = 0.0
    gone_s: float | None = None
    """When it left the room."""
    gone_word: float | None = None
    """After so long it was believed probably gone."""


@dataclass
class Pallet:
    """Cases that travel together."""

    name: str
    cases: list[Case]
    leave_s: float
    way: str
    tidings: list[tuple[float, str, str | None]] = field(default_factory=list)
    """(when, EPC, zone) that a door or another reader tells after they left."""


@dataclass(frozen=True)
class World:
    """What happens there, and how often."""

    counts: bool = False
    """By hand, at noon of each day."""
    rates: tuple[float, float] = (0.6, 0.97)
    """Of a round, between which the tags lie."""
    steals_h: float = 0.004
    """Of a case, an hour."""
    unseen: float = 0.2
    """Share of pallets that leave without a door."""
    hides_h: float = 1 / 30
    """Of a case alone, an hour; half as often with its pallet."""


WORLDS: Final = {
    "as described": World(),
    "a count a day": World(counts=True),
    "read in 10 to 60 % of rounds": World(rates=(0.1, 0.6)),
    "nobody steals, all leave by the door": World(steals_h=1e-9, unseen=0.0),
    "five times the thefts": World(steals_h=0.02),
    "tags hide five times as often": World(hides_h=1 / 6),
}


class Said(NamedTuple):
    """What was believed of one case at one moment, with its siblings, and by itself; and whether it was so."""

    r: float
    alone: float
    silent: bool
    here: bool


class House:
    """The simulated room. Seconds since the beginning."""

    def __init__(self, seed: int, world: World = WORLDS["as described"]) -> None:
        self.random = Random(seed)
        self.world = world
        self.books = Books()
        self.said: list[Said] = []
        self.noticed_s: list[float] = []
        """From an unbooked departure to the word probably gone."""
        self.unnoticed = 0
        """Unbooked departures that were never so called, of those more than 12 hours old and not booked meanwhile."""
        self._serial = 0
        self._pallets: list[Pallet] = []
        self._tracker = ZoneTracker([zone_reader(a1=COLD)], PresenceRules())
        self._dark: list[tuple[float, float, bool]] = []

    def run(self, days: float) -> "House":
        """Live for so many days."""
        end_s = days * 86400
        self._dark = list(self._darknesses(end_s))
        now_s = 0.0
        while now_s < end_s:
            self._arrive(now_s)
            self._live(now_s)
            self._read(now_s)
            if now_s % SAMPLE_S == 0:
                self._sample(now_s)
            if self.world.counts and now_s % 86400 == 43200:
                self._count(now_s)
            now_s += ROUND_S
        for pallet in self._pallets:
            for case in pallet.cases:
                booked = self.books.places[case.epc].zone != COLD
                if case.gone_s is not None and not booked and case.gone_s < end_s - 12 * HOUR_S:
                    self.unnoticed += case.gone_word is None
        return self

    def _arrive(self, now_s: float) -> None:
        while len([1 for pallet in self._pallets if pallet.leave_s > now_s]) < PALLETS:
            random, name = self.random, f"pallet {len(self._pallets)}"
            cases = []
            for _ in range(CASES):
                self._serial += 1
                steal_s = now_s + random.expovariate(self.world.steals_h) * HOUR_S
                cases.append(Case(epc(self._serial), random.uniform(*self.world.rates), steal_s))
            way = "unseen" if random.random() < self.world.unseen else "door"
            leave_s = now_s + random.expovariate(1 / 18) * HOUR_S
            self._pallets.append(Pallet(name, cases, leave_s, way))
            for case in cases:
                self.books.container[case.epc] = name
                self.books.put(case.epc, COLD, _us(now_s), 0.97)

    def _live(self, now_s: float) -> None:
        random, hides = self.random, self.world.hides_h * ROUND_S / HOUR_S
        for pallet in self._pallets:
            here = [case for case in pallet.cases if case.gone_s is None]
            if here and random.random() < hides / 2:
                hidden = [case for case in here if random.random() < 0.8]
                until_s = now_s + self._hiding_s()
                for case in hidden:
                    case.hidden_until_s = max(case.hidden_until_s, until_s)
            for case in here:
                if now_s >= min(case.steal_s, pallet.leave_s):
                    case.gone_s = now_s
                    if pallet.leave_s <= case.steal_s:
                        self._leave(pallet, case, now_s)
                elif random.random() < hides:
                    case.hidden_until_s = max(case.hidden_until_s, now_s + self._hiding_s())
            while pallet.tidings and pallet.tidings[0][0] <= now_s:
                at_s, one, zone = pallet.tidings.pop(0)
                if zone is None:
                    self.books.put(one, None, _us(at_s))
                    continue
                seen = ZoneSeen(at_us=_us(at_s), decided_us=_us(at_s), zone=zone, epcs=(one,))
                self.books.tell(seen, "shelf-edge")

    def _leave(self, pallet: Pallet, case: Case, now_s: float) -> None:
        if pallet.way == "door":
            pallet.tidings.append((now_s + 60, case.epc, None))
        elif self.random.random() < 0.7:
            pallet.tidings.append((now_s + self.random.uniform(0.1, 1.5) * HOUR_S, case.epc, SHELF))
        pallet.tidings.sort()

    def _hiding_s(self) -> float:
        return 1200 * self.random.lognormvariate(0, 1.5)

    def _read(self, now_s: float) -> None:
        dark = [anew for since_s, until_s, anew in self._dark if since_s <= now_s < until_s]
        for since_s, until_s, anew in self._dark:
            zone = self.books.zones[COLD]
            if since_s == now_s:
                self._tracker.blind(_us(now_s), READER)
                if anew:
                    tidings.agent(zone, "edge", _us(now_s), heard=False)
                else:
                    tidings.reader(zone, READER, _us(now_s), sees=False)
            elif until_s == now_s and anew:
                self._tracker = ZoneTracker([zone_reader(a1=COLD)], PresenceRules())
                tidings.agent(zone, "edge", _us(now_s), heard=True)
            elif until_s == now_s:
                self._tracker.sighted(_us(now_s), READER)
                tidings.reader(zone, READER, _us(now_s), sees=True)
        if dark:
            return
        random, reads = self.random, []
        for pallet in self._pallets:
            for case in pallet.cases:
                audible = case.gone_s is None and now_s >= case.hidden_until_s
                if audible and random.random() < case.chance:
                    at_us = _us(now_s + random.uniform(0, ROUND_S))
                    reads.append(Read(at_us, case.epc, 1, random.gauss(-60, 4), READER))
        self._tracker.feed(sorted(reads, key=lambda read: read.at_us))
        now_us = _us(now_s + ROUND_S)
        while (due_us := self._tracker.next_due_us()) is not None and due_us <= now_us:
            for event in self._tracker.due(now_us):
                self.books.tell(event)

    def _darknesses(self, end_s: float) -> Iterator[tuple[float, float, bool]]:
        at_s = 0.0
        while at_s < end_s:
            at_s += self.random.expovariate(1 / 14) * HOUR_S
            since_s = at_s // ROUND_S * ROUND_S
            at_s += self.random.uniform(0.2, 3) * HOUR_S
            yield since_s, at_s // ROUND_S * ROUND_S, self.random.random() < 0.3

    def _sample(self, now_s: float) -> None:
        beliefs = self.books.beliefs(_us(now_s))
        for pallet in self._pallets:
            for case in pallet.cases:
                if self.books.places[case.epc].zone != COLD:
                    continue
                belief = beliefs[case.epc]
                alone = self.books.belief(case.epc, _us(now_s))
                self.said.append(Said(belief.r, alone.r, alone.state == "silent", case.gone_s is None))
                if case.gone_s is not None and case.gone_word is None and belief.word == "probably_gone":
                    case.gone_word = now_s - case.gone_s
                    self.noticed_s.append(case.gone_word)

    def _count(self, now_s: float) -> None:
        """By hand: 99 of 100 that are there are found."""
        for pallet in self._pallets:
            for case in pallet.cases:
                if self.books.places[case.epc].zone != COLD:
                    continue
                if case.gone_s is None and self.random.random() < 0.99:
                    at_us = _us(now_s)
                    step = TagCount(at_us=at_us, decided_us=at_us, count="daily", zone=COLD, epcs=(case.epc,))
                    self.books.tell(step, "handheld")
                else:
                    self.books.search(case.epc, _us(now_s))


def _us(now_s: float) -> int:
    return START_US + round(now_s * SECOND)


class Bin(NamedTuple):
    """Cases of about the same belief."""

    least: float
    count: int
    believed: float
    """Mean."""
    here: float
    """Share that was so."""


def curve(said: list[tuple[float, bool]]) -> list[Bin]:
    """The bins that hold any."""
    bins = []
    for least, most in zip(BINS, [*BINS[1:], 1.01], strict=True):
        mine = [one for one in said if least <= one[0] < most]
        if mine:
            believed = sum(r for r, _ in mine) / len(mine)
            bins.append(Bin(least, len(mine), believed, sum(here for _, here in mine) / len(mine)))
    return bins


def brier(said: list[tuple[float, bool]]) -> float:
    """Mean squared error of probabilities (Brier 1950)."""
    return sum((r - here) ** 2 for r, here in said) / len(said)


def table(house: House) -> str:
    """All figures for people."""
    said = house.said
    rules = {
        "believed": [(one.r, one.here) for one in said],
        "without siblings": [(one.alone, one.here) for one in said],
        "books": [(1.0, one.here) for one in said],
        "silent is gone": [(0.0 if one.silent else 1.0, one.here) for one in said],
    }
    lines = [f"{'belief':<20}{'case-moments':>13}{'said':>8}{'here':>8}"]
    lines += [
        f"  from {one.least:<13.3f}{one.count:13}{one.believed:8.3f}{one.here:8.3f}" for one in curve(rules["believed"])
    ]
    here = [one for one in said if one.here]
    gone = [one for one in said if not one.here]
    lines += [f"Brier {name}: {brier(of):.5f}" for name, of in rules.items()]
    lines.append(f"here, called probably gone: {sum(one.r < 0.2 for one in here) / len(here):.5%} of {len(here)}")
    lines.append(f"   silent is gone: {sum(one.silent for one in here) / len(here):.5%}")
    lines.append(
        f"gone, called probably gone: {sum(one.r < 0.2 for one in gone) / max(1, len(gone)):.2%} of {len(gone)}"
    )
    expected, true = sum(one.r for one in said), len(here)
    lines.append(f"units believed {expected:.0f}, true {true}, books {len(said)}")
    if waits := sorted(house.noticed_s):
        median_h, late_h = waits[len(waits) // 2] / HOUR_S, waits[int(len(waits) * 0.9)] / HOUR_S
        lines.append(
            f"probably gone after {median_h:.1f} h (median), {late_h:.1f} h (9 in 10) of {len(waits)}; "
            f"never {house.unnoticed}"
        )
    silences = house.books.zones[COLD].silences
    lines.append(
        f"learned: {silences.return_share:.2f} of silences return, after {silences.return_s / HOUR_S:.2f} h; "
        f"cover {silences.cover:.3f}; {1000 * silences.hazard_h:.2f} unnoticed in 1,000 h; {silences}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    days, seed, houses = (float(sys.argv[1]), *map(int, sys.argv[2:4])) if len(sys.argv) > 3 else (4.0, 1, 1)
    for name, world in WORLDS.items():
        together = House(seed, world)
        for one in range(seed, seed + houses):
            house = House(one, world).run(days)
            together.said += house.said
            together.noticed_s += house.noticed_s
            together.unnoticed += house.unnoticed
            together.books = house.books
        print(f"{name}: {houses} houses, {days:g} days each, seed {seed}")
        print(table(together), "\n", flush=True)
