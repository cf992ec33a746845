"""The HTTP API of the cloud, under /api/v1.

`python -m cloud.api > cloud/openapi.json` writes the document that a test compares.
"""

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Header, Path, Query, Response
from fastapi.openapi.utils import get_openapi

from cloud import problems
from cloud.book import OrderBook
from cloud.errors import CloudError
from cloud.limits import BodyLimit
from cloud.metrics import Metrics
from cloud.orders import MAX_CURSOR, check
from cloud.problems import told
from contract.replenishment import OrderPage, OrderState, OrderUpdate, PurchaseOrder, ReplenishmentRequest

API_VERSION = "1.0.0"

Number = Annotated[str, Path(pattern=r"^PO-[1-9][0-9]{0,18}$", examples=["PO-1"])]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=800, description="the key of the body")]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR, description="`cursor` of the page before; none: all")]
Site = Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,40}$")]
Supplier = Annotated[str | None, Query(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=1000)]


def build(book: OrderBook) -> FastAPI:
    """The API over an order book."""
    app = FastAPI(title="Truecount cloud", version=API_VERSION, docs_url=None, redoc_url=None)
    metrics = Metrics(book)
    problems.install(app)
    app.add_middleware(BodyLimit)
    _add_replenishments(app, book, metrics)
    _add_orders(app, book, metrics)
    _add_health(app, book, metrics)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


def _add_replenishments(app: FastAPI, book: OrderBook, metrics: Metrics) -> None:
    @app.post(
        "/api/v1/replenishments",
        status_code=HTTPStatus.CREATED,
        responses=told(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_REQUEST)
        | {200: {"model": PurchaseOrder, "description": "It was known: the same order, as it is now"}},
    )
    def replenish(request: ReplenishmentRequest, key: Key, response: Response) -> PurchaseOrder:
        """Ask for stock. However often and at once the same key comes, there is one order."""
        try:
            check(request, key)
            order, new = book.place(request)
        except CloudError:
            metrics.requests.labels("refused").inc()
            raise
        metrics.requests.labels("placed" if new else "repeated").inc()
        response.status_code = HTTPStatus.CREATED if new else HTTPStatus.OK
        return order


def _add_orders(app: FastAPI, book: OrderBook, metrics: Metrics) -> None:
    @app.get("/api/v1/orders", responses=told())
    def orders(
        site: Site = None,
        after: Cursor = None,
        state: OrderState | None = None,
        supplier: Supplier = None,
        limit: Limit = 200,
    ) -> OrderPage:
        """Orders that changed after a cursor, oldest change first, each as it is now."""
        return book.page(after=after, site=site, state=state, supplier=supplier, limit=limit)

    @app.get("/api/v1/orders/{number}", responses=told(HTTPStatus.NOT_FOUND))
    def order(number: Number) -> PurchaseOrder:
        """One order."""
        return book.order(number)

    @app.post(
        "/api/v1/orders/{number}/state",
        responses=told(
            HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.BAD_REQUEST
        ),
    )
    def advance(number: Number, told_: OrderUpdate) -> PurchaseOrder:
        """Say how far an order is. Saying it again changes nothing."""
        order, changed = book.advance(number, told_.state)
        if changed:
            metrics.steps.labels(told_.state).inc()
        return order


def _add_health(app: FastAPI, book: OrderBook, metrics: Metrics) -> None:
    @app.get("/healthz", responses=told())
    def health() -> dict[str, str]:
        """Whether the service and its database answer."""
        book.touch()
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    def figures() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: refusals are problem+json, which FastAPI cannot say by itself."""
    tree = get_openapi(title=app.title, version=app.version, routes=app.routes)
    for operations in tree["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    response["content"] = {problems.MEDIA_TYPE: response["content"].pop("application/json")}
    return tree


if __name__ == "__main__":
    from cloud.db import engine_of

    print(json.dumps(document(build(OrderBook(engine_of("sqlite:///unused.db"), "", lambda: 0))), indent=2))
