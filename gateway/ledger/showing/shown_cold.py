"""What the gateway shows of the cold chain: each sensor now, and what the sums of its readings say of a time."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from gateway.coldchain import cells
from gateway.coldchain.cells import DAY_US, QUARTER_US, Quarter
from gateway.coldchain.exposure import Exposure, exposure
from gateway.ledger.rows import Condition
from gateway.ledger.state import State
from gateway.ledger.watching import climate, conditions, sensors
from gateway.views import ConditionView


class Record(Struct, frozen=True):
    """The sums of one sensor in one zone, copied: they may be read in any thread."""

    device: str
    zone: str
    quantity: str
    days: tuple[tuple[int, bytes], ...]

    def quarters(self, since_us: int, until_us: int) -> Iterator[Quarter]:
        """Those that overlap [since, until), oldest first, and the one before."""
        for day, held in self.days:
            yield from cells.quarters(held, day, since_us - QUARTER_US, until_us)


def zone_quarters(records: Iterable[Record], since_us: int, until_us: int) -> list[Quarter]:
    """As `Record.quarters`, of a zone by all its sensors of one quantity."""
    return list(cells.worst(quarter for record in records for quarter in record.quarters(since_us, until_us)))


class Cold:
    """What may be asked of the cold chain of one state. For the event loop."""

    def __init__(self, state: State) -> None:
        self._state = state

    def knows(self, zone: str) -> bool:
        """Whether there is such a zone."""
        return zone in self._state.house.zones

    def sensors(self) -> list[ConditionView]:
        """Every sensor now, by name."""
        views = (condition_view(self._state, key) for key in sorted(self._state.conditions.rows))
        return [view for view in views if view is not None]

    def records(self, since_us: int, until_us: int, zone: str | None = None) -> list[Record]:
        """What sensors told of [since, until) (of a zone, or of all), by zone, quantity and name. A sensor that was
        elsewhere before has more than one."""
        since_us -= QUARTER_US
        found: dict[tuple[str, str, str], list[tuple[int, bytes]]] = {}
        for held in self._state.index.climate.values():
            for day, key in held:
                if day * DAY_US < until_us and since_us < (day + 1) * DAY_US:
                    row = self._state.climate.rows[key]
                    if zone in (None, row.zone):
                        place = (row.zone, row.quantity, row.device)
                        found.setdefault(place, []).append((day, bytes(row.cells)))
        return [Record(device, room, what, tuple(days)) for (room, what, device), days in sorted(found.items())]


def condition_view(state: State, key: str) -> ConditionView | None:
    """One sensor now; None when there is no such thing."""
    condition = state.conditions.get(key)
    if condition is None:
        return None
    limits = conditions.limits(state.house.zones.get(condition.zone), condition.quantity)
    lately = _lately(state, key, condition)
    return ConditionView(
        device=key,
        zone=condition.zone,
        quantity=condition.quantity,
        value=condition.value,
        at_us=condition.stamp[0],
        min=limits[0] if limits else None,
        max=limits[1] if limits else None,
        trace=condition.trace,
        since_us=condition.since_us,
        low=lately.low,
        high=lately.high,
        out_minutes=round(lately.out_minutes, 1),
        faulty=condition.silent or sensors.blind(state, key),
    )


def _lately(state: State, key: str, condition: Condition) -> Exposure:
    """The day up to its newest reading."""
    until_us = condition.stamp[0] + 1
    since_us = max(0, until_us - DAY_US)
    place = (key, condition.zone, condition.quantity)
    return exposure(climate.quarters(state, *place, since_us - QUARTER_US, until_us), since_us, until_us)
