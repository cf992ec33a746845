"""What the ledger needs to know of the site file: what stands where, what a tag stands for, what watches what."""

from functools import lru_cache
from typing import Literal, NamedTuple

from contract import site as site_file
from contract.epc import identify
from contract.errors import BadEpc
from contract.sortingline import Grade

DeviceKind = Literal["agent", "reader", "modbus", "camera"]


class Tag(NamedTuple):
    """What an EPC stands for here. `sku` is set for stock units only."""

    kind: Literal["unit", "container", "other"]
    sku: str | None


class DeviceOf(NamedTuple):
    """A device of the site file."""

    kind: DeviceKind
    agent: str
    door: str | None


_USUAL = Grade(crop="any")
_OTHER = Tag("other", None)
_CONTAINER = Tag("container", None)


class House:
    """One site file, indexed. Immutable."""

    def __init__(self, site: site_file.Site) -> None:
        self.site = site
        self.doors = {door.name: door for door in site.doors}
        self.zones = frozenset(zone.name for zone in site.zones)
        self.limits = {zone.name: zone.temperature for zone in site.zones if zone.temperature}
        self.skus = {item.sku: item for item in site.items}
        self.lines = {line.name: line for line in site.lines}
        self.settle_us = round(site.gateway.shipment_settle_s * 1e6)
        self.silent_us = round(site.gateway.silent_after_s * 1e6)
        self.devices = _devices(site)
        self._sku_of_gtin = {item.gtin: item.sku for item in site.items}
        self._units: dict[int, Tag] = {}
        self._tag = lru_cache(maxsize=100_000)(self._identified)

    def most_defective(self, line: str, customer: str | None) -> float:
        """The share of defective fruit that a customer takes from a line: as the customer's grade says, else as
        everybody's does. A line that is not in the site file has the usual one."""
        crop = self.lines[line].crop if line in self.lines else None
        grades = {grade.customer: grade for grade in self.site.grades if grade.crop == crop}
        grade = grades.get(customer) or grades.get(None) or _USUAL
        return grade.max_defective

    def tag(self, epc: str) -> Tag:
        """What an EPC stands for. A GTIN that the site file does not know is its own SKU.

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
            return Tag("unit", self._sku_of_gtin.get(identity.gtin, identity.gtin))
        return _CONTAINER if identity.sscc is not None else _OTHER


def _devices(site: site_file.Site) -> dict[str, DeviceOf]:
    devices = {agent.name: DeviceOf("agent", agent.name, None) for agent in site.agents}
    devices |= {device.name: DeviceOf("modbus", device.agent, None) for device in site.modbus}
    for door in site.doors:
        devices |= {reader.name: DeviceOf("reader", door.agent, door.name) for reader in door.readers}
    devices |= {reader.name: DeviceOf("reader", reader.agent, None) for reader in site.zone_readers}
    devices |= {line.camera.name: DeviceOf("camera", line.agent, None) for line in site.lines}
    return devices
