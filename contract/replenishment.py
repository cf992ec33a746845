"""Bodies of the HTTP exchange between a site's gateway and the company's cloud.

gateway                                           cloud
  |-- POST /api/v1/replenishments ------------------>|   Idempotency-Key: ReplenishmentRequest.key
  |<-- 201 PurchaseOrder (200 when it was known) ----|   same key, another body: 422
  |-- GET /api/v1/orders?site=S&after=CURSOR ------->|   what changed since
  |<-- 200 OrderPage --------------------------------|
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

OrderState = Literal["placed", "shipped", "received", "cancelled"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ReplenishmentRequest(_Body):
    """A site asks for stock. `key` names one need: asking twice for it buys once."""

    key: str = Field(min_length=1, max_length=200)
    site: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    sku: str = Field(min_length=1, max_length=100)
    units: int = Field(ge=1, le=1_000_000)
    on_hand: int
    """Units at the site when it asked (negative stock is shown, never clamped)."""
    reorder_point: int = Field(ge=0)
    requested_us: int


class PurchaseOrder(_Body):
    """One order for one SKU at one supplier."""

    number: str
    key: str
    site: str
    sku: str
    units: int
    supplier: str
    state: OrderState
    placed_us: int
    updated_us: int


class OrderPage(_Body):
    """Orders that changed after a cursor, oldest change first."""

    orders: list[PurchaseOrder]
    cursor: str
    """Pass it as `after` to go on."""


class OrderUpdate(_Body):
    """A supplier or a site says how far an order is."""

    state: OrderState
