"""The live state, asked for once: the whole snapshot, or one of its sections."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.api import pages
from gateway.api.parts import GatewayParts
from gateway.api.problems import documented
from gateway.views import DeviceView, GatewayTime, OrderView, Snapshot, StockView

router = APIRouter(prefix="/api/v1", tags=["state"])


class StockList(pages.Page):
    """Every SKU, by name."""

    stock: list[StockView]


class OrderList(pages.Page):
    """Every replenishment, newest first."""

    orders: list[OrderView]


class DeviceList(BaseModel):
    """Every agent and device, by name."""

    devices: list[DeviceView]
    now_us: GatewayTime


@router.get("/snapshot", operation_id="getSnapshot", response_model=Snapshot)
async def get_snapshot(parts: GatewayParts) -> Response:
    """Everything the page shows, at one moment."""
    return Response(parts.live.snapshot().model_dump_json(), media_type="application/json")


@router.get("/stock", operation_id="getStock", responses=documented("invalid-request"))
async def get_stock(parts: GatewayParts, after: pages.AfterKey = "", limit: pages.Limit = 100) -> StockList:
    """What the house holds, by SKU and zone."""
    views, next_ = pages.by_key(parts.ledger.views("stock").values(), lambda view: view.sku, after, limit)
    return StockList(stock=views, next=next_, now_us=parts.clock())


@router.get("/orders", operation_id="getOrders", responses=documented("invalid-request"))
async def get_orders(parts: GatewayParts, after: pages.AfterTime = None, limit: pages.Limit = 100) -> OrderList:
    """Replenishments and how far they are."""
    every = parts.ledger.views("orders").values()
    views, next_ = pages.newest_first(every, lambda view: (view.requested_us, view.key), after, limit)
    return OrderList(orders=views, next=next_, now_us=parts.clock())


@router.get("/devices", operation_id="getDevices")
async def get_devices(parts: GatewayParts) -> DeviceList:
    """Agents and devices, and when they were last heard."""
    devices = sorted(parts.ledger.views("devices").values(), key=lambda view: view.name)
    return DeviceList(devices=devices, now_us=parts.clock())
