"""The timer around the zones: what is decided is told in time, and a process that stood still accuses nobody."""

import asyncio
import time

from patience import until
from zonewords import COLD, epc, zone_reader

from contract.events import Device, ZoneLeft, ZoneSeen
from contract.portals import PresenceRules
from edge.llrp.read import Read
from edge.zonekeeper import Zonekeeper

RULES = PresenceRules(min_window_s=0.5, max_window_s=1.5)
READER = zone_reader(a1=COLD).model_copy(update={"keepalive_s": 0.2})


class House:
    """A keeper, a clock that can be set, and five tags that are heard ten times a second."""

    def __init__(self) -> None:
        self.told: list[ZoneSeen | ZoneLeft] = []
        self.ahead_us = 0
        self.keeper = Zonekeeper([READER], RULES, self.told.append, self.clock)

    def clock(self) -> int:
        return time.time_ns() // 1000 + self.ahead_us

    async def answer(self) -> None:
        while True:
            self.keeper.feed([Read(self.clock(), epc(serial), 1, -60.0, "ceiling") for serial in range(5)])
            await asyncio.sleep(0.1)

    def device(self, state: str) -> Device:
        return Device(at_us=self.clock(), decided_us=self.clock(), device="ceiling", state=state)


def test_tags_are_told_and_neither_a_clock_that_is_set_nor_a_blind_reader_takes_them_away() -> None:
    async def story() -> None:
        house = House()
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(house.keeper.run())
            answering = tasks.create_task(house.answer())
            await until(lambda: sum(len(event.epcs) for event in house.told) == 5)
            house.ahead_us += 3_600_000_000
            await asyncio.sleep(1.5)
            house.keeper.reader(house.device("blind"))
            answering.cancel()
            await asyncio.sleep(1.5)
            assert not [event for event in house.told if isinstance(event, ZoneLeft)]
            assert house.keeper.figures("ceiling") == {"present_cold-room": 5}
            house.keeper.reader(house.device("connected"))
            await until(lambda: any(isinstance(event, ZoneLeft) for event in house.told))
            keeping.cancel()

    asyncio.run(story())
