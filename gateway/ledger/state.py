"""The state folded from the log: a table a noun, and the indexes that are derived from them.

One owner: the event loop of the gateway, through `Ledger`. The rules that change it stand in the module of each noun;
they are functions of the state, the log row and its entry, and nothing else.
"""

from collections import defaultdict
from typing import Any

from gateway.ledger import linerows, rows
from gateway.ledger.house import House
from gateway.ledger.table import Table
from gateway.views import Section


class State:
    """Everything that the gateway believes. `house` is what the site file says."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.items = Table("items", rows.Item)
        self.stock = Table("stock", rows.Stock)
        self.doors = Table("doors", rows.Door)
        self.shipments = Table("shipments", rows.Shipment)
        self.cases = Table("cases", rows.Case)
        self.exceptions = Table("exceptions", rows.Incident)
        self.orders = Table("orders", rows.Order)
        self.agents = Table("agents", rows.Agent)
        self.devices = Table("devices", rows.Device)
        self.conditions = Table("conditions", rows.Condition)
        self.lines = Table("lines", linerows.SortingLine)
        self.lots = Table("lots", linerows.Run)
        self.reviews = Table("reviews", linerows.Review)
        self.counters = Table("counters", rows.Counter)

        self.tables: tuple[Table[Any], ...] = (
            self.items,
            self.stock,
            self.doors,
            self.shipments,
            self.cases,
            self.exceptions,
            self.orders,
            self.agents,
            self.devices,
            self.conditions,
            self.lines,
            self.lots,
            self.reviews,
            self.counters,
        )
        """All of them, to be written and read alike."""
        self.shown: set[tuple[Section, str]] = set()
        """Views that changed although no row of theirs did."""
        self.due: set[str] = set()
        """SKUs whose inventory position may have fallen."""
        self.index = Index()

    def position_moved(self, sku: str) -> None:
        """Units of a SKU on hand or on order changed."""
        self.due.add(sku)
        self.shown.add(("stock", sku))

    def number(self, name: str) -> int:
        """The next number, from 1, under a name."""
        counter = self.counters.get(name)
        return self.reach(name, 1 if counter is None else counter.n + 1)

    def reach(self, name: str, n: int) -> int:
        """Numbers up to `n` are taken under a name."""
        counter = self.counters.get(name) or self.counters.put(name, rows.Counter())
        counter.n = max(counter.n, n)
        self.counters.touch(name)
        return counter.n


class Index:
    """What can be derived from the tables, so that an event costs the same whatever the house holds."""

    def __init__(self) -> None:
        self.expecting: dict[rows.Direction, dict[str, set[str]]] = {"inbound": {}, "outbound": {}}
        """Shipments that still wait for a tag."""
        self.cases: dict[str, dict[str, rows.Case]] = defaultdict(dict)
        """Cases of a shipment, by EPC."""
        self.bound_for: dict[str, set[str]] = defaultdict(set)
        """Shipments not yet ended whose ASN names a door."""
        self.in_transit: dict[str, set[str]] = defaultdict(set)
        """Inbound shipments not yet ended that announce a SKU."""
        self.open_shipments: set[str] = set()
        self.shipments_of_order: dict[str, set[str]] = defaultdict(set)
        self.order_of_number: dict[str, str] = {}
        self.open_orders: dict[str, set[str]] = defaultdict(set)
        """Keys of the orders of a SKU that are neither received nor cancelled."""
        self.open_exceptions: dict[tuple[str, str], str] = {}
        """Id of the open exception of a kind about a subject."""
        self.items_of_lot: dict[str, set[str]] = defaultdict(set)
        self.held_lots: set[str] = set()
        """Lots in quarantine."""
        self.lots_of_line: dict[str, list[tuple[int, str]]] = defaultdict(list)
        """(begun_us, key) of the lots of a line, oldest first."""
        self.open_reviews: dict[str, list[tuple[int, str]]] = defaultdict(list)
        """(at_us, key) of the reviews of a line that wait, oldest first."""
