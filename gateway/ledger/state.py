"""The state folded from the log: a table a noun, and the indexes that are derived from them.

One owner: the event loop of the gateway, through `Ledger`. The rules that change it stand in the module of each noun;
they are functions of the state, the log row and its entry, and nothing else.
"""

from collections import defaultdict
from typing import Any

from gateway.belief.trace import Watched
from gateway.ledger import rows
from gateway.ledger.counting import countrows
from gateway.ledger.fruit import linerows
from gateway.ledger.house import House
from gateway.ledger.storage.posting import Posting
from gateway.ledger.storage.table import Table
from gateway.records import LogRow
from gateway.records.stockrecords import Product, SiteDescribed, ZoneOf
from gateway.views import Section


class State:
    """Everything that the gateway believes. `house` is what the site file says."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.items = Table("items", rows.Item)
        self.stock = Table("stock", rows.Stock)
        self.bins = Table("bins", rows.Bin)
        self.stocklots = Table("stocklots", rows.StockLot)
        self.containers = Table("containers", rows.Container)
        self.premises = Table("premises", SiteDescribed)
        self.products = Table("products", Product)
        self.zones = Table("zones", ZoneOf)
        self.doors = Table("doors", rows.Door)
        self.shipments = Table("shipments", rows.Shipment)
        self.cases = Table("cases", rows.Case)
        self.exceptions = Table("exceptions", rows.Incident)
        self.orders = Table("orders", rows.Order)
        self.agents = Table("agents", rows.Agent)
        self.devices = Table("devices", rows.Device)
        self.conditions = Table("conditions", rows.Condition)
        self.climate = Table("climate", rows.ClimateDay)
        self.lines = Table("lines", linerows.SortingLine)
        self.lots = Table("lots", linerows.Run)
        self.reviews = Table("reviews", linerows.Review)
        self.counters = Table("counters", rows.Counter)
        self.counts = Table("counts", countrows.Count)
        self.finds = Table("finds", countrows.Found)
        self.sweeps = Table("sweeps", countrows.Sweeps)
        self.findrates = Table("findrates", countrows.FindRate)
        self.audits = Table("audits", countrows.Audit)
        self.watched = Table("watched", Watched)

        self.tables: tuple[Table[Any], ...] = (
            self.items,
            self.stock,
            self.bins,
            self.stocklots,
            self.containers,
            self.premises,
            self.products,
            self.zones,
            self.doors,
            self.shipments,
            self.cases,
            self.exceptions,
            self.orders,
            self.agents,
            self.devices,
            self.conditions,
            self.climate,
            self.lines,
            self.lots,
            self.reviews,
            self.counters,
            self.counts,
            self.finds,
            self.sweeps,
            self.findrates,
            self.audits,
            self.watched,
        )
        """All of them, to be written and read alike."""
        self.shown: set[tuple[Section, str]] = set()
        """Views that changed although no row of theirs did."""
        self.row: LogRow | None = None
        """The row that is being folded."""
        self.postings: list[Posting] = []
        """What it and those before it changed in the books, since they were last written."""
        self.swept_us: int | None = None
        """Resolved exceptions that changed last before this are to be deleted on disk, too."""
        self.due: set[str] = set()
        """SKUs whose inventory position may have fallen."""
        self.index = Index()

    def take_postings(self) -> list[Posting]:
        """The postings since they were last taken, to be written."""
        taken, self.postings = self.postings, []
        return taken

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
        self.lasting: dict[tuple[str, str], str] = {}
        """Id of the one that somebody closed, and that is not known to have ended."""
        self.bins_of_sku: dict[str, set[str]] = defaultdict(set)
        self.bins_of_lot: dict[str, set[str]] = defaultdict(set)
        """Keys of the bins that hold units of a lot, whatever the SKU."""
        self.unheard: set[str] = set()
        """Items in the house that no reader sees at the moment, though their zone has one."""
        self.held_lots: set[str] = set()
        """Lots in quarantine."""
        self.expired_lots: set[tuple[str, str]] = set()
        """(SKU, lot) of those whose last day is over."""
        self.lots_of_line: dict[str, list[tuple[int, str]]] = defaultdict(list)
        """(begun_us, key) of the lots of a line, oldest first."""
        self.open_reviews: dict[str, list[tuple[int, str]]] = defaultdict(list)
        """(at_us, key) of the reviews of a line that wait, oldest first."""
        self.climate: dict[str, list[tuple[int, str]]] = defaultdict(list)
        """(day, key) of the climate rows of a sensor, oldest first."""
        self.open_counts: dict[str, set[str]] = defaultdict(set)
        """Counts of a zone that have not ended."""
        self.accepted: set[str] = set()
        """Counts that were reviewed, and are booked at the end of the commit."""
        self.finds: dict[str, dict[str, countrows.Found]] = {}
        """What an open count found, by EPC."""
        self.sought: dict[str, set[str]] = defaultdict(set)
        """Open counts that found a tag."""
        self.swept: dict[str, dict[str, int]] = {}
        """When completed counts swept a zone, by SKU; "" is whatever it holds."""
