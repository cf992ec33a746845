"""The people at a sorting line: they tell the gateway which lot comes, then pour it on the belt.

The belt is started when somebody watches its camera. A lot is told when the belt is empty, and its fruit comes when it
is accepted: the camera sees one lot at a time.
"""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from firmware_sim.belt import Belt
from firmware_sim.camera import Camera
from firmware_sim.courier import Courier
from firmware_sim.errors import Refused
from firmware_sim.lots import Lot, Lots

log = structlog.get_logger()

WHO = "line crew"


class Crew:
    """The crew of one line."""

    def __init__(
        self,
        line: str,
        gateway: str,
        belt: Belt,
        camera: Camera,
        lots: Lots,
        courier: Courier,
        clock_us: Callable[[], int],
        fruit: int,
    ) -> None:
        self._line = line
        self._url = f"{gateway}/api/v1/lines/{line}/lot"
        self._belt = belt
        self._camera = camera
        self._lots = lots
        self._courier = courier
        self._clock_us = clock_us
        self._fruit = fruit
        self._open = asyncio.Event()
        self._resting = asyncio.Event()

    def open(self) -> None:
        """Work begins."""
        self._open.set()

    def rest(self) -> None:
        """No more lots; what is not yet in view is taken off the belt."""
        self._resting.set()
        self._belt.stop(self._clock_us())

    @property
    def done(self) -> bool:
        """Nothing is on the belt, and nothing will be."""
        return self._resting.is_set() and self._belt.empty_us <= self._clock_us()

    async def run(self) -> None:
        """Lot after lot, until cancelled."""
        await self._open.wait()
        await self._camera.until_watched()
        while self._fruit and not self._resting.is_set():
            lot = self._lots.next()
            name = await self._told(lot)
            if self._resting.is_set():
                return
            self._belt.begin(name, lot.defective_share, self._fruit, self._clock_us())
            log.info("lot on the belt", line=self._line, lot=name, fruit=self._fruit, defective=lot.defective_share)
            await asyncio.sleep((self._belt.empty_us - self._clock_us()) / 1e6)

    async def _told(self, lot: Lot) -> str | None:
        """The name by which the gateway knows the lot; None if it will not have it: its fruit is sorted anyway."""
        body = {"lot": lot.name, "sku": lot.sku, "customer": lot.customer, "who": WHO}
        try:
            await self._courier.post(self._url, msgspec.json.encode(body), "application/json")
        except Refused as error:
            log.error("lot refused", line=self._line, lot=lot.name, error=str(error))
            return None
        return lot.name
