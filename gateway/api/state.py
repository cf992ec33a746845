"""The live state, asked for once: the whole snapshot, or one of its sections."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.api.parts import GatewayParts
from gateway.views import DeviceView, OrderView, Snapshot, StockView

router = APIRouter(prefix="/api/v1", tags=["state"])


class StockList(BaseModel):
    """Every SKU, by name."""

    stock: list[StockView]


class OrderList(BaseModel):
    """Every replenishment, newest first."""

    orders: list[OrderView]


class DeviceList(BaseModel):
    """Every agent and device, by name."""

    devices: list[DeviceView]


@router.get("/snapshot", operation_id="getSnapshot", response_model=Snapshot)
async def get_snapshot(parts: GatewayParts) -> Response:
    """Everything the page shows, at one moment."""
    return Response(parts.live.snapshot().model_dump_json(), media_type="application/json")


@router.get("/stock", operation_id="getStock")
async def get_stock(parts: GatewayParts) -> StockList:
    """What the house holds, by SKU and zone."""
    return StockList(stock=sorted(parts.ledger.views("stock").values(), key=lambda view: view.sku))


@router.get("/orders", operation_id="getOrders")
async def get_orders(parts: GatewayParts) -> OrderList:
    """Replenishments and how far they are."""
    views = parts.ledger.views("orders").values()
    return OrderList(orders=sorted(views, key=lambda view: view.requested_us, reverse=True))


@router.get("/devices", operation_id="getDevices")
async def get_devices(parts: GatewayParts) -> DeviceList:
    """Agents and devices, and when they were last heard."""
    return DeviceList(devices=sorted(parts.ledger.views("devices").values(), key=lambda view: view.name))
