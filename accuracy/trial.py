"""One simulated week from its first event to its score, and many of them side by side."""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from msgspec import Struct

from accuracy import causes
from accuracy.agent import Agent
from accuracy.books import Books
from accuracy.causes import Believed, Said, Wrong
from accuracy.clerk import Clerk
from accuracy.handheld import HANDHELD
from accuracy.naive import NaiveBooks
from accuracy.score import Score, score
from contract.events import DoorPass, ZoneLeft, ZoneSeen
from contract.site import Site
from firmware_sim.config import WorldConfig
from firmware_sim.week.plan import Week
from firmware_sim.week.told import Beam, Entry, Heard, Minute, Notice, Sight
from firmware_sim.week.told import Said as StaffSaid
from firmware_sim.week.trouble import DAY_US, HOUR_US
from gateway.ledger.house import House

CLOSED_US: Final = 21 * HOUR_US + 30 * 60_000_000
"""Of the day, when it is scored."""


class Result(Struct, frozen=True):
    """One week."""

    seed: int
    naive: tuple[Score, ...]
    """By day; the last is the week's."""
    alone: tuple[Score, ...]
    """The ledger without staff."""
    clerked: tuple[Score, ...]
    causes_alone: dict[str, int]
    causes_clerked: dict[str, int]
    wrong: tuple[str, ...]
    """Every case that the ledger with its staff had wrong at the end."""
    reads: dict[str, float]
    """Share of the tags that went through each door and were told of."""
    directions: dict[str, int]
    events: int
    lost_events: int
    """That an agent has made and could send, and that are not in the log."""
    clerk: dict[str, int]


