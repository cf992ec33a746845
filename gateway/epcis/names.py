"""What partners call the things of this site: URIs of places, parties, documents, devices, products and tags.

What has a GS1 key is called by it. The rest has private URIs (CBV 2.0, section 8), names percent-encoded:

    urn:x-truecount:{site}:site                    the site
    urn:x-truecount:{site}:door:{door}             also zone, line, device, party
    urn:x-truecount:{site}:doc:{number}            a despatch advice or purchase order
    urn:x-truecount:{site}:class:{sku}[:{lot}]     units of a SKU without a GTIN

Where partners must tell two companies' sites apart, give each site a name of its own.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from contract.epc import identify
from contract.errors import BadEpc
from contract.gs1 import TEXT, checked
from contract.site import Site
from gateway.epcis.gs1uri import digital_link

PRIVATE: Final = "urn:x-truecount:"
_DOCUMENT: Final = "urn:epcglobal:cbv:bt:"
_URI: Final = re.compile(
    r"(urn:epc(global)?:|https?://[A-Za-z0-9.-]+/)([A-Za-z0-9._~:/!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+"
)
"""A partner's URI that may stand where we would make one."""
_QUALIFIED: Final = re.compile(r"([0-9]{13}):(.+)", re.DOTALL)


class Names:
    """The URIs of one site. `gtins`: GTIN-14 by SKU, beside those of the site file, which win."""

    def __init__(self, site: Site, gtins: Mapping[str, str] | None = None) -> None:
        self.doors = {door.name: door for door in site.doors}
        self._root = f"{PRIVATE}{site.site}:"
        self.site = f"{self._root}site"
        self._gtins = {**(gtins or {}), **{item.sku: item.gtin for item in site.items}}

    def door(self, name: str) -> str:
        """A read point."""
        return self._private("door", name)

    def zone(self, name: str) -> str:
        """Where stock is; also the read point of what watches it."""
        return self._private("zone", name)

    def line(self, name: str) -> str:
        """A sorting line, a read point."""
        return self._private("line", name)

    def device(self, name: str) -> str:
        """A sensor."""
        return self._private("device", name)

    def party(self, name: str) -> str:
        """A partner: the URI that a partner gave, or one for the name."""
        return name if _URI.fullmatch(name) else self._private("party", name)

    def document(self, number: str) -> str:
        """A despatch advice or purchase order. `GLN:NUMBER` is that of who has the GLN (CBV 2.0, section 8.5.2)."""
        if _URI.fullmatch(number):
            return number
        qualified = _QUALIFIED.fullmatch(number)
        if qualified and _is_key(qualified[1]):
            return f"{_DOCUMENT}{qualified[1]}:{quote(qualified[2], safe='')}"
        return self._private("doc", number)

    def product(self, sku: str, lot: str | None = None) -> str:
        """The class of a SKU's units, or of those of one lot (CBV 2.0, section 8.3)."""
        gtin = self.gtin(sku)
        if gtin is None or not _is_key(gtin) or (lot is not None and not _is_lot(lot)):
            return self._private("class", sku) + (f":{quote(lot, safe='')}" if lot is not None else "")
        return digital_link((("01", gtin),) if lot is None else (("01", gtin), ("10", lot)))

    def gtin(self, sku: str) -> str | None:
        """GTIN-14 of a SKU. A GTIN that the site did not know was its own SKU."""
        return self._gtins.get(sku) or (sku if re.fullmatch(r"[0-9]{14}", sku) else None)

    def _private(self, kind: str, name: str) -> str:
        return f"{self._root}{kind}:{quote(name, safe='')}"


def tag(epc: str) -> str | None:
    """The URI of a tag's object. None for bits that are no EPC: they name no object that a partner could know.

    EPCIS wants pure identity URIs or Digital Links; `urn:epc:raw:` is of the reading layer only (TDS 1.13, section 12).
    """
    identity = identify(epc)
    return None if identity.scheme is None else identity.uri


def tags(epcs: Iterable[str]) -> tuple[str, ...]:
    """The URIs of tags, each once: several tags may say the same identity."""
    return tuple(dict.fromkeys(uri for epc in epcs if (uri := tag(epc)) is not None))


def document_number(uri: str) -> str:
    """The number of a document from its URI: the inverse of `Names.document`, for URIs of anybody.

    What has no number of its own is called by its whole URI, with `:` for what may not stand in a path.
    """
    if uri.startswith(_DOCUMENT):
        return unquote(uri.removeprefix(_DOCUMENT))
    ours = _private(uri, "doc")
    return ours if ours is not None else re.sub(r"[:/?#]+", ":", unquote(uri)).strip(":")


def order_number(uri: str) -> str:
    """The number of a purchase order, as who placed it calls it: without the GLN, or the address, before it."""
    ours = _private(uri, "doc")
    return ours if ours is not None else document_number(uri).rsplit(":", 1)[-1]


def party_name(uri: str) -> str:
    """What a party is called here: the name that its private URI holds, else its URI."""
    name = _private(uri, "party")
    return uri if name is None else name


def _private(uri: str, kind: str) -> str | None:
    found = re.fullmatch(f"{PRIVATE}[^:]*:{kind}:(.+)", uri)
    return None if found is None else unquote(found[1])


@lru_cache(maxsize=1_000)
def _is_key(digits: str) -> bool:
    try:
        return bool(checked(digits))
    except BadEpc:
        return False


def _is_lot(lot: str) -> bool:
    """GS1 General Specifications, section 3.4.1 (AI 10)."""
    return 0 < len(lot) <= 20 and TEXT.issuperset(lot)
