"""The supplier's own system, as the cloud and the gateway see it over HTTP.

cloud <--- orders that are placed? ------- supplier
cloud <--- this one is shipped ----------- supplier        (saying so again changes nothing)
                   gateway <-- ASN ------- supplier
                   dock    <-- truck, a lead time later
"""

import asyncio
from random import Random

import msgspec
import structlog
from msgspec import Struct

from firmware_sim.clock import WorldClock
from firmware_sim.config import WorldConfig
from firmware_sim.courier import Courier
from firmware_sim.errors import Refused
from firmware_sim.scenario import Scenario
from firmware_sim.world import Line, Truck

log = structlog.get_logger()

LEAD_S = (25.0, 60.0)
"""Shortest and longest time from the ASN to the arrival, in world seconds."""
POLL_S = 1.0
"""Wall time between two looks for orders."""


class Order(Struct, frozen=True):
    """A purchase order, as far as the supplier cares."""

    number: str
    site: str
    sku: str
    units: int


class _Page(Struct, frozen=True):
    orders: tuple[Order, ...]


class Supplier:
    """Ships every order that is placed with it, once, whatever is down meanwhile."""

    def __init__(
        self,
        config: WorldConfig,
        scenario: Scenario,
        courier: Courier,
        clock: WorldClock,
        seed: int,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self.name = config.cloud.supplier
        self.shipped: dict[str, Truck] = {}
        """Truck by order number."""
        self._site = config.site
        self._cloud = config.cloud.url.rstrip("/")
        self._gateway = config.gateway.url
        self._scenario = scenario
        self._courier = courier
        self._clock = clock
        self._random = Random(f"supplier {seed}")
        self._poll_s = poll_s
        self._declined: set[str] = set()

    async def run(self) -> None:
        """Look for orders and ship them, until cancelled."""
        while True:
            if not self._scenario.quiesced:
                for order in await self._placed():
                    await self._ship(order)
            await asyncio.sleep(self._poll_s)

    async def send(self, lines: tuple[Line, ...], order: str | None, lead_s: float) -> Truck | None:
        """Load a truck, announce it to the gateway, let it depart. None if the gateway will not have it."""
        truck = self._scenario.yard.load(self.name, lines, order)
        try:
            await self._courier.post(f"{self._gateway}/api/v1/shipments", despatch_advice(truck), "application/json")
        except Refused as error:
            log.error("despatch advice refused, the truck stays", shipment=truck.shipment, error=str(error))
            return None
        self._scenario.yard.depart(truck, self._clock.world_s() + lead_s)
        log.info("truck underway", shipment=truck.shipment, door=truck.door, cases=len(truck.announced))
        return truck

    async def _placed(self) -> tuple[Order, ...]:
        """Orders of this site that are placed and not yet dealt with."""
        query = {"supplier": self.name, "site": self._site, "state": "placed"}
        try:
            page = msgspec.json.decode(await self._courier.get(f"{self._cloud}/api/v1/orders", query), type=_Page)
        except (Refused, msgspec.MsgspecError) as error:
            log.error("orders cannot be read", error=str(error))
            return ()
        done = self.shipped.keys() | self._declined
        return tuple(order for order in page.orders if order.number not in done and order.site == self._site)

    async def _ship(self, order: Order) -> None:
        if order.sku not in self._scenario.world.skus or order.units < 1 or not self._scenario.yard.docks:
            self._decline(order, "nothing can be delivered")
            return
        try:
            url = f"{self._cloud}/api/v1/orders/{order.number}/state"
            await self._courier.post(url, b'{"state":"shipped"}', "application/json")
        except Refused as error:
            self._decline(order, str(error))
            return
        truck = await self.send((Line(order.sku, order.units),), order.number, self._random.uniform(*LEAD_S))
        if truck is None:
            self._decline(order, "the gateway will not have its despatch advice")
        else:
            self.shipped[order.number] = truck

    def _decline(self, order: Order, why: str) -> None:
        self._declined.add(order.number)
        log.error("order declined", order=order.number, sku=order.sku, units=order.units, why=why)


def despatch_advice(truck: Truck) -> bytes:
    """The ASN of a truck, as the gateway's API wants it."""
    body = {
        "id": truck.shipment,
        "direction": "inbound",
        "partner": truck.partner,
        "door": truck.door,
        "cases": [{"epc": case.epc, "sscc": case.sscc, "lot": case.lot} for case in truck.announced],
    }
    if truck.order is not None:
        body["order"] = truck.order
    return msgspec.json.encode(body)