class Trial:
    """One seed."""

    def __init__(self, site: Site, seed: int, days: int, alone: Books, clerked: Books, *, whole_house: bool) -> None:
        world = msgspec.convert(site.model_dump(mode="json"), WorldConfig)
        heard_by = {reader.name: door.agent for door in site.doors for reader in door.readers}
        heard_by |= {reader.name: reader.agent for reader in site.zone_readers}
        self._site = site
        self._seed = seed
        self._agent_of = heard_by
        self._eye_of = {
            eye: door.agent
            for door in site.doors
            if door.photo_eyes
            for eye in (door.photo_eyes.outer, door.photo_eyes.inner)
        }
        self.week = Week(world, heard_by, seed, days)
        self._agents = {name: self._new_agent(name) for name in sorted(set(heard_by.values()))}
        self._was_dead = dict.fromkeys(self._agents, False)
        self._alone, self._clerked = alone, clerked
        self._naive = NaiveBooks(site.doors, _sku_of(site))
        self._alone.overheard = self._naive.take
        self._clerk = Clerk(site, clerked, self.week.people, seed, whole_house=whole_house)
        self.said: dict[str, list[Said]] = defaultdict(list)
        self._announced: dict[str, None] = {}
        """EPCs in despatch advices."""
        self.scores: list[tuple[Score, Score, Score]] = []

    def _new_agent(self, name: str) -> Agent:
        offsets = Random(f"readers {self._seed}")
        offsets_us = {reader: round(offsets.gauss(0, 3600) * 1e6) for reader in sorted(self._agent_of)}
        return Agent(self._site, name, self.week.trouble.clocks[name], offsets_us)

    async def run(self) -> Result:
        """From Monday's opening balance to the last evening."""
        standing = self.week.opening()
        self._set(self.week.begin_us)
        self._naive.open(standing)
        for books in (self._alone, self._clerked):
            await books.open_balance(standing)
        for entry in self.week.entries():
            self._set(entry.at_us)
            await self._take(entry)
        return self._result()

    def _set(self, at_us: int) -> None:
        for books in (self._alone, self._clerked):
            books.clock.reach(at_us)

    async def _take(self, entry: Entry) -> None:
        match entry:
            case Heard(reader=reader) | Sight(reader=reader):
                if not self._dead(self._agent_of[reader], entry.at_us):
                    self._agents[self._agent_of[reader]].take(entry)
            case Beam(register=register):
                self._agents[self._eye_of[register]].take(entry)
            case Notice():
                self._announced.update(dict.fromkeys(case.epc for case in entry.cases))
                await self._alone.announce(entry)
                await self._clerked.announce(entry)
            case StaffSaid():
                await self._clerk.said(entry)
            case Minute():
                await self._minute(entry.at_us)

    async def _minute(self, now_us: int) -> None:
        for name, agent in self._agents.items():
            if self._dead(name, now_us):
                self._was_dead[name] = True
                continue
            if self._was_dead[name]:  # it begins anew, and has forgotten what it had heard
                self._was_dead[name] = False
                agent = self._agents[name] = self._new_agent(name)
            agent.minute(now_us)
            self._note(agent, now_us)
            bodies = agent.emptied()
            for books in (self._alone, self._clerked):
                books.lines[name].put(bodies)
        clocks_us = {name: agent.now_us(now_us) for name, agent in self._agents.items()}
        offline = {name: self._dead(name, now_us) or self._offline(name, now_us) for name in self._agents}
        for books in (self._alone, self._clerked):
            await books.minute(clocks_us, offline)
        await self._clerk.minute(now_us)
        if now_us % DAY_US == CLOSED_US:
            self._score()

    def _score(self) -> None:
        truth = self.week.goods.stock()
        found = [score(truth, books) for books in (self._naive.stock, self._alone.stock(), self._clerked.stock())]
        self.scores.append((found[0], found[1], found[2]))

    def _dead(self, agent: str, at_us: int) -> bool:
        return any(span.holds(at_us) for span in self.week.trouble.dead[agent])

    def _offline(self, agent: str, at_us: int) -> bool:
        return any(span.holds(at_us) for span in self.week.trouble.offline[agent])

    def _note(self, agent: Agent, now_us: int) -> None:
        """For the causes: what was said of each tag, by the true clock."""
        for event in agent.decided:
            if isinstance(event, DoorPass):
                for epc in event.epcs:
                    self.said[epc].append(Said(now_us, event.door, event.direction))
            elif isinstance(event, ZoneSeen | ZoneLeft):
                for epc in event.epcs:
                    self.said[epc].append(Said(now_us, event.zone, "seen" if isinstance(event, ZoneSeen) else "left"))

    def _result(self) -> Result:
        wrong_alone, wrong = self._wrong(self._alone), self._wrong(self._clerked)
        reads, directions = causes.at_doors(self.week.went_through, self.said)
        return Result(
            seed=self._seed,
            naive=tuple(one[0] for one in self.scores),
            alone=tuple(one[1] for one in self.scores),
            clerked=tuple(one[2] for one in self.scores),
            causes_alone=dict(causes.tally(wrong_alone)),
            causes_clerked=dict(causes.tally(wrong)),
            wrong=tuple(str(one) for one in wrong),
            reads=reads,
            directions=directions,
            events=self._alone.ledger.last_id,
            lost_events=sum(
                line.made - line.waiting - books.ledger.through(name, line.epoch)
                for books in (self._alone, self._clerked)
                for name, line in books.lines.items()
            ),
            clerk=self._clerk.figures,
        )

    def _wrong(self, books: Books) -> list[Wrong]:
        return list(causes.wrong_ones(self.week.goods.known, self._announced, _believed(books), self.said))


def _sku_of(site: Site) -> Callable[[str], str | None]:
    house = House(site)
    return lambda epc: house.tag(epc).sku


def _believed(books: Books) -> Callable[[str], Believed]:
    def of(epc: str) -> Believed:
        item = books.ledger.item(epc)
        if item is None:
            return Believed(None, None, "nobody")
        return Believed(item.zone, item.sku, item.placed[1] if item.placed else "nobody")

    return of


def play(site: Site, seed: int, days: int, whole_house: bool = False) -> Result:
    """One week, in a folder of its own that goes afterwards. `whole_house`: the day's count is not of one zone only."""

    async def run(folder: Path) -> Result:
        agents = sorted({agent.name for agent in site.agents})
        with ExitStack() as stack:
            alone = stack.enter_context(Books.open(folder / "alone", site, agents, seed))
            clerked = stack.enter_context(Books.open(folder / "clerked", site, [*agents, HANDHELD], seed))
            return await Trial(site, seed, days, alone, clerked, whole_house=whole_house).run()

    with tempfile.TemporaryDirectory(prefix="truecount-week-") as folder:
        return asyncio.run(run(Path(folder)))


def play_all(
    site: Site, seeds: Sequence[int], days: int, processes: int, *, whole_house: bool = False
) -> Iterator[Result]:
    """Week after week as they are done, a process each."""
    one_week = partial(play, site, days=days, whole_house=whole_house)
    if processes <= 1 or len(seeds) == 1:
        yield from map(one_week, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(one_week, seeds)
