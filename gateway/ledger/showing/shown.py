"""What the gateway shows of the state: each view is built when somebody asks for it after it changed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, overload

from contract.sitepart import Title
from gateway.ledger import rows
from gateway.ledger.fruit.sorting import Sorting
from gateway.ledger.pulse import Pulse
from gateway.ledger.receiving import loads, orders, shipments
from gateway.ledger.showing.shown_cold import condition_view
from gateway.ledger.showing.shown_counts import count_view
from gateway.ledger.showing.shown_lines import line_view, review_view
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptionkinds
from gateway.views import (
    AnyView,
    ConditionView,
    CountView,
    DeviceView,
    DoorView,
    ExceptionView,
    LineView,
    OrderView,
    ReaderView,
    ReviewView,
    Section,
    ShipmentLineView,
    ShipmentView,
    StockView,
    TitleView,
)


class Shown:
    """The views of one state, by section and key."""

    def __init__(self, state: State, pulses: dict[str, Pulse], sorting: Sorting, clock: Callable[[], int]) -> None:
        self._state = state
        self._sorting = sorting
        self._pulses = pulses
        self._clock = clock
        self._build: dict[Section, Callable[[str], AnyView | None]] = {
            "doors": self._door,
            "shipments": self._shipment,
            "stock": self._stock,
            "exceptions": self._exception,
            "orders": self._order,
            "devices": self._device,
            "conditions": self._condition,
            "lines": self._line,
            "reviews": self._review,
            "counts": self._count,
        }
        house = state.house
        self._named: dict[Section, Mapping[str, object]] = {
            "doors": house.doors,
            "devices": house.devices,
            "lines": house.lines,
            "reviews": sorting.shown,
        }
        """What comes first, by section and in its order: what the site file names; the reviews on the page."""
        self._fresh: dict[Section, dict[str, AnyView]] = {section: {} for section in self._build}
        self._stale: dict[Section, set[str]] = {section: set() for section in self._build}
        self.stale((section, key) for section in self._build for key in self._keys(section))

    @overload
    def __call__(self, section: Literal["doors"]) -> dict[str, DoorView]: ...
    @overload
    def __call__(self, section: Literal["shipments"]) -> dict[str, ShipmentView]: ...
    @overload
    def __call__(self, section: Literal["stock"]) -> dict[str, StockView]: ...
    @overload
    def __call__(self, section: Literal["exceptions"]) -> dict[str, ExceptionView]: ...
    @overload
    def __call__(self, section: Literal["orders"]) -> dict[str, OrderView]: ...
    @overload
    def __call__(self, section: Literal["devices"]) -> dict[str, DeviceView]: ...
    @overload
    def __call__(self, section: Literal["conditions"]) -> dict[str, ConditionView]: ...
    @overload
    def __call__(self, section: Literal["lines"]) -> dict[str, LineView]: ...
    @overload
    def __call__(self, section: Literal["reviews"]) -> dict[str, ReviewView]: ...
    @overload
    def __call__(self, section: Literal["counts"]) -> dict[str, CountView]: ...
    def __call__(self, section: Section) -> object:
        """All views of a section by key: first those that have an order of their own, then the rest by name."""
        for key in tuple(self._stale[section]):
            self.one(section, key)
        fresh = self._fresh[section]
        named = self._state.house.products if section == "stock" else self._named.get(section, {})
        order = [*(key for key in named if key in fresh), *sorted(fresh.keys() - named.keys())]
        return {key: fresh[key] for key in order}

    def one(self, section: Section, key: str) -> AnyView | None:
        """One view; None when there is no such thing."""
        if section not in self._build:
            return None
        fresh, stale = self._fresh[section], self._stale[section]
        if key in stale:
            view = self._build[section](key)
            stale.discard(key)
            if view is None:
                fresh.pop(key, None)
            else:
                fresh[key] = view
        return fresh.get(key)

    def built(self, section: Section, key: str) -> AnyView | None:
        """One view of the state at this moment, whether anybody was told of it or not."""
        return self._build[section](key) if section in self._build else None

    def stale(self, changed: Iterable[tuple[Section, str]]) -> None:
        """These changed."""
        for section, key in changed:
            self._stale[section].add(key)

    def _keys(self, section: Section) -> Iterable[str]:
        state = self._state
        match section:
            case "doors":
                return state.house.doors
            case "devices":
                return state.house.devices
            case "stock":
                return {*state.house.products, *state.stock.rows}
            case "lines":
                return state.house.lines
            case "reviews":
                return self._sorting.shown
            case "site":
                return ()
            case _:
                tables = {table.name: table for table in state.tables}
                return tables[section].rows

    def _door(self, key: str) -> DoorView | None:
        site_door = self._state.house.doors.get(key)
        if site_door is None:
            return None
        door = self._state.doors.get(key) or rows.Door()
        return DoorView(
            name=key,
            title=_title(site_door.title),
            inside=site_door.inside,
            outside=site_door.outside,
            inbound=door.inbound,
            outbound=door.outbound,
            unknown=door.unknown,
            unread=door.unread,
            strays=door.strays if isinstance(door.strays, dict) else {},
            last_pass_us=door.last_pass_us,
            shipment=shipments.at_door(self._state, key, None, self._clock()),
            readers=[self._reader(reader.name) for reader in site_door.readers],
        )

    def _reader(self, name: str) -> ReaderView:
        device = self._device(name)
        assert device is not None
        known = device.state if device.state in ("connected", "lost", "blind") else "unknown"
        return ReaderView.model_validate({"name": name, "state": known, "since_us": device.since_us})

    def _shipment(self, key: str) -> ShipmentView | None:
        shipment = self._state.shipments.get(key)
        if shipment is None:
            return None
        return ShipmentView(
            id=key,
            direction=shipment.direction,
            partner=shipment.partner,
            door=shipment.door,
            order=shipment.order,
            state=shipment.state,
            expected=shipment.expected,
            seen=shipment.seen,
            inferred=shipment.inferred,
            missing=shipment.missing,
            unexpected=shipment.unexpected,
            over=shipment.over,
            wrong_pallet=shipment.wrong_pallet,
            wrong_door=shipment.wrong_door,
            doubtful=loads.doubted(self._state, key, shipment),
            late=shipment.late,
            purpose=shipment.purpose,
            closed_by=shipment.closed_by,
            closed_why=shipment.closed_why,
            closed_us=shipment.closed_us,
            lines=[
                ShipmentLineView(
                    sku=sku, expected=line.expected, seen=line.seen, inferred=line.inferred, over=line.over
                )
                for sku, line in shipment.lines.items()
            ],
            announced_us=shipment.announced_us,
            first_seen_us=shipment.first_seen_us,
            last_seen_us=shipment.last_seen_us,
        )

    def _stock(self, key: str) -> StockView | None:
        item = self._state.house.products.get(key)
        stock = self._state.stock.get(key)
        if item is None and stock is None:
            return None
        stock = stock or rows.Stock()
        return StockView(
            sku=key,
            title=TitleView(en=item.en, zh=item.zh) if item else TitleView(en=key, zh=key),
            units=stock.units,
            zones=stock.zones,
            reorder_point=item.reorder_point if item else 0,
            order_up_to=item.order_up_to if item else 0,
            on_order=orders.on_order(self._state, key),
            quarantined=stock.held.get("quarantined", 0),
            damaged=stock.held.get("damaged", 0),
            expired=stock.held.get("expired", 0),
            updated_us=stock.updated_us,
            trace=stock.trace,
        )

    def _exception(self, key: str) -> ExceptionView | None:
        incident = self._state.exceptions.get(key)
        return None if incident is None else exception_view(key, incident)

    def _order(self, key: str) -> OrderView | None:
        order = self._state.orders.get(key)
        if order is None:
            return None
        return OrderView(
            key=key,
            sku=order.sku,
            units=order.units,
            received=order.received,
            state=order.state,
            number=order.number,
            supplier=order.supplier,
            requested_us=order.requested_us,
            updated_us=order.updated_us,
        )

    def _device(self, key: str) -> DeviceView | None:
        known = self._state.house.devices.get(key)
        if known is None:
            return None
        return self._agent(key) if known.kind == "agent" else self._behind(key)

    def _agent(self, key: str) -> DeviceView:
        agent = self._state.agents.get(key) or rows.Agent()
        pulse = self._pulses.get(key) or Pulse()
        state: Literal["silent", "connected", "unknown"] = "unknown"
        if agent.silent:
            state = "silent"
        elif pulse.heard_us is not None:
            state = "connected"
        own = self._state.devices.get(key) or rows.Device(agent=key)
        return DeviceView(
            name=key,
            kind="agent",
            agent=key,
            state=state,
            since_us=agent.since_us,
            heard_us=pulse.heard_us,
            detail=own.detail,
            counts=own.counts,
            waiting=pulse.waiting,
            clock_offset_us=pulse.clock_offset_us,
        )

    def _behind(self, key: str) -> DeviceView:
        """A device behind an agent: unknown while nobody can tell."""
        known = self._state.house.devices[key]
        device = self._state.devices.get(key) or rows.Device(agent=known.agent)
        agent = self._state.agents.get(known.agent)
        pulse = self._pulses.get(known.agent) or Pulse()
        hearsay = agent is None or agent.silent or pulse.heard_us is None
        return DeviceView(
            name=key,
            kind=known.kind,
            agent=known.agent,
            state="unknown" if hearsay else device.state,
            since_us=agent.since_us if agent is not None and agent.silent else device.since_us,
            heard_us=pulse.heard_us,
            detail=device.detail,
            counts=device.counts,
        )

    def _condition(self, key: str) -> ConditionView | None:
        return condition_view(self._state, key)

    def _line(self, key: str) -> LineView | None:
        now_us = self._sorting.time_at(key, self._clock())
        return line_view(self._state, key, self._sorting.belts.get(key), now_us)

    def _count(self, key: str) -> CountView | None:
        count = self._state.counts.get(key)
        return count_view(key, count) if count is not None and count.open else None

    def _review(self, key: str) -> ReviewView | None:
        return review_view(self._state, key, self._sorting.shown)


def exception_view(key: str, incident: rows.Incident) -> ExceptionView:
    """One exception, open or resolved."""
    return ExceptionView(
        id=key,
        kind=incident.kind,
        severity=exceptionkinds.severity(incident),
        subject=incident.subject,
        count=incident.count,
        params=incident.params,
        opened_us=incident.opened_us,
        updated_us=incident.updated_us,
        state="open" if incident.open else "resolved",
        resolved_by=incident.resolved_by,
        reason=incident.reason,
        decision=incident.decision,
        rows=incident.rows,
        fix=exceptionkinds.fix(incident),
        claimed_by=incident.claimed_by,
        snoozed_until_us=incident.snoozed_until_us,
        reopened=incident.reopened,
    )


def of_past(state: State, at_us: int) -> Shown:
    """The views of a state of the past: nobody was heard, and no picture has come."""
    return Shown(state, {}, Sorting(state, {}, lambda _: None), lambda: at_us)


def changed(state: State) -> frozenset[tuple[Section, str]]:
    """The views that differ since the tables were last written; from now on they count as told."""
    sections: dict[str, Section] = {
        "doors": "doors",
        "shipments": "shipments",
        "stock": "stock",
        "exceptions": "exceptions",
        "orders": "orders",
        "devices": "devices",
        "conditions": "conditions",
        "lines": "lines",
        "counts": "counts",
    }
    found = set(state.shown)
    state.shown.clear()
    for table in state.tables:
        if section := sections.get(table.name):
            found.update((section, key) for key in table.changed | table.gone)
    found.update(("lines", state.lots.rows[key].line) for key in state.lots.changed)
    found.update(("lines", state.reviews.rows[key].line) for key in state.reviews.changed)
    return frozenset(found)


def _title(title: Title) -> TitleView:
    return TitleView(en=title.en, zh=title.zh)
