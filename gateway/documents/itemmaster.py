"""What the house knows: SKUs by their GTIN, zones and doors. It says in words what it does not know."""

import difflib
from collections.abc import Collection

from contract.epc import Identity, identify
from contract.errors import BadEpc
from gateway.ledger.house import House


class ItemMaster:
    """The names that documents may use at this site."""

    def __init__(self, house: House) -> None:
        self._house = house

    def sku(self, epc: str) -> str | None:
        """SKU of a case's EPC; None for what is no case of this site."""
        sku = self._house.tag(epc).sku
        return sku if sku in self._house.products else None

    def no_case(self, epc: str) -> str | None:
        """Why an EPC is no case of a known SKU; None if it is one."""
        if self.sku(epc) is not None:
            return None
        try:
            identity = identify(epc)
        except BadEpc as error:
            return str(error)
        if identity.scheme is None:
            return _no_gs1(epc, identity)
        if identity.gtin is None:
            return f"{epc} is {identity.uri}: expected the SGTIN of a case"
        return f"{epc} has GTIN {identity.gtin}, which is no item of this site"

    def no_pallet(self, epc: str) -> str | None:
        """Why an EPC is no pallet's; None if it is one."""
        if len(epc) == 18 and epc.isdigit():
            return f"{epc} is the bare SSCC-18: expected the EPC of the pallet's tag, in hexadecimal"
        try:
            identity = identify(epc)
        except BadEpc as error:
            return str(error)
        if identity.scheme is None:
            return _no_gs1(epc, identity)
        return None if identity.sscc else f"{epc} is {identity.uri}: expected the SSCC of a pallet"

    def no_stock(self, epc: str) -> str | None:
        """Why an EPC is neither a case of a known SKU nor a pallet; None if it is one."""
        trouble = self.no_case(epc)
        return trouble if trouble and self.no_pallet(epc) else None

    def sku_of_gtin(self, gtin: str) -> str | None:
        """The SKU that a GTIN stands for; None for one that no product has."""
        return self._house.sku_of_gtin.get(gtin)

    def zone_parents(self) -> dict[str, str | None]:
        """Every zone with the one that it is a part of."""
        return {name: zone.parent for name, zone in self._house.zones.items()}

    def unknown_sku(self, sku: str) -> str | None:
        """Why a SKU is unknown; None if it is known."""
        return _unknown("SKU", sku, self._house.products)

    def unknown_zone(self, zone: str) -> str | None:
        """Why a zone is unknown; None if it is known."""
        return _unknown("zone", zone, self._house.zones)

    def unknown_door(self, door: str) -> str | None:
        """Why a door is unknown; None if it is known."""
        return _unknown("door", door, self._house.portals)


def _no_gs1(epc: str, identity: Identity) -> str:
    return f"{epc!r} is no GS1 tag encoding: {identity.raw_because}"


def _unknown(what: str, name: str, known: Collection[str]) -> str | None:
    if name in known:
        return None
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names[:20]) or 'none'}"
    return f"no {what} is called {name!r}: {advice}"
