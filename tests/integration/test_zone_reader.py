"""A ceiling reader over a cold room, from the simulated reader over LLRP to the ledger: who is there, who has left."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from patience import until

from contract import events
from contract.site import Site
from edge import agent
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader, wall_us
from gateway.broker import running
from gateway.intake import Intake
from gateway.ledger.ledger import Ledger
from gateway.records import GATEWAY, decode

CASES = [f"30395dfa834d8b80000000{serial:02x}" for serial in range(8)]
TAKEN = CASES[0]
LONGEST_WINDOW_S = 2.5


def site(folder: Path, broker_port: int, reader_port: int) -> Site:
    name = {"en": "x", "zh": "x"}
    zone_reader = {"name": "ceiling", "agent": "cold", "port": reader_port, "zones": {1: "cold-room", 2: "cold-room"}}
    return Site.model_validate(
        {
            "site": "north",
            "title": name,
            "broker": {"kind": "nats", "port": broker_port, "data": folder / "broker"},
            "agents": [{"name": "cold", "data": folder / "edge", "ack_timeout_s": 0.5}],
            "zones": [{"name": "cold-room", "title": name}],
            "zone_readers": [{**zone_reader, "keepalive_s": 0.5}],
            "presence": {"min_window_s": 0.5, "max_window_s": LONGEST_WINDOW_S},
        }
    )


class Room:
    """The cases under the reader, and what the gateway's log says."""

    def __init__(self, reader: SimReader, ledger: Ledger) -> None:
        self.reader, self.ledger = reader, ledger
        self.cases = set(CASES)
        self._random = Random(5)

    async def answer(self) -> None:
        """Each tag answers about five times a second."""
        while True:
            now_us = wall_us()
            heard = [epc for epc in sorted(self.cases) if self._random.random() < 0.5]
            antenna = self._random.choice((1, 2))
            self.reader.deliver([TagRead(now_us, epc, antenna, -60, 0, 1, 0) for epc in heard])
            await asyncio.sleep(0.1)

    def told(self, kind: type) -> list[str]:
        """The tags that events of a kind told of, in their order."""
        log = [decode(row.body) for row in self.ledger.rows(0, 10_000) if row.agent != GATEWAY]
        return [epc for event in log if isinstance(event, kind) for epc in event.epcs]

    def states(self) -> list[str]:
        log = [decode(row.body) for row in self.ledger.rows(0, 10_000) if row.agent != GATEWAY]
        return [one.state for one in log if isinstance(one, events.Device) and one.device == "ceiling"]

    def units(self) -> int:
        """What the ledger holds in the cold room."""
        return sum(stock.zones.get("cold-room", 0) for stock in self.ledger.views("stock").values())


@asynccontextmanager
async def at_work(*parts: Callable[[], "asyncio.Future[None]"]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(part()) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Room]:
    broker = site(folder, 1883, 1).broker
    async with SimReader("ceiling") as reader, running(broker, free_port=True) as child:
        here = site(folder, child.broker.port, reader.port)
        with Ledger.open(folder / "ledger.db", here, lambda: time.time_ns() // 1000) as ledger:
            one = Room(reader, ledger)
            async with at_work(Intake(here, ledger).run, lambda: agent.run(here, "cold"), one.answer):
                yield one


def test_cases_appear_one_is_taken_away_and_a_frozen_or_dead_reader_takes_nothing_with_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with room(tmp_path) as one:
            await until(lambda: sorted(one.told(events.ZoneSeen)) == CASES)
            assert one.units() == len(CASES)

            one.reader.freeze()
            await until(lambda: one.states()[-1] == "lost")
            one.reader.thaw()
            await until(lambda: one.states()[-1] == "connected")

            one.cases.remove(TAKEN)
            await until(lambda: one.told(events.ZoneLeft) == [TAKEN])
            assert one.units() == len(CASES), "not seen is not gone"

            await one.reader.power_off()
            await until(lambda: one.states()[-1] == "lost")
            await asyncio.sleep(LONGEST_WINDOW_S + 2.5)  # and what departures wait for each other
            await one.reader.power_on()
            await until(lambda: one.states()[-1] == "connected")
            await asyncio.sleep(LONGEST_WINDOW_S)
            assert one.told(events.ZoneLeft) == [TAKEN]
            assert sorted(one.told(events.ZoneSeen)) == CASES, "those who stayed are told once"

    asyncio.run(story())
