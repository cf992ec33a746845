"""The house: what stands where, what a tag stands for, what watches what.

The rules of the fold ask only what the log has told (`SiteDescribed`, and what was imported); what only the page needs
(titles, readers of a door, lines and grades) is asked of the site file.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from contract import site as site_file
from contract.epc import identify
from contract.errors import BadEpc
from contract.sortingline import Grade
from gateway.records.premises import described
from gateway.records.stockrecords import DeviceOf, DoorOf, Product, SensorOf, SiteDescribed, ZoneOf


class Tag(NamedTuple):
    """What an EPC stands for here. `sku` is set for stock units only."""

    kind: Literal["unit", "container", "other"]
    sku: str | None


class Limits(NamedTuple):
    """The temperatures that a zone must stay between."""

    min_c: float
    max_c: float


_USUAL = Grade(crop="any")
_OTHER = Tag("other", None)
_CONTAINER = Tag("container", None)


class House:
    """One house. It changes only by `learn`, `import_products` and `import_zones`."""

    def __init__(self, site: site_file.Site, told: SiteDescribed | None = None) -> None:
        """`told`: what the log said last; without it, as the site file says."""
        self.site = site
        self.doors = {door.name: door for door in site.doors}
        self.lines = {line.name: line for line in site.lines}
        self.zones: dict[str, ZoneOf] = {}
        self.portals: dict[str, DoorOf] = {}
        self.devices: dict[str, DeviceOf] = {}
        self.sensors: dict[str, SensorOf] = {}
        self.products: dict[str, Product] = {}
        """By SKU: those of the site file, then imported ones in their place or beside them."""
        self._imported_products: dict[str, Product] = {}
        self._imported_zones: dict[str, ZoneOf] = {}
        self.sku_of_gtin: dict[str, str] = {}
        self._units: dict[int, Tag] = {}
        self._tag = lru_cache(maxsize=100_000)(self._identified)
        self.learn(told or described(site, 0))

    @classmethod
    def untold(cls, site: site_file.Site) -> "House":
        """A house of which the log has said nothing yet."""
        return cls(site, SiteDescribed(at_us=0, site=site.site, settle_us=0))

    def learn(self, told: SiteDescribed) -> set[str]:
        """The site file says this now; the GTINs that stand for another SKU than before."""
        self.told = told
        self.settle_us, self.silent_us = told.settle_us, told.silent_us
        self.portals = {door.name: door for door in told.doors}
        self.devices = {device.name: device for device in told.devices}
        self.sensors = {sensor.name: sensor for sensor in told.sensors}
        return self._arrange()

    def import_products(self, products: Iterable[Product]) -> set[str]:
        """More of the item master; the GTINs that stand for another SKU than before."""
        self._imported_products |= {product.sku: product for product in products}
        return self._arrange()

    def import_zones(self, zones: Iterable[ZoneOf]) -> None:
        """More of the zone tree."""
        self._imported_zones |= {zone.name: zone for zone in zones}
        self._arrange()

    def _arrange(self) -> set[str]:
        before = self.sku_of_gtin
        self.zones = {zone.name: zone for zone in self.told.zones} | self._imported_zones
        self.limits = {
            name: Limits(zone.min_c, zone.max_c)
            for name, zone in self.zones.items()
            if zone.min_c is not None and zone.max_c is not None
        }
        self.products = {product.sku: product for product in self.told.products} | self._imported_products
        self.sku_of_gtin = {product.gtin: sku for sku, product in self.products.items()}
        self._units.clear()
        self._tag.cache_clear()
        return {
            gtin for gtin in before.keys() | self.sku_of_gtin.keys() if before.get(gtin) != self.sku_of_gtin.get(gtin)
        }

    def most_defective(self, line: str, customer: str | None) -> float:
        """The share of defective fruit that a customer takes from a line: as the customer's grade says, else as
        everybody's does. A line that is not in the site file has the usual one."""
        crop = self.lines[line].crop if line in self.lines else None
        grades = {grade.customer: grade for grade in self.site.grades if grade.crop == crop}
        grade = grades.get(customer) or grades.get(None) or _USUAL
        return grade.max_defective

    def tag(self, epc: str) -> Tag:
        """What an EPC stands for. A GTIN that no product has is its own SKU.

        Of an item in several pieces (ITIP) the first one is the unit: counting each would make one item many.

        The first 58 bits of an SGTIN-96 (header, filter, partition, company prefix, item reference) decide its GTIN
        whatever the serial (Tag Data Standard 1.13, section 14.6.1.1), so one look-up serves every case of a product:

            | 8 header 0x30 | 3 filter | 3 partition | 44 company + item | 38 serial |
        """
        if len(epc) != 24 or not epc.startswith("30"):
            return self._tag(epc)
        product = int(epc[:15], 16) >> 2
        tag = self._units.get(product)
        if tag is None:
            tag = self._identified(epc)
            if len(self._units) < 100_000:
                self._units[product] = tag
        return tag

    def _identified(self, epc: str) -> Tag:
        try:
            identity = identify(epc)
        except BadEpc:
            return _OTHER
        if identity.gtin is not None and (identity.piece is None or identity.piece[0] == 1):
            return Tag("unit", self.sku_of_gtin.get(identity.gtin, identity.gtin))
        return _CONTAINER if identity.sscc is not None else _OTHER
