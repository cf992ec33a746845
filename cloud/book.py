"""The order book: every purchase order of the company, each transaction whole or not at all."""

from collections.abc import Callable

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from cloud.db import Counter, Order, Request
from cloud.errors import BadCursor, KeyReused, NoSuchOrder
from cloud.orders import Cursor, fingerprint, is_step, parse_cursor
from contract.replenishment import OrderPage, OrderState, PurchaseOrder, ReplenishmentRequest


class OrderBook:
    """Orders in a database. Safe to use from many threads, and from many processes on one database.

    `clock` gives microseconds since 1970-01-01 UTC.
    """

    def __init__(self, engine: Engine, supplier: str, clock: Callable[[], int]) -> None:
        self._writing = sessionmaker(engine)
        self._reading = sessionmaker(engine.execution_options(reads=True))
        self._supplier = supplier
        self._clock = clock

    def place(self, request: ReplenishmentRequest) -> tuple[PurchaseOrder, bool]:
        """The one order for a request, and whether it is new; raises `KeyReused`."""
        digest = fingerprint(request)
        with self._reading.begin() as session:
            known = _find(session, request.key, digest)
        if known is not None:
            return known, False
        with self._writing.begin() as session:
            counter = _lock(session)
            known = _find(session, request.key, digest)  # somebody may have been first while we waited for the lock
            if known is not None:
                return known, False
            order = self._new(request, counter)
            body = request.model_dump_json(ensure_ascii=True)
            session.add(Request(key=request.key, fingerprint=digest, body=body, received_us=order.placed_us))
            session.flush()
            session.add(order)
            return _shown(order), True

    def advance(self, number: str, wanted: OrderState) -> tuple[PurchaseOrder, bool]:
        """The order in its new state, and whether that changed it; raises `NoSuchOrder` or `IllegalStep`."""
        with self._writing.begin() as session:
            counter = _lock(session)
            order = _get(session, number)
            if not is_step(number, _shown(order).state, wanted):
                return _shown(order), False
            counter.change += 1
            order.state, order.change = wanted, counter.change
            order.updated_us = max(self._clock(), order.updated_us)
            return _shown(order), True

    def order(self, number: str) -> PurchaseOrder:
        """One order; raises `NoSuchOrder`."""
        with self._reading.begin() as session:
            return _shown(_get(session, number))

    def page(
        self,
        *,
        after: str | None = None,
        site: str | None = None,
        state: OrderState | None = None,
        supplier: str | None = None,
        limit: int = 200,
    ) -> OrderPage:
        """Orders whose last change came after the cursor, each once and as it is now; raises `BadCursor`."""
        with self._reading.begin() as session:
            epoch, head = session.execute(select(Counter.epoch, Counter.change)).one()
            since = _since(after, epoch, head)
            chosen = select(Order).where(Order.change > since, Order.change <= head)
            wanted = {"site": site, "state": state, "supplier": supplier}
            chosen = chosen.filter_by(**{name: value for name, value in wanted.items() if value is not None})
            orders = session.scalars(chosen.order_by(Order.change).limit(limit)).all()
            reached = orders[-1].change if len(orders) == limit else head
            return OrderPage(orders=[_shown(order) for order in orders], cursor=str(Cursor(epoch, reached)))

    def touch(self) -> None:
        """Read the smallest row; raises what the database raises when it does not answer."""
        with self._reading.begin() as session:
            session.get_one(Counter, 1)

    def counts(self) -> dict[str, int]:
        """How many orders are in each state."""
        with self._reading.begin() as session:
            return dict(session.execute(select(Order.state, func.count()).group_by(Order.state)).all())

    def _new(self, request: ReplenishmentRequest, counter: Counter) -> Order:
        counter.change += 1
        counter.order_number += 1
        now_us = self._clock()
        return Order(
            number=f"PO-{counter.order_number}",
            key=request.key,
            site=request.site,
            sku=request.sku,
            units=request.units,
            supplier=self._supplier,
            state="placed",
            placed_us=now_us,
            updated_us=now_us,
            change=counter.change,
        )


def _lock(session: Session) -> Counter:
    """The counters, ours until the transaction ends: every writer of orders waits here."""
    return session.get_one(Counter, 1, with_for_update=True)


def _find(session: Session, key: str, digest: str) -> PurchaseOrder | None:
    request = session.get(Request, key)
    if request is None:
        return None
    if request.fingerprint != digest:
        raise KeyReused(f"key {key!r} came before with another body; a new need has a new key")
    return _shown(session.scalars(select(Order).where(Order.key == key)).one())


def _get(session: Session, number: str) -> Order:
    order = session.get(Order, number)
    if order is None:
        raise NoSuchOrder(f"no order has the number {number!r}")
    return order


def _since(after: str | None, epoch: str, head: int) -> int:
    if not after:
        return 0
    cursor = parse_cursor(after)
    if cursor.epoch != epoch or cursor.change > head:
        raise BadCursor("the cursor is of another database, or of one that was restored: begin again without one")
    return cursor.change


def _shown(order: Order) -> PurchaseOrder:
    return PurchaseOrder(
        number=order.number,
        key=order.key,
        site=order.site,
        sku=order.sku,
        units=order.units,
        supplier=order.supplier,
        state=order.state,
        placed_us=order.placed_us,
        updated_us=order.updated_us,
    )
