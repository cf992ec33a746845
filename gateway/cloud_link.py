"""The link to the cloud: what the ledger wants ordered is asked for until there is an order, and what the cloud says
of orders is recorded.

    ledger                             this link                         cloud
      | an order is `requested`  ------->|-- POST /replenishments --------->|  exactly once, by its key
      |<------------ OrderReported ------|<- the purchase order ------------|
      |<------------ OrderReported ------|<- GET /orders?after= ------------|  what changed since
      | an order is `received` --------->|-- POST /orders/{number}/state -->|

It works on levels: what an order is here and what it is there decide what to do, so that a lost answer, a restart or
a cloud that was down for days needs no case of its own. The cursor on the cloud's changes lives in memory; a link that
starts reads all orders of its site once. So does one whose cursor the cloud does not know (it was restored).
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Literal, NamedTuple, TypeVar
from urllib.parse import quote

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from contract.replenishment import OrderPage, OrderUpdate, PurchaseOrder, ReplenishmentRequest
from contract.site import Site
from gateway import records
from gateway.errors import CloudDown, LedgerFull
from gateway.ledger.ledger import Commit, Ledger
from gateway.records import LogRow, OrderReported
from gateway.views import LinkView, OrderView

POLL_S = 1.0
"""The cloud is asked this often what changed."""
BACKOFF_S = (0.25, 10.0)
"""The first pause after a failure, and the longest."""
REFUSED_S = 60.0
"""A request that the cloud refuses as such (4xx) is tried again after this time."""
TIMEOUT_S = 10.0
SCAN_ROWS = 2_000
CURSOR = "cloud"
"""Name of the cursor on the log: there is no request at or before it that still waits."""

PAGE = 500
MAX_NAME = 100

_REFUSALS_OF_REQUESTS = frozenset({400, 409, 413, 422})
_REFUSALS_OF_STEPS = frozenset({400, 404, 409, 422})
_RANK = {"requested": 0, "placed": 1, "shipped": 2, "cancelled": 3, "received": 4}

Body = TypeVar("Body", bound=BaseModel)

_log = structlog.get_logger("gateway.cloud_link")


class _Need(NamedTuple):
    """A request that has no order yet, and where in the log it stands."""

    row: int
    request: ReplenishmentRequest


class CloudLink:
    """One site's link. `clock` gives microseconds since 1970-01-01 UTC, `pace` seconds that never go back."""

    def __init__(self, site: Site, ledger: Ledger, clock: Callable[[], int], pace: Callable[[], float]) -> None:
        self._site = site
        self._ledger = ledger
        self._clock = clock
        self._pace = pace
        self._wake = asyncio.Event()
        self._needs: dict[str, _Need] = {}
        """Requests that have no order yet, by key."""
        self._open: dict[str, PurchaseOrder] = {}
        """What the cloud says of orders that are on their way, by key."""
        self._refused: dict[str, float] = {}
        """When to try again what the cloud refused, by key."""
        self._after: str | None = None
        """The cursor on the cloud's changes."""
        self._cursor = 0
        self._seen = 0
        """Last row of the log that was looked at."""
        self._failures = 0

    @property
    def link(self) -> LinkView:
        """How many requests and receipts the cloud has not yet confirmed; `behind` while it refuses one of them."""
        since = [need.request.requested_us for need in self._needs.values()]
        since += [order.placed_us for order in self._untold()]
        state: Literal["ok", "behind", "down"] = "down" if self._failures else "behind" if self._refused else "ok"
        return LinkView(state=state, waiting=len(since), oldest_us=min(since, default=None))

    async def run(self) -> None:
        """Link until cancelled; raises `LedgerFailed` where the log cannot be read or written."""
        unsubscribe = self._ledger.subscribe(self._committed)
        try:
            await self._recover()
            async with self._client() as http:
                while True:
                    self._wake.clear()
                    await self._turn(http)
                    await self._pause()
        finally:
            unsubscribe()

    def _client(self) -> httpx.AsyncClient:
        url = httpx.URL(self._site.cloud.url)
        near = url.host in ("127.0.0.1", "localhost", "::1")  # a proxy of the environment is for the world outside
        return httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=not near)

    async def _pause(self) -> None:
        if self._failures:
            await asyncio.sleep(_backoff_s(self._failures))
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):  # not wait_for, which forgets a cancellation before Python 3.12
                    await self._wake.wait()

    async def _turn(self, http: httpx.AsyncClient) -> None:
        """Bring both sides to one level, and tell once when trouble begins and when it ends."""
        try:
            await self._poll(http)
            await self._tell_received(http)
            await self._ask(http)
        except (httpx.HTTPError, CloudDown, LedgerFull) as error:
            self._failures += 1
            if self._failures == 1:
                reason = str(error) or type(error).__name__
                _log.warning("the cloud is down", url=self._site.cloud.url, reason=reason, waiting=self.link.waiting)
            return
        if self._failures:
            _log.info("the cloud is back", url=self._site.cloud.url)
        self._failures = 0

    # The log

    def _committed(self, commit: Commit) -> None:
        if self._learn(commit.rows) or any(section == "orders" for section, _ in commit.changed):
            self._wake.set()

    def _learn(self, rows: Sequence[LogRow]) -> bool:
        """Take up the requests among rows of the log; whether there was one."""
        found = [row for row in rows if row.kind == "replenishment_requested"]
        for row in found:
            record = records.decode(row.body)
            assert isinstance(record, records.ReplenishmentRequested), row
            self._needs.setdefault(record.key, _Need(row.id, self._request(record)))
        if rows:
            self._seen = max(self._seen, rows[-1].id)
        return bool(found)

    def _request(self, record: records.ReplenishmentRequested) -> ReplenishmentRequest:
        points = {item.sku: item.reorder_point for item in self._site.items}
        return ReplenishmentRequest(
            key=record.key,
            site=self._site.site,
            sku=record.sku,
            units=record.units,
            on_hand=record.on_hand,
            reorder_point=points.get(record.sku, 0),
            requested_us=record.at_us,
        )

    async def _recover(self) -> None:
        """After a start: find the requests that still wait, from the cursor on the log."""
        after = self._cursor = self._ledger.cursor(CURSOR)
        while rows := await asyncio.to_thread(self._ledger.rows, after, SCAN_ROWS):
            self._learn(rows)
            after = rows[-1].id

    async def _settle(self) -> None:
        """Forget the requests that are answered, and move the cursor up to the first that is not."""
        answered = [key for key in self._needs if self._state(key) != "requested"]
        for key in answered:
            del self._needs[key]
        for key in self._refused.keys() - self._needs.keys() - self._open.keys():
            del self._refused[key]
        to = min((need.row for need in self._needs.values()), default=self._seen + 1) - 1
        if to - self._cursor >= SCAN_ROWS or (answered and to > self._cursor):
            await asyncio.to_thread(self._ledger.move_cursor, CURSOR, to)
            self._cursor = to

    def _state(self, key: str) -> str | None:
        view = self._ledger.view("orders", key)
        return view.state if isinstance(view, OrderView) else None

    async def _record(self, orders: Sequence[PurchaseOrder]) -> None:
        """Put into the log what the ledger does not know of orders."""
        for order in orders:
            self._open[order.key] = order
            if order.state in ("received", "cancelled"):
                del self._open[order.key]
        news = [_report(order, self._clock()) for order in orders if self._is_news(order)]
        if news:
            await self._ledger.record(*news)

    def _is_news(self, order: PurchaseOrder) -> bool:
        view = self._ledger.view("orders", order.key)
        if not isinstance(view, OrderView):
            return 0 < len(order.key) <= MAX_NAME  # of an older log of this site; a longer key is none of ours
        known = (view.number, view.units) == (order.number, order.units)
        return not known or _RANK[order.state] > _RANK[view.state]

    # The cloud

    async def _poll(self, http: httpx.AsyncClient) -> None:
        """Record what changed since the cursor; from the beginning where the cloud does not know the cursor."""
        while True:
            query = {"site": self._site.site, "limit": str(PAGE)} | ({"after": self._after} if self._after else {})
            response = await http.get("/api/v1/orders", params=query)
            if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and self._after:
                self._after = None
                self._open.clear()
                continue
            page = _read(response, OrderPage)
            await self._record(page.orders)
            before, self._after = self._after, page.cursor
            if not page.orders or page.cursor == before:
                return

    async def _ask(self, http: httpx.AsyncClient) -> None:
        """Ask for what is requested, in the order of the log."""
        await self._settle()
        for key, need in sorted(self._needs.items(), key=lambda entry: entry[1].row):
            if self._is_due(key):
                body, headers = need.request.model_dump(mode="json"), {"Idempotency-Key": key}
                response = await http.post("/api/v1/replenishments", json=body, headers=headers)
                if not self._is_refused(key, response, _REFUSALS_OF_REQUESTS):
                    await self._record([_read(response, PurchaseOrder)])
        await self._settle()

    async def _tell_received(self, http: httpx.AsyncClient) -> None:
        """Say which orders have come through the doors."""
        for order in self._untold():
            if self._is_due(order.key):
                path = f"/api/v1/orders/{quote(order.number, safe='')}/state"
                response = await http.post(path, json=OrderUpdate(state="received").model_dump())
                if not self._is_refused(order.key, response, _REFUSALS_OF_STEPS):
                    await self._record([_read(response, PurchaseOrder)])

    def _untold(self) -> list[PurchaseOrder]:
        return [order for order in self._open.values() if self._state(order.key) == "received"]

    def _is_due(self, key: str) -> bool:
        return self._refused.get(key, 0) <= self._pace()

    def _is_refused(self, key: str, response: httpx.Response, refusals: frozenset[int]) -> bool:
        """Whether the cloud will not have this request, however often it is asked; then it is asked seldom."""
        if response.status_code not in refusals:
            self._refused.pop(key, None)
            return False
        if key not in self._refused:
            _log.error("the cloud refuses", key=key, status=response.status_code, reason=response.text[:500])
        self._refused[key] = self._pace() + REFUSED_S
        return True


def _report(order: PurchaseOrder, at_us: int) -> OrderReported:
    """An order as a record of the log, whose names are not empty and at most `MAX_NAME` long."""
    return OrderReported(
        at_us=at_us,
        key=order.key,
        number=order.number[:MAX_NAME] or "?",
        supplier=order.supplier[:MAX_NAME] or "?",
        units=order.units,
        state=order.state,
    )


def _read(response: httpx.Response, body: type[Body]) -> Body:
    """The body of an answer; raises `CloudDown` for any that is not what was agreed."""
    if not response.is_success:
        raise CloudDown(f"{response.request.url}: {response.status_code} {response.text[:500]}")
    try:
        return body.model_validate_json(response.content)
    except ValidationError as error:
        raise CloudDown(f"{response.request.url}: {error.error_count()} mistakes in the answer: {error}") from error


def _backoff_s(failures: int) -> float:
    """Doubling up to the longest, and no two sites at the same moment."""
    return min(BACKOFF_S[1], BACKOFF_S[0] * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1)
