"""Links of the OpenAPI (version 3.1, section 4.8.20): where what one answer names is asked for."""

from typing import Any, Final, NamedTuple


class Link(NamedTuple):
    """A word of one answer that is a parameter of another request."""

    source: str
    pointer: str
    """JSON pointer into the body."""
    target: str
    parameter: str


LINKS: Final = (
    Link("announceShipments", "/shipments/0/id", "getShipment", "shipment_id"),
    Link("getShipments", "/shipments/0/id", "getShipment", "shipment_id"),
    Link("getExceptions", "/exceptions/0/id", "getException", "exception_id"),
    Link("getItems", "/items/0/epc", "getItem", "epc"),
    Link("getLines", "/lines/0/name", "getLine", "line"),
    Link("getLines", "/lines/0/name", "getRunningLot", "line"),
    Link("getLots", "/lots/0/lot", "getLotRuns", "lot"),
    Link("getReviews", "/reviews/0/id", "getReview", "review_id"),
)


def document(operation: dict[str, Any]) -> None:
    """Add the links that begin at a route to its OpenAPI."""
    for link in LINKS:
        if link.source == operation["operationId"]:
            told = {"operationId": link.target, "parameters": {link.parameter: f"$response.body#{link.pointer}"}}
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    answer.setdefault("links", {})[link.target] = told
