"""The parts of the gateway that the endpoints reach."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from contract.site import Site
from gateway.documents.itemmaster import ItemMaster
from gateway.evidence.belts import Belts
from gateway.evidence.pictures import Pictures
from gateway.history.words import History
from gateway.ledger.ledger import Ledger
from gateway.live import Live
from gateway.views import SiteView


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything that an endpoint may ask."""

    site: Site
    master: ItemMaster
    ledger: Ledger
    live: Live
    history: History
    pictures: Pictures
    belts: Belts
    site_view: Callable[[], SiteView]
    registry: CollectorRegistry
    page: Path
    """Folder of the built page."""
    clock: Callable[[], int]
    """Microseconds since 1970-01-01 UTC."""


def _parts(request: Request) -> Parts:
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


GatewayParts = Annotated[Parts, Depends(_parts)]
